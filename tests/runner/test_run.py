"""Many specs on several backends, as events."""

from __future__ import annotations

import pytest

from gradspec.backends.base import Observations
from gradspec.backends.python import PythonBackend
from gradspec.errors import BackendUnavailable as Unavailable
from gradspec.runner.events import BackendReady, BackendUnavailable, RunFinished, RunStarted, SpecFinished
from gradspec.runner.run import run
from tests.runner.fakes import Scripted, spec

GOOD = spec("tensors: {x: 1.0}\nsteps:\n  - expect: {x: {value: 1.0}}\n")
BAD = spec("tensors: {x: 1.0}\nsteps:\n  - expect: {x: {value: 2.0}}\n")


def load(name: str):
    if name == "missing":
        raise Unavailable("pip install it")
    if name == "crashing":
        backend = Scripted(RuntimeError("boom"))
        backend.name = name
        return backend
    return PythonBackend()


def code(specs, names) -> int:
    *_, last = run(specs, names, load)
    assert isinstance(last, RunFinished)
    return last.exit_code


@pytest.mark.parametrize(
    ("specs", "names", "expected"),
    [
        ([GOOD], ["python"], 0),
        ([GOOD, BAD], ["python"], 1),
        ([GOOD, BAD], ["python", "crashing"], 3),
        ([GOOD], ["python", "missing"], 4),
        ([BAD], ["python", "missing"], 4),
        ([BAD], ["crashing", "missing"], 3),
        ([GOOD], ["missing"], 4),
        ([], ["python"], 5),
    ],
)
def test_exit_codes(specs, names, expected):
    assert code(specs, names) == expected


def test_the_order_of_events():
    kinds = [type(event).__name__ for event in run([GOOD, BAD], ["missing", "python"], load)]
    assert kinds == [
        "RunStarted", "BackendUnavailable", "BackendReady", "SpecStarted", "SpecFinished", "SpecStarted",
        "SpecFinished", "RunFinished",
    ]  # fmt: skip


def test_events_say_what_happened():
    events = list(run([GOOD, BAD], ["python", "missing"], load))
    assert isinstance(events[0], RunStarted)
    assert (events[0].specs, events[0].backends) == (2, ("python", "missing"))
    assert [event.name for event in events if isinstance(event, BackendReady)] == ["python"]
    assert [event.reason for event in events if isinstance(event, BackendUnavailable)] == ["pip install it"]
    assert [e.verdict.outcome for e in events if isinstance(e, SpecFinished)] == ["passed", "failed"]
    assert events[-1].totals["python"]["failed"] == 1


def test_a_run_survives_a_backend_that_sees_nothing():
    silent = Scripted(Observations({}, {}, {}))
    *_, last = run([GOOD], ["x"], lambda _: silent)
    assert last.exit_code == 1
