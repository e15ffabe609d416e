"""The command line. `gradspec --version` is answered here, before anything else is imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gradspec import __version__

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. `args` are those of the process where none are given."""
    words = sys.argv[1:] if args is None else list(args)
    if words == ["--version"]:
        sys.stdout.write(f"gradspec {__version__}\n")
        return 0
    from gradspec.cli.guard import guarded

    return guarded(words)
