"""Running again whenever a file changes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

__all__ = ["watch"]

POLL_S = 0.3
_DATA = (".npy", ".gradspec.yaml", ".gradspec.yml")
_SKIPPED = ("__pycache__", "node_modules")


def watch(words: Sequence[str], specs: Sequence[str], others: Sequence[str]) -> None:
    """Run `gradspec WORDS` now and whenever something changes, until it is interrupted.

    Each run is a new process, so that changed code of a backend is what runs. `specs` are files, and
    directories of which spec and data files count; `others` are files, and directories of which every
    source file counts. What is not there yet is waited for.
    """
    why = "watching"
    while True:
        before = _state(specs, others)
        _say(why)
        process = subprocess.Popen([sys.executable, "-m", "gradspec", *words])
        try:
            code = process.wait()
        except KeyboardInterrupt:  # the process was interrupted too, and tells its own end
            process.wait()
            raise
        _say(f"exit code {code}; waiting for a change in {', '.join((*specs, *others))}; Ctrl-C ends")
        while (after := _state(specs, others)) == before:
            time.sleep(POLL_S)
        why = _told(before, after)


def _say(text: str) -> None:
    print(f"── {time.strftime('%H:%M:%S')} {text}", flush=True)


def _told(before: dict[str, int], after: dict[str, int]) -> str:
    """What has changed, in a few words."""
    changes = [
        f"{path} {'is new' if path not in before else 'is gone' if path not in after else 'has changed'}"
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    return f"{changes[0]}{more}"


def _state(specs: Sequence[str], others: Sequence[str]) -> dict[str, int]:
    """When each file was last changed."""
    from gradspec.runner.changed import SOURCES

    found: dict[str, int] = {}
    for paths, suffixes in ((specs, _DATA), (others, (*SOURCES, ".yaml"))):
        for path in paths:
            for file in _files(path, suffixes):
                try:
                    found[file] = os.stat(file).st_mtime_ns
                except OSError:
                    continue
    return found


def _files(path: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _SKIPPED]
        yield from (os.path.join(folder, name) for name in files if name.endswith(suffixes))
