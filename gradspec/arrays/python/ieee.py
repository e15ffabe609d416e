"""Real functions of doubles that never raise: what IEEE 754 and C99 say where Python's would.

Python's `math` raises ValueError, OverflowError or ZeroDivisionError exactly where C would set a
flag; each function here is its total sibling and is only called where speed does not matter or the
fast one has raised.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from struct import pack, unpack

__all__ = [
    "acos", "acosh", "angle", "asin", "atanh", "cos", "cosh", "divide", "exp", "expm1", "floor",
    "floor_divide", "fmod", "log", "log10", "log1p", "log2", "maximum", "minimum", "next_after", "pow",
    "reciprocal", "remainder", "round", "sigmoid", "sign", "sin", "sinh", "sqrt", "square", "tan", "trunc",
]  # fmt: skip

INF, NAN = math.inf, math.nan


def divide(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        if a != a or a == 0:
            return NAN
        return math.copysign(INF, a) * math.copysign(1.0, b)


def reciprocal(x: float) -> float:
    try:
        return 1.0 / x
    except ZeroDivisionError:
        return math.copysign(INF, x)


def floor_divide(a: float, b: float) -> float:
    try:
        return a // b
    except ZeroDivisionError:
        return divide(a, b)


def remainder(a: float, b: float) -> float:
    try:
        return a % b
    except ZeroDivisionError:
        return NAN


def fmod(a: float, b: float) -> float:
    try:
        return math.fmod(a, b)
    except ValueError:
        return NAN


def pow(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return -INF if a < 0 and _odd(b) else INF
    except ValueError:
        if a == 0:  # and b < 0
            return math.copysign(INF, a) if _odd(b) else INF
        return NAN


def _odd(x: float) -> bool:
    return math.isfinite(x) and abs(math.fmod(x, 2.0)) == 1.0


def sqrt(x: float) -> float:
    try:
        return math.sqrt(x)
    except ValueError:
        return NAN


def exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return INF


def expm1(x: float) -> float:
    try:
        return math.expm1(x)
    except OverflowError:
        return INF


def log(x: float) -> float:
    try:
        return math.log(x)
    except ValueError:
        return -INF if x == 0 else NAN


def log2(x: float) -> float:
    try:
        return math.log2(x)
    except ValueError:
        return -INF if x == 0 else NAN


def log10(x: float) -> float:
    try:
        return math.log10(x)
    except ValueError:
        return -INF if x == 0 else NAN


def log1p(x: float) -> float:
    try:
        return math.log1p(x)
    except ValueError:
        return -INF if x == -1 else NAN


def sin(x: float) -> float:
    try:
        return math.sin(x)
    except ValueError:
        return NAN


def cos(x: float) -> float:
    try:
        return math.cos(x)
    except ValueError:
        return NAN


def _or_nan(function: Callable[[float], float]) -> Callable[[float], float]:
    """`function`, NaN where it is not defined."""

    def total(x: float) -> float:
        try:
            return function(x)
        except ValueError:
            return NAN

    return total


tan, asin, acos, acosh = map(_or_nan, (math.tan, math.asin, math.acos, math.acosh))


def sinh(x: float) -> float:
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(INF, x)


def cosh(x: float) -> float:
    try:
        return math.cosh(x)
    except OverflowError:
        return INF


def atanh(x: float) -> float:
    try:
        return math.atanh(x)
    except ValueError:
        return math.copysign(INF, x) if abs(x) == 1 else NAN


def sigmoid(x: float) -> float:
    """1/(1+e⁻ˣ), from e⁻|x| so that nothing overflows and small values keep their digits."""
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    small = math.exp(x)
    return small / (1.0 + small)


def square(x: float) -> float:
    return x * x


def floor(x: float) -> float:
    return math.copysign(math.floor(x), x) if math.isfinite(x) else x


def trunc(x: float) -> float:
    return math.copysign(math.trunc(x), x) if math.isfinite(x) else x


def round(x: float) -> float:
    """Half to even."""
    return math.copysign(x.__round__(), x) if math.isfinite(x) else x


def next_after(dtype: str) -> Callable[[float, float], float]:
    """A function (a, b) → the number of a floating dtype that is next to a towards b."""
    if dtype == "float64":
        return math.nextafter
    # the number and its bits as struct has them, and how far apart neighbours are in these
    number, bits = ("e", "h") if dtype == "float16" else ("f", "i")
    step = 1 << 16 if dtype == "bfloat16" else 1

    def following(a: float, b: float) -> float:
        if math.isnan(a) or math.isnan(b):
            return NAN
        if a == b:
            return b
        away = step if (b > a) == (a > 0) else -step  # away from zero
        place = unpack(bits, pack(number, a))[0] + away if a else step
        found: float = unpack(number, pack(bits, place))[0]
        return found if a else math.copysign(found, b)

    return following


def sign(x: float) -> float:
    return 1.0 if x > 0 else -1.0 if x < 0 else 0.0 if x == 0 else x


def angle(x: float) -> float:
    """π below 0, else 0, also at -0.0; NaN stays."""
    return math.pi if x < 0 else 0.0 if x == x else x


def maximum(a: float, b: float) -> float:
    return a if a >= b or a != a else b


def minimum(a: float, b: float) -> float:
    return a if a <= b or a != a else b
