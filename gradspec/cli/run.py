"""gradspec run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from gradspec.cli import complete
from gradspec.cli.choosing import Choice, choosing_options
from gradspec.cli.configured import ConfiguredCommand, project
from gradspec.cli.known import Known, known_options
from gradspec.cli.options import color_for, default_paths, load, progress_for, width
from gradspec.cli.places import Places, place_options
from gradspec.runner import exits

if TYPE_CHECKING:
    from gradspec.reports.kinds import Reporter
    from gradspec.runner.events import Event

__all__ = ["command"]


@click.command("run", cls=ConfiguredCommand)
@click.argument("paths", nargs=-1)
@click.option(
    "-b",
    "--backend",
    "backends",
    multiple=True,
    metavar="NAME",
    shell_complete=complete.backends,
    help="Run on this backend; repeat for more. Default: python and numpy.",
)
@choosing_options
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
@click.option(
    "--maxfail", type=click.IntRange(1), metavar="N", help="End after N specs that are not as expected."
)
@click.option("--durations", type=click.IntRange(1), metavar="N", help="List the N slowest specs.")
@click.option("--watch", is_flag=True, help="Run again whenever a file changes, until Ctrl-C.")
@known_options
@place_options
def command(
    paths: tuple[str, ...],
    backends: tuple[str, ...],
    only: tuple[str, ...],
    tags: tuple[str, ...],
    ops: tuple[str, ...],
    scopes: tuple[str, ...],
    changed: str | None,
    shard: tuple[int, int] | None,
    reports: tuple[str, ...],
    color: str,
    verbose: bool,
    maxfail: int | None,
    durations: int | None,
    watch: bool,
    known_failures: str | None,
    update: bool,
    **where: Any,
) -> int:
    """Run specs on backends and say exactly what differs.

    PATHS are spec files and directories; by default specs/ here if there is one, else the bundled
    suite. What [tool.gradspec] in pyproject.toml says is the default of paths and options.
    """
    if watch:
        return _watch(paths, known_failures)
    from gradspec.reports.several import Several
    from gradspec.runner.run import run
    from gradspec.runner.stop import Stop

    files = Several(_reporters(reports))
    places = Places(**where)
    names = tuple(dict.fromkeys(backends)) or ("python", "numpy")
    choice, known = Choice(only, tags, ops, scopes, changed, shard), Known(known_failures, update, names)
    specs = load(paths or default_paths())
    chosen = choice.of(specs)
    if chosen and places.last_failed:
        from gradspec.runner.store import last_failed

        chosen = last_failed(chosen, names, known.match)
        if not chosen:
            print("nothing is left to run: all these specs came out as expected last time", file=sys.stderr)
            return exits.AS_EXPECTED
    if not chosen:
        print(choice.nothing(specs), file=sys.stderr)
        return exits.AS_EXPECTED if choice.unchanged else exits.NOTHING_SELECTED
    chosen = choice.shard(chosen)
    place, kept = places.workplace(), places.kept()
    with Stop() as stop:
        events = choice.shard_events(run(chosen, names, place, kept, stop))
        events = known.taken_into_account(events, specs, paths)
        if maxfail is not None:
            from gradspec.runner.ended import ended_after

            events = ended_after(events, maxfail)
        updating = known.update(specs)
        code = _told(events, _folds(color, verbose, durations, [files, *filter(None, [updating])]))
    if updating is not None:
        print("\n".join(updating.write()), file=sys.stderr)
        code = updating.exit_code
    for fault in (*files.faults, *places.told(place, kept, stop)):
        print(f"gradspec: {fault}", file=sys.stderr)
    return max(code, exits.USAGE) if files.faults else code


def _folds(color: str, verbose: bool, durations: int | None, others: list[Reporter]) -> list[Reporter]:
    """What takes the events: progress, the list of slow specs, the console, and others."""
    from gradspec.reports.console import Console

    progress = progress_for(sys.stdout.write)
    write = progress.write if progress is not None else sys.stdout.write
    folds: list[Reporter] = [progress] if progress is not None else []
    if durations is not None:
        from gradspec.reports.durations import Durations

        folds.append(Durations(write, durations))
    return [*folds, Console(write, color=color_for(color), width=width(), verbose=verbose), *others]


def _told(events: Iterable[Event], folds: list[Reporter]) -> int:
    """Hand every event to every fold; the exit code of the run."""
    code = exits.AS_EXPECTED
    for event in events:
        for fold in folds:
            fold(event)
        code = getattr(event, "exit_code", code)
    return code


def _watch(paths: tuple[str, ...], known_failures: str | None) -> int:
    from gradspec.cli.watch import watch

    config = project()
    others = [config.file, *config.get("code", ())] if config is not None else []
    others += [known_failures] if known_failures else []
    words = [word for word in sys.argv[1:] if word != "--watch"]
    watch(words, paths or default_paths(), list(dict.fromkeys(others)))
    return exits.AS_EXPECTED


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
