"""How far a run is, told on a terminal alone and only when it has taken a second. Rich draws it where it is
installed; otherwise it is one plain line."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from gradspec.runner.events import BackendUnavailable, Event, RunFinished, RunStarted, SpecFinished

if TYPE_CHECKING:
    from gradspec.runner.verdict import Verdict

__all__ = ["Bar", "PlainBar", "Progress", "RichBar"]

SILENT_S = 1.0
BETWEEN_S = 0.1


class Bar(Protocol):
    """Something that shows `done` of `total` and can be taken away again."""

    def show(self, done: int, total: int, text: str) -> None: ...

    def clear(self) -> None: ...


class Progress:
    """Folds the events of a run into a bar on `stream`. What else is written to the terminal goes through
    `write`, so that it does not stand in the middle of the bar."""

    def __init__(
        self,
        write: Callable[[str], object],
        stream: TextIO,
        *,
        bar: Callable[[TextIO], Bar] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._write = write
        self.stream = stream
        self.make = bar or _best
        self.clock = clock
        self.bar: Bar | None = None
        self.begun = self.drawn = clock()
        self.specs = self.total = self.done = self.bad = 0

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.specs = event.specs
                self.total = event.specs * len(event.backends)
            case BackendUnavailable():
                self.total -= self.specs
            case SpecFinished():
                self.finished(event.verdict)
            case RunFinished():
                self.clear()

    def finished(self, verdict: Verdict) -> None:
        self.done += 1
        self.bad += verdict.outcome in ("failed", "error", "crash", "timeout")
        now = self.clock()
        if now - self.begun < SILENT_S or now - self.drawn < BETWEEN_S:
            return
        self.drawn = now
        if self.bar is None:
            import atexit

            self.bar = self.make(self.stream)
            atexit.register(self.clear)  # whatever ends the process, the terminal has its cursor back
        bad = f"{self.bad} failed  " if self.bad else ""
        self.bar.show(self.done, self.total, f"{bad}{verdict.id} {verdict.backend}")

    def write(self, text: str) -> None:
        self.clear()
        self._write(text)

    def clear(self) -> None:
        if self.bar is not None:
            self.bar.clear()


def _best(stream: TextIO) -> Bar:
    try:
        return RichBar(stream)
    except ImportError:
        return PlainBar(stream)


class PlainBar:
    """One line that is overwritten."""

    def __init__(self, stream: TextIO, width: int = 79) -> None:
        self.stream = stream
        self.width = width
        self.shown = False

    def show(self, done: int, total: int, text: str) -> None:
        self.stream.write(f"\r\033[2K{f'{done} of {total}  {text}'[: self.width]}")
        self.stream.flush()
        self.shown = True

    def clear(self) -> None:
        if self.shown:
            self.stream.write("\r\033[2K")
            self.stream.flush()
            self.shown = False


class RichBar:
    """Rich's bar, drawn when told to and not by a thread."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Drawn

        columns = (
            BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            TextColumn("{task.fields[text]}", markup=False),
        )  # fmt: skip
        console = Console(file=stream)
        self.drawn: Any = Drawn(
            *columns, console=console, transient=True, auto_refresh=False,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self.task = self.drawn.add_task("", total=None, text="")
        self.on = False

    def show(self, done: int, total: int, text: str) -> None:
        self.drawn.update(self.task, completed=done, total=total, text=text)
        if not self.on:
            self.drawn.start()
            self.on = True
        self.drawn.refresh()

    def clear(self) -> None:
        if self.on:
            self.drawn.stop()
            self.on = False
