"""NumPy's indexing, reading and writing, as flat positions. Arrays are `PyArray`s, 0-d ones of shape ().

An index is resolved once into the shape of what it selects and the flat position of each element
of that; reading, writing and adding are then one loop each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradspec.arrays.python.array import PyArray, broadcast_shapes, expand, strided, strides_of
from gradspec.arrays.python.rounding import list_rounder, number_rounder
from gradspec.dtypes import INTEGRAL
from gradspec.errors import ProgramError

__all__ = ["getitem", "nonzero", "put", "put_add", "scatter_add", "take_along_axis"]

Shape = tuple[int, ...]


def getitem(x: PyArray, index: Any) -> PyArray:
    """x[index]. Raises index-out-of-range, too-many-indices, shape-mismatch, dtype-unsupported."""
    shape, positions = _resolve(x.shape, index)
    return PyArray(list(map(x.data.__getitem__, positions)), shape, x.dtype)


def put(x: PyArray, index: Any, values: PyArray) -> PyArray:
    """A copy of x with x[index] = values; the last of repeated places wins."""
    shape, positions = _resolve(x.shape, index)
    data = list(x.data)
    for position, value in zip(positions, _fitted(values, shape), strict=True):
        data[position] = value
    return PyArray(data, x.shape, x.dtype)


def put_add(shape: Sequence[int], index: Any, values: PyArray) -> PyArray:
    """zeros(shape) with `values` added at index, repeated places adding up before they are rounded."""
    selected, positions = _resolve(tuple(shape), index)
    return _added(tuple(shape), positions, _fitted(values, selected), values.dtype)


def take_along_axis(x: PyArray, indices: PyArray, axis: int) -> PyArray:
    """torch.gather. Raises index-out-of-range (also for negative indices) and shape-mismatch."""
    positions = _along(x.shape, indices, axis)
    return PyArray(list(map(x.data.__getitem__, positions)), indices.shape, x.dtype)


def scatter_add(shape: Sequence[int], indices: PyArray, values: PyArray, axis: int) -> PyArray:
    """zeros(shape) with values added where `take_along_axis` would have read them."""
    positions = _along(tuple(shape), indices, axis)
    return _added(tuple(shape), positions, _fitted(values, indices.shape), values.dtype)


def nonzero(x: PyArray) -> tuple[PyArray, ...]:
    """The indices of elements that are not 0, an int64 array an axis; a 0-d array counts as 1-d."""
    found = [place for place, value in enumerate(x.data) if value]
    shape = x.shape or (1,)
    return tuple(
        PyArray([place // step % size for place in found], (len(found),), "int64")
        for size, step in zip(shape, strides_of(shape), strict=True)
    )


def _added(shape: Shape, positions: list[int], values: list[Any], dtype: str) -> PyArray:
    data = [number_rounder(dtype)(0)] * math.prod(shape)
    for position, value in zip(positions, values, strict=True):
        data[position] += value
    return PyArray(list_rounder(dtype)(data), shape, dtype)


def _fitted(values: PyArray, shape: Shape) -> list[Any]:
    """The elements of `values` broadcast to `shape`; leading axes of size 1 too many are dropped."""
    own = values.shape
    while len(own) > len(shape) and own[0] == 1:
        own = own[1:]
    lead = len(shape) - len(own)
    if lead < 0 or any(have not in (1, want) for have, want in zip(own, shape[lead:], strict=True)):
        raise ProgramError(
            "shape-mismatch", f"values of shape {values.shape} do not fit {shape}, what is selected"
        )
    return expand(values.data, own, shape)


def _along(shape: Shape, indices: PyArray, axis: int) -> list[int]:
    if len(shape) != len(indices.shape):
        raise ProgramError("shape-mismatch", f"indices {indices.shape} have another rank than {shape}")
    if not shape:
        return [_in_range(i, 1, 0, negative=False) for i in indices.data]
    axis %= len(shape)
    strides = strides_of(shape)
    if any(i > n for a, (i, n) in enumerate(zip(indices.shape, shape, strict=True)) if a != axis):
        raise ProgramError("shape-mismatch", f"indices {indices.shape} exceed {shape} beside axis {axis}")
    size, step = shape[axis], strides[axis]
    others = [0 if a == axis else stride for a, stride in enumerate(strides)]
    bases = strided(range(math.prod(shape) or 1), indices.shape, others)
    return [
        base + _in_range(i, size, axis, negative=False) * step
        for base, i in zip(bases, indices.data, strict=True)
    ]


def _in_range(i: int, size: int, axis: int, negative: bool = True) -> int:
    if 0 <= i < size:
        return i
    if negative and -size <= i < 0:
        return i + size
    raise ProgramError("index-out-of-range", f"index {i} is out of range for axis {axis} of size {size}")


def _consumed(item: Any) -> int:
    """How many axes of the array an item of an index stands for."""
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    return len(item.shape) if type(item) is PyArray and item.dtype == "bool" else 1


def _completed(index: Any, rank: int) -> list[Any]:
    """The items of an index; where the Ellipsis is (or at the end) whole slices for the axes left over.

    The Ellipsis itself stays, as it separates advanced indices even where it stands for no axis.
    """
    items = list(index) if isinstance(index, tuple) else [index]
    used = sum(map(_consumed, items))
    if used > rank:
        raise ProgramError("too-many-indices", f"{used} indices for an array of {rank} dimensions")
    dots = [place for place, item in enumerate(items) if item is Ellipsis]
    if len(dots) > 1:
        raise ProgramError("invalid-argument", "an index may have one ellipsis")
    here = dots[0] + 1 if dots else len(items)
    return items[:here] + [slice(None)] * (rank - used) + items[here:]


class _Advanced:
    """The integer arrays of an index: for each its shape and its flat offsets."""

    def __init__(self) -> None:
        self.parts: list[tuple[Shape, list[int]]] = []
        self.places: list[int] = []  # which items of the index they were
        self.at = 0  # how many axes of the result come before the first

    def add(self, shape: Shape, offsets: list[int], place: int, at: int) -> None:
        if not self.parts:
            self.at = at
        self.parts.append((shape, offsets))
        self.places.append(place)

    def merged(self) -> tuple[Shape, list[int]]:
        """The shape they broadcast to, and the sum of their offsets."""
        shape = broadcast_shapes(*(part for part, _ in self.parts))
        columns = [expand(offsets, part, shape) for part, offsets in self.parts]
        return shape, columns[0] if len(columns) == 1 else list(map(sum, zip(*columns, strict=True)))

    def together(self) -> bool:
        return self.places[-1] - self.places[0] < len(set(self.places))


def _resolve(shape: Shape, index: Any) -> tuple[Shape, list[int]]:
    """The shape of array[index] and the flat position of each of its elements."""
    items = _completed(index, len(shape))
    strides = strides_of(shape)
    advanced_here = any(type(item) is PyArray or isinstance(item, bool) for item in items)
    result: list[int] = []
    axes: list[Sequence[int]] = []  # of the result: the offsets its index adds
    advanced = _Advanced()
    offset = axis = 0
    for place, item in enumerate(items):
        if item is Ellipsis:
            continue
        if item is None:
            result.append(1)
            axes.append((0,))
        elif isinstance(item, bool):
            advanced.add((int(item),), [0] * item, place, len(axes))
        elif isinstance(item, int):
            moved = _in_range(item, shape[axis], axis) * strides[axis]
            if advanced_here:
                advanced.add((), [moved], place, len(axes))
            else:
                offset += moved
            axis += 1
        elif isinstance(item, slice):
            chosen = range(*item.indices(shape[axis]))
            result.append(len(chosen))
            axes.append([i * strides[axis] for i in chosen])
            axis += 1
        elif type(item) is PyArray:
            if item.dtype == "bool":
                taken = _mask(item, shape, axis, strides)
                advanced.add((len(taken),), taken, place, len(axes))
                axis += len(item.shape)
            else:
                advanced.add(item.shape, _offsets(item, shape[axis], axis, strides[axis]), place, len(axes))
                axis += 1
        else:
            raise ProgramError("invalid-argument", f"{item!r} cannot be part of an index")
    if advanced.parts:
        merged, offsets = advanced.merged()
        at = advanced.at if advanced.together() else 0
        result[at:at] = merged
        axes.insert(at, offsets)
    positions = [offset]
    for moves in axes:
        positions = [start + move for start in positions for move in moves]
    return tuple(result), positions


def _offsets(indices: PyArray, size: int, axis: int, step: int) -> list[int]:
    if indices.dtype not in INTEGRAL:
        raise ProgramError("dtype-unsupported", f"an index must be of integers or bool, not {indices.dtype}")
    return [_in_range(i, size, axis) * step for i in indices.data]


def _mask(mask: PyArray, shape: Shape, axis: int, strides: Shape) -> list[int]:
    covered = shape[axis : axis + len(mask.shape)]
    if mask.shape != covered:
        raise ProgramError("shape-mismatch", f"a mask of shape {mask.shape} cannot select from {covered}")
    step = strides[axis + len(mask.shape) - 1]
    return [place * step for place, yes in enumerate(mask.data) if yes]
