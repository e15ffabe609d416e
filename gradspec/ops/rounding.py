"""Functions that jump: rounding, remainders, signs, steps, replacement, neighbours."""

from __future__ import annotations

from math import copysign as with_sign
from typing import Any

from gradspec.dense import Dense
from gradspec.dtypes import category, real_of
from gradspec.ops.arguments import broadcast, dtype_of, each, fault, rank_of
from gradspec.ops.binary import check_divisor
from gradspec.ops.registry import (
    FLOAT,
    KEEP,
    SAME,
    Array,
    Operand,
    Tensor,
    Xp,
    constant,
    elementwise,
    general,
    linear,
)
from gradspec.ops.samples import pairs, reals, sample, uniform

__all__ = [
    "ceil", "copysign", "floor", "fmod", "frac", "heaviside", "nan_to_num", "nan_to_num_parts", "nextafter",
    "round", "trunc",
]  # fmt: skip

REAL = ("float", "int")
TWO = broadcast("input", "other")
INF = float("inf")
# between the jumps, so that finite differences see none
BETWEEN = tuple(s for low in (-2.4, -1.4, 0.1, 1.6) for s in reals(low, low + 0.3))
JUMPS = {"x at a jump": {"torch": 0.0}}


@linear(
    node="FloorBackward0",
    iterates=True,
    dtypes=KEEP,
    accepts=REAL,
    inplace=True,
    samples=BETWEEN,
    kinks=JUMPS,
)
def floor(xp: Xp, input: Tensor) -> Tensor:
    """The largest integer not above x, in its dtype; dy/dx = 0. Shape: any → same.

    Source: elementary; 0 is kept at the jumps.
    """
    return xp.floor(input)


@linear(
    node="CeilBackward0", iterates=True, dtypes=KEEP, accepts=REAL, inplace=True, samples=BETWEEN, kinks=JUMPS
)
def ceil(xp: Xp, input: Tensor) -> Tensor:
    """The smallest integer not below x, in its dtype; dy/dx = 0. Shape: any → same.

    Source: elementary; 0 is kept at the jumps.
    """
    return xp.negative(xp.floor(xp.negative(input)))


@linear(
    node="TruncBackward0",
    iterates=True,
    dtypes=KEEP,
    accepts=REAL,
    inplace=True,
    samples=BETWEEN,
    kinks=JUMPS,
)
def trunc(xp: Xp, input: Tensor) -> Tensor:
    """The integer next to x on the side of 0, in its dtype; dy/dx = 0. Shape: any → same.

    Source: elementary; 0 is kept at the jumps.
    """
    return xp.trunc(input)


@floor.adjoint("input")
@ceil.adjoint("input")
@trunc.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return xp.zeros_like(ct)


def _digits_of_floats(input: Any, decimals: int | None, **_: Any) -> None:
    if decimals is not None and category(input.dtype) < 2:
        raise fault("dtype-unsupported", f"round takes decimals for floating tensors, not for {input.dtype}")


def _round_node(decimals: int | None, **_: Any) -> str:
    return "RoundBackward0" if decimals is None else "RoundBackward1"


@linear(
    node=_round_node,
    iterates=True,
    dtypes=KEEP,
    accepts=REAL,
    inplace=True,
    check=_digits_of_floats,
    samples=(
        *BETWEEN,
        sample(input=uniform(3, low=1.26, high=1.34), decimals=1),
        sample(input=uniform(3, low=16.0, high=24.0), decimals=-1),
        sample(input=uniform(3, low=0.6, high=0.9), decimals=0),
    ),
    kinks=JUMPS,
)
def round(xp: Xp, input: Tensor, *, decimals: int | None = None) -> Tensor:
    """The integer nearest to x, a tie to the even one, in its dtype; dy/dx = 0. Shape: any → same.

    decimals: how many digits after the point are kept; below 0, how many before it are dropped.

    Source: IEEE 754 roundToIntegralTiesToEven; 0 is kept at the jumps.
    """
    if not decimals:
        return xp.round(input)
    scale = 10.0 ** with_sign(decimals, 1)
    if decimals < 0:
        return xp.multiply(xp.round(xp.divide(input, scale)), scale)
    return xp.divide(xp.round(xp.multiply(input, scale)), scale)


