"""Running specs on any `concurrent.futures.Executor`: a process pool, a dask cluster, MPI.

Only plain data and two functions of this module go to the executor, so whatever can import gradspec
can do the work.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import nullcontext
from importlib import import_module
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from gradspec.errors import GradspecError, NoWorkers, UsageError
from gradspec.runner import wire
from gradspec.runner.aside import Aside
from gradspec.runner.cases import NO_LIMITS, Case, Limits, Loaded, Lost, batches, verdict_on_lost
from gradspec.runner.crew import Crew
from gradspec.runner.events import BackendUnavailable
from gradspec.runner.jobs import Bench, Job, job_of

if TYPE_CHECKING:
    from gradspec.runner.verdict import Verdict

__all__ = ["Elsewhere", "factory", "look", "perform"]

_AHEAD = 64  # jobs that are handed over before the first is done
_WORKERS = 8  # for how many the work is cut where the executor does not say

_home = 0  # the process that hands jobs over
_at_bench = threading.Lock()  # backends are no more thread-safe than the warnings they catch
_bench = Bench()
_own = threading.local()


def look(loader: str, names: Sequence[str]) -> list[list[Any]]:
    """What `Bench.told` says of each backend, there where the jobs are done."""
    with _at_bench:
        return [_bench.told(loader, name) for name in names]


def perform(job: Job) -> list[Any]:
    """What comes of each case of a job, in order: a verdict's line, or the fields of a `Lost`."""
    if not job["isolate"]:
        # In the process of the run itself stdout belongs to the console.
        with _at_bench, Aside() if os.getpid() != _home else nullcontext():
            return [wire.dumps(_bench.verdict(job, index)) for index in range(len(job["cases"]))]
    crew = getattr(_own, "crew", None)
    if crew is None:
        crew = _own.crew = Crew(job["loader"])
    return [result for _, result in sorted(crew.do([(job, list(range(len(job["cases"]))))]))]


class Elsewhere:
    """A workplace that the executors of a factory make. A job that fails is done again case by case, and
    an executor that broke is replaced, until it is known whose fault it was."""

    def __init__(
        self, make: Callable[[], Executor], loader: str, limits: Limits = NO_LIMITS, isolate: bool = False
    ) -> None:
        global _home
        _home = os.getpid()
        self.make = make
        self.loader = loader
        self.limits = limits
        self.isolate = isolate
        self.notes: list[str] = []
        self._executor: Executor | None = None

    def ready(self, names: Sequence[str]) -> Iterator[Loaded | BackendUnavailable]:
        try:
            found = self._submit(look, self.loader, list(names)).result()
        except GradspecError:
            raise
        except Exception as error:
            raise NoWorkers(f"the executor cannot do jobs: {_told(error)}") from error
        for word, *rest in found:
            if word == "ready":
                loaded = Loaded(*rest)
                self.isolate = self.isolate or loaded.isolate
                yield loaded
            else:
                yield BackendUnavailable(*rest)

    def results(self, cases: Sequence[Case]) -> Iterator[tuple[Case, Verdict]]:
        workers = getattr(self._executor, "_max_workers", None)
        fresh = batches(cases, workers if isinstance(workers, int) else _WORKERS)
        suspects: deque[Case] = deque()
        done: SimpleQueue[tuple[list[Case], Future[list[Any]]]] = SimpleQueue()
        out = 0
        while True:
            while out < _AHEAD and (batch := next(fresh, None)) is not None:
                self._hand_over(batch, done)
                out += 1
            # One at a time and alone, so that an innocent one is not lost with its neighbour.
            if alone := not out and bool(suspects):
                self._hand_over([suspects.popleft()], done)
                out += 1
            if not out:
                return
            batch, future = done.get()
            out -= 1
            error = future.exception()
            if error is None:
                yield from zip(batch, map(_verdict, batch, future.result()), strict=True)
            elif not alone:
                suspects.extend(batch)
            else:
                lost = Lost("crash", f"the executor gave no result: {_told(error)}")
                yield batch[0], verdict_on_lost(batch[0], lost)

    def _hand_over(self, batch: list[Case], done: SimpleQueue[tuple[list[Case], Future[list[Any]]]]) -> None:
        job = job_of(batch, self.loader, self.limits, self.isolate)
        future = self._submit(perform, job)
        future.add_done_callback(lambda future: done.put((batch, future)))

    def _submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Hand over a call, to another executor where this one has broken."""
        if self._executor is None:
            self._executor = self.make()
        try:
            return self._executor.submit(function, *arguments)
        except RuntimeError:  # BrokenExecutor is one, and so is what an executor raises that was shut down
            self.close()
            self._executor = self.make()
            return self._executor.submit(function, *arguments)

    def close(self) -> None:
        executor, self._executor = self._executor, None
        if executor is None:
            return
        try:
            executor.shutdown(wait=False, cancel_futures=True)
        except TypeError:  # an older signature
            executor.shutdown(wait=False)


def factory(name: str) -> Callable[[], Executor]:
    """The function that `--executor module:function` names; raises UsageError where there is none."""
    import sys

    module, colon, attribute = name.partition(":")
    if not colon or not module or not attribute:
        raise UsageError(f"--executor {name}: write it as module:function")
    if os.getcwd() not in sys.path:  # a module beside the specs, as `python -m` would find it
        sys.path.insert(0, os.getcwd())
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"--executor {name}: {error}") from error

    def make() -> Executor:
        executor = found()
        if not callable(getattr(executor, "submit", None)) or not callable(
            getattr(executor, "shutdown", None)
        ):
            raise UsageError(f"--executor {name}: it gave {executor!r}, no concurrent.futures.Executor")
        return executor  # type: ignore[no-any-return]  # checked above, by what it can do

    return make


def _verdict(case: Case, result: Any) -> Verdict:
    return wire.loads(result) if isinstance(result, str) else verdict_on_lost(case, Lost(*result))


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
