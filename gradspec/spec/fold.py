"""Numbers of a statement that are computed while it is read: `-2`, `1/3`, `2*pi`.

They are Python's numbers, integers confined to int64, so that nothing can grow.
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["CONSTANTS", "NUMBERS", "NotANumber", "fold", "in_range"]

NUMBERS = (bool, int, float, complex)
_INT64 = 1 << 63


class NotANumber(Exception):
    """Two numbers without a result; the text says why."""


def in_range(value: Any) -> bool:
    """Whether an integer fits int64; other numbers always do."""
    return not isinstance(value, int) or -_INT64 <= value < _INT64


def fold(operator: str, a: Any, b: Any) -> Any:
    """`a operator b` for two numbers and one of + - * / // % **. Raises NotANumber."""
    try:
        value = _power(a, b) if operator == "**" else _FOLDS[operator](a, b)
    except ZeroDivisionError:
        raise NotANumber("a division by zero has no value; write inf or nan") from None
    except OverflowError:
        raise NotANumber("out of range; write inf") from None
    except TypeError:
        raise NotANumber(f"{operator} is not defined for complex numbers") from None
    if not in_range(value):
        raise NotANumber("an integer out of the range of int64")
    if isinstance(value, complex) and not isinstance(a, complex) and not isinstance(b, complex):
        raise NotANumber("has no real value")
    return value


def _power(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and b > 64 and abs(a) > 1:
        raise NotANumber("an integer out of the range of int64")
    return a**b


_FOLDS: dict[str, Any] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}
CONSTANTS = {"inf": math.inf, "nan": math.nan, "pi": math.pi, "e": math.e}
