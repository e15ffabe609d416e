"""Long numeric lists lifted out of YAML text and read as JSON, where that is exactly the same.

libyaml makes an event of every number; a JSON parser is twenty times as fast.  A list is lifted
only if JSON and YAML 1.2 cannot differ on it; its place is taken by a word made of a private-use
character.  The reader checks that each such word came back as a whole plain value, and reads the
text again unlifted if not, as when the list stood in a comment or in quotes.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from typing import Any

from gradspec.spec.document import LONG_TEXT, MARK

__all__ = ["Lifted", "lift"]

_SHORTEST_LIST = 512
_INNERMOST = re.compile(r"\[[ \n]*-?[0-9]")
# What JSON and YAML read differently. Each begins with a letter of its own, which makes the search fast.
_MINUS_ZERO = re.compile(r"-0[,\]\s]")
_FAR_EXPONENTS = (re.compile(r"e[-+]?[0-9]{3}"), re.compile(r"E[-+]?[0-9]{3}"))
_DEEPEST = 16
_WIDEST_GAP = 100
_PATIENCE = 4  # lengths of the text that may be read in vain


class Lifted:
    """Text with lists taken out: `lists` by their words, and the way back to places in the original."""

    def __init__(
        self, text: str, lists: dict[str, tuple[Any, int, int]], ends: list[int], shifts: list[int]
    ) -> None:
        self.text = text
        self.lists = lists  # word → (list, numbers and inner lists in it, levels)
        self._ends = ends
        self._shifts = shifts

    def original(self, index: int) -> int:
        """The index in the original text of a character of the shortened one."""
        return index + self._shifts[bisect_right(self._ends, index)]


def lift(text: str) -> Lifted | None:
    """`text` with its long numeric lists taken out, or None where there is nothing to gain."""
    if len(text) < LONG_TEXT or MARK in text:
        return None
    from json import JSONDecoder

    decode = JSONDecoder(parse_constant=_refuse).raw_decode
    pieces: list[str] = []
    lists: dict[str, tuple[Any, int, int]] = {}
    ends: list[int] = []
    shifts = [0]
    done = length = wasted = 0
    position = 0
    while match := _INNERMOST.search(text, position):
        for start in _brackets(text, match.start(), position):
            try:
                value, end = decode(text, start)
                break
            except (ValueError, RecursionError) as error:
                wasted += getattr(error, "pos", len(text)) - start
        else:
            if wasted > _PATIENCE * len(text):
                return None
            position = match.end()
            continue
        position = end
        if end - start < _SHORTEST_LIST:
            continue
        size = _measure(value)
        if size is None or not _same_in_yaml(text[start:end]):
            continue
        word = f"{MARK}{len(lists)}{MARK}"
        lists[word] = (value, *size)
        pieces += (text[done:start], word)
        length += start - done + len(word)
        done = end
        ends.append(length)
        shifts.append(end - length)
    if not lists:
        return None
    pieces.append(text[done:])
    return Lifted("".join(pieces), lists, ends, shifts)


def _brackets(text: str, innermost: int, first: int) -> list[int]:
    """Where the brackets stand that open directly before the innermost one, the outermost first."""
    found = [innermost]
    at = innermost - 1
    while at >= first and len(found) < _DEEPEST and text[at] in " \n[":
        if text[at] == "[":
            found.append(at)
        elif found[-1] - at > _WIDEST_GAP:
            break
        at -= 1
    return found[::-1]


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is text in YAML")


def _same_in_yaml(written: str) -> bool:
    return (
        "\t" not in written
        and "\r" not in written
        and "0" * 300 not in written
        and not _MINUS_ZERO.search(written)
        and not any(far.search(written) for far in _FAR_EXPONENTS)
    )


def _measure(value: list[Any]) -> tuple[int, int] | None:
    """How many numbers and inner lists a numeric list holds, and its levels; None if there is more in it."""
    level, count = [value], 0
    for depth in range(1, _DEEPEST + 1):
        inner: list[Any] = []
        for row in level:
            count += len(row)
            if row and type(row[0]) is list:
                if any(type(item) is not list for item in row):
                    return None
                inner += row
            else:
                try:
                    if not math.isfinite(sum(row)):
                        return None
                except (TypeError, OverflowError):
                    return None
        if not inner:
            return count, depth
        level = inner
    return None
