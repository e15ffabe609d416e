"""Activation functions."""

from __future__ import annotations

from math import prod
from typing import Any

from gradspec.ops.arguments import axis_of, check_axis, drops_imaginary_part
from gradspec.ops.registry import KEEP, Array, DType, Tensor, Xp, elementwise, general
from gradspec.ops.samples import reals, sample, uniform

__all__ = ["log_softmax", "relu", "softmax"]


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
    return xp.subtract(ct, xp.multiply(xp.exp(y), xp.sum(ct, axes, True)))
