"""Indexing, reading and writing; adding at indices that repeat without the slow np.add.at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradspec.arrays.numpy.faults import explained
from gradspec.errors import ProgramError

__all__ = ["getitem", "nonzero", "put", "put_add", "scatter_add", "take_along_axis"]

_MOST_ROUNDS = 16  # of duplicates, in `_add_rows`


@explained
def getitem(x: Any, index: Any) -> Any:
    """x[index]. Raises index-out-of-range, too-many-indices, shape-mismatch, dtype-unsupported."""
    return np.asarray(x)[index]


@explained
def put(x: Any, index: Any, values: Any) -> Any:
    """A copy of x with x[index] = values; the last of repeated places wins."""
    result = np.array(x)
    values = np.asarray(values)
    while values.ndim > 1 and values.shape[0] == 1:  # NumPy broadcasts, but not over a mask
        values = values[0]
    result[index] = values
    return result


@explained
def put_add(shape: Sequence[int], index: Any, values: Any) -> Any:
    """zeros(shape) with `values` added at index, repeated places adding up."""
    items = index if isinstance(index, tuple) else (index,)
    values = np.asarray(values)
    if not any(isinstance(item, np.ndarray) for item in items):  # no place can be named twice
        result = np.zeros(shape, values.dtype)
        result[index] = values
        return result
    first = items[0]
    if len(items) == 1 and first.dtype.kind in "iu" and first.ndim == 1 and values.ndim == len(shape) > 1:
        summed = _add_rows(shape, first, values)
        if summed is not None:
            return summed
    places = np.arange(math.prod(shape)).reshape(shape)[index]
    while values.ndim > places.ndim and values.shape[0] == 1:
        values = values[0]
    return _add_flat(shape, places, np.broadcast_to(values, places.shape))


@explained
def take_along_axis(x: Any, indices: Any, axis: int) -> Any:
    """torch.gather. Raises index-out-of-range (also for negative indices) and shape-mismatch."""
    x, indices = np.asarray(x), np.asarray(indices)
    _check_along(x.shape, indices, axis)
    if not x.ndim:
        return x[()]
    axis %= x.ndim
    beside = tuple(slice(None) if a == axis else slice(n) for a, n in enumerate(indices.shape))
    return np.take_along_axis(x[beside], indices, axis)


@explained
def scatter_add(shape: Sequence[int], indices: Any, values: Any, axis: int) -> Any:
    """zeros(shape) with values added where `take_along_axis` would have read them."""
    shape, indices = tuple(shape), np.asarray(indices)
    _check_along(shape, indices, axis)
    places = np.zeros(indices.shape, np.int64)
    step = 1
    for a in reversed(range(len(shape))):
        along = (
            indices
            if a == axis % len(shape)
            else np.arange(indices.shape[a]).reshape([-1 if b == a else 1 for b in range(len(shape))])
        )
        places += along * step
        step *= shape[a]
    return _add_flat(shape, places, np.broadcast_to(values, indices.shape))


def nonzero(x: Any) -> tuple[Any, ...]:
    """An int64 array an axis; a 0-d array counts as 1-d."""
    return np.nonzero(np.atleast_1d(x))


def _add_flat(shape: Sequence[int], places: Any, values: Any) -> Any:
    """zeros(shape) with values added at flat places; floating values are summed as doubles."""
    size, dtype = math.prod(shape), values.dtype
    places, values = places.ravel(), values.ravel()
    if dtype.kind == "f":
        result = np.bincount(places, values, size).astype(dtype)
    elif dtype.kind == "c":
        result = np.empty(size, dtype)
        result.real = np.bincount(places, values.real, size)
        result.imag = np.bincount(places, values.imag, size)
    else:
        result = np.zeros(size, dtype)
        np.add.at(result, places, values)
    return result.reshape(shape)


def _add_rows(shape: Sequence[int], rows: Any, values: Any) -> Any:
    """zeros(shape) with values[i] added to row rows[i], by rounds in which no row is named twice.

    None where so many rows repeat that rounds would not pay.
    """
    if not len(rows) or values.shape != (len(rows), *shape[1:]) or math.prod(shape[1:]) < 8:
        return None
    if rows.min() < -shape[0] or rows.max() >= shape[0]:
        raise ProgramError("index-out-of-range", f"an index is out of range for axis 0 of size {shape[0]}")
    rows = np.where(rows < 0, rows + shape[0], rows)
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    counts = np.diff(starts, append=len(rows))
    rounds = int(counts.max())
    if rounds > _MOST_ROUNDS:
        return None
    result = np.zeros(shape, values.dtype)
    result[ordered[starts]] = values[order[starts]]
    for turn in range(1, rounds):
        starts, counts = starts[counts > turn], counts[counts > turn]
        result[ordered[starts + turn]] += values[order[starts + turn]]
    return result


def _check_along(shape: tuple[int, ...], indices: Any, axis: int) -> None:
    if len(shape) != indices.ndim:
        raise ProgramError("shape-mismatch", f"indices {indices.shape} have another rank than {shape}")
    axis = axis % len(shape) if shape else 0
    if any(i > n for a, (i, n) in enumerate(zip(indices.shape, shape, strict=True)) if a != axis):
        raise ProgramError("shape-mismatch", f"indices {indices.shape} exceed {shape} beside axis {axis}")
    size = shape[axis] if shape else 1
    if indices.size and (indices.min() < 0 or indices.max() >= size):
        raise ProgramError("index-out-of-range", f"an index is out of range for axis {axis} of size {size}")
