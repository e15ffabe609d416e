"""Real functions of doubles that never raise: what IEEE 754 and C99 say where Python's would.

Python's `math` raises ValueError, OverflowError or ZeroDivisionError exactly where C would set a
flag; each function here is its total sibling and is only called where speed does not matter or the
fast one has raised.
"""

from __future__ import annotations

import math

__all__ = [
    "cos", "divide", "exp", "expm1", "floor", "floor_divide", "log", "log1p", "maximum", "minimum", "pow",
    "reciprocal", "remainder", "sigmoid", "sign", "sin", "sqrt", "square", "trunc",
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


def sign(x: float) -> float:
    return 1.0 if x > 0 else -1.0 if x < 0 else 0.0 if x == 0 else x


def maximum(a: float, b: float) -> float:
    return a if a >= b or a != a else b


def minimum(a: float, b: float) -> float:
    return a if a <= b or a != a else b
