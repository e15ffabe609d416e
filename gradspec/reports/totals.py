"""Counts of verdicts by subject, scope, backend and how they came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradspec.reports.table import grouped, width_of
from gradspec.runner.verdict import KINDS
from gradspec.spec.model import SCOPES

if TYPE_CHECKING:
    from gradspec.runner.verdict import Verdict

__all__ = ["Totals"]

Row = tuple[str, str]  # "in" and a directory, or "of" and a scope


class Totals:
    """How many specs of each directory, and of each scope, came out how on each backend."""

    def __init__(self) -> None:
        self.by_kind = dict.fromkeys(KINDS, 0)
        self._cells: dict[tuple[Row, str, str], int] = {}
        self._specs: dict[Row, set[str]] = {}
        self._backends: dict[str, None] = {}

    def add(self, verdict: Verdict) -> None:
        directory = verdict.file.replace("\\", "/").rpartition("/")[0]
        kind = verdict.kind
        self.by_kind[kind] += 1
        for row in (("in", directory), ("of", verdict.scope)):
            cell = (row, verdict.backend, kind)
            self._cells[cell] = self._cells.get(cell, 0) + 1
            self._specs.setdefault(row, set()).add(verdict.id)
        self._backends[verdict.backend] = None

    @property
    def specs(self) -> int:
        return sum(len(self._specs[row]) for row in self._directories())

    def lines(self, width: int) -> list[str]:
        """The table, backends side by side where `width` cells allow it, else one below the other.

        Rows are directories, then scopes where there are several. Those are left out that would say no
        more than the closing line: one directory on one backend, and there scopes of which all passed.
        """
        backends = list(self._backends)
        short = len(self._directories()) * len(backends) < 2
        directories = [] if short else self._directories()
        scopes = self._scopes()
        if len(scopes) < 2 or (short and self.by_kind["passed"] == sum(self.by_kind.values())):
            scopes = []
        if not directories and not scopes:
            return []
        beside = self._beside(backends, directories, scopes)
        if len(backends) == 1 or max(map(width_of, beside)) <= width:
            return beside
        return [line for name in backends for line in (*self._beside([name], directories, scopes), "")][:-1]

    def _directories(self) -> list[Row]:
        return sorted(row for row in self._specs if row[0] == "in")

    def _scopes(self) -> list[Row]:
        return [("of", scope) for scope in SCOPES if ("of", scope) in self._specs]

    def _beside(self, backends: Sequence[str], directories: list[Row], scopes: list[Row]) -> list[str]:
        """Under each backend a column for each way that specs came out there."""
        with_total = len(directories) > 1
        names = _short([name for _, name in directories]) if directories else []
        names += ["total"] * with_total
        names += [""] * bool(directories and scopes) + [scope for _, scope in scopes]

        def column(heading: str, counts: dict[Row, int], none: str) -> list[str]:
            those = [counts.get(row, 0) for row in directories]
            cells = [str(n) if n else none for n in those]
            cells += [str(sum(those)) if sum(those) else none] * with_total
            cells += [""] * bool(directories and scopes)
            return [heading, *cells, *(str(counts[row]) if counts.get(row) else none for row in scopes)]

        groups = [("", [column("specs", {row: len(ids) for row, ids in self._specs.items()}, "0")])]
        for backend in backends:
            group = []
            for kind in KINDS:
                counts = {row: self._cells.get((row, backend, kind), 0) for row in (*directories, *scopes)}
                if any(counts.values()):
                    group.append(column(kind, counts, "."))
            groups.append((backend, group or [column("specs", {}, ".")]))
        return grouped(["", *names], groups)


def _short(directories: list[str]) -> list[str]:
    """Directories by what tells them apart: `ops/unary`, `seed`; one alone by its last part."""
    parts = [directory.split("/") for directory in directories]
    if len(parts) == 1:
        return [parts[0][-1] or "."]
    shared = 0
    while len({tuple(p[: shared + 1]) for p in parts}) == 1 and all(len(p) > shared for p in parts):
        shared += 1
    return ["/".join(p[shared:]) or "." for p in parts]
