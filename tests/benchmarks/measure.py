"""Interleaved rounds, medians, and one table of ratios."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

__all__ = ["THREADS", "Broken", "Row", "interleaved", "medians", "table", "take_one_thread"]


class Broken(Exception):
    """A contestant fails, or computes something else than the others: its time would mean nothing."""


class Row(NamedTuple):
    """One comparison; values are times or sizes. `goal` bounds the ratio: "≥ 2" that of the peer to
    ours (how much faster we are), "≤ 1.15" that of ours to the peer; without a peer, our value."""

    benchmark: str
    case: str
    ours: str  # what of ours
    ours_value: float
    peer: str
    peer_value: float | None  # None: there is no peer, or it cannot do this
    unit: str
    goal: str = ""
    less: bool = False  # less is better, and the ratio is ours to the peer's

    @property
    def ratio(self) -> float | None:
        if self.peer_value is None or not self.ours_value or not self.peer_value:
            return None
        if self.less or self.goal.startswith("≤"):
            return self.ours_value / self.peer_value
        return self.peer_value / self.ours_value

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if not self.goal:
            return None
        word, bound = self.goal.split()[:2]
        measured = self.ours_value if self.peer_value is None else self.ratio
        if measured is None:
            return None
        return measured >= float(bound) if word == "≥" else measured <= float(bound)

    def json(self) -> dict[str, Any]:
        return {**self._asdict(), "ratio": self.ratio, "reached": self.reached}


# what the libraries behind NumPy's products read when they are loaded; by themselves they take all cores
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def take_one_thread() -> None:
    """Let products take one thread. Raises Broken where NumPy is loaded, and it would come too late."""
    if "numpy" in sys.modules:
        raise Broken("numpy was loaded before the number of its threads was set")
    os.environ.update(dict.fromkeys(THREADS, "1"))


def interleaved(
    contestants: dict[str, Callable[[], object]], rounds: int, prepare: Callable[[], object] | None = None
) -> dict[str, list[float]]:
    """Seconds of each contestant in each round, all of them once a round, after a round that does not count.

    The garbage collector runs as shipped and is emptied before each call. A contestant may return
    its own seconds as a float (where starting it is no part of the work).
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, run in contestants.items():
            if prepare is not None:
                prepare()
            gc.collect()
            start = time.perf_counter()
            own = run()
            spent = time.perf_counter() - start
            if number:
                seconds[name].append(own if isinstance(own, float) else spent)
            own = None
    return seconds


def medians(seconds: dict[str, list[float]]) -> dict[str, float]:
    from statistics import median

    return {name: median(values) for name, values in seconds.items()}


def table(rows: list[Row]) -> Iterator[str]:
    """The rows as aligned lines, a heading for each benchmark."""
    cells = [
        (
            row.benchmark,
            row.case,
            f"{row.ours} {_number(row.ours_value)} {row.unit}",
            "" if row.peer_value is None else f"{row.peer} {_number(row.peer_value)} {row.unit}",
            "" if row.ratio is None else f"{row.ratio:.2f}×",
            row.goal,
            {True: "reached", False: "MISSED", None: ""}[row.reached],
        )
        for row in rows
    ]
    heads = ("benchmark", "case", "ours", "peer", "ratio", "goal", "")
    widths = [max(len(line[k]) for line in [heads, *cells]) for k in range(len(heads))]
    for line in [heads, tuple("-" * width for width in widths), *cells]:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
