"""Activation functions."""

from __future__ import annotations

from math import pi, prod, sqrt
from typing import Any

from gradspec.errors import UnsupportedFeature
from gradspec.ops.arguments import axis_of, check_axis, drops_imaginary_part, fault
from gradspec.ops.registry import KEEP, Array, DType, Tensor, Xp, composite, elementwise, general
from gradspec.ops.samples import reals, sample, uniform

__all__ = ["dropout", "gelu", "log_softmax", "relu", "silu", "softmax", "softplus"]


@elementwise(
    node="ReluBackward0",
    dtypes=KEEP,
    accepts=("float", "int"),
    inplace=True,
    samples=(*reals(0.2, 3), *reals(-3, -0.2)),
    kinks={"x = 0": {"torch": 0.0, "right": 1.0, "split": 0.5}},
)
def relu(xp: Xp, input: Tensor, inplace: bool = False) -> Tensor:
    """y = max(x, 0); dy/dx = 1 where y > 0, else 0. Shape: any → same. NaN stays NaN.

    A statement with inplace=True is read as `relu_(input)`.

    Source: the left derivative at 0.
    """
    return xp.where(xp.less(input, 0), 0, input)  # not a maximum, which may lose the sign of -0.0


@relu.vjp("input")
def _(xp: Xp, ct: Array, y: Array) -> Array:
    return xp.gate(ct, y)


