"""gradspec schema."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("schema")
@click.option("--report", is_flag=True, help="The schema of the JSON report instead.")
def command(report: bool) -> int:
    """Print the JSON Schema of spec files or reports.

    For editors: "# yaml-language-server: $schema=PATH" in the first line of a spec file.
    """
    if report:
        from gradspec.reports.json import schema_text

        print(schema_text(), end="")
    else:
        from gradspec.spec import schema

        print(schema.schema_text(), end="")
    return 0
