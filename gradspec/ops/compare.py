"""Comparisons: bool results without a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradspec.ops.arguments import broadcast, rank_of
from gradspec.ops.registry import COMPARE, Operand, Tensor, Xp, constant
from gradspec.ops.samples import pairs

__all__ = ["eq", "ge", "gt", "le", "lt", "ne"]

TWO = broadcast("input", "other")
ORDERED = ("float", "int", "bool")
SAMPLES = pairs(("input", -3, 3), ("other", -3, 3), (0, 0.5))


def _node(name: str) -> Callable[..., str]:
    """The node that cuts a tensor from its past when a comparison is written into it."""

    def node(other: Any, **_: Any) -> str:
        return f"{name}Backward{0 if rank_of(other) in ('weak', None) else 1}"

    return node


@constant(
    dtypes=COMPARE, iterates=True, inplace=True, check=TWO, samples=SAMPLES,
    node_in_place=_node("Eq"),
)  # fmt: skip
def eq(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """input = other, as bool. Shapes broadcast. NaN equals nothing.

    Source: IEEE 754 compareQuietEqual.
    """
    return xp.equal(input, other)


@constant(
    dtypes=COMPARE, iterates=True, inplace=True, check=TWO, samples=SAMPLES,
    node_in_place=_node("Ne"),
)  # fmt: skip
def ne(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """input ≠ other, as bool. Shapes broadcast. NaN differs from all.

    Source: IEEE 754 compareQuietNotEqual.
    """
    return xp.not_equal(input, other)


@constant(
    dtypes=COMPARE, iterates=True, inplace=True, accepts=ORDERED, check=TWO, samples=SAMPLES,
    node_in_place=_node("Lt"),
)  # fmt: skip
def lt(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """input < other, as bool. Shapes broadcast. False with NaN.

    Source: IEEE 754 compareQuietLess.
    """
    return xp.less(input, other)


@constant(
    dtypes=COMPARE, iterates=True, inplace=True, accepts=ORDERED, check=TWO, samples=SAMPLES,
    node_in_place=_node("Le"),
)  # fmt: skip
def le(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """input ≤ other, as bool. Shapes broadcast. False with NaN.

    Source: IEEE 754 compareQuietLessEqual.
    """
    return xp.less_equal(input, other)


@constant(
    dtypes=COMPARE, iterates=True, inplace=True, accepts=ORDERED, check=TWO, samples=SAMPLES,
    node_in_place=_node("Gt"),
)  # fmt: skip
def gt(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """input > other, as bool. Shapes broadcast. False with NaN.

    Source: IEEE 754 compareQuietGreater.
    """
    return xp.greater(input, other)


@constant(
    dtypes=COMPARE, iterates=True, inplace=True, accepts=ORDERED, check=TWO, samples=SAMPLES,
    node_in_place=_node("Ge"),
)  # fmt: skip
def ge(xp: Xp, input: Operand, other: Operand) -> Tensor:
    """input ≥ other, as bool. Shapes broadcast. False with NaN.

    Source: IEEE 754 compareQuietGreaterEqual.
    """
    return xp.greater_equal(input, other)
