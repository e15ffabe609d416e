"""What a run tells while it goes: plain data that every report folds over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from gradspec.runner.verdict import Verdict

__all__ = [
    "BackendReady",
    "BackendUnavailable",
    "Event",
    "RunFinished",
    "RunStarted",
    "SpecFinished",
    "SpecStarted",
    "Stale",
]


class RunStarted(NamedTuple):
    gradspec: str
    specs: int
    backends: tuple[str, ...]


class BackendReady(NamedTuple):
    name: str
    version: str


class BackendUnavailable(NamedTuple):
    """A requested backend cannot be loaded; the run goes on with the others and ends with exit code 4."""

    name: str
    reason: str


class SpecStarted(NamedTuple):
    id: str
    backend: str


class SpecFinished(NamedTuple):
    verdict: Verdict


class Stale(NamedTuple):
    """An entry of a list of known failures that explains no failure any more. `line` is 0 for a plugin's."""

    backend: str
    glob: str
    reason: str
    file: str
    line: int


class RunFinished(NamedTuple):
    """`totals`: backend → outcome → number of specs. `exit_code` is that of `gradspec run`. `scopes`:
    backend → scope → kind, as `Verdict.kind`, → number of specs.

    `left`: how many specs × backends were not run because the run was ended early, as by Ctrl-C.
    """

    totals: dict[str, dict[str, int]]
    exit_code: int
    duration_s: float
    left: int = 0
    stale: tuple[Stale, ...] = ()
    scopes: dict[str, dict[str, dict[str, int]]] = {}  # noqa: RUF012  # nobody changes it


Event = RunStarted | BackendReady | BackendUnavailable | SpecStarted | SpecFinished | RunFinished
