"""Running specs in this process, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from gradspec.errors import BackendUnavailable as Unavailable
from gradspec.runner.aside import Aside
from gradspec.runner.cases import Case, Loaded, Workplace
from gradspec.runner.events import BackendUnavailable
from gradspec.runner.run import run_one
from gradspec.runner.support import Support

if TYPE_CHECKING:
    from gradspec.backends.base import Backend
    from gradspec.runner.verdict import Verdict

__all__ = ["Here"]


class Here:
    """The workplace that a run has unless another is asked for.

    `load` gives a backend by name or raises BackendUnavailable. Where a backend asks for a process of
    its own, all specs are run at the place that `apart` makes.
    """

    def __init__(self, load: Callable[[str], Backend], apart: Callable[[], Workplace] | None = None) -> None:
        self.load = load
        self.apart = apart
        self.notes: list[str] = []
        self._supports: dict[str, Support] = {}
        self._elsewhere: Workplace | None = None
        self._aside = Aside()

    def ready(self, names: Sequence[str]) -> Iterator[Loaded | BackendUnavailable]:
        for name in names:
            try:
                with self._aside:
                    backend = self.load(name)
            except Unavailable as error:
                yield BackendUnavailable(name, str(error))
                continue
            self._supports[name] = Support(backend)
            if backend.isolate and self.apart is not None and self._elsewhere is None:
                self._elsewhere = self.apart()
            yield Loaded(name, backend.name, backend.version, backend.isolate)

    def results(self, cases: Sequence[Case]) -> Iterator[tuple[Case, Verdict]]:
        if self._elsewhere is not None:
            yield from self._elsewhere.results(cases)
            self.notes += self._elsewhere.notes
            return
        for case in cases:
            support = self._supports[case.asked]
            with self._aside:
                verdict = run_one(case.spec, support.backend, support)
            yield case, verdict

    def close(self) -> None:
        self._aside.close()
        if self._elsewhere is not None:
            self._elsewhere.close()
