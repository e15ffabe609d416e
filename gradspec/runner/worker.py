"""A process that does jobs: reads them from its stdin, answers on its stdout, and dies with its parent.

The parent sends lines of JSON: ["load", loader, name] or ["job", job]. Answers are lines that begin
with a word: `told …` for a load; for each case of a job `load K` where a backend must be loaded first,
`start K`, `done K verdict`; `idle` when the job is over. What backends write to stdout goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from gradspec.runner import wire
from gradspec.runner.jobs import Bench, Job

if TYPE_CHECKING:
    from queue import SimpleQueue

__all__ = ["MARK", "main"]

MARK = b"\0gradspec\0"  # written to stderr where a case begins


def main(parent: int) -> None:
    """Do what comes in until the parent, the process with that id, has gone."""
    import faulthandler
    import gc
    import signal
    import threading
    from queue import SimpleQueue

    gc.set_threshold(200_000, 20, 50)  # reading specs makes many objects and no garbage
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    _die_with(parent)
    lines: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests, lines), daemon=True).start()
    bench = Bench()
    while True:
        kind, *request = json.loads(lines.get())
        if kind == "load":
            _say(answers, "told " + json.dumps(bench.told(*request)))
        else:
            _do(bench, request[0], answers)


def _listen(requests: Any, lines: SimpleQueue[bytes]) -> None:
    """Hand on what the parent sends, and end the process when nobody is there to send any more."""
    for line in requests:
        lines.put(line)
    os._exit(0)


def _say(answers: int, text: str) -> None:
    data = memoryview(text.encode() + b"\n")
    while data:
        data = data[os.write(answers, data) :]


def _do(bench: Bench, job: Job, answers: int) -> None:
    for index, (_, name, _) in enumerate(job["cases"]):
        os.write(2, MARK)
        if not bench.has(job["loader"], name):
            _say(answers, f"load {index}")
            bench.told(job["loader"], name)
        _say(answers, f"start {index}")
        text = _limited(bench, job, index)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        _say(answers, f"done {index} {text}")
    _say(answers, "idle")


def _limited(bench: Bench, job: Job, index: int) -> str:
    """The verdict on one case under the job's limits, as a line."""
    import faulthandler

    timeout_s, memory_bytes = job["timeout_s"], job["memory_bytes"]
    if timeout_s:  # the parent ends this process a little later
        faulthandler.dump_traceback_later(timeout_s)
    if memory_bytes:
        _allow(memory_bytes)
    try:
        verdict = bench.verdict(job, index)
    finally:
        if memory_bytes:
            _allow(0)
        if timeout_s:
            faulthandler.cancel_dump_traceback_later()
    return wire.dumps(verdict)


def _allow(more_bytes: int) -> None:
    """Let the address space grow by so much at most; 0 lets it grow again."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    soft = _address_space() + more_bytes if more_bytes else hard
    resource.setrlimit(resource.RLIMIT_AS, (soft if hard < 0 or soft < 0 else min(soft, hard), hard))


def _address_space() -> int:
    """Bytes of this process's address space; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[0]) * os.sysconf("SC_PAGESIZE")
    except OSError:
        return 0


def _die_with(parent: int) -> None:
    """Ask Linux to end this process with its parent, even in the middle of a spec that never ends."""
    if sys.platform == "linux":
        import ctypes

        try:
            ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
        except (OSError, AttributeError):
            return
        if os.getppid() != parent:
            os._exit(0)
