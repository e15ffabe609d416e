"""gradspec backends."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("backends")
@click.option("--load", is_flag=True, help="Import each, which shows versions and what is broken inside.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(load: bool, as_json: bool) -> int:
    """List the backends and whether they can be loaded.

    Nothing is imported unless --load is given. What cannot be loaded is a row, not an error.
    """
    from gradspec.plugins import list_backends

    rows = list_backends(load)
    if as_json:
        import json

        print(json.dumps([row._asdict() for row in rows], indent=1))
        return 0
    from gradspec.reports.table import columns

    detail = "version or reason" if load else "what to do"
    cells = [(row.name, row.status, row.origin, row.detail) for row in rows]
    for line in columns(
        [("backend", "status", "from", detail if any(row.detail for row in rows) else ""), *cells]
    ):
        print(line)
    return 0
