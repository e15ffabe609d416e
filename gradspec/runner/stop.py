"""Ending a run early, on Ctrl-C or SIGTERM, so that what was done is still told."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any

__all__ = ["Stop", "Stopped"]

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Stopped(KeyboardInterrupt):
    """The run was asked to end. Raised only where a spec runs or is waited for."""


class Stop:
    """Whether a run was asked to end, and by which signal: `signum` is 0 until then.

    As a context manager it takes the place of the signals' handlers, where the process lets it. The
    first signal ends the spec that is running; a second one ends the process as if this were not here.
    """

    def __init__(self) -> None:
        self.signum = 0
        self.armed = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        for name in _SIGNALS:
            signum = getattr(signal, name, None)
            if signum is None or signal.getsignal(signum) is signal.SIG_IGN:  # as under nohup
                continue
            try:
                self._before[signum] = signal.signal(signum, self._told)
            except ValueError:  # not the main thread
                break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)
        self._before.clear()

    def _told(self, signum: int, frame: FrameType | None) -> None:
        if self.signum:
            raise KeyboardInterrupt
        self.signum = signum
        if self.armed:
            self.armed = False
            raise Stopped

    @property
    def exit_code(self) -> int:
        """What a shell calls a process that this signal ended."""
        return 128 + self.signum
