"""Counts of verdicts by subject, backend and how they came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradspec.reports.table import grouped, width_of

if TYPE_CHECKING:
    from gradspec.runner.verdict import Verdict

__all__ = ["KINDS", "Totals", "kind_of"]

KINDS = (
    "passed", "emulated", "failed", "error", "crash", "timeout", "known-failure", "unsupported", "unchecked",
)  # fmt: skip


def kind_of(verdict: Verdict) -> str:
    """The outcome; a passed spec of which anything was emulated counts as emulated."""
    return "emulated" if verdict.outcome == "passed" and verdict.counts.emulated else verdict.outcome


class Totals:
    """How many specs of each directory came out how on each backend."""

    def __init__(self) -> None:
        self.by_kind = dict.fromkeys(KINDS, 0)
        self._cells: dict[tuple[str, str, str], int] = {}
        self._specs: dict[str, set[str]] = {}
        self._backends: dict[str, None] = {}

    def add(self, verdict: Verdict) -> None:
        directory = verdict.file.replace("\\", "/").rpartition("/")[0]
        kind = kind_of(verdict)
        self.by_kind[kind] += 1
        cell = (directory, verdict.backend, kind)
        self._cells[cell] = self._cells.get(cell, 0) + 1
        self._specs.setdefault(directory, set()).add(verdict.id)
        self._backends[verdict.backend] = None

    @property
    def specs(self) -> int:
        return sum(map(len, self._specs.values()))

    def lines(self, width: int) -> list[str]:
        """The table, backends side by side where `width` cells allow it, else one below the other.

        Empty where it would say no more than the closing line: one subject on one backend.
        """
        backends = list(self._backends)
        if len(self._specs) * len(backends) < 2:
            return []
        beside = self._beside(backends)
        if len(backends) == 1 or max(map(width_of, beside)) <= width:
            return beside
        return [line for name in backends for line in (*self._beside([name]), "")][:-1]

    def _beside(self, backends: Sequence[str]) -> list[str]:
        """One row a directory; under each backend a column for each way that specs came out there."""
        rows = sorted(self._specs)
        with_total = len(rows) > 1
        specs = [str(len(self._specs[row])) for row in rows]
        groups = [("", [["specs", *specs, *([str(self.specs)] if with_total else [])]])]
        for backend in backends:
            group = []
            for kind in KINDS:
                counts = [self._cells.get((row, backend, kind), 0) for row in rows]
                if any(counts):
                    total = [str(sum(counts))] if with_total else []
                    group.append([kind, *(str(n) if n else "." for n in counts), *total])
            groups.append(
                (backend, group or [["specs", *("." for _ in rows), *(["."] if with_total else [])]])
            )
        return grouped(["", *_short(rows), *(["total"] if with_total else [])], groups)


def _short(directories: list[str]) -> list[str]:
    """Directories by what tells them apart: `ops/unary`, `seed`; one alone by its last part."""
    parts = [directory.split("/") for directory in directories]
    if len(parts) == 1:
        return [parts[0][-1] or "."]
    shared = 0
    while len({tuple(p[: shared + 1]) for p in parts}) == 1 and all(len(p) > shared for p in parts):
        shared += 1
    return ["/".join(p[shared:]) or "." for p in parts]
