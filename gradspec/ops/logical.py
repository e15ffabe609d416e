"""Logic of what is zero and what is not: bool results without a gradient."""

from __future__ import annotations

from typing import Any

from gradspec.ops.arguments import broadcast
from gradspec.ops.registry import COMPARE, Array, Tensor, Xp, constant
from gradspec.ops.samples import bools, ints, pairs, reals, sample, uniform

__all__ = ["logical_and", "logical_not", "logical_or", "logical_xor"]

TWO = broadcast("input", "other")
SAMPLES = (
    *pairs(("input", -3, 3), ("other", -3, 3)),
    sample(input=ints([0, 2, 0, -1]), other=ints([0, 0, 5, 3])),
    sample(input=bools([True, False]), other=uniform(2, 2, low=0, high=0)),
)


def _bool(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[str, str]:
    return dtypes["input"][0], "bool"


@constant(
    dtypes=_bool,
    iterates=True,
    samples=(*reals(-3, 3), sample(input=ints([0, 2])), sample(input=bools([True, False]))),
)
def logical_not(xp: Xp, input: Tensor) -> Tensor:
    """Whether x is 0, as bool. Shape: any → same. NaN is not 0.

    Source: the truth of numbers in C and Python.
    """
    return xp.logical_not(input)


@constant(dtypes=COMPARE, iterates=True, check=TWO, samples=SAMPLES)
def logical_and(xp: Xp, input: Tensor, other: Tensor) -> Tensor:
    """Whether neither is 0, as bool. Shapes broadcast. NaN is not 0.

    Source: the truth of numbers in C and Python.
    """
    return xp.logical_and(input, other)


@constant(dtypes=COMPARE, iterates=True, check=TWO, samples=SAMPLES)
def logical_or(xp: Xp, input: Tensor, other: Tensor) -> Tensor:
    """Whether at least one is not 0, as bool. Shapes broadcast. NaN is not 0.

    Source: the truth of numbers in C and Python.
    """
    return xp.logical_or(input, other)


@constant(dtypes=COMPARE, iterates=True, check=TWO, samples=SAMPLES)
def logical_xor(xp: Xp, input: Tensor, other: Tensor) -> Tensor:
    """Whether just one is not 0, as bool. Shapes broadcast. NaN is not 0.

    Source: the truth of numbers in C and Python.
    """
    return xp.not_equal(_truth(xp, input), _truth(xp, other))


def _truth(xp: Xp, x: Array) -> Array:
    return xp.logical_not(xp.equal(x, 0))
