"""Reductions over any axes. Arrays are `PyArray`s here, 0-d ones of shape ().

Sums are accumulated in double precision and rounded once.  Sums and products of bool and integers
are int64, as torch and NumPy have it.
"""

from __future__ import annotations

import math
import operator
from builtins import all as all_of
from builtins import any as any_of
from builtins import max as largest
from builtins import min as smallest
from builtins import sum as sum_of
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from gradspec.arrays.python.array import PyArray, normal_axes, strided, strides_of
from gradspec.arrays.python.kernels import unsupported
from gradspec.arrays.python.rounding import list_rounder
from gradspec.dtypes import category
from gradspec.errors import ProgramError

__all__ = [
    "all", "any", "argmax", "argmin", "cumulative_prod", "cumulative_sum", "max", "mean", "min", "prod",
    "sum",
]  # fmt: skip

Axis = int | Sequence[int] | None
Function = Callable[[list[Any]], Any]
_ZEROS = (0, 0, 0.0, 0j)
_ONES = (1, 1, 1.0, 1 + 0j)


def _reduce(x: PyArray, axis: Axis, keepdims: bool, of_group: Function, dtype: str) -> PyArray:
    """of_group of the elements that share every index but those of `axis`."""
    shape = x.shape
    if axis is None:
        return PyArray([of_group(x.data)], (1,) * len(shape) if keepdims else (), dtype)
    axes = normal_axes(axis, len(shape))
    kept = [a for a in range(len(shape)) if a not in axes]
    result_shape = tuple(shape[a] for a in kept)
    if not kept:
        data = [of_group(x.data)]
    else:
        count, size = math.prod(result_shape), math.prod([shape[a] for a in axes])
        if kept[0] == len(axes):  # the leading axes go
            data = [of_group(x.data[start::count]) for start in range(count)]
        else:
            elements = x.data
            if axes and kept[-1] != len(kept) - 1:
                order = (*kept, *axes)
                strides = strides_of(shape)
                elements = strided(elements, [shape[a] for a in order], [strides[a] for a in order])
            data = [of_group(elements[start * size : (start + 1) * size]) for start in range(count)]
    if keepdims:
        result_shape = tuple(1 if a in axes else size for a, size in enumerate(shape))
    return PyArray(data, result_shape, dtype)


def _rounded(x: PyArray) -> PyArray:
    return PyArray(list_rounder(x.dtype)(x.data), x.shape, x.dtype)


def _wide(dtype: str) -> str:
    return "int64" if category(dtype) < 2 else dtype


def sum(x: PyArray, axis: Axis = None, keepdims: bool = False) -> PyArray:
    zero = _ZEROS[category(x.dtype)]
    return _rounded(_reduce(x, axis, keepdims, lambda group: sum_of(group, zero), _wide(x.dtype)))


def prod(x: PyArray, axis: Axis = None, keepdims: bool = False) -> PyArray:
    one = _ONES[category(x.dtype)]
    return _rounded(_reduce(x, axis, keepdims, lambda group: math.prod(group, start=one), _wide(x.dtype)))


def mean(x: PyArray, axis: Axis = None, keepdims: bool = False) -> PyArray:
    """NaN over nothing."""
    kind = category(x.dtype)
    if kind < 2:
        unsupported("mean", x.dtype)()
    zero, none = _ZEROS[kind], math.nan if kind == 2 else complex(math.nan, math.nan)
    return _rounded(_reduce(x, axis, keepdims, lambda g: sum_of(g, zero) / len(g) if g else none, x.dtype))


def _place(best: Callable[[list[Any]], Any], name: str) -> Callable[[list[Any]], int]:
    """Where in a group the first NaN is, or else the best element."""

    def place(group: list[Any]) -> int:
        if not group:
            raise ProgramError("empty-reduction", f"{name} of no elements")
        nans = list(map(operator.ne, group, group))
        return nans.index(True) if True in nans else group.index(best(group))

    return place


_largest, _smallest = _place(largest, "max"), _place(smallest, "min")


def _ordered(x: PyArray, name: str) -> None:
    if category(x.dtype) == 3:
        unsupported(name, x.dtype)()


def max(x: PyArray, axis: Axis = None, keepdims: bool = False) -> PyArray:
    """NaN where there is one. Raises empty-reduction."""
    _ordered(x, "max")
    return _reduce(x, axis, keepdims, lambda group: group[_largest(group)], x.dtype)


def min(x: PyArray, axis: Axis = None, keepdims: bool = False) -> PyArray:
    """NaN where there is one. Raises empty-reduction."""
    _ordered(x, "min")
    return _reduce(x, axis, keepdims, lambda group: group[_smallest(group)], x.dtype)


def argmax(x: PyArray, axis: int | None = None, keepdims: bool = False) -> PyArray:
    """The first place of the largest element or NaN. Raises empty-reduction."""
    _ordered(x, "argmax")
    return _reduce(x, axis, keepdims, _largest, "int64")


def argmin(x: PyArray, axis: int | None = None, keepdims: bool = False) -> PyArray:
    """The first place of the smallest element or NaN. Raises empty-reduction."""
    _ordered(x, "argmin")
    return _reduce(x, axis, keepdims, _smallest, "int64")


def any(x: PyArray, axis: Axis = None, keepdims: bool = False) -> PyArray:
    return _reduce(x, axis, keepdims, any_of, "bool")


def all(x: PyArray, axis: Axis = None, keepdims: bool = False) -> PyArray:
    return _reduce(x, axis, keepdims, all_of, "bool")


def cumulative_sum(x: PyArray, axis: int) -> PyArray:
    return _cumulative(x, axis, operator.add)


def cumulative_prod(x: PyArray, axis: int) -> PyArray:
    return _cumulative(x, axis, operator.mul)


def _cumulative(x: PyArray, axis: int, combine: Callable[[Any, Any], Any]) -> PyArray:
    dtype = _wide(x.dtype)
    source = list(map(int, x.data)) if x.dtype == "bool" else x.data
    if not x.shape:
        return PyArray(source, (), dtype)
    size, step = x.shape[axis], math.prod(x.shape[axis:][1:])
    data: list[Any] = [0] * len(x.data)
    for block in range(0, len(x.data), size * step or 1):
        for start in range(block, block + step):
            line = slice(start, start + size * step, step)
            data[line] = accumulate(source[line], combine)
    return _rounded(PyArray(data, x.shape, dtype))
