"""gradspec schema."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("schema")
@click.option("--report", is_flag=True, help="The schema of the JSON report instead.")
@click.option("--lines", is_flag=True, help="The schema of a line of the JSON lines report instead.")
@click.option("--format", "named", metavar="1.N", help="The schema of spec files as an older format has it.")
def command(report: bool, lines: bool, named: str | None) -> int:
    """Print the JSON Schema of spec files or reports.

    For editors: "# yaml-language-server: $schema=PATH" in the first line of a spec file.
    """
    from gradspec.errors import UsageError

    if sum((report, lines, named is not None)) > 1:
        raise UsageError("--report, --lines and --format exclude each other")
    if report:
        from gradspec.reports.json import schema_text

        print(schema_text(), end="")
    elif lines:
        import json

        from gradspec.reports.jsonl import schema as schema_of_lines

        print(json.dumps(schema_of_lines(), indent=2))
    else:
        from gradspec.spec.format import FIRST, NEWEST, read_format, show_format
        from gradspec.spec.schema import schema_text as schema_of_specs

        wanted = NEWEST if named is None else read_format(named)
        if wanted is None or not FIRST <= wanted <= NEWEST:
            raise UsageError(f"{named} is no format; this gradspec reads 1.0 to {show_format(NEWEST)}")
        print(schema_of_specs(wanted), end="")
    return 0
