"""The options of `gradspec run` about known failures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from gradspec.cli.configured import project
from gradspec.cli.options import default_paths, suite_path
from gradspec.errors import UsageError

if TYPE_CHECKING:
    from gradspec.runner.events import Event, Stale
    from gradspec.runner.known_failures import KnownFailures
    from gradspec.runner.known_update import Update
    from gradspec.spec.model import Spec

__all__ = ["Known", "known_options"]

_OPTIONS = (
    click.option(
        "--known-failures",
        "known_failures",
        metavar="PATH",
        help="What may fail, and must: a directory of files BACKEND.yaml, or one of them. Default:"
        " gradspec-known-failures here, if there is one.",
    ),
    click.option(
        "--update-known-failures",
        "update",
        is_flag=True,
        help="Make the files say what this run has seen: the only thing that writes them.",
    ),
)


def known_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options; it takes them as keywords and makes `Known` of them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


class Known:
    """What the options say, for the backends of a run. Raises SpecError for a broken file."""

    def __init__(self, known_failures: str | None, update: bool, backends: Sequence[str]) -> None:
        from gradspec.config import DIRECTORY
        from gradspec.plugins import BUILT_IN

        config = project()
        place = known_failures or (config.get("known-failures") if config is not None else None)
        default = DIRECTORY if config is None else os.path.relpath(os.path.join(config.root, DIRECTORY))
        if place is None and (update or os.path.isdir(default)):
            place = default
        self.path: str | None = place
        self.updating = update
        self.failures: KnownFailures | None = None
        if place is not None or not set(BUILT_IN).issuperset(backends):
            from gradspec.plugins import known_failures as brought
            from gradspec.runner.known_failures import load

            self.failures = load(place, backends, brought, new=update)

    def taken_into_account(
        self, events: Iterator[Event], loaded: Sequence[Spec], paths: Sequence[str]
    ) -> Iterator[Event]:
        """The events as they are with known failures. `loaded` are the specs of `paths`, or of the
        default paths, before any choice."""
        if self.failures is None or not (self.failures or self.updating):
            return events
        from gradspec.runner.known_events import with_known_failures

        usual = default_paths()
        stale: tuple[Stale, ...] = ()
        if _covered(usual, paths):
            suite = _covered([suite_path()], paths or usual)
            stale = self.failures.stale((spec.id for spec in loaded), suite)
        return with_known_failures(events, self.failures, stale)

    def match(self, name: str, backend: str) -> str:
        """Why a spec of this id is known to fail on a backend, or ""."""
        return "" if self.failures is None else self.failures.match(name, backend)

    def update(self, loaded: Sequence[Spec]) -> Update | None:
        """What takes the events and then writes the files, where that is wanted."""
        if not self.updating:
            return None
        if self.path is None or self.failures is None:
            raise UsageError("--update-known-failures: no place to write to")
        from gradspec.runner.known_update import Update

        return Update(self.failures, self.path, (spec.id for spec in loaded))


def _covered(wanted: Sequence[str], paths: Sequence[str]) -> bool:
    """Whether all that is `wanted` is in the paths; without paths it is."""
    folders = [os.path.realpath(path) + os.sep for path in paths]
    return not folders or all(
        any((os.path.realpath(one) + os.sep).startswith(folder) for folder in folders) for one in wanted
    )
