"""The results of runs, kept in `.gradspec/runs` as they come.

Each run has a file of its own: JSON lines, a head and then a line for every result, written through to
the system before the next spec begins. While the run goes the file is `NAME.part` and locked; when all
is done it becomes `NAME.jsonl` in one step. What was killed in between stays a `.part` that nobody
holds, perhaps with a torn last line; `--resume` goes on from there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from time import gmtime, strftime, time
from typing import TYPE_CHECKING, Any

from gradspec import __version__
from gradspec.runner import wire

if TYPE_CHECKING:
    from gradspec.runner.cases import Case, Limits, Loaded
    from gradspec.runner.verdict import Verdict
    from gradspec.spec.model import Spec

__all__ = ["Kept", "Stamps", "last_failed"]

FORMAT = 1
ROOT = ".gradspec"
MOST = 30  # files of finished runs
_FINE = ("passed", "unsupported", "unchecked")
_BY_LIMITS = ("crash", "timeout")


class Stamps:
    """What tells whether a spec file is as it was: its size and when it was last changed."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, file: str) -> str:
        known = self._known.get(file)
        if known is None:
            try:
                status = os.stat(file)
                known = f"{status.st_size}-{status.st_mtime_ns}"
            except OSError:
                known = ""
            self._known[file] = known
        return known


class Kept:
    """The file of one run, and the results of earlier ones that it need not do again.

    Nothing that goes wrong here stops a run: `fault` then says why its results are not kept.
    """

    def __init__(self, limits: Limits, resume: bool = False, root: str = ROOT) -> None:
        self.fault = ""
        self.resumed = 0  # results taken from a run that was ended early
        self._limits = list(limits)
        self._resume = resume
        self._folder = os.path.join(root, "runs")
        self._stamps = Stamps()
        self._fd = -1
        self._path = ""
        self._lines: dict[tuple[str, str], dict[str, Any]] = {}
        self._done: set[tuple[str, str]] = set()
        self._sources: list[str] = []

    def open(self, loaded: Sequence[Loaded]) -> None:
        """Begin the file of this run, its backends known, and read what it goes on from."""
        versions = {one.name: one.version for one in loaded}
        head = {
            "gradspec_run": FORMAT, "gradspec": __version__, "started": time(), "backends": versions,
            "limits": self._limits,
        }  # fmt: skip
        try:
            self._begin(json.dumps(head) + "\n")
        except OSError as error:
            self._fail(error)
        if self._resume:
            self._read(versions)
            self.resumed = 0
            for line in self._lines.values():
                self._write(json.dumps(line) + "\n")

    def has(self, case: Case) -> bool:
        """Whether an earlier run has left a result of this case, of the file as it is now."""
        line = self._lines.get((case.spec.id, case.backend))
        found = line is not None and line["stamp"] == self._stamps.of(case.spec.file) != ""
        self.resumed += found
        return found

    def verdict(self, case: Case) -> Verdict:
        """That result."""
        key = (case.spec.id, case.backend)
        self._done.add(key)
        return wire.unpack(self._lines.pop(key)["verdict"])

    def add(self, case: Case, verdict: Verdict) -> None:
        """Keep a result."""
        self._done.add((case.spec.id, case.backend))
        if self._fd >= 0:
            stamp = json.dumps(self._stamps.of(case.spec.file))
            self._write(f'{{"stamp": {stamp}, "verdict": {wire.dumps(verdict)}}}\n')

    def close(self, finished: bool) -> None:
        """End the file. One of a run that is not finished is left for `--resume`."""
        if self._fd < 0:
            return
        try:
            if finished:
                os.replace(self._path, self._path.removesuffix(".part") + ".jsonl")
                for path in self._sources:
                    _remove(path)
                self._tidy()
        except OSError as error:
            self._fail(error)
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _begin(self, head: str) -> None:
        os.makedirs(self._folder, exist_ok=True)
        ignore = os.path.join(os.path.dirname(self._folder), ".gitignore")
        if not os.path.exists(ignore):
            with open(ignore, "w", encoding="utf-8") as stream:
                stream.write("*\n")
        now = time()
        name = f"{strftime('%Y%m%d-%H%M%S', gmtime(now))}-{now % 1 * 1e6:06.0f}-{os.getpid()}"
        path = os.path.join(self._folder, name)
        # Locked before it has the name under which others would look at it.
        self._fd = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
        _lock(self._fd)
        os.rename(path + ".new", path + ".part")
        self._path = path + ".part"
        self._write(head)

    def _write(self, line: str) -> None:
        if self._fd < 0:
            return
        data = memoryview(line.encode("ascii"))
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.fault = f"the results are not kept in {os.path.dirname(self._folder)}: {error.strerror or error}"
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _read(self, versions: dict[str, str]) -> None:
        """The results of runs that were ended early, of the backends as they are now."""
        for path in _files(self._folder, ".part"):
            if path == self._path or _in_use(path):
                continue
            self._sources.append(path)
            head, lines = _contents(path)
            if head.get("gradspec") != __version__:
                continue
            for line in lines:
                verdict = line["verdict"]
                name = verdict["backend"]
                if verdict["outcome"] in _BY_LIMITS and head.get("limits") != self._limits:
                    continue
                if name in versions and head.get("backends", {}).get(name) == versions[name]:
                    self._lines[verdict["id"], name] = line

    def _tidy(self) -> None:
        """Remove what later runs have made superfluous."""
        for path in _files(self._folder, ".part"):
            if not _in_use(path) and all(_key(line) in self._done for line in _contents(path)[1]):
                _remove(path)
        finished = _files(self._folder, ".jsonl")
        if len(finished) <= MOST:
            return
        seen: set[tuple[str, str]] = set()
        for path in reversed(finished):
            keys = {_key(line) for line in _contents(path)[1]}
            if keys <= seen:
                _remove(path)
            seen |= keys


