"""Exponentials, logarithms and roots, element by element."""

from __future__ import annotations

from math import log as natural
from typing import Any

from gradspec.ops.arguments import broadcast
from gradspec.ops.registry import FLOAT, Array, Operand, Tensor, Xp, composite, elementwise
from gradspec.ops.samples import pairs, reals, sample, uniform

__all__ = ["exp2", "expm1", "float_power", "log10", "log1p", "log2", "logaddexp", "logit", "rsqrt"]

INF = float("inf")
LN_2, LN_10 = natural(2), natural(10)


@elementwise(
    node="RsqrtBackward0",
    dtypes=FLOAT,
    inplace=True,
    samples=reals(0.2, 5.0),
    kinks={"x = 0": {"torch": -INF}},
)
def rsqrt(xp: Xp, input: Tensor) -> Tensor:
    """y = 1/√x; dy/dx = −y³/2. Shape: any → same. ±∞ at ±0, NaN below.

    Source: elementary.
    """
    return xp.reciprocal(xp.sqrt(input))


@rsqrt.partial("input")
def _(xp: Xp, y: Array) -> Array:
    return xp.multiply(-0.5, xp.multiply(xp.square(y), y))


@elementwise(node="Expm1Backward0", dtypes=FLOAT, inplace=True, samples=reals(-3.0, 3.0))
def expm1(xp: Xp, input: Tensor) -> Tensor:
    """y = eˣ − 1, with all its digits near 0; dy/dx = y + 1. Shape: any → same.

    Source: elementary.
    """
    return xp.expm1(input)


@expm1.partial("input")
def _(xp: Xp, y: Array) -> Array:
    return xp.add(y, 1.0)


@elementwise(node="Exp2Backward0", dtypes=FLOAT, inplace=True, samples=reals(-3.0, 3.0))
def exp2(xp: Xp, input: Tensor) -> Tensor:
    """y = 2ˣ; dy/dx = y·ln 2. Shape: any → same.

    Source: elementary.
    """
    return xp.pow(2.0, input)


@exp2.partial("input")
def _(xp: Xp, y: Array) -> Array:
    return xp.multiply(y, LN_2)


@elementwise(
    node="Log1PBackward0",
    dtypes=FLOAT,
    inplace=True,
    samples=reals(-0.7, 4.0),
    kinks={"x = -1": {"torch": INF}},
)
def log1p(xp: Xp, input: Tensor) -> Tensor:
    """y = ln(1 + x), with all its digits near 0; dy/dx = 1/(1 + x). Shape: any → same. −∞ at −1, NaN below.

    Source: elementary.
    """
    return xp.log1p(input)


@log1p.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.reciprocal(xp.add(input, 1.0))


@elementwise(
    node="Log2Backward0",
    dtypes=FLOAT,
    inplace=True,
    samples=reals(0.2, 5.0),
    kinks={"x = 0": {"torch": INF}},
)
def log2(xp: Xp, input: Tensor) -> Tensor:
    """y = ln x/ln 2; dy/dx = 1/(x·ln 2). Shape: any → same. −∞ at 0, NaN below.

    Source: elementary.
    """
    return xp.log2(input)


@log2.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.reciprocal(xp.multiply(input, LN_2))


@elementwise(
    node="Log10Backward0",
    dtypes=FLOAT,
    inplace=True,
    samples=reals(0.2, 5.0),
    kinks={"x = 0": {"torch": INF}},
)
def log10(xp: Xp, input: Tensor) -> Tensor:
    """y = ln x/ln 10; dy/dx = 1/(x·ln 10). Shape: any → same. −∞ at 0, NaN below.

    Source: elementary.
    """
    return xp.log10(input)


@log10.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.reciprocal(xp.multiply(input, LN_10))


