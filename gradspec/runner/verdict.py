"""What came of one spec on one backend, as plain data that can cross a process boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from gradspec.errors import Place
    from gradspec.runner.compare import Difference

__all__ = ["KINDS", "OUTCOMES", "CheckResult", "Counts", "Shown", "Verdict", "count"]

OUTCOMES = ("passed", "failed", "error", "crash", "timeout", "known-failure", "unsupported", "unchecked")
KINDS = (
    OUTCOMES[0],
    "emulated",
    *OUTCOMES[1:],
)  # outcomes, and those that passed with the help of bookkeeping


class CheckResult(NamedTuple):
    """One thing that was expected, and whether it held.

    `status`: passed, failed, unsupported (`feature` says why) or not-run (`summary` says why).
    `name` is the author's name of the tensor, `field` what was looked at; checks of a step have no
    name and the field raises, warns, hooks, gradcheck, or step for an error nobody expected.
    `emulated`: what held was done by bookkeeping around the framework, not by the framework.
    `follows`: the alternatives of a one_of that this result agrees with.
    """

    status: str
    at: int
    name: str
    field: str
    place: Place
    emulated: bool = False
    feature: str = ""
    follows: tuple[str, ...] = ()
    summary: str = ""  # "1 of 6 outside", "expected true, got false"
    difference: Difference | None = None
    pattern: str = ""
    context: str = ""  # "after backward 1 (line 16)"
    origin: str = ""  # "made by mul, line 12"


class Counts(NamedTuple):
    """How many checks ended how. `passed` counts native ones alone; `emulated` passed by emulation."""

    passed: int = 0
    emulated: int = 0
    failed: int = 0
    unsupported: int = 0
    not_run: int = 0

    @property
    def total(self) -> int:
        return sum(self)


class Shown(NamedTuple):
    """A warning that no `warns` judged."""

    line: int
    code: str
    text: str


class Verdict(NamedTuple):
    """One spec on one backend. `outcome` is one of OUTCOMES; `message` says why where no check does.

    error: the backend raised. crash: its process died, or ran out of memory. timeout: it gave no answer
    in time. `output` is the end of what its process wrote to stdout and stderr before it was lost.
    known-failure: it did not hold, as a list of known failures says; `known` is the reason given there,
    also of a spec that failed because it is in such a list and held.
    """

    id: str
    file: str
    line: int
    title: str
    backend: str
    dtype: str
    outcome: str
    checks: tuple[CheckResult, ...] = ()
    counts: Counts = Counts()
    message: str = ""
    follows: tuple[str, ...] = ()
    warnings: tuple[Shown, ...] = ()
    duration_s: float = 0.0
    output: str = ""
    known: str = ""
    scope: str = "core"

    @property
    def kind(self) -> str:
        """The outcome; a passed spec of which anything was emulated counts as emulated."""
        return "emulated" if self.outcome == "passed" and self.counts.emulated else self.outcome

    @property
    def summary(self) -> str:
        """The outcome in a few words, as "passed, 7 of 9 checks" where some were left out."""
        held = self.counts.passed + self.counts.emulated
        partial = self.outcome == "passed" and held < self.counts.total
        text = f"passed, {held} of {self.counts.total} checks" if partial else self.outcome
        return (
            f"{text}, {self.counts.emulated} emulated"
            if self.outcome == "passed" and self.counts.emulated
            else text
        )


def count(checks: tuple[CheckResult, ...]) -> Counts:
    """The counts of some checks; an unexpected error of a step was no check and is not counted."""
    passed = emulated = failed = unsupported = not_run = 0
    for check in checks:
        if check.status == "passed":
            if check.emulated:
                emulated += 1
            else:
                passed += 1
        elif check.status == "unsupported":
            unsupported += 1
        elif check.status == "not-run":
            not_run += 1
        elif check.field != "step":
            failed += 1
    return Counts(passed, emulated, failed, unsupported, not_run)