@round.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return xp.zeros_like(ct)


@linear(
    node="FracBackward0",
    iterates=True,
    dtypes=KEEP,
    accepts=("float",),
    inplace=True,
    samples=BETWEEN,
    kinks={"x an integer": {"torch": 1.0}},
)
def frac(xp: Xp, input: Tensor) -> Tensor:
    """y = x − trunc(x), with the sign of x; dy/dx = 1. Shape: any → same.

    Source: elementary; 1 is kept at the jumps.
    """
    return xp.subtract(input, xp.trunc(input))


@frac.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


def _fmod_node(other: Any, **_: Any) -> str:
    return "FmodBackward0" if rank_of(other) == "weak" else "FmodBackward1"


@elementwise(
    node=_fmod_node,
    accepts=REAL,
    inplace=True,
    check=TWO,
    samples=(
        *pairs(("input", 6.2, 6.8), ("other", 1.9, 2.0), (2.5,)),
        *pairs(("input", -6.8, -6.2), ("other", 1.9, 2.0)),
    ),
)
def fmod(xp: Xp, input: Tensor, other: Operand) -> Tensor:
    """y = input − other·trunc(input/other); ∂y = 1 and −trunc(input/other). Shapes broadcast. Sign of input.

    Source: differentiation between the jumps.
    """
    check_divisor(xp, other)
    return xp.fmod(input, other)


