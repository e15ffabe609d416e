"""What ops that pick or write elements by number share: where an index points, and whether it may."""

from __future__ import annotations

from math import inf, isfinite, prod
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import BITS, category
from gradspec.ops.arguments import fault

if TYPE_CHECKING:
    from gradspec.ops.registry import Array, Xp

__all__ = [
    "along", "at", "at_least_1d", "check_dtype", "check_number", "check_range", "index_1d", "is_beyond",
    "put_along",
]  # fmt: skip

_LARGEST = {"float16": 65504.0, "bfloat16": 2.0**128 - 2.0**120, "float32": 2.0**128 - 2.0**104}


def at(axis: int, index: Any) -> tuple[Any, ...]:
    """The index of `index` along an axis."""
    return (*(slice(None),) * axis, index)


def at_least_1d(xp: Xp, x: Array) -> Array:
    """x; a 0-d one with one axis."""
    return x if xp.shape(x) else xp.reshape(x, (1,))


def index_1d(xp: Xp, index: Array) -> Array:
    """An integer array; a 0-d one with one axis."""
    # a bare number would become an array of the namespace's own dtype
    return index if xp.shape(index) else xp.astype(xp.reshape(index, (1,)), "int64")


def is_beyond(xp: Xp, index: Array, low: int, end: int) -> bool:
    """Whether an index has a number below `low`, or one that is not below `end`."""
    if not prod(xp.shape(index)):
        return False
    if isinstance(index, int):  # a namespace of complex numbers has no order
        return not low <= index < end
    return bool(xp.any(xp.less(index, low))) or bool(xp.any(xp.greater_equal(index, end)))


def check_range(xp: Xp, index: Array, size: int, *, allow_negative: bool) -> None:
    """Raises index-out-of-range for a number in `index` that no axis of this size has."""
    low = -size if allow_negative else 0
    if is_beyond(xp, index, low, size):
        raise fault("index-out-of-range", f"an index is not in [{low}, {size - 1}]")


def check_dtype(op: str, index: Any, allowed: tuple[str, ...] = ("int64", "int32")) -> None:
    """Raises dtype-unsupported for an index (a meta) of another dtype."""
    if index.dtype not in allowed:
        raise fault("dtype-unsupported", f"{op} needs an index of {allowed[0]}, not {index.dtype}")


def along(xp: Xp, index: Array, axis: int) -> tuple[Array, ...]:
    """The index arrays of the elements that take_along_axis reads."""
    shape = xp.shape(index)
    arrays = []
    for other, size in enumerate(shape):
        column = tuple(size if k == other else 1 for k in range(len(shape)))
        arrays.append(index if other == axis else xp.reshape(xp.arange(size), column))
    return tuple(arrays)


def put_along(xp: Xp, x: Array, index: Array, axis: int, values: Array) -> Array:
    """x with values written where take_along_axis would read; the last of repeated places wins."""
    return xp.put(x, along(xp, index, axis), values)


def check_number(value: Any, dtype: str) -> None:
    """Raises dtype-cast for a number that a dtype cannot hold, be it rounded."""
    kind = category(dtype)
    fits = kind == 3 or not isinstance(value, complex) or value.imag == 0
    if fits and kind == 1:
        signed = dtype != "uint8"
        size = 2 ** (BITS[dtype] - signed)
        low = -size if signed else 0 if isinstance(value, float) else 1 - size  # whole ones wrap around
        fits = isfinite(value.real) and low <= value.real < size
    elif fits and kind == 2:
        number = float(value.real)
        fits = not isfinite(number) or abs(number) <= _LARGEST.get(dtype, inf)
    if not fits:
        raise fault("dtype-cast", f"{value} cannot be written into a {dtype} tensor")
