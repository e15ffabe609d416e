"""The report on the terminal: silent about what passes, thorough about what does not, a table at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gradspec.reports.color import Paint
from gradspec.reports.failure import block, cut, failures
from gradspec.reports.headline import sentence, specs
from gradspec.reports.totals import Totals
from gradspec.runner.events import (
    BackendReady,
    BackendUnavailable,
    Event,
    RunFinished,
    SpecFinished,
    Stale,
)  # fmt: skip
from gradspec.runner.verdict import KINDS

if TYPE_CHECKING:
    from gradspec.runner.verdict import Verdict

__all__ = ["Console"]

_LISTED = 10  # lines of a list at the end, unless all are asked for
_ROLES = dict.fromkeys(("failed", "error", "crash", "timeout", "unavailable"), "bad") | {
    "passed": "good",
    "emulated": "good",
}
_WORDS = {
    "passed": "PASS",
    "known-failure": "KNOWN",
    "unsupported": "UNSUPPORTED",
    "unchecked": "UNCHECKED",
}


class Console:
    """Folds the events of a run into text for people, line by line through `write`."""

    def __init__(
        self, write: Callable[[str], object], *, color: bool = False, width: int = 80, verbose: bool = False
    ) -> None:
        self.write = write
        self.paint = Paint(color)
        self.width = width
        self.verbose = verbose
        self.totals = Totals()
        self.backends: list[str] = []
        self.unavailable: list[BackendUnavailable] = []
        self.before: Verdict | None = None  # the last one that failed
        self.warnings: dict[tuple[str, int, str], tuple[str, list[str]]] = {}
        self.unsupported: dict[str, dict[str, int]] = {}
        self.unchecked: dict[str, list[str]] = {}

    def __call__(self, event: Event) -> None:
        """Take one event."""
        match event:
            case BackendReady():
                self.backends.append(event.name)
            case BackendUnavailable():
                self.unavailable.append(event)
                self.write(f"{self.paint('bad', 'UNAVAILABLE')} {event.reason}\n\n")
            case SpecFinished():
                self.finished(event.verdict)
            case RunFinished():
                self.end(event)

    def finished(self, verdict: Verdict) -> None:
        self.totals.add(verdict)
        if _ROLES.get(verdict.outcome) == "bad":
            self.write(block(verdict, self.paint, self.verbose, self.like(verdict)) + "\n\n")
        elif self.verbose:
            self.write(self.line(verdict))
        for shown in verdict.warnings:
            where = (verdict.id, shown.line, shown.code)
            self.warnings.setdefault(where, (shown.text, []))[1].append(verdict.backend)
        for feature in {check.feature for check in verdict.checks if check.feature} or set(
            filter(None, [verdict.message if verdict.outcome == "unsupported" else ""])
        ):
            counts = self.unsupported.setdefault(verdict.backend, {})
            counts[feature] = counts.get(feature, 0) + 1
        if verdict.outcome == "unchecked":
            self.unchecked.setdefault(f"{verdict.id}  {verdict.file}:{verdict.line}", []).append(
                verdict.backend
            )

    def like(self, verdict: Verdict) -> str:
        """The backend on which the same spec failed in the same way just before, or ""."""
        before, self.before = self.before, verdict
        same = (
            before is not None
            and before.id == verdict.id
            and before.outcome == verdict.outcome == "failed"
            and (before.message, failures(before)) == (verdict.message, failures(verdict))
        )
        return before.backend if same and before is not None else ""

    def line(self, verdict: Verdict) -> str:
        """One line for a spec that did not fail."""
        word = self.paint(_ROLES.get(verdict.outcome, "soft"), _WORDS[verdict.outcome])
        counts = verdict.counts
        parts = [f"{counts.passed + counts.emulated} of {counts.total} checks"] if counts.total else []
        if counts.emulated:
            parts.append(f"{counts.emulated} emulated")
        missing = sorted({check.feature for check in verdict.checks if check.feature})
        if missing or verdict.outcome == "unsupported":
            parts.append(f"without {', '.join(missing) or verdict.message}")
        if verdict.known:
            parts.append(verdict.known)
        if verdict.follows:
            parts.append(f"follows {' or '.join(verdict.follows)}")
        return f"{word} {verdict.id}  {verdict.backend}  {', '.join(parts)}".rstrip() + "\n"

    def end(self, event: RunFinished) -> None:
        if self.warnings:
            lines = [
                f"  {name} line {line}: {code}: {cut(text, self.verbose)}  ({_list(names)})"
                for (name, line, code), (text, names) in self.warnings.items()
            ]
            self.listed("warnings that no step expects or forbids:", lines)
        if self.unsupported:
            lines = [
                f"  {name}: " + ", ".join(f"{feature} ({specs(n)})" for feature, n in sorted(counts.items()))
                for name, counts in self.unsupported.items()
            ]
            self.listed("left out as unsupported:", lines)
        if self.unchecked:
            lines = [f"  {where}" for where in self.unchecked]
            self.listed("unchecked, nothing is expected in them:", lines)
        if event.stale:
            lines = [f"  {one.glob}  {_where(one)}  ({one.backend})" for one in event.stale]
            self.listed("known failures that no spec has the id of any more:", lines)
        if table := self.totals.lines(self.width):
            self.write("\n".join(table) + "\n\n")
        self.write(self.closing(event) + "\n")

    def listed(self, title: str, lines: list[str]) -> None:
        limit = len(lines) if self.verbose else _LISTED
        more = [f"  and {len(lines) - limit} more; --verbose shows all"] if len(lines) > limit else []
        self.write("\n".join([self.paint("soft", title), *lines[:limit], *more]) + "\n\n")

    def closing(self, event: RunFinished) -> str:
        """The one line that says how it went."""
        return sentence(
            self.totals.specs,
            self.backends,
            {kind: self.totals.by_kind[kind] for kind in KINDS}
            | {"stale": len(event.stale), "left": event.left},
            [gone.name for gone in self.unavailable],
            event.duration_s,
            lambda kind, text: self.paint(_ROLES.get(kind, "soft"), text),
        )


def _where(stale: Stale) -> str:
    return f"{stale.file}:{stale.line}" if stale.line else stale.file


def _list(names: list[str]) -> str:
    return ", ".join(dict.fromkeys(names))
