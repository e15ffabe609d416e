"""What a run has to do, and what a place where it can be done offers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from gradspec.records import NamedTuple
from gradspec.runner.events import BackendReady
from gradspec.runner.verdict import Verdict

if TYPE_CHECKING:
    from gradspec.runner.events import BackendUnavailable
    from gradspec.spec.model import Spec

__all__ = ["NO_LIMITS", "Case", "Limits", "Loaded", "Lost", "Workplace", "batches", "verdict_on_lost"]

MOST = 200  # cases of a batch


class Case(NamedTuple):
    """One spec on one backend. `number` is its place in the report, `asked` the name that loads the
    backend, `backend` what it calls itself."""

    number: int
    spec: Spec
    asked: str
    backend: str


class Limits(NamedTuple):
    """What a spec may take in a process of its own; 0 is no limit. Memory counts from what the process
    holds when the spec begins, its framework loaded."""

    timeout_s: float = 0.0
    memory_bytes: int = 0


NO_LIMITS = Limits()


class Loaded(NamedTuple):
    """A backend that is there. `isolate`: it asks for processes of its own."""

    asked: str
    name: str
    version: str
    isolate: bool

    @property
    def event(self) -> BackendReady:
        return BackendReady(self.name, self.version)


class Lost(NamedTuple):
    """A case whose process gave no verdict: why, and the end of what it wrote."""

    outcome: str
    message: str
    duration_s: float = 0.0
    output: str = ""


class Workplace(Protocol):
    """Where specs are run. `notes` are things to tell when the run is over."""

    notes: list[str]

    def ready(self, names: Sequence[str]) -> Iterator[Loaded | BackendUnavailable]:
        """Which of the backends are there, in the order asked for."""

    def results(self, cases: Sequence[Case]) -> Iterator[tuple[Case, Verdict]]:
        """A verdict on every case, in whatever order they come."""

    def close(self) -> None:
        """End what is still at work."""


def batches(cases: Sequence[Case], workers: int) -> Iterator[list[Case]]:
    """The cases in order, cut where the file changes, and ever shorter so that all workers end together."""
    start = 0
    while start < len(cases):
        size = max(1, min(MOST, (len(cases) - start) // (workers * 4)))
        file = cases[start].spec.file
        end = start + 1
        while end < len(cases) and end - start < size and cases[end].spec.file == file:
            end += 1
        yield list(cases[start:end])
        start = end


def verdict_on_lost(case: Case, lost: Lost) -> Verdict:
    """The verdict on a case that gave none itself."""
    spec = case.spec
    return Verdict(
        spec.id, spec.file, spec.line, spec.title, case.backend, spec.dtype, lost.outcome,
        message=lost.message, duration_s=lost.duration_s, output=lost.output, scope=spec.scope,
    )  # fmt: skip
