"""What is known to fail on which backend, and why: lists kept by a project, and those plugins bring."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from gradspec.errors import Fault, SpecError, UsageError
from gradspec.runner.events import Stale
from gradspec.runner.known_file import Entry, read_file
from gradspec.runner.select import fits

__all__ = ["KnownFailures", "file_for", "load"]

_WILD = frozenset("*?[")
_SUFFIXES = (".yaml", ".yml")


class KnownFailures:
    """The entries of some backends. A project's own come before those of a plugin."""

    def __init__(
        self,
        own: Mapping[str, Sequence[Entry]] | None = None,
        brought: Mapping[str, Sequence[Entry]] | None = None,
    ) -> None:
        self.own = dict(own or {})
        self.brought = dict(brought or {})
        self._lists: dict[str, tuple[_List, ...]] = {}

    def __bool__(self) -> bool:
        return any(self.own.values()) or any(self.brought.values())

    def entry(self, id: str, backend: str) -> Entry | None:
        """The entry that a spec's id fits."""
        lists = self._lists.get(backend)
        if lists is None:
            found = (self.own.get(backend, ()), self.brought.get(backend, ()))
            lists = self._lists[backend] = tuple(_List(entries) for entries in found)
        return next((entry for each in lists if (entry := each.entry(id)) is not None), None)

    def match(self, id: str, backend: str) -> str:
        """Why a spec is known to fail on a backend, or ""."""
        entry = self.entry(id, backend)
        return "" if entry is None else entry.reason

    def stale(self, ids: Iterable[str], plugins: bool = False) -> tuple[Stale, ...]:
        """The entries that none of the ids fits; those of plugins only where asked for, since they speak
        of the conformance suite and not of a project's own specs."""
        names = dict.fromkeys(name for one in ids for name in (one, one.partition("@")[0]))
        return tuple(
            Stale(backend, *entry)
            for lists in (self.own, self.brought if plugins else {})
            for backend, entries in lists.items()
            for entry in entries
            if entry.glob not in names and not any(fnmatchcase(name, entry.glob) for name in names)
        )


class _List:
    """Entries, those without a wildcard found by their name."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.exact = {entry.glob: entry for entry in entries}
        self.wild = [entry for entry in entries if not _WILD.isdisjoint(entry.glob)]

    def entry(self, id: str) -> Entry | None:
        found = self.exact.get(id) or self.exact.get(id.partition("@")[0])
        return found or next((entry for entry in self.wild if fits(id, entry.glob)), None)


def load(
    path: str | None,
    backends: Sequence[str],
    brought: Callable[[str], Mapping[str, str]] | None = None,
    new: bool = False,
) -> KnownFailures:
    """The known failures of some backends.

    `path` is a directory with a file `BACKEND.yaml` for each that has some, or the file of one of them,
    called so; it need not be there where it is `new`. `brought(backend)` gives what plugins know: glob →
    reason. Raises SpecError for a file that cannot be read or is broken, UsageError for a path that is
    of no backend.
    """
    if path:
        _check(path, backends, new)
    own: dict[str, Sequence[Entry]] = {}
    plugins: dict[str, Sequence[Entry]] = {}
    faults: list[Fault] = []
    for backend in backends:
        file = file_for(path, backend) if path else ""
        if file and os.path.lexists(file):
            try:
                own[backend] = read_file(file)
            except SpecError as error:
                faults += error.faults
        known = brought(backend) if brought is not None else {}
        origin = f"the plugin of {backend}"
        plugins[backend] = [Entry(glob, reason, origin, 0) for glob, reason in known.items()]
    if faults:
        raise SpecError(faults)
    return KnownFailures(own, plugins)


def file_for(path: str, backend: str) -> str:
    """The file of a backend's known failures under `path`, "" where that is the file of another."""
    if not path.endswith(_SUFFIXES):
        return os.path.join(path, f"{backend}.yaml")
    return path if os.path.splitext(os.path.basename(path))[0] == backend else ""


def _check(path: str, backends: Sequence[str], new: bool) -> None:
    if path.endswith(_SUFFIXES):
        if not any(file_for(path, backend) for backend in backends):
            message = f"known failures: {path} is of no backend of this run, which are {', '.join(backends)}"
            raise UsageError(f"{message}; a file is called BACKEND.yaml, or name its directory")
        if not new and not os.path.lexists(path):
            raise UsageError(f"known failures: there is no file {path}")
    elif os.path.lexists(path) and not os.path.isdir(path):
        raise UsageError(f"known failures: {path} is no directory, and not called BACKEND.yaml")
    elif not new and not os.path.isdir(path):
        raise UsageError(f"known failures: there is no directory {path}")
