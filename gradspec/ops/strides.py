"""How the results of view ops lie in memory: functions for the fact `strides` of the registry.

Each is given the shape and strides of the tensor that is viewed, the shape of the result and its place
among several results, and gives the result's strides and where it begins, both in elements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from gradspec.engine.strides import expanded
from gradspec.ops.arguments import axis_of

__all__ = [
    "inserted", "kept", "of_pairs", "paired", "permuted", "regrouped", "repeated", "selected", "sliced",
    "squeezed", "starting_at", "viewed",
]  # fmt: skip

Ints = tuple[int, ...]
Lying = tuple[Sequence[int], int]


def kept(shape: Ints, strides: Ints, result: Ints, part: int, **_: Any) -> Lying:
    """As it was."""
    return strides, 0


def regrouped(shape: Ints, strides: Ints, size: Ints) -> Ints | None:
    """The strides of the same memory under another shape; None where it has none.

    Axes whose elements follow each other as those of one axis would make a chunk; an axis of the new
    shape lies within one chunk.
    """
    if not shape:
        return (1,) * len(size)
    if not prod(shape):
        return strides if shape == size else _steps(size)
    found = [0] * len(size)
    axis = len(size) - 1
    base, chunk, filled = strides[-1], 1, 1
    for old in reversed(range(len(shape))):
        chunk *= shape[old]
        if old and (shape[old - 1] == 1 or strides[old - 1] == chunk * base):
            continue
        while axis >= 0 and (filled < chunk or size[axis] == 1):
            found[axis] = filled * base
            filled *= size[axis]
            axis -= 1
        if filled != chunk:
            return None
        if old:
            base, chunk, filled = strides[old - 1], 1, 1
    return tuple(found) if axis < 0 else None


def _steps(size: Ints) -> Ints:
    steps, step = [], 1
    for n in reversed(size):
        steps.append(step)
        step *= max(n, 1)
    return tuple(steps[::-1])


def viewed(shape: Ints, strides: Ints, result: Ints, part: int, **_: Any) -> Lying:
    """The same elements in C order under another shape."""
    return regrouped(shape, strides, result) or _steps(result), 0


def inserted(shape: Ints, strides: Ints, result: Ints, part: int, dim: int, **_: Any) -> Lying:
    """A new axis of size 1."""
    axis = dim + len(shape) + 1 if dim < 0 else dim
    step = shape[axis] * strides[axis] if axis < len(shape) else 1
    return (*strides[:axis], step, *strides[axis:]), 0


def squeezed(shape: Ints, strides: Ints, result: Ints, part: int, dim: Any = None, **_: Any) -> Lying:
    """Without axes of size 1."""
    ndim = len(shape)
    dims = range(ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    axes = {axis_of(d, ndim) for d in dims}
    return [s for axis, s in enumerate(strides) if axis not in axes or shape[axis] != 1], 0


def repeated(shape: Ints, strides: Ints, result: Ints, part: int, **_: Any) -> Lying:
    """Repeated along axes."""
    return expanded(shape, strides, result), 0


def permuted(order: Callable[..., Ints]) -> Callable[..., Lying]:
    """The axes in another order: `order(ndim, **static arguments)`."""

    def strides_of(shape: Ints, strides: Ints, result: Ints, part: int, **statics: Any) -> Lying:
        return [strides[axis] for axis in order(len(shape), **statics)], 0

    return strides_of


def selected(shape: Ints, strides: Ints, result: Ints, part: int, dim: int, index: int, **_: Any) -> Lying:
    """One element of an axis."""
    axis = axis_of(dim, len(shape))
    at = index + shape[axis] if index < 0 else index
    return (*strides[:axis], *strides[axis + 1 :]), at * strides[axis]


def sliced(
    shape: Ints, strides: Ints, result: Ints, part: int, dim: int, start: int, step: int, **_: Any
) -> Lying:
    """Every step-th element of an axis from `start` on."""
    return (*strides[:dim], strides[dim] * step, *strides[dim + 1 :]), start * strides[dim]


def starting_at(start: Callable[..., tuple[int, int]]) -> Callable[..., Lying]:
    """A stretch of an axis: `start(shape, part, **static arguments)` gives the axis and its first index."""

    def strides_of(shape: Ints, strides: Ints, result: Ints, part: int, **statics: Any) -> Lying:
        axis, first = start(shape, part, **statics)
        return strides, first * strides[axis]

    return strides_of


def paired(shape: Ints, strides: Ints, result: Ints, part: int, **_: Any) -> Lying:
    """Complex numbers as pairs."""
    return (*(2 * step for step in strides), 1), 0


def of_pairs(shape: Ints, strides: Ints, result: Ints, part: int, **_: Any) -> Lying:
    """Pairs as complex numbers."""
    return [step // 2 for step in strides[:-1]], 0