@fmod.vjp("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


@fmod.vjp("other")
def _(xp: Xp, ct: Array, input: Array, other: Array) -> Array:
    return xp.multiply(xp.negative(ct), xp.trunc(xp.divide(input, other)))


def _copysign_node(other: Any, **_: Any) -> str:
    return "CopysignBackward1" if rank_of(other) == "weak" else "CopysignBackward0"


@elementwise(
    node=_copysign_node,
    dtypes=FLOAT,
    accepts=("float",),
    inplace=True,
    check=TWO,
    samples=(
        *pairs(("input", 0.5, 3), ("other", -3, -0.5), (-2,)),
        *pairs(("input", -3, -0.5), ("other", -3, -0.5), (0.0,)),
    ),
    kinks={"input = 0": {"torch": 0.0, "sign of other": "1 or -1"}},
)
def copysign(xp: Xp, input: Tensor, other: Operand) -> Tensor:
    """The size of input with the sign of other, that of ±0 too; ∂y/∂input = y/input, 0 at 0, ∂y/∂other = 0.

    Shapes broadcast.

    Source: ±1 by whether the sign changes; the choice at 0 is torch's.
    """
    return xp.copysign(input, other)


@copysign.vjp("input")
def _(xp: Xp, ct: Array, input: Array, y: Array) -> Array:
    zero = xp.equal(input, 0)
    return xp.multiply(ct, xp.where(zero, 0.0, xp.divide(y, xp.where(zero, 1.0, input))))


@copysign.vjp("other")
def _(xp: Xp, ct: Array, y: Array) -> Array:  # torch keeps the result for this too
    return xp.zeros_like(ct)


def _no_complex(input: Any, values: Any, **_: Any) -> None:
    if any(category(dtype_of(x) or "bool") == 3 for x in (input, values)):
        raise fault("dtype-unsupported", "heaviside does not take complex tensors")


@general(
    node="NotImplemented",
    iterates=True,
    dtypes=SAME,
    accepts=("float", "int", "bool"),
    inplace=True,
    check=each(_no_complex, broadcast("input", "values")),
    samples=pairs(("input", -3, 3), ("values", -3, 3)),
)
def heaviside(xp: Xp, input: Tensor, values: Tensor) -> Tensor:
    """0 where input < 0 or NaN, values where it is 0, 1 where it is above. Shapes broadcast.

    A node without a derivative: backward through it raises.

    Source: the step function, its value at the step being free.
    """
    step = xp.astype(xp.greater(input, 0), xp.dtype)
    return xp.where(xp.equal(input, 0), values, step)


@elementwise(
    node="NextafterBackward0",
    accepts=("float",),
    inplace=True,
    check=TWO,
    samples=(*pairs(("input", -3, -1), ("other", 1, 3)), *pairs(("input", 1, 3), ("other", -3, 0))),
    kinks={"input = other": {"torch": 0.0, "input": 1.0}},
)
def nextafter(xp: Xp, input: Tensor, other: Tensor) -> Tensor:
    """The number of the dtype that is next to input towards other; ∂y = 1 and 0. Shapes broadcast.

    Where the two are equal that is other, and both derivatives are 0.

    Source: IEEE 754 nextUp and nextDown, which move every input by next to nothing.
    """
    return xp.nextafter(input, other)


@nextafter.vjp("input")
def _(xp: Xp, ct: Array, input: Array, other: Array) -> Array:
    return xp.where(xp.equal(input, other), 0.0, ct)


@nextafter.vjp("other")
def _(xp: Xp, ct: Array) -> Array:
    return xp.zeros_like(ct)


LARGEST = {
    "float16": 65504.0, "bfloat16": 255 / 128 * 2.0**127, "float32": (2 - 2.0**-23) * 2.0**127,
    "float64": (2 - 2.0**-52) * 2.0**1023,
}  # fmt: skip


def _replaced(
    xp: Xp, x: Array, dtype: str, nan: float | None, above: float | None, below: float | None
) -> Array:
    """x of a floating dtype with numbers for NaN and the infinities; None: 0 and the largest of the dtype."""
    largest = LARGEST[dtype]
    x = xp.where(xp.isnan(x), nan or 0.0, xp.where(xp.equal(x, INF), largest if above is None else above, x))
    return xp.where(xp.equal(x, -INF), -largest if below is None else below, x)


def _complex_parts(F: Any, input: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
    if input.requires_grad:
        raise fault("dtype-unsupported", "nan_to_num of a complex tensor has no derivative")
    return F.nan_to_num_parts(input, nan, posinf, neginf)


def _of_parts(input: Any, **_: Any) -> Any:
    return _complex_parts if category(input[0]) == 3 else None


@elementwise(
    node="NanToNumBackward0",
    dtypes=KEEP,
    inplace=True,
    overlap=lambda dtype: "same" if category(dtype) >= 2 else "ignored",  # torch leaves integers alone
    expand=_of_parts,
    samples=(
        *reals(-3.0, 3.0),
        sample(input=uniform(3), nan=1.0, posinf=2.0, neginf=-2.0),
        sample("ties", input=Dense("float64", (4,), [float("nan"), INF, -INF, 2.0])),
    ),
    kinks={"x NaN or infinite": {"torch": 0.0}},
)
def nan_to_num(
    xp: Xp, input: Tensor, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """x, with numbers in the place of NaN and ±∞; the gradient passes where x was finite. Shape: any → same.

    nan is 0 where it is None, posinf and neginf are the largest and smallest numbers of the dtype.

    Source: elementary.
    """
    if category(xp.dtype) < 2:
        return input
    return _replaced(xp, input, xp.dtype, nan, posinf, neginf)


@nan_to_num.vjp("input")
def _(xp: Xp, ct: Array, input: Array) -> Array:
    return xp.where(xp.isfinite(input), ct, 0.0)


@constant(dtypes=KEEP, iterates=True, internal=True, accepts=("complex",))
def nan_to_num_parts(
    xp: Xp, input: Tensor, nan: float | None, posinf: float | None, neginf: float | None
) -> Tensor:
    """nan_to_num of real and imaginary part. Shape: any → same."""
    dtype = real_of(xp.dtype)
    real, imag = (
        _replaced(xp, part, dtype, nan, posinf, neginf) for part in (xp.real(input), xp.imag(input))
    )
    return xp.complex(real, imag)
