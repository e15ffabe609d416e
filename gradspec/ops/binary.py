"""Functions of two or three tensors, element by element, with broadcasting."""

from __future__ import annotations

from typing import Any

from gradspec.dtypes import category
from gradspec.ops.arguments import broadcast, dtype_of, each, fault, rank_of
from gradspec.ops.registry import (
    FLOAT,
    PROMOTE,
    Array,
    Number,
    Operand,
    Tensor,
    Xp,
    elementwise,
    general,
    linear,
)  # fmt: skip
from gradspec.ops.samples import bools, pairs, sample, uniform

__all__ = [
    "add", "check_divisor", "clamp", "div", "floor_divide", "fmax", "fmin", "maximum", "minimum", "mul",
    "number_remainder", "pow", "remainder", "sub", "where",
]  # fmt: skip

TWO = broadcast("input", "other")
NUMBERS = ("float", "complex", "int")
ORDERED = ("float", "int", "bool")


def _alpha_fits(input: Any, other: Any, alpha: Any, **_: Any) -> None:
    dtypes = [dtype_of(operand) for operand in (input, other)]
    integral = all(dtype is None or category(dtype) < 2 for dtype in dtypes)
    whole = not any(isinstance(value, float | complex) for value in (input, other))
    if integral and whole and isinstance(alpha, float | complex):
        raise fault("invalid-argument", f"alpha is {alpha}, but integers are added: it must be an integer")


def _scaled(xp: Xp, ct: Array, alpha: Any) -> Array:
    """ct·ᾱ; `alpha` is a Python number."""
    return ct if alpha == 1 else xp.multiply(ct, alpha.conjugate())


@linear(
    node="AddBackward0",
    iterates=True,
    inplace=True,
    check=each(TWO, _alpha_fits),
    samples=(
        *pairs(("input", -3, 3), ("other", -3, 3), (2, -0.5)),
        sample(input=uniform(2, 3), other=uniform(3), alpha=2.5),
        sample(input=uniform(2), other=3, alpha=-2),
    ),
)
def add(xp: Xp, input: Operand, other: Operand, *, alpha: Number = 1) -> Tensor:
    """y = input + alpha·other; ∂y = 1 and alpha. Shapes broadcast.

    Source: elementary.
    """
    alpha = bool(alpha) if xp.dtype == "bool" else alpha
    return xp.add(input, other if alpha == 1 else xp.multiply(other, alpha))


@add.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


@add.adjoint("other")
def _(xp: Xp, ct: Array, alpha: Any) -> Array:
    return _scaled(xp, ct, alpha)


def _no_bools(input: Any, other: Any, **_: Any) -> None:
    if any(isinstance(x, bool) or dtype_of(x) == "bool" for x in (input, other)):
        raise fault("dtype-unsupported", "bool is not subtracted; use != for exclusive or")


def _sub_node(input: Any, alpha: Any, **_: Any) -> str:
    return "RsubBackward1" if rank_of(input) == "weak" and alpha == 1 else "SubBackward0"


@linear(
    node=_sub_node,
    iterates=True,
    inplace=True,
    accepts=NUMBERS,
    check=each(_no_bools, TWO, _alpha_fits),
    samples=(
        *pairs(("input", -3, 3), ("other", -3, 3), (2, -0.5)),
        sample(input=uniform(2, 3), other=uniform(3), alpha=2.5),
        sample(input=2, other=uniform(3)),
    ),
)
def sub(xp: Xp, input: Operand, other: Operand, *, alpha: Number = 1) -> Tensor:
    """y = input − alpha·other; ∂y = 1 and −alpha. Shapes broadcast.

    Source: elementary.
    """
    return xp.subtract(input, other if alpha == 1 else xp.multiply(other, alpha))


@sub.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


@sub.adjoint("other")
def _(xp: Xp, ct: Array, alpha: Any) -> Array:
    return xp.negative(_scaled(xp, ct, alpha))


