"""Which specs took longest."""

from __future__ import annotations

from collections.abc import Callable
from heapq import nlargest

from gradspec.runner.events import Event, RunFinished, SpecFinished

__all__ = ["Durations"]


class Durations:
    """Folds the events of a run into a list of its slowest specs, written when it is over."""

    def __init__(self, write: Callable[[str], object], most: int) -> None:
        self.write = write
        self.most = most
        self.took: list[tuple[float, str]] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, SpecFinished):
            verdict = event.verdict
            self.took.append((verdict.duration_s, f"{verdict.id}  {verdict.backend}"))
        elif isinstance(event, RunFinished) and self.took:
            slowest = nlargest(self.most, self.took, key=lambda one: one[0])
            lines = [f"  {_shown(duration):>8}  {name}" for duration, name in slowest]
            share = sum(one for one, _ in slowest) / (sum(one for one, _ in self.took) or 1.0)
            title = f"slowest {len(slowest)} of {len(self.took)}, {share:.0%} of the time:"
            self.write("\n".join([title, *lines]) + "\n\n")


def _shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
