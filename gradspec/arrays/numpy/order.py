"""Order along an axis: sorting, and the place of the extreme so far. NaN is larger than every number."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradspec.errors import ProgramError

__all__ = ["argsort", "cumulative_argmax", "cumulative_argmin"]


def _ordered(x: Any, name: str) -> Any:
    """x as an array. Raises dtype-unsupported for complex numbers."""
    x = np.asarray(x)
    if x.dtype.kind == "c":
        raise ProgramError("dtype-unsupported", f"{name} does not take {x.dtype}")
    return x


def argsort(x: Any, axis: int, descending: bool = False) -> Any:
    """The places of the elements in order; equal ones stay in theirs, also where they descend."""
    x = _ordered(x, "argsort")
    if not x.ndim:
        return np.int64(0)
    if not descending:
        return np.argsort(x, axis, kind="stable")
    backwards = np.argsort(np.flip(x, axis), axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(backwards, axis)


def _last_places(x: Any, axis: int, extreme: Any) -> Any:
    """Up to each place the last one whose element is the extreme so far, or a NaN."""
    if not x.ndim:
        return np.int64(0)
    here = (x == extreme.accumulate(x, axis)) | (x != x)
    shape = [1] * x.ndim
    shape[axis] = -1
    places = np.where(here, np.arange(x.shape[axis]).reshape(shape), 0)
    return np.maximum.accumulate(places, axis)


def cumulative_argmax(x: Any, axis: int) -> Any:
    """Up to each place the last place of the largest element, or of a NaN."""
    return _last_places(_ordered(x, "cumulative_argmax"), axis, np.maximum)


def cumulative_argmin(x: Any, axis: int) -> Any:
    """Up to each place the last place of the smallest element, or of a NaN."""
    return _last_places(_ordered(x, "cumulative_argmin"), axis, np.minimum)
