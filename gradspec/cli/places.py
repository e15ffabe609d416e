"""The options of `gradspec run` that say where specs run, and what is kept of them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from gradspec.cli.options import load_backend
from gradspec.errors import UsageError

if TYPE_CHECKING:
    from gradspec.runner.cases import Workplace
    from gradspec.runner.stop import Stop
    from gradspec.runner.store import Kept

__all__ = ["Places", "place_options"]

LOADER = "gradspec.cli.options:load_backend"  # load_backend, by name
_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}


def _jobs(text: str) -> int:
    if text == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise click.BadParameter(f'"{text}" is no number of processes, 1 or more, nor auto')
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise click.BadParameter(f'"{text}" is no time in seconds: write 2 or 0.5')
    return seconds


def _size(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", text.strip().lower())
    size_bytes = int(float(match[1]) * 2 ** _UNITS[match[2]]) if match else 0
    if not size_bytes:
        raise click.BadParameter(f'"{text}" is no size: write 512MiB or 2GiB')
    return size_bytes


_OPTIONS = (
    click.option(
        "-j",
        "--jobs",
        type=_jobs,
        metavar="N|auto",
        help="Run in so many processes at once. Default: in this one.",
    ),
    click.option(
        "--isolate",
        is_flag=True,
        help="Run in a worker process, so that a spec that takes its process with it is the only one lost.",
    ),
    click.option(
        "--timeout",
        "timeout_s",
        type=_seconds,
        metavar="SECONDS",
        help="For each spec; it is isolated then.",
    ),
    click.option(
        "--memory-limit",
        "memory_bytes",
        type=_size,
        metavar="SIZE",
        help="What each spec may take beside its framework, as 2GiB; it is isolated then.",
    ),
    click.option(
        "--executor", metavar="MODULE:FUNCTION", help="Run on the concurrent.futures.Executor it returns."
    ),
    click.option("--resume", is_flag=True, help="Run only what runs that were ended early have left."),
    click.option(
        "--last-failed",
        is_flag=True,
        help="Only specs that last failed, never finished, or are new or changed.",
    ),
)


def place_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options; it takes them as keywords and makes `Places` of them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


class Places:
    """What the options say."""

    def __init__(
        self,
        jobs: int | None,
        isolate: bool,
        timeout_s: float | None,
        memory_bytes: int | None,
        executor: str | None,
        resume: bool,
        last_failed: bool,
    ) -> None:
        from gradspec.runner.cases import Limits

        if executor and jobs:
            raise UsageError("--executor decides how many work at once: leave --jobs away")
        if memory_bytes and not _has_limits():
            raise UsageError("--memory-limit: this system has none")
        self.jobs = jobs or 1
        self.limits = Limits(timeout_s or 0.0, memory_bytes or 0)
        self.isolate = isolate or any(self.limits)
        self.executor = executor
        self.resume = resume
        self.last_failed = last_failed

    def workplace(self) -> Workplace:
        """Where the run takes place."""
        if self.executor:
            from gradspec.runner.executor import Elsewhere, factory

            return Elsewhere(factory(self.executor), LOADER, self.limits, self.isolate)
        if self.isolate or self.jobs > 1:
            return self._crew()
        from gradspec.runner.here import Here

        return Here(load_backend, self._crew)

    def kept(self) -> Kept:
        """Where its results are kept."""
        from gradspec.runner.store import Kept

        return Kept(self.limits, self.resume)

    def told(self, place: Workplace, kept: Kept, stop: Stop) -> list[str]:
        """What is to be said about these things when the run is over."""
        said = [*place.notes, kept.fault]
        if stop.signum:
            said.append(
                "ended early; what was done is kept, and the same command with --resume does the rest"
            )
        elif self.resume and not kept.resumed:
            said.append("no run was ended early here, so all were run")
        elif kept.resumed:
            said.append(f"{kept.resumed} results are those of a run that was ended early")
        return [text for text in said if text]

    def _crew(self) -> Workplace:
        from gradspec.runner.crew import Crew

        return Crew(LOADER, self.jobs, self.limits)


def _has_limits() -> bool:
    try:
        import resource
    except ImportError:
        return False
    return hasattr(resource, "RLIMIT_AS") and os.path.exists("/proc/self/statm")
