"""`PyArray`: a dense array made of a flat Python list, and the shape arithmetic everything here shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, repeat
from typing import Any

from gradspec.errors import ProgramError

__all__ = ["PyArray", "broadcast_shapes", "expand", "normal_axes", "strided", "strides_of"]

Shape = tuple[int, ...]


class PyArray:
    """Elements in C order (`data`, Python numbers), `shape` and the `dtype` word. Never changed once made.

    0-d arrays are bare Python numbers everywhere else; inside this package a `PyArray` of shape ()
    may stand for one.  The operators exist so that the functions of the 0-d namespace, which are
    Python's own, go on working when an array comes by; they mean the elementwise functions.
    """

    __slots__ = ("data", "dtype", "shape")
    __hash__ = None  # type: ignore[assignment]  # Python spells unhashable so

    def __init__(self, data: list[Any], shape: Shape, dtype: str) -> None:
        self.data = data
        self.shape = shape
        self.dtype = dtype

    def __repr__(self) -> str:
        return f"PyArray({self.data!r}, {self.shape!r}, {self.dtype!r})"

    def __bool__(self) -> bool:
        raise TypeError("an array has no single truth value")

    def _apply(self, name: str, *operands: Any) -> Any:
        from gradspec.arrays.python.elementwise import elementwise_functions

        return elementwise_functions(self.dtype)[name](*operands)

    def __add__(self, other: Any) -> Any:
        return self._apply("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self._apply("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return self._apply("subtract", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._apply("subtract", other, self)

    def __mul__(self, other: Any) -> Any:
        return self._apply("multiply", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._apply("multiply", other, self)

    def __eq__(self, other: object) -> Any:
        return self._apply("equal", self, other)

    def __ne__(self, other: object) -> Any:
        return self._apply("not_equal", self, other)

    def __lt__(self, other: Any) -> Any:
        return self._apply("less", self, other)

    def __le__(self, other: Any) -> Any:
        return self._apply("less_equal", self, other)

    def __gt__(self, other: Any) -> Any:
        return self._apply("greater", self, other)

    def __ge__(self, other: Any) -> Any:
        return self._apply("greater_equal", self, other)

    def __neg__(self) -> Any:
        return self._apply("negative", self)

    def __abs__(self) -> Any:
        return self._apply("abs", self)


def strides_of(shape: Sequence[int]) -> Shape:
    """Elements to step over per axis, in C order."""
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


@lru_cache(maxsize=1024)
def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that all broadcast to. Raises shape-mismatch."""
    rank = max(map(len, shapes))
    result = []
    for sizes in zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True):
        wide = {size for size in sizes if size != 1}
        if len(wide) > 1:
            shown = " and ".join(str(shape) for shape in shapes)
            raise ProgramError("shape-mismatch", f"shapes {shown} do not broadcast")
        result.append(wide.pop() if wide else 1)
    return tuple(result)


def normal_axes(axis: int | Sequence[int] | None, rank: int) -> Shape:
    """`axis` as a sorted tuple counted from 0; None is every axis. On a 0-d array axis 0 and -1 mean none."""
    if axis is None:
        return tuple(range(rank))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    if not rank:
        return ()
    return tuple(sorted(a + rank if a < 0 else a for a in axes))


def _coalesce(shape: Sequence[int], strides: Sequence[int]) -> tuple[list[int], list[int]]:
    """The same walk with axes of size 1 dropped and neighbours that follow each other merged."""
    sizes: list[int] = []
    steps: list[int] = []
    for size, step in zip(shape, strides, strict=True):
        if size == 1:
            continue
        if sizes and steps[-1] == size * step:
            sizes[-1] *= size
            steps[-1] = step
        else:
            sizes.append(size)
            steps.append(step)
    return sizes, steps


def strided(data: Any, shape: Sequence[int], strides: Sequence[int], offset: int = 0) -> list[Any]:
    """The elements data[offset + Σ index·stride] for every index of `shape`, in C order.

    `data` is a list or a range.  The last axis is taken in slices, so that a walk costs little more
    than copying; strides may be 0 (broadcasting) and negative (flipping).
    """
    if 0 in shape:
        return []
    sizes, steps = _coalesce(shape, strides)
    if not sizes:
        return [data[offset]]
    inner, step = sizes.pop(), steps.pop()
    starts = [offset]
    for size, stride in zip(sizes, steps, strict=True):
        moves = range(0, size * stride, stride) if stride else (0,) * size
        starts = [start + move for start in starts for move in moves]
    if step == 0:
        if len(starts) == 1:
            return [data[offset]] * inner
        return list(chain.from_iterable([repeat(data[start], inner) for start in starts]))
    if inner < 4:
        moves = range(0, inner * step, step)
        return [data[start + move] for start in starts for move in moves]
    result: list[Any] = []
    if step > 0:
        span = (inner - 1) * step + 1
        for start in starts:
            result += data[start : start + span : step]
    else:
        for start in starts:
            end = start + inner * step
            result += data[start : (end if end >= 0 else None) : step]
    return result


def expand(data: list[Any], shape: Shape, target: Shape) -> list[Any]:
    """`data` of `shape` broadcast to `target` (to which it must broadcast)."""
    if shape == target:
        return data
    lead = len(target) - len(shape)
    if shape == target[lead:]:  # repeated as a whole
        return data * math.prod(target[:lead])
    strides = [0 if size == 1 else step for size, step in zip(shape, strides_of(shape), strict=True)]
    return strided(data, target, [0] * lead + strides)
