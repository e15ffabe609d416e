"""Comparisons: bool results without a gradient."""

from __future__ import annotations

from gradspec.ops.arguments import broadcast
from gradspec.ops.registry import COMPARE, Operand, Tensor, Xp, constant
from gradspec.ops.samples import pairs

__all__ = ["eq", "ge", "gt", "le", "lt", "ne"]

TWO = broadcast("input", "other")
ORDERED = ("float", "int", "bool")
SAMPLES = pairs(("input", -3, 3), ("other", -3, 3), (0, 0.5))


@constant(dtypes=COMPARE, inplace=True, check=TWO, samples=SAMPLES)
def eq(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """input = other, as bool. Shapes broadcast. NaN equals nothing.

    Source: IEEE 754 compareQuietEqual.
    """
    return xp.equal(input, other)


@constant(dtypes=COMPARE, inplace=True, check=TWO, samples=SAMPLES)
def ne(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """input ≠ other, as bool. Shapes broadcast. NaN differs from all.

    Source: IEEE 754 compareQuietNotEqual.
    """
    return xp.not_equal(input, other)


@constant(dtypes=COMPARE, inplace=True, accepts=ORDERED, check=TWO, samples=SAMPLES)
def lt(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """input < other, as bool. Shapes broadcast. False with NaN.

    Source: IEEE 754 compareQuietLess.
    """
    return xp.less(input, other)


@constant(dtypes=COMPARE, inplace=True, accepts=ORDERED, check=TWO, samples=SAMPLES)
def le(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """input ≤ other, as bool. Shapes broadcast. False with NaN.

    Source: IEEE 754 compareQuietLessEqual.
    """
    return xp.less_equal(input, other)


@constant(dtypes=COMPARE, inplace=True, accepts=ORDERED, check=TWO, samples=SAMPLES)
def gt(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """input > other, as bool. Shapes broadcast. False with NaN.

    Source: IEEE 754 compareQuietGreater.
    """
    return xp.greater(input, other)


@constant(dtypes=COMPARE, inplace=True, accepts=ORDERED, check=TWO, samples=SAMPLES)
def ge(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """input ≥ other, as bool. Shapes broadcast. False with NaN.

    Source: IEEE 754 compareQuietGreaterEqual.
    """
    return xp.greater_equal(input, other)
