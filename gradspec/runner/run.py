"""Running specs: one on one backend, and many on several as a stream of events."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from gradspec import __version__
from gradspec.errors import UnsupportedFeature
from gradspec.runner import exits
from gradspec.runner.cases import Case, Loaded, Workplace
from gradspec.runner.door import Crashed, observe, told
from gradspec.runner.events import Event, RunStarted, SpecFinished, SpecStarted
from gradspec.runner.judge import judge, verdict_of
from gradspec.runner.prepare import prepare
from gradspec.runner.reach import reach
from gradspec.runner.stop import Stop, Stopped
from gradspec.runner.support import Support
from gradspec.runner.tally import Tally
from gradspec.runner.verdict import CheckResult, Shown, Verdict

if TYPE_CHECKING:
    from gradspec.backends.base import Backend, Observations
    from gradspec.runner.reach import Reach
    from gradspec.runner.store import Kept
    from gradspec.spec.model import Spec

__all__ = ["observed", "run", "run_one"]


def run(
    specs: Sequence[Spec],
    names: Sequence[str],
    place: Workplace | Callable[[str], Backend],
    kept: Kept | None = None,
    stop: Stop | None = None,
) -> Iterator[Event]:
    """Run every spec on every backend, yielding events as they happen.

    `place` is where they are run; a function that gives a backend by name, or raises
    BackendUnavailable, stands for this process. Specs are told in the order given, each on all
    backends before the next, in whatever order they come. `kept` takes each result as it comes, and
    gives those that an earlier run left. When `stop` says so the run ends with what it has.
    """
    start = perf_counter()
    stop = stop or Stop()
    place = _workplace(place)
    try:
        tally = Tally()
        started = RunStarted(__version__, len(specs), tuple(names))
        tally(started)
        yield started
        loaded: list[Loaded] = []
        for found in place.ready(names):
            event: Event = found.event if isinstance(found, Loaded) else found
            if isinstance(found, Loaded):
                loaded.append(found)
            tally(event)
            yield event
        cases = [
            Case(number, spec, one.asked, one.name)
            for number, (spec, one) in enumerate((spec, one) for spec in specs for one in loaded)
        ]
        for event in _told(cases, loaded, place, kept, stop):
            tally(event)
            yield event
        ended = tally.exit_code if specs else exits.NOTHING_SELECTED
        code = stop.exit_code if stop.signum else ended
        if kept is not None:
            kept.close(finished=not tally.left)
        yield tally.finished(code, perf_counter() - start)
    finally:
        place.close()
        if kept is not None:
            kept.close(finished=False)


def _workplace(place: Workplace | Callable[[str], Backend]) -> Workplace:
    if callable(place):
        from gradspec.runner.here import Here

        return Here(place)
    return place


def _told(
    cases: list[Case], loaded: list[Loaded], place: Workplace, kept: Kept | None, stop: Stop
) -> Iterator[Event]:
    """The results of the cases, in their order; where the run is stopped, of those that are done."""
    waiting: dict[int, Verdict | Case] = {}  # done, but not told; a case stands for its kept verdict
    if kept is not None:
        kept.open(loaded)
        waiting = {case.number: case for case in cases if kept.has(case)}
    results = place.results([case for case in cases if case.number not in waiting] if waiting else cases)

    def told(number: int) -> SpecFinished:
        done = waiting.pop(number)
        if isinstance(done, Case):
            assert kept is not None
            return SpecFinished(kept.verdict(done))
        return SpecFinished(done)

    for case in cases:
        yield SpecStarted(case.spec.id, case.backend)
        while case.number not in waiting:
            result = _next(results, stop)
            if result is None:
                for number in sorted(waiting):
                    yield told(number)
                return
            waiting[result[0].number] = result[1]
            if kept is not None:
                kept.add(*result)
        yield told(case.number)


def _next(results: Iterator[tuple[Case, Verdict]], stop: Stop) -> tuple[Case, Verdict] | None:
    """The next result, or None where the run is asked to stop."""
    if stop.signum:
        return None
    stop.armed = True
    try:
        return next(results)
    except Stopped:
        return None
    finally:
        stop.armed = False


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
        if spec.gradchecks:
            from gradspec.runner.gradcheck import gradcheck

            checks = sorted(
                [*checks, *(gradcheck(spec, proof, support) for proof in spec.gradchecks)], key=_at
            )
    except UnsupportedFeature as error:
        return _whole(spec, support, "unsupported", error.feature)
    except Crashed as error:
        outcome = "crash" if isinstance(error.__cause__, MemoryError) else "error"
        return _whole(spec, support, outcome, str(error))
    except Exception as error:  # what the backend showed made no sense, or gradspec has a fault
        return _whole(spec, support, "error", told(error))
    return verdict_of(spec, support.backend.name, checks, warnings)


def _checks(spec: Spec, support: Support) -> tuple[list[CheckResult], list[Shown]]:
    """Run what the backend can run of the program and judge what it saw."""
    seen, unsupported, emulated = observed(spec, support)
    return judge(spec, seen, support, unsupported, emulated)


def observed(spec: Spec, support: Support) -> tuple[Observations, Reach | None, Reach | None]:
    """What the backend sees of what it can run of the program; the reach of the steps that it cannot run
    and of those it emulates. Raises as `observe` does."""
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
    return seen, unsupported, emulated


def _at(check: CheckResult) -> int:
    return check.at


def _whole(spec: Spec, support: Support, outcome: str, message: str) -> Verdict:
    """A verdict about the spec as a whole."""
    return Verdict(
        spec.id, spec.file, spec.line, spec.title, support.backend.name, spec.dtype, outcome, message=message,
        scope=spec.scope,
    )  # fmt: skip
