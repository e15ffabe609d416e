"""Making lists of known failures say what a run has seen: the only thing that writes them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gradspec.runner import exits
from gradspec.runner.events import Event, RunFinished, SpecFinished, Stale
from gradspec.runner.files import put_text
from gradspec.runner.known_failures import KnownFailures, file_for
from gradspec.runner.known_file import rewritten
from gradspec.runner.select import fits

if TYPE_CHECKING:
    from gradspec.runner.verdict import Verdict

__all__ = ["Update"]

_LONGEST = 160  # letters of a reason that is taken from a failure


class Update:
    """Folds the events of a run that took `known` into account; `write` then changes the files.

    An entry all of whose specs hold goes; one of which only some do is replaced by the ids of the
    others. What was not run keeps its entry. `exit_code` is then that of the run: what is known is as
    expected. `ids` are those of all specs that were loaded.
    """

    def __init__(self, known: KnownFailures, path: str, ids: Iterable[str]) -> None:
        self.known = known
        self.path = path
        self.ids = list(ids)
        self.reasons: dict[str, dict[str, str]] = {}  # backend → id that failed → what failed
        self.held: dict[str, set[str]] = {}  # backend → ids that an entry says would fail
        self.failed: dict[str, set[str]] = {}  # backend → ids that failed as an entry says
        self.seen: dict[str, set[str]] = {}  # backend → ids that ran
        self.stale: tuple[Stale, ...] = ()
        self.whole = False
        self.exit_code = exits.AS_EXPECTED

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, RunFinished):
            self.stale, self.whole = event.stale, not event.left
            if event.left or event.exit_code not in (exits.AS_EXPECTED, exits.MISMATCH, exits.INTERNAL):
                self.exit_code = event.exit_code
        elif isinstance(event, SpecFinished):
            verdict = event.verdict
            self.seen.setdefault(verdict.backend, set()).add(verdict.id)
            if verdict.outcome == "failed" and verdict.known:
                self.held.setdefault(verdict.backend, set()).add(verdict.id)
            elif verdict.outcome == "known-failure":
                self.failed.setdefault(verdict.backend, set()).add(verdict.id)
            elif exits.of_outcome(verdict.outcome) != exits.AS_EXPECTED:
                self.reasons.setdefault(verdict.backend, {})[verdict.id] = _reason(verdict)

    def write(self) -> list[str]:
        """Write the files that change; a line about each. Raises UsageError where that fails."""
        if not self.whole:
            return ["the run did not come to its end: lists of known failures stay as they are"]
        told = [self._write(backend) for backend in self.seen]
        brought = [
            f"{name} on {backend} holds, but its entry is {entry.file}'s"
            for backend, names in self.held.items()
            for name in sorted(names)
            if (entry := self.known.entry(name, backend)) is not None and not entry.line
        ]
        return [*filter(None, told), *brought] or ["lists of known failures: nothing to change"]

    def _write(self, backend: str) -> str:
        file = file_for(self.path, backend)
        added = self.reasons.get(backend, {})
        replaced = self._replaced(backend)
        if not file or not (added or replaced):
            return ""
        text = ""
        if os.path.exists(file):
            with open(file, encoding="utf-8-sig", newline="") as stream:
                text = stream.read()
        put_text(file, rewritten(text, replaced, added))
        counts = [f"{len(added)} added, say there why"] if added else []
        counts += [f"{len(replaced)} no longer true"] if replaced else []
        return f"{file}: {', '.join(counts)}"

    def _replaced(self, backend: str) -> dict[str, list[tuple[str, str]]]:
        """Entries by glob, with what stands for them from now on."""
        held, seen = self.held.get(backend, set()), self.seen[backend]
        left = (set(self.ids) - seen) | self.failed.get(backend, set())
        changed: dict[str, list[tuple[str, str]]] = {
            stale.glob: [] for stale in self.stale if stale.backend == backend and stale.line
        }
        for name in held:
            entry = self.known.entry(name, backend)
            if entry is None or not entry.line or entry.glob in changed:
                continue
            rest = sorted(one for one in left if fits(one, entry.glob))
            changed[entry.glob] = [(one, entry.reason) for one in rest]
        return changed


def _reason(verdict: Verdict) -> str:
    """What failed, in a few words: a person may say more."""
    first = next((check for check in verdict.checks if check.status in ("failed", "not-run")), None)
    text = f"{verdict.outcome}: {verdict.message}".rstrip(": ")
    if first is not None:
        subject = f'{first.field} of "{first.name}"' if first.name else f"line {first.place.line}"
        text = f"{subject}, {first.summary}"
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"
