"""gradspec run."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from gradspec.cli.options import color_for, default_paths, load, progress_for, width
from gradspec.cli.places import Places, place_options
from gradspec.runner import exits

if TYPE_CHECKING:
    from gradspec.reports.kinds import Reporter

__all__ = ["command"]


@click.command("run")
@click.argument("paths", nargs=-1)
@click.option(
    "-b",
    "--backend",
    "backends",
    multiple=True,
    metavar="NAME",
    help="Run on this backend; repeat for more. Default: python and numpy.",
)
@click.option(
    "--only", multiple=True, metavar="GLOB", help="Only specs whose id fits, as 'ops.sqrt.*'; repeatable."
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only specs with this tag; repeatable.")
@click.option("--op", "ops", multiple=True, metavar="OP", help="Only specs that call this op; repeatable.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="KIND=FILE",
    help="Also write a report: json, jsonl, junit or html, or github without a file; repeatable.",
)
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the output."
)
@click.option("-v", "--verbose", is_flag=True, help="A line for every spec, and all failures of each.")
@place_options
def command(
    paths: tuple[str, ...],
    backends: tuple[str, ...],
    only: tuple[str, ...],
    tags: tuple[str, ...],
    ops: tuple[str, ...],
    reports: tuple[str, ...],
    color: str,
    verbose: bool,
    **where: Any,
) -> int:
    """Run specs on backends and say exactly what differs.

    PATHS are spec files and directories; by default specs/ here if there is one, else the bundled
    suite.
    """
    from gradspec.reports.console import Console
    from gradspec.reports.several import Several
    from gradspec.runner.run import run
    from gradspec.runner.select import select
    from gradspec.runner.stop import Stop

    files = Several(_reporters(reports))
    places = Places(**where)
    names = tuple(dict.fromkeys(backends)) or ("python", "numpy")
    specs = load(paths or default_paths())
    chosen = select(specs, only, tags, ops)
    if chosen and places.last_failed:
        from gradspec.runner.store import last_failed

        chosen = last_failed(chosen, names)
        if not chosen:
            print("nothing is left to run: all these specs came out as expected last time", file=sys.stderr)
            return exits.AS_EXPECTED
    if not chosen:
        print(_nothing(len(specs), only, tags, ops), file=sys.stderr)
        return exits.NOTHING_SELECTED
    progress = progress_for(sys.stdout.write)
    write = progress.write if progress is not None else sys.stdout.write
    console = Console(write, color=color_for(color), width=width(), verbose=verbose)
    code = exits.AS_EXPECTED
    place, kept = places.workplace(), places.kept()
    with Stop() as stop:
        for event in run(chosen, names, place, kept, stop):
            if progress is not None:
                progress(event)
            console(event)
            files(event)
            code = getattr(event, "exit_code", code)
    for fault in (*files.faults, *places.told(place, kept, stop)):
        print(f"gradspec: {fault}", file=sys.stderr)
    return max(code, exits.USAGE) if files.faults else code


def _reporters(texts: Sequence[str]) -> list[Reporter]:
    """What --report asks for; in GitHub Actions always its annotations and summary."""
    if not texts and os.environ.get("GITHUB_ACTIONS") != "true":
        return []
    from gradspec import plugins
    from gradspec.reports import kinds

    wanted = dict.fromkeys(texts)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        wanted["github"] = None
    unknown = any(text.partition("=")[0] not in kinds.KINDS for text in wanted)
    others = plugins.reporters() if unknown else {}
    return [kinds.make(text, others) for text in wanted]


def _nothing(loaded: int, only: tuple[str, ...], tags: tuple[str, ...], ops: tuple[str, ...]) -> str:
    if not loaded:
        return "no spec found: a directory is searched for files ending in .gradspec.yaml"
    wanted = [
        f"{option} {text}"
        for option, texts in (("--only", only), ("--tag", tags), ("--op", ops))
        for text in texts
    ]
    return f"none of {loaded} specs fits {' '.join(wanted)}"
