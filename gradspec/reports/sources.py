"""The spec files that a report is about, read again for its lines and its graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from gradspec.spec.model import Spec

__all__ = ["Source", "Sources"]


class Source(NamedTuple):
    """One spec as it stands in its file. `lines` are (number, text); `spec` is None where the file no
    longer holds it, which a report made on another machine may meet."""

    spec: Spec | None
    lines: tuple[tuple[int, str], ...]


class Sources:
    """Reads each file once."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[list[str], list[Spec]]] = {}

    def of(self, result: dict[str, Any]) -> Source:
        """The source of an entry of a report."""
        lines, specs = self._file(result["file"])
        spec = next((one for one in specs if (one.id, one.line) == (result["id"], result["line"])), None)
        if spec is None:
            return Source(None, ())
        starts = sorted({one.line for one in specs if one.line > spec.line})
        end = starts[0] - 1 if starts else len(lines)
        while end > spec.line and not lines[end - 1].strip():
            end -= 1
        return Source(spec, tuple((n, lines[n - 1]) for n in range(spec.line, end + 1)))

    def _file(self, path: str) -> tuple[list[str], list[Spec]]:
        if path not in self._files:
            from gradspec.errors import SpecError
            from gradspec.spec.load import load_file

            try:
                specs = load_file(path)
                with open(path, encoding="utf-8-sig") as stream:
                    self._files[path] = (stream.read().split("\n"), specs)
            except (OSError, SpecError):
                self._files[path] = ([], [])
        return self._files[path]
