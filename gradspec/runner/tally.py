"""What a run has come to so far."""

from __future__ import annotations

from gradspec.runner import exits
from gradspec.runner.events import (
    BackendReady,
    BackendUnavailable,
    Event,
    RunFinished,
    RunStarted,
    SpecFinished,
)
from gradspec.runner.verdict import KINDS, OUTCOMES

__all__ = ["Tally"]


class Tally:
    """Folds events into totals, an exit code, and how many specs × backends are left."""

    def __init__(self) -> None:
        self.totals: dict[str, dict[str, int]] = {}
        self.scopes: dict[str, dict[str, dict[str, int]]] = {}
        self.bad = 0
        self._specs = 0
        self._done = 0
        self._codes: set[int] = set()

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._specs = event.specs
            case BackendReady():
                self.totals[event.name] = dict.fromkeys(OUTCOMES, 0)
                self.scopes[event.name] = {}
            case BackendUnavailable():
                self._codes.add(exits.UNAVAILABLE)
            case SpecFinished():
                verdict = event.verdict
                code = exits.of_outcome(verdict.outcome)
                self.totals[verdict.backend][verdict.outcome] += 1
                scopes = self.scopes[verdict.backend]
                if verdict.scope not in scopes:
                    scopes[verdict.scope] = dict.fromkeys(KINDS, 0)
                scopes[verdict.scope][verdict.kind] += 1
                self._codes.add(code)
                self._done += 1
                self.bad += code != exits.AS_EXPECTED

    @property
    def exit_code(self) -> int:
        return exits.worst(self._codes)

    @property
    def left(self) -> int:
        return self._specs * len(self.totals) - self._done

    def finished(self, exit_code: int, duration_s: float) -> RunFinished:
        """The end of the run, if it ended here."""
        return RunFinished(self.totals, exit_code, duration_s, self.left, scopes=self.scopes)
