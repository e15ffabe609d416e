"""What several commands share: the default suite, loading with all faults told, colour, width."""

# pathlib would take several milliseconds of every start.

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from gradspec.errors import BackendUnavailable, SpecError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradspec.backends.base import Backend
    from gradspec.reports.progress import Progress
    from gradspec.spec.model import Spec

__all__ = [
    "color_for",
    "default_paths",
    "load",
    "load_backend",
    "one_spec",
    "progress_for",
    "suite_path",
    "width",
]


def suite_path() -> str:
    """The conformance suite that ships with gradspec: inside the wheel, or beside a source checkout."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside = os.path.join(package, "_suite")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "specs")


def default_paths() -> list[str]:
    """Those of the project's pyproject.toml, else `specs/` here if there is one, else the bundled suite."""
    from gradspec.config import find

    config = find()
    if config is not None and "paths" in config.values:
        return list(config.values["paths"])
    if os.path.isdir("specs"):
        return ["specs"]
    suite = suite_path()
    if not os.path.isdir(suite):
        raise UsageError("no specs/ here and no bundled suite: name a file or directory")
    return [suite]


def load(paths: tuple[str, ...] | list[str]) -> list[Spec]:
    """All specs of the given files and directories; raises SpecError with all faults of all of them."""
    from gradspec.config import find
    from gradspec.spec.load import load_paths

    specs, faults = load_paths(list(paths))
    if faults:
        raise SpecError(faults)
    config = find()
    return specs if config is None else config.as_tolerant(specs)


def load_backend(name: str) -> Backend:
    """The backend called `name`; raises BackendUnavailable, also for a name that nobody has: it may be
    that of a plugin which is not installed."""
    from gradspec import plugins

    try:
        return plugins.load_backend(name)
    except UsageError as error:
        raise BackendUnavailable(str(error)) from error


def one_spec(file: str, only: str | None) -> list[Spec]:
    """The specs of one file, or the one called `only`; raises UsageError where there is none of that id."""
    from gradspec.errors import did_you_mean

    specs = load([file])
    if only is None:
        return specs
    chosen = [spec for spec in specs if only in (spec.id, spec.id.partition("@")[0])]
    if not chosen:
        ids = [spec.id for spec in specs]
        hint = did_you_mean(only, ids) or f"it has {', '.join(ids[:8])}{', …' if len(ids) > 8 else ''}"
        raise UsageError(f'no spec "{only}" in {file}; {hint}')
    return chosen


def color_for(option: str) -> bool:
    """Whether stdout gets colours."""
    from gradspec.reports.color import wants_color

    return wants_color(option, os.environ, sys.stdout.isatty())


def progress_for(write: Callable[[str], object]) -> Progress | None:
    """A bar for a run whose messages go through `write`, where a terminal shows it."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return None
    from gradspec.reports.progress import Progress

    return Progress(write, sys.stderr)


def width() -> int:
    """How many cells a line of output may take: COLUMNS, else the terminal's width, else 100."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 100
    except (OSError, ValueError):
        return 100
