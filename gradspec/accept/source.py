"""A spec file as text that can be changed in places: its specs, and where what they expect stands."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from gradspec.accept.marks import FIELDS, Mark, answers, blanks, marks
from gradspec.errors import Fault, Place, SpecError
from gradspec.spec.load import load_document
from gradspec.spec.reader import decode, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradspec.spec.document import Path
    from gradspec.spec.model import Spec

__all__ = ["Source"]

_BOM = "\ufeff"


class Source:
    """The text of a spec file. What is left open in it stands in the specs as something of its type, and
    its path is in `open`. Raises SpecError with every fault of the file."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.text = text
        self._begin = len(text) - len(text.removeprefix(_BOM))
        document = read(text, file)
        if document.faults:
            raise SpecError(document.faults)
        self.view: Any = document.view
        self.open = {path: field for field, path in blanks(document)}
        self.paths: dict[tuple[int, int, str], Path] = {}
        for field, path in answers(self.view):
            place = document.place(path)
            self.paths.setdefault((place.line, place.column, field), path)
        self.marks: dict[Path, Mark] = marks(text.removeprefix(_BOM))
        filled = copy(document)
        for path, field in self.open.items():
            filled.view = _with(filled.view, path, _stand_in(field))
        self.specs: list[Spec] = load_document(filled)

    @classmethod
    def of(cls, file: str) -> Source:
        """The source in a file."""
        try:
            with open(file, "rb") as stream:
                data = stream.read()
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            raise SpecError([Fault("unreadable-file", reason, Place(file, 1))]) from None
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise SpecError(decode(data, file).faults) from None
        return cls(text, file)

    def path(self, place: Place, field: str) -> Path | None:
        """The path of what a check of a field, at a place, expects; None where the text has nothing that
        could be changed."""
        found = self.paths.get((place.line, place.column, field))
        if found is None and field in ("raises", "warns", "hooks"):
            step = self.paths.get((place.line, place.column, "step"))
            name = "expect_hooks" if field == "hooks" else field
            return None if step is None else (*step, name)
        return found

    def at(self, path: Path) -> Any:
        """The value at a path of the view."""
        value = self.view
        for part in path:
            value = value[part]
        return value

    def column(self, path: Path) -> int:
        """How many letters of its line stand before a value."""
        before = self.text[: self.marks[path].start + self._begin]
        return len(before) - max(before.rfind("\n"), before.rfind("\r")) - 1

    def spliced(self, texts: Mapping[Path, str]) -> str:
        """The text with other values at these paths, and every other letter as it was."""
        text = self.text
        for mark, new in sorted(((self.marks[path], new) for path, new in texts.items()), reverse=True):
            start, end = mark.start + self._begin, mark.end + self._begin
            blank = " " if start == end and text[start - 1 : start] not in (" ", "") else ""
            if not mark.flow:  # a list may begin under its key, where nothing else may
                blank = "  "
            text = f"{text[:start]}{blank}{new}{text[end:]}"
        return text


def _stand_in(field: str) -> Any:
    return {"raises": None, "warns": [], "hook": []}.get(field, FIELDS.get(field))


def _with(view: Any, path: Path, value: Any) -> Any:
    """A copy of the view along a path, with another value there."""
    if not path:
        return value
    result = copy(view)
    result[path[0]] = _with(view[path[0]], path[1:], value)
    return result
