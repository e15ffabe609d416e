"""gradspec trace."""

from __future__ import annotations

import click

from gradspec.cli.options import load_backend, one_spec
from gradspec.errors import UsageError

__all__ = ["command"]


@click.command("trace")
@click.argument("file")
@click.option(
    "-b", "--backend", default="python", show_default=True, metavar="NAME", help="The backend to run on."
)
@click.option("--only", metavar="ID", help="The spec of this id alone.")
def command(file: str, backend: str, only: str | None) -> int:
    """Run a program step by step and print its tensors.

    After each expect, every tensor named there is shown as (tensor, its grad, whether it is a leaf).
    Nothing is judged.
    """
    from gradspec.reports.trace import trace_lines

    engine = load_backend(backend)
    if engine.supports("repr") == "unsupported":
        raise UsageError(f"backend {backend} cannot be traced: it does not print its tensors")
    for k, spec in enumerate(one_spec(file, only)):
        if k:
            print()
        for line in trace_lines(spec, engine):
            print(line)
    return 0
