"""Python's grammar as a parser for short texts, with every failure a `BadText` that has its place.

The parser is the interpreter's own (`compile` to a tree, which runs nothing).  Texts are measured
before and trees after, so that no text, however deep, long or odd, costs more than a moment.
"""

from __future__ import annotations

import _ast  # the C module behind `ast`: the same classes without its 10 ms import
import re
from typing import Any

__all__ = ["LEVELS", "BadText", "Offsets", "parse"]

LEVELS = 64  # how deep an expression may nest
_RUN_OF_SIGNS = re.compile(rf"(?:[-+~]\s*){{{LEVELS + 1}}}")
_NUMBER_BEFORE_WORD = re.compile(r"[0-9a-fA-FjJ.](?:and|else|for|if|in|is|not|or)\b")


class BadText(Exception):
    """What is wrong with a text: a message, the characters it is about, a hint."""

    def __init__(self, message: str, offset: int = 0, width: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.offset, self.width, self.hint = message, offset, width, hint


class Offsets:
    """Places of tree nodes as character offsets into the text they were parsed from."""

    __slots__ = ("_plain", "_shift", "_starts", "_text")

    def __init__(self, text: str, shift: int = 0) -> None:
        self._text = text
        self._shift = shift  # characters cut off before parsing
        self._plain = text.isascii() and "\n" not in text and "\r" not in text
        self._starts: list[int] = []

    def _offset(self, line: int, column: int) -> int:
        """`line` from 1, `column` in UTF-8 bytes from 0, as nodes have them."""
        if self._plain:
            return column + self._shift
        if not self._starts:
            self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", self._text))]
        start = self._starts[min(line, len(self._starts)) - 1]
        head = self._text[start : start + column].encode("utf-8", "surrogatepass")[:column]
        return start + len(head.decode("utf-8", "ignore")) + self._shift

    def of(self, node: Any) -> tuple[int, int]:
        """(offset, width) of a node."""
        start = self._offset(node.lineno, node.col_offset)
        return start, max(1, self._offset(node.end_lineno, node.end_col_offset) - start)


def parse(text: str, limit: int, what: str) -> tuple[list[Any], Offsets]:
    """The statements of `text` (`_ast` nodes) and their offsets.

    Raises BadText: longer than `limit` characters, deeper than `LEVELS`, or no Python.
    """
    if len(text) > limit:
        raise BadText(f"a {what} has at most {limit:,} characters, this one has {len(text):,}", limit)
    stripped = text.strip(" \t\r\n")
    shift = text.find(stripped) if stripped else 0
    if not stripped:
        raise BadText(f"an empty {what}")
    _refuse_odd(stripped, shift)
    try:
        tree: Any = _compile(stripped)
    except SyntaxError as error:
        raise _from_syntax_error(error, stripped, shift) from None
    except (ValueError, MemoryError, RecursionError, OverflowError):
        raise BadText(f"nested deeper than {LEVELS} levels, or too complex", shift, len(stripped)) from None
    offsets = Offsets(stripped, shift)
    _measure(tree, offsets)
    return tree.body, offsets


def _refuse_odd(text: str, shift: int) -> None:
    """Raise BadText for what must not reach the parser: it would warn, or recurse without end."""
    for odd, name in (("\0", "a NUL character"), ("\\", "a backslash"), ("\f", "a form feed")):
        if (at := text.find(odd)) >= 0:
            raise BadText(f"{name} has no place here", shift + at)
    depth = 0
    if text.count("(") + text.count("[") + text.count("{") > LEVELS:
        for at, char in enumerate(text):
            if char in "([{":
                depth += 1
                if depth > LEVELS:
                    raise BadText(f"nested deeper than {LEVELS} levels", shift + at)
            elif char in ")]}":
                depth -= 1
    if match := _RUN_OF_SIGNS.search(text):
        raise BadText(f"nested deeper than {LEVELS} levels", shift + match.start())
    if text.count("**") > LEVELS:
        raise BadText(f"nested deeper than {LEVELS} levels", shift + text.find("**"))
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise BadText("half a surrogate pair has no place here", shift)


def _compile(text: str) -> Any:
    if not _NUMBER_BEFORE_WORD.search(text):
        return compile(text, "<text>", "exec", _ast.PyCF_ONLY_AST, dont_inherit=True)
    import warnings  # "1if x" warns on standard error

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(text, "<text>", "exec", _ast.PyCF_ONLY_AST, dont_inherit=True)


def _from_syntax_error(error: SyntaxError, text: str, shift: int) -> BadText:
    lines = text.splitlines(keepends=True)
    line = max(1, min(error.lineno or 1, len(lines)))
    before = sum(map(len, lines[: line - 1]))
    offset = min(before + max(0, (error.offset or 1) - 1), max(0, len(text) - 1))
    same_line = error.end_lineno == error.lineno and error.end_offset and error.offset
    width = max(1, (error.end_offset or 0) - (error.offset or 0)) if same_line else 1
    message = (error.msg or "invalid syntax").split(". ")[0]
    if "integer string conversion" in message:
        message = "a number with too many digits"
    return BadText(message, shift + offset, min(width, len(text) - offset))


def _measure(tree: Any, offsets: Offsets) -> None:
    """Raise BadText if an expression of the tree nests deeper than LEVELS (brackets included)."""
    layer = [tree]
    for _ in range(LEVELS + 3):
        layer = [child for node in layer for child in _children(node)]
        if not layer:
            return
    where = next((node for node in layer if hasattr(node, "lineno")), None)
    offset, width = offsets.of(where) if where is not None else (0, 1)
    raise BadText(f"nested deeper than {LEVELS} levels", offset, width)


def _children(node: Any) -> list[Any]:
    found = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, _ast.AST):
            if value._fields:
                found.append(value)
        elif isinstance(value, list):
            found += [item for item in value if isinstance(item, _ast.AST)]
    return found
