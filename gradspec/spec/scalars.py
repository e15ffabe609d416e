"""What a plain scalar means in YAML 1.2 core; forms that YAML versions disagree on are refused."""

from __future__ import annotations

import math
import re

__all__ = ["NUMBER_START", "WORDS", "OddScalar", "number"]

WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
NUMBER_START = frozenset("0123456789+-.")
_NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(\.[0-9]*)?|(\.[0-9]+))([eE][-+]?[0-9]+)?")
_LEADING_ZERO = r"[-+]?0[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?"
_BASE_60 = r"[-+]?[0-9][0-9_]*(?::[0-9_]+)+(?:\.[0-9_]*)?"
_UNDERSCORES = r"[-+]?(?:[0-9.]+_[0-9_.]*|0[xob][0-9a-fA-F]*_[0-9a-fA-F_]*)(?:[eE][-+]?[0-9_]+)?"
_BASED = r"0(?:x[0-9a-fA-F]+|o[0-7]+)"
_SIGNED_BASE_OR_BINARY = r"[-+]0(?:x[0-9a-fA-F]+|o[0-7]+|b[01]+)|0b[01]+"
_LONGEST_INTEGER = 309  # digits of the largest float64
_LONGEST_NUMBER = 5000
_QUOTE = "quote it where text is meant"


class OddScalar(Exception):
    """A plain scalar that must not be guessed at: its fault's code, message and hint."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


def number(text: str) -> int | float | str:
    """The number written as `text`, or `text` itself where it only begins like one.

    `-0` is the float -0.0, since an integer would lose the sign.  Raises OddScalar for numbers that
    are out of range (also those that would silently become zero) and for `017`, `1:30`, `1_000`.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        return _other(text)
    if len(text) > _LONGEST_NUMBER:
        raise OddScalar("out-of-range", f"a number of {len(text):,} characters")
    if match.lastindex is None:
        if len(text) > _LONGEST_INTEGER and len(text.lstrip("+-")) > _LONGEST_INTEGER:
            raise OddScalar(
                "out-of-range", f"an integer of {len(text.lstrip('+-')):,} digits is out of range"
            )
        return -0.0 if text == "-0" else int(text)
    value = float(text)
    if math.isinf(value):
        raise OddScalar(
            "out-of-range", f"{_short(text)} is too large for a float64", "infinity is written .inf or -.inf"
        )
    if value == 0.0 and any(digit in "123456789" for digit in text.lower().partition("e")[0]):
        raise OddScalar("out-of-range", f"{_short(text)} is too small for a float64 and would become 0")
    return value


def _other(text: str) -> int | str:
    if re.fullmatch(_BASED, text):
        if len(text) > _LONGEST_INTEGER:
            raise OddScalar("out-of-range", f"an integer of {len(text):,} digits is out of range")
        return int(text, 0)
    if re.fullmatch(_LEADING_ZERO, text):
        sign, digits = ("-", text[1:]) if text[0] == "-" else ("", text.lstrip("+"))
        plain = sign + (digits.lstrip("0") if digits.lstrip("0")[:1].isdigit() else "0" + digits.lstrip("0"))
        raise OddScalar(
            "number-form",
            f"{_short(text)} has a leading zero",
            f"write {_short(plain)}, or 0o… for octal; {_QUOTE}",
        )
    if re.fullmatch(_BASE_60, text):
        raise OddScalar("number-form", f"{_short(text)} is a number to base 60 for some YAML readers", _QUOTE)
    if re.fullmatch(_UNDERSCORES, text):
        without = text.replace("_", "")
        raise OddScalar(
            "number-form", f"{_short(text)} has underscores", f"write {_short(without)}; {_QUOTE}"
        )
    if re.fullmatch(_SIGNED_BASE_OR_BINARY, text):
        raise OddScalar(
            "number-form", f"{_short(text)} is no number in YAML 1.2", f"write it in decimal; {_QUOTE}"
        )
    return text


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:30]}…{text[-5:]}"
