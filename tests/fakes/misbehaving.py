"""Backends that do to their process what compiled code does to it on a bad day.

Each is the python backend until a program has a tensor called `trouble`. `tests/fakes/site`, put on
PYTHONPATH, has them as entry points of an installed plugin, by their names.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

from gradspec.backends.base import Observations
from gradspec.backends.python import PythonBackend
from gradspec.spec.model import Program

__all__ = ["SITE", "TROUBLES"]

SITE = os.path.join(os.path.dirname(__file__), "site")


class Misbehaving(PythonBackend):
    """Runs programs as they should be run, and calls `trouble` before one that has it."""

    def run(self, program: Program) -> Observations:
        if "trouble" in program.names:
            self.trouble()
        return super().run(program)

    def trouble(self) -> None:
        raise NotImplementedError


class Segfaults(Misbehaving):
    name = "segfaults"

    def trouble(self) -> None:
        print("about to read address 0", file=sys.stderr, flush=True)
        ctypes.string_at(0)


class Exits(Misbehaving):
    name = "exits"

    def trouble(self) -> None:
        os.write(2, b"\x1b[31mgoodbye\x1b[0m\n")
        os._exit(0)


class ExitsPolitely(Misbehaving):
    name = "exits-politely"

    def trouble(self) -> None:
        sys.exit(0)


class Hangs(Misbehaving):
    """Waits in compiled code, deaf to everything but SIGKILL."""

    name = "hangs-now-and-then"

    def trouble(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("waiting for a lock", flush=True)
        ctypes.PyDLL(None).sleep(600)  # PyDLL keeps the interpreter's lock


class Allocates(Misbehaving):
    """Fills 8 GiB where it may."""

    name = "allocates"

    def trouble(self) -> None:
        self.kept = [bytearray(b"x") * 2**27 for _ in range(64)]


class Unpicklable(Misbehaving):
    """Raises what no process can hand to another, and whose text cannot be had either."""

    name = "unpicklable"

    def trouble(self) -> None:
        class Strange(Exception):
            def __init__(self) -> None:
                super().__init__(threading.Lock(), lambda: None)

            def __str__(self) -> str:
                raise RuntimeError("no")

        raise Strange


class Chatters(Misbehaving):
    """Prints wherever it can, in what others would take for the protocol or the report."""

    name = "chatters"

    def trouble(self) -> None:
        print('done 0 {"id": "noise"}')
        os.write(1, b"idle\nNOISE\n")
        sys.__stdout__.write("NOISE\n")
        sys.__stdout__.flush()


class Sleeps(PythonBackend):
    """Takes GRADSPEC_TEST_SLEEP seconds for every program; after GRADSPEC_TEST_HOLD of them it waits until
    there is no file called hold."""

    name = "sleeps"

    def __init__(self) -> None:
        super().__init__()
        self.left = int(os.environ.get("GRADSPEC_TEST_HOLD", "-1"))

    def run(self, program: Program) -> Observations:
        while self.left == 0 and os.path.exists("hold"):
            time.sleep(0.01)
        self.left -= 1
        time.sleep(float(os.environ.get("GRADSPEC_TEST_SLEEP", "0.1")))
        return super().run(program)


class AsksForIsolation(Segfaults):
    name = "asks-for-isolation"
    isolate = True


class DiesWhenLoaded(PythonBackend):
    name = "dies-when-loaded"

    def __init__(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class DiesWhenLoadedAgain(PythonBackend):
    """Can be loaded by the first process that tries to. GRADSPEC_TEST_ONCE names a file to tell by."""

    name = "dies-when-loaded-again"

    def __init__(self) -> None:
        try:
            os.close(os.open(os.environ["GRADSPEC_TEST_ONCE"], os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            os.abort()
        super().__init__()


TROUBLES: dict[str, type[PythonBackend]] = {
    one.name: one
    for one in (
        Segfaults, Exits, ExitsPolitely, Hangs, Allocates, Unpicklable, Chatters, Sleeps, AsksForIsolation,
        DiesWhenLoaded, DiesWhenLoadedAgain,
    )
}  # fmt: skip
