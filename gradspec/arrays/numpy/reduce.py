"""Reductions. Sums and products of bool and integers are int64; float16 accumulates in float32."""

from __future__ import annotations

from builtins import max as larger
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradspec.arrays.numpy.faults import explain
from gradspec.dtypes import category
from gradspec.errors import ProgramError

__all__ = [
    "all", "any", "argmax", "argmin", "cumulative_prod", "cumulative_sum", "max", "mean", "min", "prod",
    "reduce_functions", "sum",
]  # fmt: skip

Function = Callable[..., Any]
Axis = int | Sequence[int] | None
# array, axis, dtype, out, keepdims: positional, which is quickest
_add: Function = np.add.reduce
_multiply: Function = np.multiply.reduce
_maximum: Function = np.maximum.reduce
_minimum: Function = np.minimum.reduce
_or: Function = np.logical_or.reduce
_and: Function = np.logical_and.reduce
# The dtype to accumulate in, by that of the array; others accumulate in their own.
_WIDE: dict[Any, Any] = {np.dtype(d): np.dtype("int64") for d in ("bool", "uint8", "int8", "int16", "int32")}
_WIDE[np.dtype("float16")] = np.dtype("float32")
_HALF = np.dtype("float16")


def reduce_functions(dtype: str) -> dict[str, Function]:
    """All of them by name, for arrays of `dtype` and whatever else comes by."""
    table: dict[str, Function] = {
        "sum": sum, "prod": prod, "mean": mean, "max": max, "min": min, "argmax": argmax, "argmin": argmin,
        "any": any, "all": all, "cumulative_sum": cumulative_sum, "cumulative_prod": cumulative_prod,
    }  # fmt: skip
    if np.dtype("float32" if dtype == "bfloat16" else dtype) in _WIDE:
        table |= {"sum": _wide_sum, "prod": _wide_prod, "mean": _wide_mean}
    refused = {0: ("mean",), 1: ("mean",), 3: ("max", "min", "argmax", "argmin")}.get(category(dtype), ())
    return table | {name: _refusing(name, dtype, table[name]) for name in refused}


def _refusing(name: str, dtype: str, function: Function) -> Function:
    own = np.dtype(dtype)

    def refuse(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        if getattr(x, "dtype", own) != own:
            return function(x, axis, keepdims)
        raise ProgramError("dtype-unsupported", f"{name} does not take {dtype}")

    return refuse


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return _add(x, axis, None, None, keepdims)


def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return _multiply(x, axis, None, None, keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """NaN over nothing."""
    total = _add(x, axis, None, None, keepdims)
    return total / (x.size // larger(total.size, 1))


def _wide_sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    x = np.asarray(x)
    total = _add(x, axis, _WIDE.get(x.dtype), None, keepdims)
    return total.astype(_HALF) if x.dtype == _HALF else total


def _wide_prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    x = np.asarray(x)
    total = _multiply(x, axis, _WIDE.get(x.dtype), None, keepdims)
    return total.astype(_HALF) if x.dtype == _HALF else total


def _wide_mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    x = np.asarray(x)
    total = _add(x, axis, _WIDE.get(x.dtype), None, keepdims)
    return (total / (x.size // larger(total.size, 1))).astype(x.dtype)


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Raises empty-reduction."""
    try:
        return _maximum(x, axis, None, None, keepdims)
    except ValueError as error:
        raise explain(error) from None


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Raises empty-reduction."""
    try:
        return _minimum(x, axis, None, None, keepdims)
    except ValueError as error:
        raise explain(error) from None


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Raises empty-reduction."""
    try:
        return np.argmax(x, axis, keepdims=keepdims)
    except ValueError as error:
        raise explain(error) from None


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Raises empty-reduction."""
    try:
        return np.argmin(x, axis, keepdims=keepdims)
    except ValueError as error:
        raise explain(error) from None


def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return _or(x, axis, None, None, keepdims)


def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return _and(x, axis, None, None, keepdims)


_DOUBLE = {"float16": np.float64, "float32": np.float64, "complex64": np.complex128}


def cumulative_sum(x: Any, axis: int) -> Any:
    """Accumulated in double precision, rounded once."""
    return _cumulative(x, axis, np.add)


def cumulative_prod(x: Any, axis: int) -> Any:
    """Accumulated in double precision, rounded once."""
    return _cumulative(x, axis, np.multiply)


def _cumulative(x: Any, axis: int, function: Any) -> Any:
    x = np.asarray(x)
    if not x.ndim:
        return x.astype(_WIDE.get(x.dtype, x.dtype) if x.dtype != _HALF else _HALF)[()]
    if x.dtype.kind in "biu":
        return function.accumulate(x, axis, np.int64)
    wide = _DOUBLE.get(x.dtype.name)
    return (
        function.accumulate(x, axis) if wide is None else function.accumulate(x, axis, wide).astype(x.dtype)
    )