def last_failed(
    specs: Sequence[Spec],
    backends: Sequence[str],
    known: Callable[[str, str], object] = lambda *_: "",
    root: str = ROOT,
) -> list[Spec]:
    """Of the specs those that on one of the backends did not come out as wanted when they were last run,
    or never finished, or were changed since, or were never run.

    `known(id, backend)` is true for those that are wanted to fail.
    """
    last: dict[tuple[str, str], tuple[str, str]] = {}
    for path in _files(os.path.join(root, "runs"), ".jsonl", ".part"):
        for line in _contents(path)[1]:
            last[_key(line)] = (line["verdict"]["outcome"], line["stamp"])
    stamps = Stamps()

    def as_wanted(spec: Spec, backend: str) -> bool:
        outcome, stamp = last.get((spec.id, backend), ("", ""))
        if not stamp or stamp != stamps.of(spec.file):
            return False
        return outcome != "passed" if known(spec.id, backend) else outcome in _FINE

    return [spec for spec in specs if not all(as_wanted(spec, name) for name in backends)]


def _key(line: dict[str, Any]) -> tuple[str, str]:
    return line["verdict"]["id"], line["verdict"]["backend"]


def _files(folder: str, *suffixes: str) -> list[str]:
    """The files of runs, oldest first."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [os.path.join(folder, name) for name in names if name.endswith(suffixes)]


def _contents(path: str) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    """The head and the results of a file, as far as they are whole; nothing of one that is of another
    format or has gone."""
    lines = _lines(path)
    head = next(lines, {})
    return (head, lines) if head.get("gradspec_run") == FORMAT else ({}, iter(()))


def _lines(path: str) -> Iterator[dict[str, Any]]:
    try:
        with open(path, encoding="ascii", errors="replace") as stream:
            for text in stream:
                try:
                    line = json.loads(text)
                except ValueError:
                    continue  # torn
                if isinstance(line, dict) and ("gradspec_run" in line or {"stamp", "verdict"} <= line.keys()):
                    yield line
    except OSError:
        return


def _lock(fd: int) -> bool:
    """Take the lock of a file unless another process has it."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _in_use(path: str) -> bool:
    """Whether the run that writes a file is still going."""
    try:
        fd = os.open(path, os.O_RDWR)
    except OSError:
        return True  # gone, or not ours
    try:
        return not _lock(fd)
    finally:
        os.close(fd)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
