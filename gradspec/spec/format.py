"""The versions of the format, and schema.json as each of them has it.

Minor versions only add.  What came after 1.0 is marked in schema.json, beside the thing itself:

- `"x-since": "1.1"` in a property: the key came with 1.1;
- `"x-since-options": {"word": "1.1"}` beside `enum`: that option did;
- `"x-before": {"1.1": {"minItems": 1}}`: before 1.1 these keywords stood here.

The loader's answer to a file that says 1 and uses an addition, `gradspec schema --format` and the tests
of the documentation follow from these marks.
"""

from __future__ import annotations

from typing import Any

__all__ = ["FIRST", "MARKS", "NEWEST", "Format", "as_of", "later_than", "read_format", "show_format"]

Format = tuple[int, int]
FIRST: Format = (1, 0)
NEWEST: Format = (1, 1)  # the newest this gradspec reads
MARKS = ("x-since", "x-since-options", "x-before")


def read_format(text: str) -> Format | None:
    """The format that "1" or "1.N" names; None for what is no version."""
    major, dot, minor = text.partition(".")
    if not (major.isdecimal() and (minor.isdecimal() or not dot) and len(major) < 9 and len(minor) < 9):
        return None
    return int(major), int(minor or 0)


def show_format(format: Format) -> str:
    """A format as a file names it, always with its minor version."""
    return f"{format[0]}.{format[1]}"


def later_than(format: Format) -> list[Format]:
    """The formats after this one that are read here, oldest first."""
    return [(1, minor) for minor in range(format[1] + 1, NEWEST[1] + 1)]


def as_of(rules: dict[str, Any], format: Format) -> dict[str, Any]:
    """One level of a schema without what came after `format`; what lies deeper is left as it is."""
    if format >= NEWEST:
        return rules
    found = rules
    before = rules.get("x-before", {})
    for version in sorted(before, key=_number, reverse=True):
        if _number(version) > format:
            found = {**found, **before[version]}
    options = rules.get("x-since-options", {})
    if late := {option for option, version in options.items() if _number(version) > format}:
        found = {**found, "enum": [option for option in found["enum"] if option not in late]}
    for word in ("properties", "$defs"):
        parts = rules.get(word)
        if not isinstance(parts, dict):
            continue
        kept = {key: part for key, part in parts.items() if _since(part) <= format}
        if len(kept) < len(parts):
            found = {**found, word: kept}
    return found


def _since(part: Any) -> Format:
    return _number(part["x-since"]) if "x-since" in part else FIRST


def _number(version: str) -> Format:
    found = read_format(version)
    assert found is not None, version
    return found
