"""A worker process as its parent sees it: what it is at, what it wrote, how it ended."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from queue import SimpleQueue
from time import perf_counter
from typing import TYPE_CHECKING, Any

from gradspec.runner.worker import MARK

if TYPE_CHECKING:
    from gradspec.runner.jobs import Job

__all__ = ["Answer", "Hand"]

_KEPT = 2**16  # bytes of output that are remembered
_LINES, _WIDTH = 40, 200  # of output that are told
_OWN = re.compile(r'  File "[^"]*gradspec[/\\]runner[/\\](door|run|jobs|worker)\.py", line')
_START = "import sys; sys.path[:] = {path!r}\nfrom gradspec.runner.worker import main\nmain({parent})"


class Answer:
    """A line that came from a hand; `line` is empty when it has gone."""

    __slots__ = ("hand", "line")

    def __init__(self, hand: Hand, line: str) -> None:
        self.hand = hand
        self.line = line


class Hand:
    """One process, started when this is made. Its answers go to a queue that several may share.

    `job` is what it was given, with `tags` that its parent knows the cases by; `at` the case it is at,
    and `phase` what it does there: "idle" between cases, "load" or "run"; `since` when that began.
    """

    def __init__(self, answers: SimpleQueue[Answer]) -> None:
        code = _START.format(path=sys.path, parent=os.getpid())
        pipe = subprocess.PIPE
        # A session of its own: Ctrl-C on the terminal is for the parent, and its children end with it.
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        self.job: Job = {}
        self.tags: list[Any] = []
        self.at = 0
        self.phase = "idle"
        self.since = perf_counter()
        self.answered = False
        self._written = b""
        self._listener = threading.Thread(target=self._listen, args=(answers,), daemon=True)
        self._listener.start()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def _listen(self, answers: SimpleQueue[Answer]) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):
                answers.put(Answer(self, line.decode()))
        answers.put(Answer(self, ""))

    def _keep(self) -> None:
        assert self.process.stderr is not None
        # a pipe is a buffered reader
        while part := self.process.stderr.read1(_KEPT):  # type: ignore[attr-defined]
            self._written = (self._written + part)[-_KEPT:]

    def ask(self, *request: Any) -> None:
        """Send a request. A process that has gone is noticed by its answers."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            pass

    def give(self, job: Job, tags: list[Any]) -> None:
        """Let it do a job."""
        self.job, self.tags, self.at = job, tags, 0
        self.enter("idle", 0)
        self.ask("job", job)

    def enter(self, phase: str, at: int) -> None:
        self.phase, self.at, self.since = phase, at, perf_counter()

    @property
    def spent_s(self) -> float:
        """How long it has been at what it is doing."""
        return perf_counter() - self.since

    def end(self, patience_s: float = 0.0) -> int:
        """End it and what it has started; its exit code, negative for the signal that it died of. One
        that is ending already gets `patience_s` to do so."""
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            pass
        code = self.process.poll()
        if hasattr(os, "killpg"):
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        else:
            self.process.kill()
        last = self.process.wait()
        self._close()
        return last if code is None else code

    def _close(self) -> None:
        """Read what is left and close the pipes; one that a child of the process still holds stays open."""
        process = self.process
        for thread, stream in ((self._listener, process.stdout), (self._keeper, process.stderr)):
            thread.join(1.0)
            if stream is not None and not thread.is_alive():
                stream.close()
        try:
            if process.stdin is not None:
                process.stdin.close()
        except OSError:  # what it was never sent
            pass

    def output(self) -> str:
        """The end of what it wrote since its last case began, fit for a report."""
        text = self._written.rpartition(MARK)[2].decode("utf-8", "replace")
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
        return "\n".join(map(_printable, _theirs(text.splitlines())[-_LINES:])).strip("\n")


def _theirs(lines: list[str]) -> list[str]:
    """The lines without what faulthandler says of gradspec's own calls and threads."""
    kept: list[str] = []
    stack = hidden = False
    for line in lines:
        if re.match(r"(Current thread|Thread|Stack) .*\(most recent call first\):$", line):
            kept.append("most recent call first:")
            stack, hidden = True, False
        elif stack and line.startswith("  File "):
            hidden = hidden or bool(_OWN.match(line))
            if not hidden:
                kept.append(line)
            elif " in _listen" in line:
                kept.pop()
        elif line.strip() and not line.startswith(("Extension modules:", "Timeout (")):
            stack = False
            kept.append(line)
    return kept


def _printable(line: str) -> str:
    """A line of any origin without what would upset a terminal or XML, and not too long."""
    line = "".join(letter if letter.isprintable() else " " for letter in line).rstrip()
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"
