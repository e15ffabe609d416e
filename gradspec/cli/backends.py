"""gradspec backends."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("backends")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(as_json: bool) -> int:
    """List the backends and whether they can be loaded."""
    return 0
