"""Running specs: one on one backend, and many on several as a stream of events."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from gradspec import __version__
from gradspec.errors import BackendUnavailable as Unavailable
from gradspec.errors import UnsupportedFeature
from gradspec.runner import exits
from gradspec.runner.door import Crashed, observe
from gradspec.runner.events import (
    BackendReady,
    BackendUnavailable,
    Event,
    RunFinished,
    RunStarted,
    SpecFinished,
    SpecStarted,
)  # fmt: skip
from gradspec.runner.judge import judge, verdict_of
from gradspec.runner.prepare import prepare
from gradspec.runner.reach import reach
from gradspec.runner.support import Support
from gradspec.runner.verdict import OUTCOMES, CheckResult, Shown, Verdict

if TYPE_CHECKING:
    from gradspec.backends.base import Backend
    from gradspec.spec.model import Spec

__all__ = ["run", "run_one"]


def run(specs: Sequence[Spec], names: Sequence[str], load: Callable[[str], Backend]) -> Iterator[Event]:
    """Run every spec on every backend, yielding events as they happen.

    `load(name)` gives a backend or raises BackendUnavailable. Specs go in the order given, each on
    all backends before the next.
    """
    start = perf_counter()
    yield RunStarted(__version__, len(specs), tuple(names))
    ready: list[Support] = []
    missing = False
    for name in names:
        try:
            backend = load(name)
        except Unavailable as error:
            missing = True
            yield BackendUnavailable(name, str(error))
        else:
            ready.append(Support(backend))
            yield BackendReady(backend.name, backend.version)
    totals = {support.backend.name: dict.fromkeys(OUTCOMES, 0) for support in ready}
    codes = {exits.UNAVAILABLE} if missing else set()
    for spec in specs:
        for support in ready:
            yield SpecStarted(spec.id, support.backend.name)
            verdict = run_one(spec, support.backend, support)
            totals[verdict.backend][verdict.outcome] += 1
            codes.add(_exit_code(verdict))
            yield SpecFinished(verdict)
    yield RunFinished(totals, _worst(codes, bool(specs)), perf_counter() - start)


def _exit_code(verdict: Verdict) -> int:
    if verdict.outcome == "error":
        return exits.INTERNAL
    return exits.MISMATCH if verdict.outcome == "failed" else exits.AS_EXPECTED


def _worst(codes: set[int], any_spec: bool) -> int:
    """The exit code of a run: what makes its result least trustworthy comes first."""
    order = (exits.INTERNAL, exits.UNAVAILABLE, exits.MISMATCH)
    if not any_spec:
        return exits.NOTHING_SELECTED
    return next((code for code in order if code in codes), exits.AS_EXPECTED)


def run_one(spec: Spec, backend: Backend, support: Support | None = None) -> Verdict:
    """One spec on one backend. Plain data in and out; nothing that the backend does is raised here.

    The garbage collector stands still while the spec runs: a program makes many objects and no
    garbage, and tracing them again and again costs several times the run itself.
    """
    start = perf_counter()
    was_on = gc.isenabled()
    gc.disable()
    try:
        verdict = _run(spec, support or Support(backend))
    finally:
        if was_on:
            gc.enable()
    return verdict._replace(duration_s=perf_counter() - start)


def _run(spec: Spec, support: Support) -> Verdict:
    try:
        checks, warnings = _checks(spec, support)
    except UnsupportedFeature as error:
        return _whole(spec, support, "unsupported", error.feature)
    except Crashed as error:
        return _whole(spec, support, "error", str(error))
    if spec.gradchecks:
        from gradspec.runner.gradcheck import gradcheck

        checks = sorted([*checks, *(gradcheck(spec, proof, support) for proof in spec.gradchecks)], key=_at)
    return verdict_of(spec, support.backend.name, checks, warnings)


def _checks(spec: Spec, support: Support) -> tuple[list[CheckResult], list[Shown]]:
    """Run what the backend can run of the program and judge what it saw."""
    program = spec.program
    lacking, emulating = support.of_program(program)
    unsupported = emulated = None
    if emulating:
        emulated = reach(program, lambda step: emulating.get(id(step), ""))
    if lacking:
        unsupported = reach(program, lambda step: lacking.get(id(step), ""))
        program = program._replace(leaves=tuple(unsupported.leaves), steps=unsupported.steps)
    seen = observe(support.backend, prepare(program, support))
    late = {at: outcome.code for at, outcome in seen.outcomes.items() if outcome.status == "unsupported"}
    if late:
        unsupported = reach(
            spec.program, lambda step: lacking.get(id(step)) or late.get(getattr(step, "at", -1), "")
        )
    return judge(spec, seen, support, unsupported, emulated)


def _at(check: CheckResult) -> int:
    return check.at


def _whole(spec: Spec, support: Support, outcome: str, message: str) -> Verdict:
    """A verdict about the spec as a whole."""
    return Verdict(
        spec.id, spec.file, spec.line, spec.title, support.backend.name, spec.dtype, outcome, message=message
    )
