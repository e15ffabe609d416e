"""The command line. `gradspec --version` is answered here, before anything else is imported."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from gradspec import __version__

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. `args` are those of the process where none are given."""
    words = sys.argv[1:] if args is None else list(args)
    if words == ["--version"]:
        sys.stdout.write(f"gradspec {__version__}\n")
        return 0
    from gradspec.cli.guard import guarded

    return guarded(words) if args is not None else _for_the_process(guarded, words)


def _for_the_process(guarded: Callable[[list[str]], int], words: list[str]) -> int:
    """The command of a process that ends with it.

    Python's garbage collector would take a seventh of a short run, in which there is nothing to find:
    it looks rarely, and not at all once the work is done and everything is about to go.
    """
    import gc

    gc.set_threshold(200_000, 20, 50)
    try:
        return guarded(words)
    finally:
        gc.freeze()
