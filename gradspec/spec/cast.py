"""Python numbers as the elements of a dtype, rounded once, many at a time."""

from __future__ import annotations

import math
from typing import Any

from gradspec.dense import round_to
from gradspec.dtypes import category

__all__ = ["CannotHold", "as_dtype", "common_dtype", "numpy_or_none"]


class CannotHold(Exception):
    """A number that the dtype cannot hold: `index` is its place in the flat list."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index, self.message = index, message


def common_dtype(kinds: set[type[Any]], floating: str, complex_: str) -> str:
    """The dtype of a list of numbers of these Python types: the highest of them; floating if empty."""
    if complex in kinds:
        return complex_
    if float in kinds or not kinds:
        return floating
    return "int64" if int in kinds else "bool"


def as_dtype(values: list[Any], dtype: str, kinds: set[type[Any]] | None = None) -> list[Any]:
    """`values` (bool, int, float, complex) as Python numbers of `dtype`; `kinds` are their types.

    Floating data is rounded to the nearest, beyond the range to infinity. What would lose more than
    precision raises CannotHold: a fraction or a number out of range for an integer dtype, an
    imaginary part for a real one.
    """
    kinds = set(map(type, values)) if kinds is None else kinds
    if dtype == "float64" and kinds <= {float}:
        return values
    if dtype == "float32" and kinds <= {float, int, bool}:
        from array import array  # its C cast rounds to nearest, ties to even, overflow to infinity

        return array("f", values).tolist()
    if dtype == "float64" and kinds <= {float, int, bool}:
        return list(map(float, values))
    if category(dtype) == 3:
        return [round_to(value, dtype) for value in values]
    if complex in kinds:
        values = [_real(index, value, dtype) for index, value in enumerate(values)]
    if category(dtype) == 2:
        return [round_to(value, dtype) for value in values]
    if kinds == {bool} and dtype == "bool":
        return values
    if dtype == "bool":
        return [_bool(index, value) for index, value in enumerate(values)]
    low, high = _range(dtype)
    if kinds <= {int} and (not values or (low <= min(values) and max(values) <= high)):
        return values
    return [_integer(index, value, dtype, low, high) for index, value in enumerate(values)]


def _range(dtype: str) -> tuple[int, int]:
    bits = int(dtype.removeprefix("uint").removeprefix("int"))
    return (0, (1 << bits) - 1) if dtype.startswith("u") else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def _real(index: int, value: Any, dtype: str) -> Any:
    if not isinstance(value, complex):
        return value
    if value.imag != 0:
        raise CannotHold(index, f"{value} has an imaginary part, which {dtype} cannot hold")
    return value.real


def _bool(index: int, value: Any) -> bool:
    if value not in (0, 1):
        raise CannotHold(index, f"{value} is neither true nor false")
    return bool(value)


def _integer(index: int, value: Any, dtype: str, low: int, high: int) -> int:
    if isinstance(value, float) and (not math.isfinite(value) or value != math.floor(value)):
        raise CannotHold(index, f"{value} is no integer, as {dtype} needs")
    if not low <= value <= high:
        raise CannotHold(index, f"{value} is out of the range of {dtype}, {low} to {high}")
    return int(value)


def numpy_or_none() -> Any:
    """NumPy where it can be imported, else None."""
    try:
        import numpy as np
    except ImportError:
        return None
    return np
