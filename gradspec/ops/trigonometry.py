"""Circular and hyperbolic functions and their inverses, element by element."""

from __future__ import annotations

from math import pi

from gradspec.dtypes import category
from gradspec.ops.arguments import broadcast
from gradspec.ops.registry import FLOAT, Array, Tensor, Xp, elementwise
from gradspec.ops.samples import pairs, reals

__all__ = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cosh", "hypot", "sinc", "sinh", "tan",
]  # fmt: skip

INF = float("inf")
TWO = broadcast("input", "other")


@elementwise(node="TanBackward0", dtypes=FLOAT, inplace=True, samples=reals(-1.2, 1.2))
def tan(xp: Xp, input: Tensor) -> Tensor:
    """y = tan x; dy/dx = 1 + y². Shape: any → same.

    Source: elementary.
    """
    return xp.tan(input)


@tan.partial("input")
def _(xp: Xp, y: Array) -> Array:
    return xp.add(1.0, xp.square(y))


def _of_square(xp: Xp, x: Array, sign: float, constant: float) -> Array:
    """constant + sign·x²."""
    square = xp.square(x)
    return xp.add(square if sign > 0 else xp.negative(square), constant)


@elementwise(
    node="AsinBackward0",
    dtypes=FLOAT,
    inplace=True,
    samples=reals(-0.9, 0.9),
    kinks={"x = 1 or -1": {"torch": INF}},
)
def asin(xp: Xp, input: Tensor) -> Tensor:
    """y = arcsin x; dy/dx = 1/√(1 − x²). Shape: any → same. NaN beyond ±1.

    Source: elementary; at the ends the one-sided limit ∞.
    """
    return xp.asin(input)


@asin.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.reciprocal(xp.sqrt(_of_square(xp, input, -1, 1.0)))


@elementwise(
    node="AcosBackward0",
    dtypes=FLOAT,
    inplace=True,
    samples=reals(-0.9, 0.9),
    kinks={"x = 1 or -1": {"torch": -INF}},
)
def acos(xp: Xp, input: Tensor) -> Tensor:
    """y = arccos x; dy/dx = −1/√(1 − x²). Shape: any → same. NaN beyond ±1.

    Source: elementary; at the ends the one-sided limit −∞.
    """
    return xp.acos(input)


@acos.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.negative(xp.reciprocal(xp.sqrt(_of_square(xp, input, -1, 1.0))))


@elementwise(node="AtanBackward0", dtypes=FLOAT, inplace=True, samples=reals(-3.0, 3.0))
def atan(xp: Xp, input: Tensor) -> Tensor:
    """y = arctan x; dy/dx = 1/(1 + x²). Shape: any → same.

    Source: elementary.
    """
    return xp.atan(input)


@atan.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.reciprocal(_of_square(xp, input, 1, 1.0))


@elementwise(node="SinhBackward0", dtypes=FLOAT, inplace=True, samples=reals(-3.0, 3.0))
def sinh(xp: Xp, input: Tensor) -> Tensor:
    """y = sinh x; dy/dx = cosh x. Shape: any → same.

    Source: elementary.
    """
    return xp.sinh(input)


@sinh.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.cosh(input)


@elementwise(node="CoshBackward0", dtypes=FLOAT, inplace=True, samples=reals(-3.0, 3.0))
def cosh(xp: Xp, input: Tensor) -> Tensor:
    """y = cosh x; dy/dx = sinh x. Shape: any → same.

    Source: elementary.
    """
    return xp.cosh(input)


@cosh.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.sinh(input)


@elementwise(
    node="AsinhBackward0",
    node_in_place="AsinhBackward1",
    dtypes=FLOAT,
    inplace=True,
    derived_in_place=False,
    samples=reals(-3.0, 3.0),
)
def asinh(xp: Xp, input: Tensor) -> Tensor:
    """y = arsinh x; dy/dx = 1/√(x² + 1). Shape: any → same.

    Source: elementary.
    """
    return xp.asinh(input)


@asinh.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.reciprocal(xp.sqrt(_of_square(xp, input, 1, 1.0)))


@elementwise(
    node="AcoshBackward0",
    node_in_place="AcoshBackward1",
    dtypes=FLOAT,
    inplace=True,
    derived_in_place=False,
    samples=reals(1.2, 4.0),
    kinks={"x = 1": {"torch": INF}},
)
def acosh(xp: Xp, input: Tensor) -> Tensor:
    """y = arcosh x; dy/dx = 1/√(x² − 1). Shape: any → same. NaN below 1.

    Source: elementary; at 1 the one-sided limit ∞.
    """
    return xp.acosh(input)


