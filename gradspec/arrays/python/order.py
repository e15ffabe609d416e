"""Order along an axis: sorting, and the place of the extreme so far. NaN is larger than every number.

Arrays are `PyArray`s here, 0-d ones of shape ().
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from math import prod
from typing import Any

from gradspec.arrays.python.array import PyArray
from gradspec.arrays.python.kernels import unsupported
from gradspec.dtypes import category

__all__ = ["argsort", "cumulative_argmax", "cumulative_argmin"]


def _lines(x: PyArray, axis: int) -> Iterator[slice]:
    """The places of the elements that share every index but that of `axis`, line by line."""
    size, step = x.shape[axis], prod(x.shape[axis:][1:])
    for block in range(0, len(x.data), size * step or 1):
        for start in range(block, block + step):
            yield slice(start, start + size * step, step)


def _along(x: PyArray, axis: int, of_line: Callable[[list[Any]], list[int]], name: str) -> PyArray:
    """of_line of every line along an axis; a 0-d array is one element."""
    if category(x.dtype) == 3:
        unsupported(name, x.dtype)()
    if not x.shape:
        return PyArray([0], (), "int64")
    data = [0] * len(x.data)
    for line in _lines(x, axis):
        data[line] = of_line(x.data[line])
    return PyArray(data, x.shape, "int64")


def argsort(x: PyArray, axis: int, descending: bool = False) -> PyArray:
    """The places of the elements in order; equal ones stay in theirs, also where they descend."""

    def order(line: list[Any]) -> list[int]:
        keys = [(1, 0) if value != value else (0, value) for value in line]
        return sorted(range(len(line)), key=keys.__getitem__, reverse=descending)

    return _along(x, axis, order, "argsort")


def _last_best(beats: Callable[[Any, Any], bool]) -> Callable[[list[Any]], list[int]]:
    def places(line: list[Any]) -> list[int]:
        best, found = 0, []
        for place, value in enumerate(line):
            now = line[best]
            if value != value or (now == now and beats(value, now)):
                best = place
            found.append(best)
        return found

    return places


_last_largest, _last_smallest = _last_best(operator.ge), _last_best(operator.le)


def cumulative_argmax(x: PyArray, axis: int) -> PyArray:
    """Up to each place the last place of the largest element, or of a NaN."""
    return _along(x, axis, _last_largest, "cumulative_argmax")


def cumulative_argmin(x: PyArray, axis: int) -> PyArray:
    """Up to each place the last place of the smallest element, or of a NaN."""
    return _along(x, axis, _last_smallest, "cumulative_argmin")
