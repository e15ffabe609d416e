"""gradspec export."""

from __future__ import annotations

import click

from gradspec.cli.options import one_spec

__all__ = ["command"]


@click.command("export")
@click.argument("file")
@click.option("--only", metavar="ID", help="The spec of this id alone.")
def command(file: str, only: str | None) -> int:
    """Print the canonical program of a spec file as JSON.

    A list with one program for each spec (and dtype): every op a single call, every argument bound
    to its name. It is what a backend receives; expectations are not part of it.
    """
    import json

    from gradspec.spec.dump import program_to_json

    programs = [program_to_json(spec.program) for spec in one_spec(file, only)]
    print(json.dumps(programs, allow_nan=False, indent=1))
    return 0
