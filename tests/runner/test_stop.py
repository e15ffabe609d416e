"""Signals while a run goes."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from gradspec.backends.base import Backend
from gradspec.backends.python import PythonBackend
from gradspec.runner.run import run
from gradspec.runner.stop import Stop, Stopped
from tests.runner.fakes import spec

GOOD = spec("tensors: {x: 1.0}\nsteps:\n  - expect: {x: {value: 1.0}}\n")


class Interrupting(PythonBackend):
    """Sends its own process a signal in the middle of the third program."""

    def __init__(self) -> None:
        super().__init__()
        self.runs = 0

    def run(self, program):
        self.runs += 1
        if self.runs == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().run(program)


def test_the_run_ends_with_what_it_has():
    backend: Backend = Interrupting()
    before = signal.getsignal(signal.SIGTERM)
    with Stop() as stop:
        events = list(run([GOOD] * 5, ["python"], lambda _: backend, stop=stop))
    assert [type(event).__name__ for event in events].count("SpecFinished") == 2
    assert (events[-1].exit_code, events[-1].left) == (143, 3)
    assert signal.getsignal(signal.SIGTERM) is before


def test_between_specs_it_waits_for_the_next():
    seen = []
    with Stop() as stop:
        for event in run([GOOD] * 5, ["python"], lambda _: PythonBackend(), stop=stop):
            seen.append(event)
            if type(event).__name__ == "SpecFinished":
                os.kill(os.getpid(), signal.SIGINT)  # while a report is being written
    assert (seen[-1].exit_code, seen[-1].left) == (130, 4)


def test_the_second_one_is_as_ever():
    with pytest.raises(KeyboardInterrupt) as caught, Stop():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    assert caught.type is not Stopped


def test_elsewhere_than_in_the_main_thread_it_is_not_there():
    found = []

    def work() -> None:
        with Stop() as stop:
            found.append(stop.signum)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [0]
