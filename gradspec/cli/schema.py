"""gradspec schema."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("schema")
@click.option("--report", is_flag=True, help="The schema of the JSON report instead.")
@click.option("--lines", is_flag=True, help="The schema of a line of the JSON lines report instead.")
def command(report: bool, lines: bool) -> int:
    """Print the JSON Schema of spec files or reports.

    For editors: "# yaml-language-server: $schema=PATH" in the first line of a spec file.
    """
    if report:
        from gradspec.reports.json import schema_text

        print(schema_text(), end="")
    elif lines:
        import json

        from gradspec.reports.jsonl import schema as schema_of_lines

        print(json.dumps(schema_of_lines(), indent=2))
    else:
        from gradspec.spec import schema

        print(schema.schema_text(), end="")
    return 0
