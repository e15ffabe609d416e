"""Values as the text of a spec file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gradspec.runner import show

if TYPE_CHECKING:
    from gradspec.dense import Dense

__all__ = ["array", "gradients", "number", "word"]

WIDTH = 100  # letters of a line that an array is put on
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*\Z")
_WORDS = ("true", "false", "null")


def number(value: Any, dtype: str) -> str:
    """As few digits as tell the value apart in its dtype; a complex one as a constant expression."""
    if isinstance(value, complex):
        text = show.number(value, dtype)
        if any(abs(part) == float("inf") or part != part for part in (value.real, value.imag)):
            part_dtype = {"complex64": "float32"}.get(dtype, "float64")
            real, imag = (show.number(part, part_dtype) for part in (value.real, value.imag))
            text = f"complex({real}, {imag})"
        return f'"{text}"'
    text = show.number(value, dtype)
    return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}.get(text, text)


def array(dense: Dense, column: int) -> str:
    """Nested lists in flow style; a long one has its parts on lines of their own, which begin at `column`
    as its bracket does."""
    return _nested(dense.nested(), dense.dtype, column)


def gradients(given: tuple[Dense | None, ...], column: int) -> str:
    """What a hook on a node was given: a list with an array or null each."""
    parts = ["null" if one is None else array(one, column + 1) for one in given]
    return f"[{', '.join(parts)}]"


def _nested(value: Any, dtype: str, column: int) -> str:
    if not isinstance(value, list):
        return number(value, dtype)
    parts = [_nested(each, dtype, column + 1) for each in value]
    line = f"[{', '.join(parts)}]"
    if column + len(line) <= WIDTH and "\n" not in line:
        return line
    blank = "\n" + " " * (column + 1)
    if value and isinstance(value[0], list):
        return f"[{(',' + blank).join(parts)}]"
    lines, length = [""], column + 1
    for part in parts:
        if lines[-1] and length + len(part) + 2 > WIDTH:
            lines.append("")
            length = column + 1
        lines[-1] += f"{', ' if lines[-1] else ''}{part}"
        length += len(part) + 2
    return f"[{(',' + blank).join(lines)}]"


def word(value: Any) -> str:
    """What is no array: a flag, a number, null, a name, a list."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(word, value)) + "]"
    if isinstance(value, str):
        return value if _PLAIN.match(value) and value not in _WORDS else json.dumps(value, ensure_ascii=False)
    return str(value)
