"""bfloat16 in NumPy: float32 arrays whose values bfloat16 can hold, rounded after every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["on_bfloat16", "to_bfloat16"]


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


def on_bfloat16(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with Python floats among its arguments and its float32 result rounded to bfloat16."""

    def call(*arguments: Any, **named: Any) -> Any:
        result = function(*(_number(argument) for argument in arguments), **named)
        return to_bfloat16(result) if getattr(result, "dtype", None) == np.float32 else result

    return call


def _number(x: Any) -> Any:
    return float(to_bfloat16(x)) if type(x) is float else x
