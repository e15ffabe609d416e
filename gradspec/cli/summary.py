"""gradspec summary."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("summary")
@click.argument("reports", nargs=-1, required=True)
@click.option(
    "--limit", type=click.IntRange(min=1000), metavar="BYTES",
    help="Cut it at this size; default: what a comment on GitHub may have.",
)  # fmt: skip
def command(reports: tuple[str, ...], limit: int | None) -> int:
    """Print reports as a Markdown table for a pull request.

    REPORTS are files written with --report json=FILE or jsonl=FILE; of several one table is made.
    """
    from gradspec.reports.markdown import COMMENT, markdown
    from gradspec.reports.read import merged, read
    from gradspec.reports.sources import Sources

    document, _ = merged([read(file) for file in reports])
    print(markdown(document, limit or COMMENT, Sources()), end="")
    return 0
