"""Files that reports are written to: whole or not at all, and a clear word where it cannot be."""

from __future__ import annotations

import os
from pathlib import Path

from gradspec.errors import UsageError

__all__ = ["Output"]


class Output:
    """The file of one report. Raises UsageError at once where nothing can be written there."""

    def __init__(self, option: str, path: str) -> None:
        self.option = option
        self.path = Path(path)
        folder = self.path.absolute().parent
        if self.path.is_dir():
            raise UsageError(f"{option}: {path} is a directory")
        if not folder.is_dir():
            raise UsageError(f"{option}: there is no directory {folder}")
        if not os.access(self.path if self.path.exists() else folder, os.W_OK):
            raise UsageError(f"{option}: no permission to write {path}")

    def write(self, text: str) -> None:
        """Write beside the file, then put it in its place in one step; raises UsageError where that fails,
        and leaves what was there."""
        if self.path.exists() and not self.path.is_file():  # a pipe or a device cannot be replaced
            self._into(self.path, text)
            return
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            self._into(beside, text)
            beside.replace(self.path)
        except OSError as error:
            raise self.failed(error) from error
        finally:
            beside.unlink(missing_ok=True)

    def _into(self, path: Path, text: str) -> None:
        try:
            path.write_text(text, encoding="utf-8", errors="replace", newline="\n")
        except OSError as error:
            raise self.failed(error) from error

    def failed(self, error: OSError) -> UsageError:
        """What is said when the file could not be written."""
        return UsageError(f"{self.option}: the report could not be written: {error.strerror or error}")
