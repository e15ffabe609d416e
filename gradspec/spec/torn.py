"""Statements that YAML has torn apart: `{op: y = add(x, b)}`, `op: y = f(x, #b)`."""

from __future__ import annotations

from typing import Any

__all__ = ["HINT", "cut_off", "drop_pieces", "unbalanced"]

HINT = "use block style (`- op: …` on a line of its own), or quote the statement"


def unbalanced(text: str) -> bool:
    """Whether brackets or quotes are opened and not closed."""
    return (
        text.count("(") > text.count(")")
        or text.count("[") > text.count("]")
        or text.count("'") % 2 == 1
        or text.count('"') % 2 == 1
    )


def cut_off(text: str, end: int) -> str:
    """How YAML came to end a plain scalar at `end`, in words; "" where it ends with its line."""
    while end < len(text) and text[end] in " \t":
        end += 1
    character = text[end : end + 1]
    if character == "#":
        return "at a # after a blank, which begins a comment"
    if character and character in ",]}":
        return f'at "{character}", since it stands inside braces'
    return ""


def drop_pieces(items: dict[str, Any], children: dict[str, Any]) -> None:
    """Take the pieces of a torn statement, `b)` of `{op: y = add(x, b)}`, out of its mapping."""
    statement = children.get("op")
    if statement is None or not unbalanced(getattr(statement[1], "value", "")):
        return
    for key, (_, event) in list(children.items()):
        if getattr(event, "value", None) == "" and not event.style:
            del items[key], children[key]
