"""A spec file that has been read: its plain Python view, the place of everything in it, its faults."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from gradspec.errors import Fault, Place
from gradspec.records import NamedTuple

__all__ = ["LONG_TEXT", "MARK", "Document", "Node", "Path", "Tree"]

Path = tuple[str | int, ...]
LONG_TEXT = 8192  # characters; in longer texts lists of numbers are lifted out
MARK = "\ue000"  # begins and ends the word that stands for a lifted list
_WIDEST = 100
_TOKENS = {  # what one character of a scalar's value looks like in the file
    "'": r"''|[\s\S]",
    '"': r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r\n|[\s\S])|[\s\S]",
}
_ANY = r"[\s\S]"
_UNPRINTABLE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"


class Node(NamedTuple):
    """A container in the tree of events: `children` is a dict key → (key event, child), a list of
    children, or None where they were dropped (long numeric lists)."""

    event: Any
    children: Any


Tree = Any  # Node, or the event of a scalar


class Document:
    """`view` is plain Python: dict (keys are str), list, str, int, float, bool, None.

    `faults` collects what is wrong.  `nonfinite` says whether the view holds a non-finite number;
    `numeric` has the id() of every list in it that is long and holds numbers and booleans alone, or
    lists of them.  Aliased parts of the view are one object; nobody changes it.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.text = text
        self.view: Any = None
        self.faults: list[Fault] = []
        self.nonfinite = False
        self.numeric: set[int] = set()
        self.tree: Tree = None
        self.original: Callable[[int], int] | None = None  # index in lifted text → index in text
        self.reread: Callable[[], Document] | None = None  # reads again, keeping every place
        self._starts: list[int] = []

    def place(self, path: Path, key: bool = False) -> Place:
        """The place of the value at `path`, or of its key; of the nearest container if it is not there."""
        event = self._event(path, key)
        if event is None:
            return Place(self.file, 1)
        start = self._index(event.start_mark)
        line, column = self.position(start)
        width = 1
        if not hasattr(event, "flow_style") and not (self.original and event.value[:1] == MARK):
            end = self._index(event.end_mark)
            width = max(1, min(end, self._line_end(line), start + _WIDEST) - start)
        return Place(self.file, line, column, width)

    def quoted(self, path: Path) -> bool:
        """Whether the scalar at `path` was written in quotes or as a block."""
        return bool(getattr(self._event(path, False), "style", None))

    def source(self, line: int) -> str:
        """The text of a line, counted from 1; what no terminal should be given stands as U+FFFD."""
        starts = self._line_starts()
        if not 1 <= line <= len(starts):
            return ""
        return re.sub(_UNPRINTABLE, "\ufffd", self.text[starts[line - 1] : self._line_end(line)])

    def fault(
        self, code: str, message: str, path: Path, *, key: bool = False, hint: str = "",
        offset: int | None = None, width: int | None = None,
    ) -> Fault:  # fmt: skip
        """A fault at `path`. `offset` counts characters of the scalar's value; `width` is the caret's."""
        if offset is not None:
            at = self._inside(path, offset)
            if at is not None:
                line, column = self.position(at)
                wide = max(1, min(width or 1, self._line_end(line) - at))
                return Fault(code, message, Place(self.file, line, column, wide), self.source(line), hint)
        place = self.place(path, key)
        if width is not None:
            place = place._replace(width=width)
        return Fault(code, message, place, self.source(place.line), hint)

    def fault_at(self, code: str, message: str, index: int, *, hint: str = "", width: int = 1) -> Fault:
        """A fault at a character of the text."""
        line, column = self.position(index)
        wide = max(1, min(width, self._line_end(line) - index, _WIDEST))
        return Fault(code, message, Place(self.file, line, column, wide), self.source(line), hint)

    def position(self, index: int) -> tuple[int, int]:
        """Line and column, from 1, of a character of the text."""
        starts = self._line_starts()
        line = bisect_right(starts, index)
        return line, index - starts[line - 1] + 1

    def index_of(self, mark: Any) -> int:
        """The character of the text that a parser's mark means."""
        return self._index(mark)

    def _index(self, mark: Any) -> int:
        index: int = mark.index if self.original is None else self.original(mark.index)
        return min(index, len(self.text))

    def _line_starts(self) -> list[int]:
        if not self._starts:
            self._starts = starts = [0]
            if "\r" in self.text:
                starts += (match.end() for match in re.finditer(r"\r\n|\n|\r", self.text))
            else:
                for line in self.text.split("\n"):
                    starts.append(starts[-1] + len(line) + 1)
                starts.pop()
        return self._starts

    def _line_end(self, line: int) -> int:
        starts = self._line_starts()
        if line == len(starts):
            return len(self.text)
        end = starts[line] - 1
        return end - 1 if self.text[end] == "\n" and self.text[end - 1 : end] == "\r" else end

    def _event(self, path: Path, key: bool) -> Any:
        found = self._find(path, key)
        if found is None:
            if self.reread is not None:
                again = self.reread()
                self.tree, self.original, self.reread = again.tree, None, None
                found = self._find(path, key)
            while found is None and path:
                path = path[:-1]
                found = self._find(path, False)
        return found

    def _find(self, path: Path, key: bool) -> Any:
        """The event at `path`, or None where the tree has nothing there."""
        node = self.tree
        key_event = None
        for part in path:
            children = node.children if isinstance(node, Node) else None
            try:  # a part that does not fit is caught below
                if isinstance(children, list):
                    key_event, node = None, children[part]  # type: ignore[index]
                else:
                    key_event, node = children[part]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                return None
        if key and key_event is not None:
            return key_event
        return node.event if isinstance(node, Node) else node

    def _inside(self, path: Path, offset: int) -> int | None:
        """The index in the text of a character of a scalar's value.

        Blanks may be folded and indentation is not part of the value, so characters other than
        blanks are counted.
        """
        event = self._event(path, False)
        value = getattr(event, "value", None)
        if not isinstance(value, str):
            return None
        position, end = self._index(event.start_mark), self._index(event.end_mark)
        style = event.style or ""
        if style in ("'", '"'):
            position, end = position + 1, end - 1
        elif style:  # a block begins on the line after its | or >
            line, _ = self.position(position)
            starts = self._line_starts()
            position = starts[line] if line < len(starts) else position
        wanted = sum(not character.isspace() for character in value[:offset])
        blanks = offset - len(value[:offset].rstrip()) if offset <= len(value) else 0
        token = re.compile(_TOKENS.get(style, _ANY))
        before = position
        while position < end and (match := token.match(self.text, position)):
            if not match.group().isspace():
                if wanted == 0:
                    return position
                wanted -= 1
                before = match.end()
            position = match.end()
        return min(before + blanks, max(end, before))