@elementwise(
    node="MulBackward0",
    inplace=True,
    check=TWO,
    samples=(*pairs(("input", -3, 3), ("other", -3, 3), (4, -0.5)), sample(input=3, other=uniform(3))),
)
def mul(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """y = input·other; ∂y = other and input. Shapes broadcast.

    Source: the product rule.
    """
    return xp.multiply(input, other)


@mul.partial("input")
def _(xp: Xp, other: Array) -> Array:
    return other


@mul.partial("other")
def _(xp: Xp, input: Array) -> Array:
    return input


def _check_rounding(rounding_mode: str | None, **_: Any) -> None:
    if rounding_mode not in (None, "trunc", "floor"):
        raise fault("invalid-argument", f'rounding_mode is None, "trunc" or "floor", not "{rounding_mode}"')


def _float_unless_rounded(dtypes: dict[str, Any], statics: dict[str, Any]) -> str:
    return FLOAT if statics.get("rounding_mode") is None else PROMOTE


def _reciprocal_times(F: Any, input: Any, other: Any, rounding_mode: None) -> Any:
    return F.mul(F.reciprocal(other), input)


def _number_over_tensor(input: Any, rounding_mode: str | None, **_: Any) -> Any:
    """`2 / x` is `reciprocal(x) * 2`, as Python's reflected division of tensors has it."""
    if rank_of(input) != "weak" or rounding_mode is not None:
        return None
    return _reciprocal_times


@elementwise(
    node=lambda rounding_mode, **_: "DivBackward0" if rounding_mode is None else "DivBackward2",
    dtypes=_float_unless_rounded,
    inplace=True,
    check=each(TWO, _check_rounding),
    expand=_number_over_tensor,
    samples=(
        *pairs(("input", -3, 3), ("other", 0.4, 3), (4, -0.5)),
        sample(input=3, other=uniform(3, low=1)),
        sample(input=uniform(3, low=-9, high=9), other=uniform(2, 3, low=1), rounding_mode="floor"),
        sample(input=uniform(3, low=-9, high=9), other=2.0, rounding_mode="trunc"),
    ),
)
def div(xp: Xp, input: Operand, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
    """y = input/other, rounded to an integer if rounding_mode says so. Shapes broadcast.

    ∂y/∂input = 1/other, ∂y/∂other = −input/other²; both 0 when rounded.
    Division by zero gives ±∞ or NaN for floats.

    Source: the quotient rule.
    """
    if rounding_mode == "floor":
        return _floor_divided(xp, input, other)
    if rounding_mode == "trunc":
        return _truncated_quotient(xp, input, other)
    return xp.divide(input, other)


def _truncated_quotient(xp: Xp, a: Array, b: Array) -> Array:
    if category(xp.dtype) == 2:
        return xp.trunc(xp.divide(a, b))
    check_divisor(xp, b)
    down = xp.floor_divide(a, b)
    inexact = xp.not_equal(xp.multiply(down, b), a)
    return xp.add(down, xp.astype(xp.logical_and(inexact, xp.less(down, 0)), xp.dtype))


@div.vjp("input")
def _(xp: Xp, ct: Array, other: Array, rounding_mode: str | None) -> Array:
    return xp.divide(ct, xp.conj(other)) if rounding_mode is None else xp.zeros_like(ct)


@div.vjp("other")
def _(xp: Xp, ct: Array, input: Array, other: Array, rounding_mode: str | None) -> Array:
    if rounding_mode is not None:
        return xp.zeros_like(ct)
    slope = xp.divide(xp.divide(input, other), other)
    return xp.negative(xp.multiply(ct, xp.conj(slope)))


def check_divisor(xp: Xp, other: Array) -> None:
    """Raises invalid-argument where integers are divided by zero, as torch does."""
    if category(xp.dtype) == 1 and xp.any(xp.equal(other, 0)):
        raise fault("invalid-argument", "integers cannot be divided by zero")


def _floor_divided(xp: Xp, input: Array, other: Array) -> Array:
    check_divisor(xp, other)
    return xp.floor_divide(input, other)


def _remainder_node(other: Any, **_: Any) -> str:
    return "RemainderBackward0" if rank_of(other) == "weak" else "RemainderBackward1"


def _of_a_number(input: Any, **_: Any) -> Any:
    return _remainder_of_number if rank_of(input) == "weak" else None


def _remainder_of_number(F: Any, input: Any, other: Any) -> Any:
    return F.number_remainder(input, other)


@elementwise(
    node=_remainder_node,
    accepts=("float", "int"),
    inplace=True,
    check=TWO,
    expand=_of_a_number,
    samples=pairs(("input", -9, 9), ("other", 1, 3), (2.5,)),
)
def remainder(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """y = input − other·⌊input/other⌋; ∂y = 1 and −⌊input/other⌋. Shapes broadcast. Sign of other.

    Source: differentiation between the jumps.
    """
    check_divisor(xp, other)
    return xp.remainder(input, other)


@remainder.vjp("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


@remainder.vjp("other")
def _(xp: Xp, ct: Array, input: Array, other: Array) -> Array:
    return xp.negative(xp.multiply(ct, xp.floor_divide(input, other)))


@general(node="NotImplemented", accepts=("float", "int"), iterates=True, internal=True)
def number_remainder(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """remainder of a Python number. A node without a derivative, as torch has it."""
    check_divisor(xp, other)
    return xp.remainder(input, other)


@general(
    node="NotImplemented",
    accepts=("float", "int"),
    iterates=True,
    check=TWO,
    samples=pairs(("input", -9, 9), ("other", 1, 3), (2.5,)),
)
def floor_divide(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """y = ⌊input/other⌋. Shapes broadcast. A node without a derivative: backward through it raises.

    Source: elementary.
    """
    return _floor_divided(xp, input, other)


def _pow_node(input: Any, exponent: Any, **_: Any) -> str:
    if rank_of(exponent) == "weak":
        return "PowBackward0"
    return "PowBackward2" if rank_of(input) == "weak" else "PowBackward1"


def _no_negative_power_of_integers(input: Any, exponent: Any, **_: Any) -> None:
    dtype = dtype_of(input)
    if dtype is not None and category(dtype) < 2 and isinstance(exponent, int) and exponent < 0:
        raise fault("negative-integer-power", f"integers to the power {exponent} are no integers")


@elementwise(
    node=_pow_node,
    inplace=True,
    iterates=lambda input, **_: not input.weak,  # the powers of a number lie in order
    check=each(broadcast("input", "exponent"), _no_negative_power_of_integers),
    samples=(
        *pairs(("input", 0.3, 3), ("exponent", -2, 3), (2, 3.0, 0.5, -1, 1, 0)),
        sample(input=2, exponent=uniform(3)),
        sample(input=uniform(4, low=-3, high=-1), exponent=3),
    ),
    kinks={
        "input = 0, exponent = 0, ∂/∂input": {"torch": 0.0},
        "input = 0, exponent > 0, ∂/∂exponent": {"torch": 0.0},
    },
)
def pow(xp: Xp, input: Operand, exponent: Operand) -> Tensor:
    """y = input^exponent. Shapes broadcast. NaN for a negative base with a fractional exponent.

    ∂y/∂input = exponent·input^(exponent−1), 0 where exponent = 0; ∂y/∂exponent = y·ln(input), 0 where
    input = 0 and exponent ≥ 0.

    Source: elementary; the two exceptions are the limits along the other argument.
    """
    return xp.pow(input, exponent)


@pow.partial("input")
def _(xp: Xp, input: Array, exponent: Array, exponent_meta: Any) -> Array:
    if exponent_meta.dtype == "bool" and not exponent_meta.weak:
        raise fault("dtype-unsupported", "1 is subtracted from the exponent, but bool is not subtracted from")
    constant = xp.equal(exponent, 0)
    less_one = xp.where(constant, 1, xp.subtract(exponent, 1))  # 0⁰⁻¹ is kept out of higher derivatives too
    return xp.where(constant, 0, xp.multiply(exponent, xp.pow(input, less_one)))


@pow.partial("exponent")
def _(xp: Xp, input: Array, exponent: Array, y: Array) -> Array:
    if category(xp.dtype) == 3:
        part = xp.real(exponent)
        not_negative = xp.equal(
            part, xp.abs(part)
        )  # complex numbers are not ordered, nor are their namespaces
    else:
        not_negative = xp.greater_equal(exponent, 0)
    flat = xp.logical_and(xp.equal(input, 0), not_negative)
    base = xp.where(flat, 1, input)
    # a real base of complex powers has a complex logarithm
    return xp.multiply(y, xp.log(xp.astype(base, xp.dtype) if category(xp.dtype) == 3 else base))


TIES = {"input = other": {"torch": 0.5, "input": 1.0, "other": 0.0}}


@elementwise(
    node="MaximumBackward0",
    accepts=ORDERED,
    check=TWO,
    samples=pairs(("input", -3, 3), ("other", -3, 3)),
    kinks=TIES,
)
def maximum(xp: Xp, input: Tensor, other: Tensor) -> Tensor:
    """The larger of two; the gradient goes to it, half to each at a tie. Shapes broadcast. NaN wins.

    Source: the mean of the two one-sided derivatives at a tie; a NaN passes the gradient to both.
    """
    return xp.maximum(input, other)


@maximum.vjp("input")
def _(xp: Xp, ct: Array, input: Array, other: Array) -> Array:
    return _share(xp, ct, xp.equal(input, other), xp.less(input, other))


@maximum.vjp("other")
def _(xp: Xp, ct: Array, input: Array, other: Array) -> Array:
    return _share(xp, ct, xp.equal(input, other), xp.greater(input, other))


def _share(xp: Xp, ct: Array, tie: Array, lost: Array) -> Array:
    return xp.where(lost, 0.0, xp.where(tie, xp.multiply(ct, 0.5), ct))


@elementwise(
    node="MinimumBackward0",
    accepts=ORDERED,
    check=TWO,
    samples=pairs(("input", -3, 3), ("other", -3, 3)),
    kinks=TIES,
)
def minimum(xp: Xp, input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two; the gradient goes to it, half to each at a tie. Shapes broadcast. NaN wins.

    Source: the mean of the two one-sided derivatives at a tie; a NaN passes the gradient to both.
    """
    return xp.minimum(input, other)


@minimum.vjp("input")
def _(xp: Xp, ct: Array, input: Array, other: Array) -> Array:
    return _share(xp, ct, xp.equal(input, other), xp.greater(input, other))


@minimum.vjp("other")
def _(xp: Xp, ct: Array, input: Array, other: Array) -> Array:
    return _share(xp, ct, xp.equal(input, other), xp.less(input, other))


FIRST = {"input = other": {"torch": 1.0, "half": 0.5, "other": 0.0}}


@elementwise(
    node="FmaxBackward0",
    accepts=ORDERED,
    check=TWO,
    samples=pairs(("input", -3, 3), ("other", -3, 3)),
    kinks=FIRST,
)
def fmax(xp: Xp, input: Tensor, other: Tensor) -> Tensor:
    """The larger of two; the gradient goes to it, all to input at a tie. Shapes broadcast. NaN loses.

    Source: IEEE 754 maximumNumber; the choice at a tie is torch's.
    """
    return xp.where(_first(xp, xp.greater_equal(input, other), other), input, other)


def _first(xp: Xp, not_beaten: Array, other: Array) -> Array:
    """Whether input is the one that is taken."""
    return xp.logical_or(not_beaten, xp.isnan(other))


@fmax.vjp("input")
def _(xp: Xp, ct: Array, input: Array, other: Array) -> Array:
    return xp.where(_first(xp, xp.greater_equal(input, other), other), ct, 0.0)


@fmax.vjp("other")
def _(xp: Xp, ct: Array, input: Array, other: Array) -> Array:
    return xp.where(_first(xp, xp.greater_equal(input, other), other), 0.0, ct)


@elementwise(
    node="FminBackward0",
    accepts=ORDERED,
    check=TWO,
    samples=pairs(("input", -3, 3), ("other", -3, 3)),
    kinks=FIRST,
)
def fmin(xp: Xp, input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two; the gradient goes to it, all to input at a tie. Shapes broadcast. NaN loses.

    Source: IEEE 754 minimumNumber; the choice at a tie is torch's.
    """
    return xp.where(_first(xp, xp.less_equal(input, other), other), input, other)


@fmin.vjp("input")
def _(xp: Xp, ct: Array, input: Array, other: Array) -> Array:
    return xp.where(_first(xp, xp.less_equal(input, other), other), ct, 0.0)


@fmin.vjp("other")
def _(xp: Xp, ct: Array, input: Array, other: Array) -> Array:
    return xp.where(_first(xp, xp.less_equal(input, other), other), 0.0, ct)


def _has_bound(input: Any, min: Any, max: Any, **_: Any) -> None:
    if min is None and max is None:
        raise fault("invalid-argument", "clamp needs min, max or both")
    if None not in (min, max) and (dtype_of(min) is None) != (dtype_of(max) is None):
        raise fault("invalid-argument", "the bounds of clamp are both numbers or both tensors")
    numbers = all(bound is None or isinstance(bound, bool) for bound in (min, max))
    both = "bool" == dtype_of(min) == dtype_of(max)
    if input.dtype == "bool" and (numbers or both):
        raise fault("dtype-unsupported", "clamp takes a bool tensor only with one bound that is a tensor")


def _clamp_node(min: Any, max: Any, **_: Any) -> str:
    """Two numbers; beside a number a 0-d tensor counts as one."""
    ranks = {rank_of(min), rank_of(max)}
    return "ClampBackward1" if ranks <= {None, "weak"} or ranks == {"weak", "zero"} else "ClampBackward0"


@elementwise(
    node=_clamp_node,
    accepts=ORDERED,
    inplace=True,
    check=each(_has_bound, broadcast("input", "min", "max")),
    samples=(
        sample(input=uniform(4), min=-0.5, max=1),
        sample(input=uniform(2, 3), min=0.25),
        sample(input=uniform(), max=-0.25),
        sample(input=uniform(0), min=0, max=1),
        sample("min above max gives max", input=uniform(3), min=1.0, max=-1.0),
        sample(input=uniform(2, 3), min=uniform(3, low=-1, high=0), max=uniform(2, 1, low=0, high=1)),
        sample(input=uniform(2, 3), min=uniform(3)),
        sample(input=uniform(3), max=uniform(2, 3)),
        sample("bounds crossing", input=uniform(3, 4), min=uniform(3, 4), max=uniform(4)),
    ),
    kinks={"x at a bound": {"torch": 1.0, "zero": 0.0, "split": 0.5}},
)
def clamp(xp: Xp, input: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """y = min(max(input, min), max); the gradient goes to input from bound to bound, both included.

    Shapes broadcast. A tensor bound gets the gradient where input lies strictly outside it; max
    wins over min where they cross. NaN stays NaN.

    Source: one-sided derivatives; the choice at the bounds is torch's.
    """
    y = input if min is None else xp.maximum(input, min)
    return y if max is None else xp.minimum(y, max)


@clamp.vjp("input")
def _(xp: Xp, ct: Array, input: Array, min: Any, max: Any) -> Array:
    inside = None if min is None else xp.greater_equal(input, min)
    if max is not None:
        below = xp.less_equal(input, max)
        inside = below if inside is None else xp.logical_and(inside, below)
    return xp.where(inside, ct, 0.0)


@clamp.vjp("min")
def _(xp: Xp, ct: Array, input: Array, min: Any, max: Any) -> Array:
    active = xp.less(input, min)
    return xp.where(active if max is None else xp.logical_and(active, xp.less(min, max)), ct, 0.0)


@clamp.vjp("max")
def _(xp: Xp, ct: Array, input: Array, min: Any, max: Any) -> Array:
    active = xp.greater(input, max)
    return xp.where(active if min is None else xp.logical_or(active, xp.less(max, min)), ct, 0.0)


def _where_check(condition: Any, input: Any, other: Any, **_: Any) -> None:
    if (input is None) != (other is None):
        raise fault("invalid-argument", "where takes a condition alone, or a condition and two values")
    if condition.dtype not in ("bool", "uint8") and input is not None:
        raise fault("dtype-unsupported", f"where needs a bool condition, not {condition.dtype}")


def _indices_alone(F: Any, condition: Any, input: None, other: None) -> Any:
    return F.where_indices(condition)


def _where_alone(input: Any, **_: Any) -> Any:
    return _indices_alone if input is None else None


@linear(
    node="WhereBackward0",
    iterates=True,
    apart=("condition",),
    check=each(_where_check, broadcast("condition", "input", "other")),
    expand=_where_alone,
    samples=(
        sample(condition=bools([True, False, True]), input=uniform(2, 3), other=uniform(3)),
        sample(condition=bools([True, False], (2, 1)), input=uniform(3), other=0.0),
        sample(condition=bools([False, True]), input=1, other=uniform(2)),
        sample(condition=bools([True], ()), input=uniform(), other=uniform()),
        sample(condition=bools([], (0,)), input=uniform(0), other=uniform(1)),
    ),
)
def where(xp: Xp, condition: Tensor, input: Operand | None = None, other: Operand | None = None) -> Tensor:
    """y = input where condition holds, else other; the gradient goes the same way. Shapes broadcast.

    `where(condition)` alone gives the indices of the true elements, one tensor an axis.
    The branch not taken gets an exact 0, which an infinite derivative upstream still turns into NaN.

    Source: elementary.
    """
    return xp.where(_as_bool(xp, condition), input, other)


@where.adjoint("input")
def _(xp: Xp, ct: Array, condition: Array) -> Array:
    return xp.where(_as_bool(xp, condition), ct, 0.0)


@where.adjoint("other")
def _(xp: Xp, ct: Array, condition: Array) -> Array:
    return xp.where(_as_bool(xp, condition), 0.0, ct)


def _as_bool(xp: Xp, condition: Array) -> Array:
    return xp.astype(condition, "bool")
