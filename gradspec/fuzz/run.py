"""A campaign: many programs on several backends, differences grouped, the first of each group cut down."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gradspec.fuzz.compare import Difference, judge
from gradspec.fuzz.draft import View, program_of
from gradspec.fuzz.generate import draw
from gradspec.fuzz.shrink import shrink
from gradspec.fuzz.text import spec_text, with_expectations

if TYPE_CHECKING:
    from gradspec.backends.base import Backend

__all__ = ["Campaign", "Finding", "campaign", "examine", "report"]


class Finding:
    """Differences of one kind: how many, in which program first, and that program cut down."""

    def __init__(self, backend: str, difference: Difference, number: int) -> None:
        self.backend = backend
        self.difference = difference
        self.number = number
        self.count = 1
        self.spec = ""


class Campaign:
    """What came of a campaign.

    Of the `programs` run, `with_errors` had a step that failed on the reference, and `asides` were set
    aside; `steps` counts all steps; `features`: how many programs were judged only up to a feature that
    a backend lacks; `findings` by backend and kind of difference.
    """

    def __init__(self, seed: int, reference: str) -> None:
        self.seed = seed
        self.reference = reference
        self.programs = 0
        self.with_errors = 0
        self.asides = 0
        self.steps = 0
        self.features: Counter[str] = Counter()
        self.findings: dict[tuple[str, str], Finding] = {}
        self.seconds = 0.0

    @property
    def differences(self) -> int:
        return sum(finding.count for finding in self.findings.values())


def examine(view: View, backend: Backend, reference: Backend) -> Difference | None:
    """The first difference between two backends on one program; None also where it is set aside."""
    program = program_of(view)
    found = judge(program, reference.run(program), backend.run(program), reference, backend)
    return found.difference if found.verdict == "different" else None


def campaign(
    seed: int, count: int, backends: Sequence[Backend], reference: Backend, *, start: int = 0,
    shrinking: bool = True, shrink_seconds: float = 20.0, progress: Callable[[Campaign], None] | None = None,
) -> Campaign:  # fmt: skip
    """Run programs `start` to `start + count - 1` of a seed on all backends, each against the reference.

    The first program of each kind of difference is cut down, for at most `shrink_seconds`. `progress` is
    called after every program.
    """
    came = Campaign(seed, reference.name)
    began = time.monotonic()
    for number in range(start, start + count):
        for name, difference in _one(came, draw(seed, number), backends, reference):
            key = (name, difference.kind)
            if key in came.findings:
                came.findings[key].count += 1
                continue
            came.findings[key] = Finding(name, difference, number)
        if progress is not None:
            progress(came)
    if shrinking:
        by_name = {backend.name: backend for backend in backends}
        for finding in came.findings.values():
            _cut(finding, draw(seed, finding.number), by_name[finding.backend], reference, shrink_seconds)
    came.seconds = time.monotonic() - began
    return came


def _one(
    came: Campaign, view: View, backends: Sequence[Backend], reference: Backend
) -> Iterator[tuple[str, Difference]]:
    program = program_of(view)
    expected = reference.run(program)
    came.programs += 1
    came.steps += program.count
    came.with_errors += any(outcome.status == "error" for outcome in expected.outcomes.values())
    aside = False
    for backend in backends:
        found = judge(program, expected, backend.run(program), reference, backend)
        if found.unsupported:
            came.features[found.unsupported] += 1
        aside = aside or found.verdict == "aside"
        if found.verdict == "different" and found.difference is not None:
            yield backend.name, found.difference
    came.asides += aside


def _cut(finding: Finding, view: View, backend: Backend, reference: Backend, seconds: float) -> None:
    """Shrink a finding's program and write it down as a spec."""
    kind = finding.difference.kind

    def still(smaller: View) -> bool:
        try:
            found = examine(smaller, backend, reference)
        except ValueError:
            return False
        return found is not None and found.kind == kind

    smallest = shrink(view, still, seconds)
    program: Any = program_of(smallest)
    difference = examine(smallest, backend, reference)
    if difference is not None:
        finding.difference = difference
        smallest = with_expectations(smallest, program, reference.run(program), difference)
    finding.spec = spec_text(smallest)


def report(came: Campaign) -> Iterator[str]:
    """The lines that say what a campaign found: totals, then each finding with its spec."""
    yield (
        f"{came.programs} programs of {came.steps} steps, {came.with_errors} with errors, seed {came.seed}, "
        f"in {came.seconds:.1f} s: {came.differences} different, {came.asides} set aside"
    )
    for feature, count in sorted(came.features.items()):
        yield f"{count} judged only up to a step that needs {feature}"
    for finding in sorted(came.findings.values(), key=lambda finding: -finding.count):
        found = finding.difference
        yield ""
        times = f"{finding.count} programs" if finding.count > 1 else "1 program"
        where = found.name or "the step"
        both = f"-b {finding.backend} -b {came.reference}"
        yield f"{finding.backend} against {came.reference}, {times}: {found.kind}"
        yield f"  {where}: {came.reference} {found.reference!r}, {finding.backend} {found.got!r}"
        yield f"  rerun: gradspec fuzz {both} --seed {came.seed} --start {finding.number} --count 1"
        yield from (f"  | {line}" for line in finding.spec.splitlines())
