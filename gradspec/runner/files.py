"""Writing a file whole or not at all."""

from __future__ import annotations

import os

from gradspec.errors import UsageError

__all__ = ["put_text"]


def put_text(path: str, text: str) -> None:
    """Write beside the file, then put it in its place in one step; a link is followed, the file's mode
    is kept. Raises UsageError where that fails, and leaves what was there."""
    target = os.path.realpath(path)
    beside = os.path.join(os.path.dirname(target), f".{os.path.basename(target)}.{os.getpid()}")
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(beside, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if os.path.exists(target):
            os.chmod(beside, os.stat(target).st_mode & 0o7777)
        os.replace(beside, target)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        if os.path.lexists(beside):
            os.unlink(beside)
