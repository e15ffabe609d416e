"""Functions of one tensor, element by element."""

from __future__ import annotations

from typing import Any

from gradspec.dtypes import category, real_of
from gradspec.ops.arguments import fault
from gradspec.ops.registry import FLOAT, KEEP, Array, Tensor, Xp, composite, elementwise, linear
from gradspec.ops.samples import reals

__all__ = [
    "abs", "cos", "exp", "log", "neg", "positive", "reciprocal", "sgn", "sigmoid", "sign", "sin", "sqrt",
    "square", "tanh",
]  # fmt: skip


def _real_result(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[str, str]:
    dtype = dtypes["input"][0]
    return dtype, real_of(dtype)


def _is_real(input: Any, **_: Any) -> None:
    if category(input.dtype) == 3:
        raise fault("dtype-unsupported", "the absolute values of complex numbers are real: not in place")


@elementwise(
    node="AbsBackward0",
    dtypes=_real_result,
    accepts=("float", "complex", "int"),
    inplace=True,
    check_in_place=_is_real,
    samples=(*reals(-3.0, -0.5), *reals(0.5, 3.0)),
    kinks={"x = 0": {"torch": 0.0, "left": -1.0, "right": 1.0}},
)
def abs(xp: Xp, input: Tensor) -> Tensor:
    """y = |x|, real also for complex x; dy/dx = x/|x|. Shape: any → same.

    Source: the subgradient 0 at 0, as the sign function has it; complex: z/|z| after Wirtinger.
    """
    return xp.abs(input)


@abs.vjp("input")
def _(xp: Xp, ct: Array, input: Array, input_meta: Any) -> Array:
    return xp.multiply(xp.astype(ct, input_meta.dtype), _sign(xp, input))


def _sign(xp: Xp, x: Array) -> Array:
    """The sign, 0 for NaN: neither above nor below 0."""
    return xp.sign(x) if category(xp.dtype) != 2 else xp.where(xp.isnan(x), 0.0, xp.sign(x))


@linear(
    node="NegBackward0",
    iterates=True,
    dtypes=KEEP,
    accepts=("float", "complex", "int"),
    inplace=True,
    samples=reals(-3.0, 3.0),
)
def neg(xp: Xp, input: Tensor) -> Tensor:
    """y = −x; dy/dx = −1. Shape: any → same.

    Source: elementary.
    """
    return xp.negative(input)


@neg.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return xp.negative(ct)


@composite(samples=reals(-3.0, 3.0))
def positive(F: Any, input: Tensor) -> Tensor:
    """y = x, the very tensor. Shape: any → same.

    Source: unary plus of Python.
    """
    if input.dtype == "bool":
        raise fault("dtype-unsupported", "+x is for numbers, not for bool")
    return input


@elementwise(node="ExpBackward0", dtypes=FLOAT, inplace=True, samples=reals(-3.0, 3.0))
def exp(xp: Xp, input: Tensor) -> Tensor:
    """y = eˣ; dy/dx = y. Shape: any → same.

    Source: elementary.
    """
    return xp.exp(input)


@exp.partial("input")
def _(xp: Xp, y: Array) -> Array:
    return y


@elementwise(
    node="LogBackward0",
    dtypes=FLOAT,
    inplace=True,
    samples=reals(0.2, 5.0),
    kinks={"x = 0": {"torch": float("inf")}},
)
def log(xp: Xp, input: Tensor) -> Tensor:
    """y = ln x; dy/dx = 1/x. Shape: any → same. −∞ at 0, NaN below; complex: cut along the negative reals.

    Source: elementary.
    """
    return xp.log(input)


@log.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.reciprocal(input)


@elementwise(node="SinBackward0", dtypes=FLOAT, inplace=True, samples=reals(-4.0, 4.0))
def sin(xp: Xp, input: Tensor) -> Tensor:
    """y = sin x; dy/dx = cos x. Shape: any → same.

    Source: elementary.
    """
    return xp.sin(input)


@sin.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.cos(input)


@elementwise(node="CosBackward0", dtypes=FLOAT, inplace=True, samples=reals(-4.0, 4.0))
def cos(xp: Xp, input: Tensor) -> Tensor:
    """y = cos x; dy/dx = −sin x. Shape: any → same.

    Source: elementary.
    """
    return xp.cos(input)


@cos.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.negative(xp.sin(input))


@elementwise(node="TanhBackward0", dtypes=FLOAT, inplace=True, samples=reals(-3.0, 3.0))
def tanh(xp: Xp, input: Tensor) -> Tensor:
    """y = tanh x; dy/dx = 1 − y². Shape: any → same.

    Source: elementary.
    """
    return xp.tanh(input)


@tanh.partial("input")
def _(xp: Xp, y: Array) -> Array:
    return xp.subtract(1.0, xp.square(y))


@elementwise(node="SigmoidBackward0", dtypes=FLOAT, inplace=True, samples=reals(-5.0, 5.0))
def sigmoid(xp: Xp, input: Tensor) -> Tensor:
    """y = 1/(1 + e⁻ˣ); dy/dx = y(1 − y). Shape: any → same.

    Source: the logistic function.
    """
    return xp.sigmoid(input)


@sigmoid.partial("input")
def _(xp: Xp, y: Array) -> Array:
    return xp.multiply(xp.subtract(1.0, y), y)


@elementwise(
    node="SqrtBackward0",
    dtypes=FLOAT,
    inplace=True,
    samples=reals(0.1, 9.0),
    kinks={"x = 0": {"torch": float("inf")}},
)
def sqrt(xp: Xp, input: Tensor) -> Tensor:
    """y = √x; dy/dx = 1/(2y). Shape: any → same. NaN below 0; complex: cut along the negative reals.

    Source: IEEE 754 squareRoot; at 0 the one-sided limit ∞.
    """
    return xp.sqrt(input)


@sqrt.partial("input")
def _(xp: Xp, y: Array) -> Array:
    return xp.divide(0.5, y)


def _bool_as_int64(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[str, str]:
    dtype = dtypes["input"][0]
    return ("int64", "int64") if dtype == "bool" else (dtype, dtype)


@elementwise(node="PowBackward0", dtypes=_bool_as_int64, inplace=True, samples=reals(-3.0, 3.0))
def square(xp: Xp, input: Tensor) -> Tensor:
    """y = x²; dy/dx = 2x. Shape: any → same.

    Source: elementary.
    """
    return xp.square(input)


@square.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.multiply(2.0, input)


@elementwise(
    node="ReciprocalBackward0",
    dtypes=FLOAT,
    inplace=True,
    samples=(*reals(0.3, 3.0), *reals(-3.0, -0.3)),
    kinks={"x = 0": {"torch": float("-inf")}},
)
def reciprocal(xp: Xp, input: Tensor) -> Tensor:
    """y = 1/x; dy/dx = −y². Shape: any → same. ±∞ at ±0.

    Source: elementary.
    """
    return xp.reciprocal(input)


@reciprocal.partial("input")
def _(xp: Xp, y: Array) -> Array:
    return xp.negative(xp.square(y))


@linear(
    node="SignBackward0",
    iterates=True,
    dtypes=KEEP,
    accepts=("float", "int", "bool"),
    inplace=True,
    samples=(*reals(-3.0, -0.5), *reals(0.5, 3.0)),
    kinks={"x = 0": {"torch": 0.0}},
)
def sign(xp: Xp, input: Tensor) -> Tensor:
    """y = −1, 0 or 1 by the sign of x, 0 for NaN; dy/dx = 0 wherever it exists. Shape: any → same.

    Source: elementary; 0 is kept at the jump.
    """
    return _sign(xp, input)


@sign.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return xp.zeros_like(ct)


@elementwise(
    node="SgnBackward0",
    dtypes=KEEP,
    inplace=True,
    samples=(*reals(-3.0, -0.5), *reals(0.5, 3.0)),
    kinks={"z = 0": {"torch": 0.0}},
)
def sgn(xp: Xp, input: Tensor) -> Tensor:
    """y = z/|z|, 0 at 0; of a real number its sign, 0 for NaN. Shape: any → same.

    Source: Wirtinger calculus: with s = z/|z|, ct ↦ (ct − s·Re(s̄·ct))/|z|, and 0 at 0 and for real numbers.
    """
    return _sign(xp, input)


@sgn.vjp("input")
def _(xp: Xp, ct: Array, input: Array, y: Array, input_meta: Any) -> Array:
    if category(input_meta.dtype) < 3:
        return xp.zeros(input_meta.shape)
    size = xp.astype(xp.abs(input), input_meta.dtype)
    at_zero = xp.equal(size, 0.0)
    along = xp.astype(xp.real(xp.multiply(xp.conj(y), ct)), input_meta.dtype)
    across = xp.subtract(ct, xp.multiply(y, along))
    return xp.where(at_zero, 0.0, xp.divide(across, xp.where(at_zero, 1.0, size)))
