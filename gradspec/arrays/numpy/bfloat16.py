"""bfloat16 in NumPy: float32 arrays whose values bfloat16 can hold, rounded after every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["next_bfloat16", "on_bfloat16", "to_bfloat16"]


def to_bfloat16(x: Any) -> Any:
    """The nearest bfloat16 of each element, ties to even, as float32; a double is rounded only once."""
    values = np.asarray(x)
    single = values.astype(np.float32)
    bits = np.atleast_1d(single).view(np.uint32).astype(np.uint64)
    if values.dtype == np.float64:  # a tie made by the first rounding goes where the double was
        tie = (bits & 0xFFFF) == 0x8000
        size, rounded = np.atleast_1d(np.abs(values)), np.atleast_1d(np.abs(single)).astype(np.float64)
        bits = bits + (tie & (size > rounded)) - (tie & (size < rounded))
    kept = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    result = kept.astype(np.uint32).view(np.float32).reshape(single.shape)
    return np.where(np.isnan(single), single, result)[()]


def next_bfloat16(a: Any, b: Any) -> Any:
    """The bfloat16 next to each element of a towards b, as float32."""
    start, end = np.broadcast_arrays(np.asarray(a, np.float32), np.asarray(b, np.float32))
    away = (end > start) == (start > 0)  # away from zero
    bits = np.array(start).view(np.int32) + np.where(away, 1 << 16, -1 << 16).astype(np.int32)
    smallest = np.copysign(np.float32(2.0**-133), end)
    moved = np.where(start == 0, smallest, bits.view(np.float32))
    return np.where(np.isnan(start) | np.isnan(end), start + end, np.where(start == end, end, moved))[()]


def on_bfloat16(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with Python floats among its arguments and its float32 result rounded to bfloat16."""

    def call(*arguments: Any, **named: Any) -> Any:
        result = function(*(_number(argument) for argument in arguments), **named)
        return to_bfloat16(result) if getattr(result, "dtype", None) == np.float32 else result

    return call


def _number(x: Any) -> Any:
    return float(to_bfloat16(x)) if type(x) is float else x
