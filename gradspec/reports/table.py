"""Plain-text tables that keep their columns in any terminal."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["columns", "grouped", "pad", "width_of"]


def width_of(text: str) -> int:
    """How many terminal cells a text takes; wide letters take two, combining marks none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def pad(text: str, width: int, right: bool = False) -> str:
    """The text filled with blanks to `width` cells, set to the right if `right`."""
    blanks = " " * (width - width_of(text))
    return blanks + text if right else text + blanks


def columns(rows: Sequence[Sequence[str]], right_from: int = 99, gap: str = "  ") -> list[str]:
    """The rows as lines with aligned columns; from column `right_from` on they are set right."""
    widths = [max(map(width_of, column)) for column in zip(*rows, strict=True)]
    return [
        gap.join(pad(cell, widths[k], k >= right_from) for k, cell in enumerate(row)).rstrip() for row in rows
    ]


def grouped(names: Sequence[str], groups: Sequence[tuple[str, Sequence[Sequence[str]]]]) -> list[str]:
    """A column of row names, then groups of numeric columns, each group under its own title.

    Every column begins with its heading; `names` begins with theirs.
    """
    wide = max(map(width_of, names))
    lines = [" " * wide, *(pad(name, wide) for name in names)]
    for title, group in groups:
        widths = [max(map(width_of, column)) for column in group]
        widths[0] += max(0, width_of(title) - sum(widths) - 2 * (len(widths) - 1))
        lines[0] += "   " + pad(title, sum(widths) + 2 * (len(widths) - 1))
        for row in range(len(names)):
            cells = (pad(column[row], width, right=True) for column, width in zip(group, widths, strict=True))
            lines[row + 1] += "   " + "  ".join(cells)
    return [line.rstrip() for line in lines]
