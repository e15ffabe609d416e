"""gradspec report."""

from __future__ import annotations

import sys

import click

__all__ = ["command"]


@click.group("report")
def command() -> None:
    """Work with reports that are there already."""


@command.command("merge")
@click.argument("files", nargs=-1, required=True)
@click.option("-o", "--output", metavar="FILE", help="Write the JSON report here; default: to stdout.")
@click.option(
    "--report", "reports", multiple=True, metavar="KIND=FILE",
    help="Also write it as json, junit or html; repeatable.",
)  # fmt: skip
def merge(files: tuple[str, ...], output: str | None, reports: tuple[str, ...]) -> int:
    """Make one report of several, as of the shards of a run.

    FILES are reports written with --report json=FILE or jsonl=FILE; of one alone another kind can be
    made. Where a spec stands in several on one backend, the last one counts.
    """
    from gradspec.reports import kinds
    from gradspec.reports.json import render
    from gradspec.reports.read import merged, read

    document, twice = merged([read(file) for file in files])
    if twice:
        print(f"{twice} results stand in more than one report; the last one counts", file=sys.stderr)
    if document.get("complete") is False:
        print("a run did not finish: results are missing", file=sys.stderr)
    for text in (*([f"json={output}"] if output else []), *reports):
        kinds.write(text, document)
    if not output and not reports:
        print(render(document), end="")
    return 0
