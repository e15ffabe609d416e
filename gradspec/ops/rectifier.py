"""Activation functions made of straight pieces, and elu."""

from __future__ import annotations

from typing import Any

from gradspec.errors import UnsupportedFeature
from gradspec.ops.arguments import fault
from gradspec.ops.registry import KEEP, Array, Tensor, Xp, elementwise
from gradspec.ops.samples import reals, sample, uniform

__all__ = ["elu", "hardsigmoid", "leaky_relu", "relu6", "rrelu", "softshrink"]

BOTH_SIDES = (*reals(0.2, 2.8), *reals(-2.8, -0.2))


def _rises(xp: Xp, y: Array, slope: float, name: str) -> Array:
    """Where x > 0, read off y = name_(x). Raises no-derivative where y does not tell."""
    if slope < 0:
        raise fault("no-derivative", f"{name}_ with a slope of {slope} has overwritten the sign of its input")
    return xp.greater(y, 0)


@elementwise(
    node="EluBackward0",
    keeps="recorded",
    node_in_place="EluBackward1",
    dtypes=KEEP,
    accepts=("float",),
    inplace=True,
    samples=(*BOTH_SIDES, sample(input=uniform(3), alpha=0.5), sample(input=uniform(3, low=-90), alpha=2)),
    kinks={"x = 0": {"torch": "alpha", "right": 1.0}},
)
def elu(xp: Xp, input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """y = x where x > 0, else alpha·(eˣ − 1); dy/dx = 1, else alpha·eˣ. Shape: any → same.

    A statement with inplace=True is read as `elu_(input)`, which keeps y and not x, and so has no
    derivative where alpha < 0.

    Source: Clevert, Unterthiner and Hochreiter 2015; the left derivative at 0.
    """
    return xp.where(xp.greater(input, 0), input, xp.multiply(xp.expm1(_below(xp, input)), alpha))


def _below(xp: Xp, x: Array) -> Array:
    """x, and 0 where it is not negative: what is not chosen must not overflow."""
    return xp.where(xp.greater_equal(x, 0), 0, x)


@elu.vjp("input")
def _(xp: Xp, ct: Array, input: Array, alpha: float) -> Array:
    falling = xp.multiply(xp.exp(_below(xp, input)), alpha)
    return xp.chosen(xp.where(xp.less_equal(input, 0), xp.multiply(ct, falling), ct), input)


@elu.vjp("input", in_place=True)
def _(xp: Xp, ct: Array, y: Array, alpha: float) -> Array:
    _rises(xp, y, alpha, "elu")
    return xp.where(xp.less_equal(y, 0), xp.multiply(ct, xp.add(_below(xp, y), alpha)), ct)


@elementwise(
    node="HardtanhBackward0",
    dtypes=KEEP,
    accepts=("float", "int"),
    inplace=True,
    samples=(*reals(0.2, 5.8), *reals(-3, -0.2), *reals(6.2, 9)),
    kinks={
        "x = 0": {"torch": 0.0, "right": 1.0, "split": 0.5},
        "x = 6": {"torch": 0.0, "left": 1.0, "split": 0.5},
    },
)
def relu6(xp: Xp, input: Tensor, inplace: bool = False) -> Tensor:
    """y = min(max(x, 0), 6); dy/dx = 1 where 0 < x < 6, else 0. Shape: any → same. NaN stays NaN.

    A statement with inplace=True is read as `relu6_(input)`.

    Source: the derivatives outside of the bounds, at both of them.
    """
    return xp.minimum(xp.maximum(input, 0), 6)


@relu6.vjp("input")
def _(xp: Xp, ct: Array, input: Array) -> Array:
    inside = xp.logical_and(xp.greater(input, 0), xp.less(input, 6))
    return xp.chosen(xp.where(inside, ct, 0.0), input)


@elementwise(
    node="LeakyReluBackward0",
    node_in_place="LeakyReluBackward1",
    dtypes=KEEP,
    accepts=("float",),
    inplace=True,
    samples=(*BOTH_SIDES, sample(input=uniform(4), negative_slope=0.25)),
    kinks={"x = 0": {"torch": "negative_slope", "right": 1.0}},
)
def leaky_relu(xp: Xp, input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """y = x where x > 0, else negative_slope·x; dy/dx = 1 and negative_slope. Shape: any → same.

    A statement with inplace=True is read as `leaky_relu_(input)`, which keeps y and not x, and so
    has no derivative where negative_slope < 0.

    Source: the left derivative at 0.
    """
    return _leaking(xp, input, input, negative_slope)


def _leaking(xp: Xp, test: Array, x: Array, slope: float) -> Array:
    """x where test > 0, else slope·x."""
    return xp.where(xp.greater(test, 0), x, xp.multiply(x, slope))


@leaky_relu.vjp("input")
def _(xp: Xp, ct: Array, input: Array, negative_slope: float) -> Array:
    return xp.chosen(_leaking(xp, input, ct, negative_slope), input)


@leaky_relu.vjp("input", in_place=True)
def _(xp: Xp, ct: Array, y: Array, negative_slope: float) -> Array:
    rises = _rises(xp, y, negative_slope, "leaky_relu")
    return xp.chosen(xp.where(rises, ct, xp.multiply(ct, negative_slope)), y)


def _one_slope(lower: float, upper: float, training: bool, **_: Any) -> None:
    if lower > upper:
        raise fault("invalid-argument", f"rrelu draws slopes from {lower} to {upper}: they are in disorder")
    if training and lower < upper:
        raise UnsupportedFeature("random", "rrelu in training draws its slopes: no two frameworks alike")


@elementwise(
    node="RreluWithNoiseBackward0",
    node_in_place="RreluWithNoiseBackward1",
    dtypes=KEEP,
    accepts=("float",),
    inplace=True,
    check=_one_slope,
    samples=(
        *BOTH_SIDES,
        sample(input=uniform(4), lower=0.25, upper=0.5),
        sample(input=uniform(4), lower=0.25, upper=0.25, training=True),
    ),
    kinks={"x = 0": {"torch": "(lower + upper)/2", "right": 1.0}},
)
def rrelu(
    xp: Xp,
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """y = x where x > 0, else x·(lower + upper)/2; dy/dx = 1 and that mean. Shape: any → same.

    In training the slopes are drawn at random, which no two frameworks do alike: unsupported unless
    lower = upper. A statement with inplace=True is read as `rrelu_(input)`, which keeps y and not x,
    and so has no derivative where the mean slope is negative.

    Source: Xu, Wang, Chen and Li 2015; the left derivative at 0.
    """
    return _leaking(xp, input, input, (lower + upper) / 2)


@rrelu.vjp("input")
def _(xp: Xp, ct: Array, input: Array, lower: float, upper: float) -> Array:
    return xp.chosen(_leaking(xp, input, ct, (lower + upper) / 2), input)


@rrelu.vjp("input", in_place=True)
def _(xp: Xp, ct: Array, y: Array, lower: float, upper: float) -> Array:
    slope = (lower + upper) / 2
    return xp.chosen(xp.where(_rises(xp, y, slope, "rrelu"), ct, xp.multiply(ct, slope)), y)


@elementwise(
    node="HardsigmoidBackward0",
    dtypes=KEEP,
    accepts=("float",),
    inplace=True,
    samples=(*reals(-2.8, 2.8), *reals(3.2, 5), *reals(-5, -3.2)),
    kinks={
        "x = -3": {"torch": 0.0, "right": 1 / 6, "split": 1 / 12},
        "x = 3": {"torch": 0.0, "left": 1 / 6, "split": 1 / 12},
    },
)
def hardsigmoid(xp: Xp, input: Tensor, inplace: bool = False) -> Tensor:
    """y = min(max(x + 3, 0), 6)/6; dy/dx = 1/6 where −3 < x < 3, else 0. Shape: any → same.

    A statement with inplace=True is read as `hardsigmoid_(input)`.

    Source: the derivatives outside of the bounds, at both of them.
    """
    return xp.divide(xp.minimum(xp.maximum(xp.add(input, 3), 0), 6), 6)


@hardsigmoid.vjp("input")
def _(xp: Xp, ct: Array, input: Array) -> Array:
    inside = xp.logical_and(xp.greater(input, -3), xp.less(input, 3))
    return xp.chosen(xp.where(inside, xp.divide(ct, 6), 0.0), input)


def _threshold(lambd: float, **_: Any) -> None:
    if lambd < 0:
        raise fault("invalid-argument", f"lambd is {lambd}: a threshold is not negative")


@elementwise(
    node="SoftshrinkBackward0",
    dtypes=KEEP,
    accepts=("float",),
    check=_threshold,
    samples=(
        *reals(0.7, 3),
        *reals(-3, -0.7),
        *reals(-0.3, 0.3),
        sample(input=uniform(4, low=1.5), lambd=1),
        sample(input=uniform(4, low=0.1), lambd=0),
    ),
    kinks={"|x| = lambd": {"torch": 0.0, "outside": 1.0, "split": 0.5}},
)
def softshrink(xp: Xp, input: Tensor, lambd: float = 0.5) -> Tensor:
    """y = x − lambd·sign(x) where |x| > lambd, else 0; dy/dx = 1 and 0. Shape: any → same.

    Raises invalid-argument for a negative lambd.

    Source: Donoho 1995; the derivative inside of the threshold, at the threshold.
    """
    inside = xp.multiply(input, 0)  # NaN stays, and so does the sign of a zero
    below = xp.where(xp.less(input, -lambd), xp.add(input, lambd), inside)
    return xp.where(xp.greater(input, lambd), xp.subtract(input, lambd), below)


@softshrink.vjp("input")
def _(xp: Xp, ct: Array, input: Array, lambd: float) -> Array:
    return xp.chosen(xp.where(xp.greater(xp.abs(input), lambd), ct, 0.0), input)
