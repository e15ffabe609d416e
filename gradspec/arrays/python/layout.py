"""Functions that move elements and compute nothing. Arrays are `PyArray`s here, 0-d ones of shape ()."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradspec.arrays.python.array import PyArray, expand, normal_axes, strided, strides_of
from gradspec.arrays.python.rounding import cast_number, number_rounder
from gradspec.errors import ProgramError

__all__ = ["broadcast_to", "concat", "flip", "pad", "permute_dims", "reshape", "stack", "tril", "triu"]


def reshape(x: PyArray, shape: int | Sequence[int]) -> PyArray:
    """The same elements in another shape; one size may be -1. Raises shape-mismatch."""
    wanted = [shape] if isinstance(shape, int) else list(shape)
    if -1 in wanted:
        hole = wanted.index(-1)
        known = math.prod(wanted[:hole] + wanted[hole + 1 :])
        if known > 0:
            wanted[hole] = len(x.data) // known
    if math.prod(wanted) != len(x.data) or any(size < 0 for size in wanted):
        raise ProgramError("shape-mismatch", f"cannot reshape {x.shape} to {shape}")
    return PyArray(x.data, tuple(wanted), x.dtype)


def permute_dims(x: PyArray, axes: Sequence[int]) -> PyArray:
    strides = strides_of(x.shape)
    shape = tuple(x.shape[axis] for axis in axes)
    return PyArray(strided(x.data, shape, [strides[axis] for axis in axes]), shape, x.dtype)


def broadcast_to(x: PyArray, shape: Sequence[int]) -> PyArray:
    """Raises shape-mismatch."""
    target = tuple(shape)
    lead = len(target) - len(x.shape)
    if lead < 0 or any(have not in (1, want) for have, want in zip(x.shape, target[lead:], strict=True)):
        raise ProgramError("shape-mismatch", f"shape {x.shape} does not broadcast to {target}")
    return PyArray(expand(x.data, x.shape, target), target, x.dtype)


def flip(x: PyArray, axis: int | Sequence[int] | None = None) -> PyArray:
    strides = list(strides_of(x.shape))
    offset = 0
    for turned in normal_axes(axis, len(x.shape)):
        offset += strides[turned] * (x.shape[turned] - 1)
        strides[turned] = -strides[turned]
    return PyArray(strided(x.data, x.shape, strides, offset), x.shape, x.dtype)


def concat(arrays: Sequence[PyArray], axis: int = 0) -> PyArray:
    """Raises shape-mismatch where shapes differ elsewhere than in `axis`, or are ()."""
    first = arrays[0]
    axis = axis + len(first.shape) if axis < 0 else axis
    rests = {array.shape[:axis] + array.shape[axis + 1 :] for array in arrays}
    if len(rests) > 1 or not first.shape or len({len(array.shape) for array in arrays}) > 1:
        shown = " and ".join(str(array.shape) for array in arrays)
        raise ProgramError("shape-mismatch", f"arrays of shapes {shown} cannot be joined along axis {axis}")
    shape = (*first.shape[:axis], sum(array.shape[axis] for array in arrays), *first.shape[axis + 1 :])
    blocks = [(array.data, math.prod(array.shape[axis:])) for array in arrays]
    data: list[Any] = []
    for outer in range(math.prod(shape[:axis])):
        for source, size in blocks:
            data += source[outer * size : (outer + 1) * size]
    return PyArray(data, shape, first.dtype)


def stack(arrays: Sequence[PyArray], axis: int = 0) -> PyArray:
    """Raises shape-mismatch where the shapes are not all the same."""
    shape = arrays[0].shape
    if any(array.shape != shape for array in arrays):
        shown = " and ".join(str(array.shape) for array in arrays)
        raise ProgramError("shape-mismatch", f"arrays of shapes {shown} cannot be stacked")
    axis = axis + len(shape) + 1 if axis < 0 else axis
    wide = (*shape[:axis], 1, *shape[axis:])
    return concat([PyArray(array.data, wide, array.dtype) for array in arrays], axis)


def tril(x: PyArray, k: int = 0) -> PyArray:
    return _triangle(x, lambda row: (0, row + k + 1))


def triu(x: PyArray, k: int = 0) -> PyArray:
    return _triangle(x, lambda row: (row + k, x.shape[-1]))


def _triangle(x: PyArray, kept: Any) -> PyArray:
    """In each row of the last axis only the columns from kept(row)[0] up to kept(row)[1]; else zeros."""
    rows, columns = x.shape[-2:]
    zero = [number_rounder(x.dtype)(0)]
    data: list[Any] = []
    for row in range(math.prod(x.shape[:-1])):
        start, stop = (min(max(edge, 0), columns) for edge in kept(row % rows))
        stop = max(start, stop)
        here = row * columns
        data += zero * start + x.data[here + start : here + stop] + zero * (columns - stop)
    return PyArray(data, x.shape, x.dtype)


def pad(x: PyArray, widths: Sequence[Sequence[int]], value: Any = 0) -> PyArray:
    """`value` around x, widths[axis] = (before, after); negative widths crop. Raises shape-mismatch."""
    shape = tuple(size + before + after for size, (before, after) in zip(x.shape, widths, strict=True))
    kept = tuple(
        size + min(before, 0) + min(after, 0) for size, (before, after) in zip(x.shape, widths, strict=True)
    )
    if min((*shape, *kept, 0)) < 0:
        shown = tuple(map(tuple, widths))
        raise ProgramError("shape-mismatch", f"padding {x.shape} by {shown} crops too much")
    data = [cast_number(value, x.dtype)] * math.prod(shape)
    source, target = strides_of(x.shape), strides_of(shape)
    first = sum(step * max(-before, 0) for step, (before, _) in zip(source, widths, strict=True))
    start = sum(step * max(before, 0) for step, (before, _) in zip(target, widths, strict=True))
    places = strided(range(len(data)), kept, target, start)
    for place, element in zip(places, strided(x.data, kept, source, first), strict=True):
        data[place] = element
    return PyArray(data, shape, x.dtype)
