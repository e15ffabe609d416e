"""Functions that move elements and compute nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradspec.arrays.numpy.faults import explained
from gradspec.errors import ProgramError

__all__ = [
    "broadcast_to",
    "concat",
    "flip",
    "pad",
    "permute_dims",
    "reshape",
    "shape",
    "stack",
    "tril",
    "triu",
]

_SMALL = 4096  # up to so many elements a copy is cheaper to make than np.broadcast_to's view


def shape(x: Any) -> tuple[int, ...]:
    """() for a Python number."""
    return getattr(x, "shape", ())


@explained
def reshape(x: Any, shape: int | Sequence[int]) -> Any:
    """Raises shape-mismatch."""
    return x.reshape(shape)


def permute_dims(x: Any, axes: Sequence[int]) -> Any:
    return x.transpose(axes)


@explained
def broadcast_to(x: Any, shape: Sequence[int]) -> Any:
    """Raises shape-mismatch."""
    size = 1
    for n in shape:
        size *= n
    if size > _SMALL or x.ndim > len(shape):
        return np.broadcast_to(x, shape)
    result = np.empty(shape, x.dtype)
    result[...] = x
    return result


def flip(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    index = [slice(None)] * x.ndim
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    for turned in axes if index else ():
        index[turned] = slice(None, None, -1)
    return x[tuple(index)]


@explained
def concat(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Raises shape-mismatch."""
    return np.concatenate(arrays, axis)


@explained
def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Raises shape-mismatch."""
    return np.stack(arrays, axis)


def tril(x: Any, k: int = 0) -> Any:
    return np.tril(x, k)


def triu(x: Any, k: int = 0) -> Any:
    return np.triu(x, k)


def pad(x: Any, widths: Sequence[Sequence[int]], value: Any = 0) -> Any:
    """`value` around x, widths[axis] = (before, after); negative widths crop. Raises shape-mismatch."""
    sizes, cut, filled = [], [], []
    for n, (before, after) in zip(x.shape, widths, strict=True):
        kept = n + min(before, 0) + min(after, 0)
        if kept < 0:
            shown = tuple(map(tuple, widths))
            raise ProgramError("shape-mismatch", f"padding {x.shape} by {shown} crops too much")
        sizes.append(n + before + after)
        cut.append(slice(max(-before, 0), max(-before, 0) + kept))
        filled.append(slice(max(before, 0), max(before, 0) + kept))
    result = np.full(sizes, value, x.dtype)
    result[tuple(filled)] = x[tuple(cut)]
    return result
