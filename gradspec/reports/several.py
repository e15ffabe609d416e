"""Several reports of one run: what becomes of one is no trouble to the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gradspec.errors import GradspecError

if TYPE_CHECKING:
    from gradspec.reports.kinds import Reporter
    from gradspec.runner.events import Event

__all__ = ["Several"]


class Several:
    """Hands every event to each report; one that fails is left out from then on, and why is kept in
    `faults`, a line each."""

    def __init__(self, reports: Iterable[Reporter]) -> None:
        self.reports = list(reports)
        self.faults: list[str] = []

    def __call__(self, event: Event) -> None:
        for report in list(self.reports):
            try:
                report(event)
            except Exception as error:  # a plugin's report may throw anything
                text = " ".join(str(error).split())
                own = isinstance(error, GradspecError)
                self.faults.append(text if own else f"a report failed: {type(error).__name__}: {text}")
                self.reports.remove(report)
