"""Complex functions that never raise. Where `cmath` would, the parts are put together from real ones."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable

from gradspec.arrays.python import ieee

__all__ = [
    "abs", "acos", "acosh", "angle", "asin", "asinh", "atan", "atanh", "cos", "cosh", "divide", "exp",
    "expm1", "log", "log10", "log1p", "log2", "pow", "reciprocal", "sigmoid", "sign", "sin", "sinh", "sqrt",
    "square", "tan", "tanh",
]  # fmt: skip

NAN = complex(math.nan, math.nan)
_LARGE = 709.0  # e^709 is near the largest double


def abs(z: complex) -> float:
    return math.hypot(z.real, z.imag)


def angle(z: complex) -> float:
    return math.atan2(z.imag, z.real)


def square(z: complex) -> complex:
    return z * z


def divide(a: complex, b: complex) -> complex:
    """a/b; by zero each part of `a` is divided by +0, as NumPy and torch do."""
    try:
        return a / b
    except ZeroDivisionError:
        a = complex(a)
        return complex(ieee.divide(a.real, 0.0), ieee.divide(a.imag, 0.0))


def reciprocal(z: complex) -> complex:
    return divide(1.0 + 0j, z)


def sign(z: complex) -> complex:
    """z/|z|; 0 at 0, NaN where a part is NaN or both are infinite."""
    size = math.hypot(z.real, z.imag)
    if size == 0:
        return 0j
    if math.isinf(size) and not math.isnan(z.real) and not math.isnan(z.imag):
        if math.isinf(z.real) and math.isinf(z.imag):
            return NAN
        if math.isinf(z.real):
            return complex(math.copysign(1, z.real), 0)
        return complex(0, math.copysign(1, z.imag))
    if math.isnan(z.real) or math.isnan(z.imag):
        return NAN
    return complex(z.real / size, z.imag / size)


def exp(z: complex) -> complex:
    try:
        return cmath.exp(z)
    except (OverflowError, ValueError):
        x, y = z.real, z.imag
        if y == 0:
            return complex(ieee.exp(x), y)
        scale = 1.0
        if _LARGE < x < math.inf:  # the sine or cosine may bring it back into range
            x, scale = x - 2, math.exp(2)
        size = ieee.exp(x)
        return complex(size * ieee.cos(y) * scale, size * ieee.sin(y) * scale)


def expm1(z: complex) -> complex:
    """eˣ·cos y − 1 + i·eˣ·sin y, without cancellation near 0."""
    x, y = z.real, z.imag
    if not (math.isfinite(x) and math.isfinite(y)) or x > _LARGE:
        return exp(z) - 1
    return complex(math.expm1(x) * math.cos(y) - 2 * math.sin(y / 2) ** 2, math.exp(x) * math.sin(y))


def log(z: complex) -> complex:
    try:
        return cmath.log(z)
    except ValueError:  # z = 0
        return complex(-math.inf, math.atan2(z.imag, z.real))


def log1p(z: complex) -> complex:
    """log(1 + z), its real part from log1p of |1 + z|² − 1 near 0."""
    x, y = z.real, z.imag
    if x * x + y * y < 0.25:
        return complex(0.5 * math.log1p(x * (2 + x) + y * y), math.atan2(y, 1 + x))
    return log(complex(1 + x, y))


def log2(z: complex) -> complex:
    return _in_units(log(z), math.log(2))


def log10(z: complex) -> complex:
    return _in_units(log(z), math.log(10))


def _in_units(z: complex, unit: float) -> complex:
    """z/unit part by part, since Python's division would make NaN of an infinite z."""
    return complex(z.real / unit, z.imag / unit)


def sqrt(z: complex) -> complex:
    return cmath.sqrt(z)


def _or_parts(
    function: Callable[[complex], complex], parts: Callable[[float, float], complex]
) -> Callable[[complex], complex]:
    def total(z: complex) -> complex:
        try:
            return function(z)
        except (OverflowError, ValueError):
            return parts(z.real, z.imag)

    return total


def _cosh_sinh(x: float) -> tuple[float, float]:
    grown, shrunk = ieee.exp(x) / 2, ieee.exp(-x) / 2
    return grown + shrunk, grown - shrunk


def _sin(x: float, y: float) -> complex:
    cosh, sinh = _cosh_sinh(y)
    return complex(ieee.sin(x) * cosh, ieee.cos(x) * sinh)


def _cos(x: float, y: float) -> complex:
    cosh, sinh = _cosh_sinh(y)
    return complex(ieee.cos(x) * cosh, -ieee.sin(x) * sinh)


sin = _or_parts(cmath.sin, _sin)
cos = _or_parts(cmath.cos, _cos)
tan = _or_parts(cmath.tan, lambda _x, _y: NAN)
tanh = _or_parts(cmath.tanh, lambda _x, _y: NAN)
sinh = _or_parts(cmath.sinh, lambda x, y: complex(ieee.sinh(x) * ieee.cos(y), ieee.cosh(x) * ieee.sin(y)))
cosh = _or_parts(cmath.cosh, lambda x, y: complex(ieee.cosh(x) * ieee.cos(y), ieee.sinh(x) * ieee.sin(y)))
asin, acos, asinh, acosh = (
    _or_parts(function, lambda _x, _y: NAN) for function in (cmath.asin, cmath.acos, cmath.asinh, cmath.acosh)
)
atan = _or_parts(cmath.atan, lambda x, y: complex(x, math.copysign(math.inf, y)))
atanh = _or_parts(cmath.atanh, lambda x, y: complex(math.copysign(math.inf, x), y))


def sigmoid(z: complex) -> complex:
    """1/(1+e⁻ᶻ), from the exponential that does not grow."""
    if z.real >= 0:
        return divide(1, 1 + exp(-z))
    small = exp(z)
    return divide(small, 1 + small)


def pow(a: complex, b: complex) -> complex:
    """aᵇ = e^(b·log a); at a = 0 as NumPy: 1 for b = 0, 0 for a real b > 0, otherwise NaN."""
    try:
        power = complex(a) ** b
    except ZeroDivisionError:
        return NAN
    except OverflowError:
        return exp(b * log(complex(a)))
    # Python multiplies two factors, of which one may vanish and the other overflow
    return power if power == power else exp(b * log(complex(a)))