@elementwise(
    node="LogitBackward0",
    dtypes=FLOAT,
    accepts=("float",),
    inplace=True,
    samples=(*reals(0.1, 0.9), sample(input=uniform(4, low=0.3, high=0.7), eps=0.2)),
    kinks={
        "x = 0 or 1": {"torch": INF},
        "x at a bound of eps": {"torch": "the slope there", "outside": 0.0},
    },
)
def logit(xp: Xp, input: Tensor, eps: float | None = None) -> Tensor:
    """y = ln(x/(1 − x)), x being brought into [eps, 1 − eps] first; dy/dx = 1/(x(1 − x)). Shape: any → same.

    Outside [0, 1] value and slope are NaN; with eps ≥ 0 the slope is 0 outside [eps, 1 − eps].

    Source: the inverse of the logistic function.
    """
    if _has_bounds(eps):
        low, high = eps, xp.subtract(1.0, eps)
        input = xp.where(xp.less(input, low), low, xp.where(xp.greater(input, high), high, input))
    return xp.log(xp.divide(input, xp.subtract(1.0, input)))


def _has_bounds(eps: float | None) -> bool:
    return eps is not None and eps >= 0


@logit.vjp("input")
def _(xp: Xp, ct: Array, input: Array, eps: Any) -> Array:
    low, outside = (eps, 0.0) if _has_bounds(eps) else (0.0, float("nan"))
    out = xp.logical_or(xp.less(input, low), xp.greater(input, xp.subtract(1.0, low)))
    slope = xp.add(xp.multiply(input, xp.subtract(1.0, input)), 0.0)  # -0.0 becomes 0.0
    return xp.where(out, outside, xp.divide(ct, xp.where(out, 1.0, slope)))


@elementwise(
    node="LogaddexpBackward0",
    accepts=("float", "complex"),
    check=broadcast("input", "other"),
    samples=pairs(("input", -3, 3), ("other", -3, 3)),
)
def logaddexp(xp: Xp, input: Tensor, other: Tensor) -> Tensor:
    """y = ln(eᵃ + eᵇ) without overflow; ∂y = eᵃ/(eᵃ + eᵇ) and eᵇ/(eᵃ + eᵇ). Shapes broadcast.

    Source: the logistic function of the difference.
    """
    return _log_of_sum(xp, input, other)


def _log_of_sum(xp: Xp, a: Array, b: Array) -> Array:
    apart = xp.subtract(xp.real(a), xp.real(b))
    larger = xp.equal(apart, xp.abs(apart))  # complex numbers are not ordered, nor are their namespaces
    high, low = xp.where(larger, a, b), xp.where(larger, b, a)
    same = xp.logical_and(xp.equal(a, b), xp.logical_not(xp.isfinite(a)))  # ∞ − ∞ is kept out
    rest = xp.log1p(xp.exp(xp.where(same, 0.0, xp.subtract(low, high))))
    return xp.where(same, a, xp.add(high, rest))


@logaddexp.partial("input")
def _(xp: Xp, input: Array, other: Array) -> Array:
    return xp.sigmoid(xp.subtract(input, other))


@logaddexp.partial("other")
def _(xp: Xp, input: Array, other: Array) -> Array:
    return xp.sigmoid(xp.subtract(other, input))


@composite(
    check=broadcast("input", "exponent"),
    samples=(
        *pairs(("input", 0.3, 3), ("exponent", -2, 3), (2, 0.5)),
        sample(input=2, exponent=uniform(3)),
    ),
)
def float_power(F: Any, input: Operand, exponent: Operand) -> Tensor:
    """input^exponent, in float64 or complex128 whatever the operands are. Shapes broadcast.

    Source: as pow; the gradient is cast back to each operand's dtype.
    """
    wide = "complex128" if any(map(_is_complex, (input, exponent))) else "float64"
    return F.pow(*(_as(F, x, wide) for x in (input, exponent)))


def _is_complex(x: Any) -> bool:
    return x.dtype.startswith("complex") if hasattr(x, "dtype") else isinstance(x, complex)


def _as(F: Any, x: Any, dtype: str) -> Any:
    if hasattr(x, "dtype"):
        return x if x.dtype == dtype else F.to_copy(x, dtype)
    return complex(x) if dtype == "complex128" else float(x)
