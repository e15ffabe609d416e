"""Keeping what frameworks print out of what gradspec prints."""

from __future__ import annotations

import os
import sys
from typing import TextIO

__all__ = ["Aside"]


class Aside:
    """A context in which stdout is stderr, for Python and for compiled code. May be entered many times,
    by one thread of a process."""

    def __init__(self) -> None:
        self._real = -1
        self._stream: TextIO | None = None
        try:
            os.fstat(2)
            self._real = os.dup(1)
        except OSError:  # one of them is closed
            pass

    def __enter__(self) -> None:
        self._stream = sys.stdout
        if self._stream is not None:
            self._stream.flush()  # or it could be flushed to where it does not belong
        sys.stdout = sys.stderr
        if self._real >= 0:
            os.dup2(2, 1)

    def __exit__(self, *_: object) -> None:
        if self._real >= 0:
            os.dup2(self._real, 1)
        if self._stream is not None:
            sys.stdout = self._stream

    def close(self) -> None:
        if self._real >= 0:
            os.close(self._real)
            self._real = -1