@elementwise(
    node="SoftplusBackward0",
    keeps="recorded",
    dtypes=KEEP,
    accepts=("float",),
    samples=(
        *reals(-4, 4),
        sample(input=uniform(4, low=-90, high=90)),
        sample(input=uniform(4), beta=2.5),
        sample(input=uniform(4, low=1.5, high=4), beta=2, threshold=3),
        sample(input=uniform(4), beta=-1.5, threshold=5),
    ),
    kinks={"beta·x = threshold": {"torch": "of the curve", "right": 1.0}},
)
def softplus(xp: Xp, input: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    """y = ln(1 + e^(beta·x))/beta, x where beta·x > threshold; dy/dx = σ(beta·x), 1. Shape: any → same.

    Source: elementary; the straight part is torch's, whose jump is ln(1 + e^−threshold)/beta.
    """
    scaled = xp.multiply(input, beta)
    straight = xp.greater(scaled, threshold)
    bent = xp.log1p(xp.exp(xp.where(straight, 0, scaled)))
    return xp.where(straight, input, xp.divide(bent, beta))


@softplus.vjp("input")
def _(xp: Xp, ct: Array, input: Array, beta: float, threshold: float) -> Array:
    scaled = xp.multiply(input, beta)
    slope = xp.where(xp.greater(scaled, threshold), ct, xp.multiply(ct, xp.sigmoid(scaled)))
    return xp.chosen(slope, input)


@elementwise(
    node="SiluBackward0",
    dtypes=KEEP,
    accepts=("float", "complex"),
    tracks_complex=False,
    inplace=True,
    samples=(*reals(-5, 5), sample(input=uniform(4, low=-90, high=90))),
)
def silu(xp: Xp, input: Tensor, inplace: bool = False) -> Tensor:
    """y = x·σ(x); dy/dx = s·(1 + x·(1 − s)), s = σ(x). Shape: any → same. NaN at −∞.

    A complex tensor that requires grad is refused, but not by `silu_(input)`, as which a statement with
    inplace=True is read.

    Source: the product rule.
    """
    return xp.multiply(input, xp.sigmoid(input))


@silu.partial("input")
def _(xp: Xp, input: Array) -> Array:
    s = xp.sigmoid(input)
    return xp.multiply(s, xp.add(1.0, xp.multiply(input, xp.subtract(1.0, s))))


def _approximation(approximate: str, **_: Any) -> None:
    if approximate not in ("none", "tanh"):
        raise fault("invalid-argument", f'approximate is "none" or "tanh", not "{approximate}"')


@elementwise(
    node="GeluBackward0",
    keeps="recorded",
    dtypes=KEEP,
    accepts=("float",),
    check=_approximation,
    samples=(
        *reals(-4, 4),
        sample(input=uniform(4, low=-90, high=90)),
        sample(input=uniform(2, 3), approximate="tanh"),
        sample(input=uniform(4, low=-90, high=90), approximate="tanh"),
    ),
)
def gelu(xp: Xp, input: Tensor, approximate: str = "none") -> Tensor:
    """y = x·Φ(x), Φ the normal distribution; dy/dx = Φ(x) + x·φ(x). Shape: any → same. NaN at −∞.

    With approximate="tanh" Φ(x) is (1 + tanh u)/2, u = √(2/π)·(x + 0.044715·x³).

    Source: Hendrycks and Gimpel 2016.
    """
    return xp.multiply(xp.multiply(input, 0.5), xp.add(1.0, _twice_less_one(xp, input, approximate)))


CUBIC = 0.044715


def _twice_less_one(xp: Xp, x: Array, approximate: str) -> Array:
    """2Φ(x) − 1."""
    if approximate == "none":
        return xp.erf(xp.multiply(x, sqrt(0.5)))
    cube = xp.multiply(x, xp.square(x))
    return xp.tanh(xp.multiply(xp.add(x, xp.multiply(cube, CUBIC)), sqrt(2 / pi)))


@gelu.partial("input")
def _(xp: Xp, input: Array, approximate: str) -> Array:
    bent = _twice_less_one(xp, input, approximate)
    if approximate == "none":
        twice_density = xp.multiply(xp.exp(xp.multiply(xp.square(input), -0.5)), sqrt(2 / pi))
    else:
        rate = xp.multiply(xp.add(1.0, xp.multiply(xp.square(input), 3 * CUBIC)), sqrt(2 / pi))
        twice_density = xp.multiply(xp.subtract(1.0, xp.square(bent)), rate)
    return xp.multiply(xp.add(xp.add(1.0, bent), xp.multiply(input, twice_density)), 0.5)


def _share_dropped(input: Any, p: float, training: bool, **_: Any) -> None:
    if not 0 <= p <= 1:
        raise fault("invalid-argument", f"p is {p}: a probability lies between 0 and 1")
    if training and 0 < p < 1 and prod(input.shape):
        raise UnsupportedFeature("random", f"dropout with p={p} draws what it drops: no two frameworks alike")


@composite(
    check=_share_dropped,
    samples=(
        sample(input=uniform(3), p=1.0),
        sample(input=uniform(2, 3), p=0),
        sample(input=uniform(2, 3), training=False),
        sample(input=uniform(), p=1),
        sample(input=uniform(0)),
    ),
)
def dropout(F: Any, input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """0·input for p = 1; input itself for p = 0 and outside of training. Shape: any → same.

    Any other p draws at random which elements become 0, which no two frameworks do alike: unsupported.
    There is no inplace here.

    Source: Srivastava et al. 2014, where nothing is left to chance.
    """
    return F.mul(input, False) if p == 1 and training and prod(input.shape) else input


def _given_or_own(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[str, str]:
    dtype = statics.get("dtype") or dtypes["input"][0]
    return dtype, dtype


def _cast_first(input: Any, dtype: Any, **_: Any) -> Any:
    """torch casts in a node of its own."""
    return _of_the_cast if dtype not in (None, input[0]) else None


def _of_the_cast(F: Any, input: Any, dim: Any, dtype: Any) -> Any:
    return F.softmax(F.to(input, dtype), dim)


def _log_cast_first(input: Any, dtype: Any, **_: Any) -> Any:
    return _log_of_the_cast if dtype not in (None, input[0]) else None


def _log_of_the_cast(F: Any, input: Any, dim: Any, dtype: Any) -> Any:
    return F.log_softmax(F.to(input, dtype), dim)


ROWS = (
    sample(input=uniform(2, 3), dim=1),
    sample(input=uniform(2, 3), dim=0),
    sample(input=uniform(2, 3, 2), dim=-2),
    sample(input=uniform(), dim=0),
    sample(input=uniform(1), dim=-1),
    sample(input=uniform(0, 3), dim=1),
    sample(input=uniform(2, 0), dim=1),
    sample(input=uniform(4, low=-90, high=90), dim=0),
    sample(input=uniform(3), dim=0, dtype="float64"),
)


def _centred(xp: Xp, x: Array, dim: int) -> tuple[Array, tuple[int, ...]]:
    """x less its maximum along dim, and the axes that is."""
    shape = xp.shape(x)
    axes = (axis_of(dim, len(shape)),) if shape else ()
    return xp.subtract(x, xp.max(x, axes, True)), axes


@general(
    node="SoftmaxBackward0",
    dtypes=_given_or_own,
    accepts=("float",),
    check=check_axis(),
    warns=drops_imaginary_part,
    expand=_cast_first,
    samples=ROWS,
)
def softmax(xp: Xp, input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """y = exp(x)/Σ exp(x) along dim. Shape: any → same. A row with +∞, or all −∞, is NaN.

    Source: ct ↦ y·(ct − Σ ct·y); the maximum is taken off first, so that nothing overflows.
    """
    if not prod(xp.shape(input)):
        return input
    centred, axes = _centred(xp, input, dim)
    weights = xp.exp(centred)
    return xp.divide(weights, xp.sum(weights, axes, True))


@softmax.vjp("input")
def _(xp: Xp, ct: Array, y: Array, y_meta: Any, dim: int) -> Array:
    axes = (axis_of(dim, len(y_meta.shape)),) if y_meta.shape else ()
    weighted = xp.multiply(ct, y)
    return xp.subtract(weighted, xp.multiply(y, xp.sum(weighted, axes, True)))


@general(
    node="LogSoftmaxBackward0",
    dtypes=_given_or_own,
    accepts=("float",),
    check=check_axis(),
    warns=drops_imaginary_part,
    expand=_log_cast_first,
    samples=ROWS,
)
def log_softmax(xp: Xp, input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """y = x − ln Σ exp(x) along dim. Shape: any → same. A row that is all −∞ is NaN.

    Source: ct ↦ ct − exp(y)·Σ ct; the maximum is taken off first, so that nothing overflows.
    """
    if not prod(xp.shape(input)):
        return input
    centred, axes = _centred(xp, input, dim)
    return xp.subtract(centred, xp.log(xp.sum(xp.exp(centred), axes, True)))


@log_softmax.vjp("input")
def _(xp: Xp, ct: Array, y: Array, y_meta: Any, dim: int) -> Array:
    axes = (axis_of(dim, len(y_meta.shape)),) if y_meta.shape else ()
    return xp.chosen(xp.subtract(ct, xp.multiply(xp.exp(y), xp.sum(ct, axes, True))), y)