@acosh.partial("input")
def _(xp: Xp, input: Array) -> Array:
    if category(xp.dtype) == 3:  # the root of the product would have the other sign on the left
        return xp.reciprocal(xp.multiply(xp.sqrt(xp.subtract(input, 1.0)), xp.sqrt(xp.add(input, 1.0))))
    return xp.reciprocal(xp.sqrt(_of_square(xp, input, 1, -1.0)))


@elementwise(
    node="AtanhBackward0",
    node_in_place="AtanhBackward1",
    dtypes=FLOAT,
    inplace=True,
    derived_in_place=False,
    samples=reals(-0.9, 0.9),
    kinks={"x = 1 or -1": {"torch": INF}},
)
def atanh(xp: Xp, input: Tensor) -> Tensor:
    """y = artanh x; dy/dx = 1/(1 − x²). Shape: any → same. ±∞ at ±1, NaN beyond.

    Source: elementary.
    """
    return xp.atanh(input)


@atanh.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.reciprocal(_of_square(xp, input, -1, 1.0))


@elementwise(
    node="SincBackward0",
    dtypes=FLOAT,
    inplace=True,
    samples=(*reals(0.3, 2.5), *reals(-2.5, -0.3)),
    kinks={"x = 0, second derivative": {"torch": float("nan"), "limit": -pi * pi / 3}},
)
def sinc(xp: Xp, input: Tensor) -> Tensor:
    """y = sin(πx)/(πx), 1 at 0; dy/dx = (πx·cos πx − sin πx)/(πx²), 0 at 0. Shape: any → same.

    Source: the quotient rule; at 0 the limits.
    """
    at_zero = xp.equal(input, 0)
    angle = xp.multiply(input, pi)
    return xp.where(at_zero, 1.0, xp.divide(xp.sin(angle), xp.where(at_zero, 1.0, angle)))


@sinc.partial("input")
def _(xp: Xp, input: Array) -> Array:
    angle = xp.multiply(input, pi)
    below = xp.multiply(angle, input)
    flat = xp.equal(below, 0)  # also where the square underflows
    above = xp.subtract(xp.multiply(angle, xp.cos(angle)), xp.sin(angle))
    start = xp.multiply(input, -pi * pi / 3)  # as the series begins, for the second derivative at 0
    return xp.where(flat, start, xp.divide(above, xp.where(flat, 1.0, below)))


@elementwise(
    node="Atan2Backward0",
    dtypes=FLOAT,
    accepts=("float",),
    inplace=True,
    check=TWO,
    samples=pairs(("input", 0.3, 3), ("other", -3, 3)),
    kinks={"input = other = 0": {"torch": 0.0, "nan": float("nan")}},
)
def atan2(xp: Xp, input: Tensor, other: Tensor) -> Tensor:
    """The angle of the point (other, input), in (−π, π]; ∂y = other/r² and −input/r². Shapes broadcast.

    r² = input² + other²; both derivatives are 0 where it is 0.

    Source: the angle of polar coordinates.
    """
    return xp.atan2(input, other)


def _over_square(xp: Xp, a: Array, b: Array) -> Array:
    """1/(a² + b²), 0 at the origin."""
    size = xp.add(xp.square(a), xp.square(b))
    origin = xp.equal(size, 0)
    return xp.where(origin, 0.0, xp.reciprocal(xp.where(origin, 1.0, size)))


@atan2.partial("input")
def _(xp: Xp, input: Array, other: Array) -> Array:
    return xp.multiply(other, _over_square(xp, input, other))


@atan2.partial("other")
def _(xp: Xp, input: Array, other: Array) -> Array:
    return xp.negative(xp.multiply(input, _over_square(xp, input, other)))


@elementwise(
    node="HypotBackward0",
    accepts=("float",),
    inplace=True,
    check=TWO,
    samples=pairs(("input", 0.3, 3), ("other", -3, 3)),
    kinks={"input = other = 0": {"torch": float("nan"), "zero": 0.0}},
)
def hypot(xp: Xp, input: Tensor, other: Tensor) -> Tensor:
    """y = √(input² + other²) without overflow; ∂y = input/y and other/y, NaN at 0, 0. Shapes broadcast.

    Source: the radius of polar coordinates.
    """
    return xp.hypot(input, other)


@hypot.partial("input")
def _(xp: Xp, input: Array, y: Array) -> Array:
    return xp.divide(input, y)


@hypot.partial("other")
def _(xp: Xp, other: Array, y: Array) -> Array:
    return xp.divide(other, y)
