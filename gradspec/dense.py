"""`Dense`: the one form in which arrays cross every door of gradspec.

A dtype word, a shape and the elements in C order; nothing about it depends on an array library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

__all__ = ["Dense", "round_to"]

Number = bool | int | float | complex


class Dense:
    """A dense array as data: `dtype` a word, `shape` a tuple, `data` the elements in C order.

    `data` is a flat list or tuple of Python numbers, or a NumPy array (any shape, C order meant)
    where one made it; `flat()` gives a list either way.
    """

    __slots__ = ("data", "dtype", "shape")

    def __init__(self, dtype: str, shape: Sequence[int], data: Any) -> None:
        self.dtype = dtype
        self.shape = tuple(shape)
        self.data = data

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def flat(self) -> list[Any]:
        """The elements in C order as Python numbers."""
        data = self.data
        if isinstance(data, list):
            return data
        return list(data) if isinstance(data, tuple) else list(data.ravel().tolist())

    def item(self) -> Any:
        """The only element."""
        (value,) = self.flat()
        return value

    def nested(self) -> Any:
        """Nested lists (a bare number for a 0-d array)."""
        values = self.flat()
        for size in reversed(self.shape[1:]):
            count = len(values) // size if size else math.prod(self.shape[: self.shape.index(0)])
            values = [values[i * size : (i + 1) * size] for i in range(count)]
        return values if self.shape else values[0]

    def to_json(self) -> dict[str, Any]:
        """{dtype, shape, data}, exact when read back: non-finite numbers are strings, complex ones pairs."""
        return {"dtype": self.dtype, "shape": list(self.shape), "data": [_encode(v) for v in self.flat()]}

    @classmethod
    def from_json(cls, view: dict[str, Any]) -> Dense:
        """The inverse of `to_json`."""
        return cls(view["dtype"], view["shape"], [_decode(v) for v in view["data"]])

    def __eq__(self, other: object) -> bool:
        """Same dtype, shape and elements; NaN equals NaN and the sign of zero counts."""
        if not isinstance(other, Dense):
            return NotImplemented
        return self.to_json() == other.to_json() and repr(self.flat()) == repr(other.flat())

    def __hash__(self) -> int:
        return hash((self.dtype, self.shape))

    def __repr__(self) -> str:
        return f"Dense({self.dtype!r}, {self.shape!r}, {self.data!r})"


def _encode(value: Number) -> Any:
    if isinstance(value, complex):
        return [_encode(value.real), _encode(value.imag)]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if value != value else "inf" if value > 0 else "-inf"
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return complex(_decode(value[0]), _decode(value[1]))
    return float(value) if isinstance(value, str) else value


def round_to(value: Any, dtype: str) -> Any:
    """`value` rounded once to `dtype` (IEEE round-half-even; overflow gives inf), as a Python number.

    Integers wrap as in C; a complex value for a real dtype loses its imaginary part.
    """
    import struct

    if dtype == "bool":
        return bool(value)
    if dtype.startswith("complex"):
        z = complex(value)
        part = "float32" if dtype == "complex64" else "float64"
        return complex(round_to(z.real, part), round_to(z.imag, part))
    if isinstance(value, complex):
        value = value.real
    if dtype in ("int8", "int16", "int32", "int64", "uint8"):
        bits = 8 if dtype == "uint8" else int(dtype[3:])
        if isinstance(value, float) and not math.isfinite(value):
            return -(1 << (bits - 1)) if dtype != "uint8" else 0
        wrapped = int(value) & ((1 << bits) - 1)
        return wrapped - (1 << bits) if dtype != "uint8" and wrapped >> (bits - 1) else wrapped
    x = float(value)
    if dtype == "float64" or x != x or x in (math.inf, -math.inf):
        return x
    if dtype == "bfloat16":
        return _round_bfloat16(x)
    try:
        code = "f" if dtype == "float32" else "e"
        return struct.unpack(code, struct.pack(code, x))[0]
    except OverflowError:
        return math.copysign(math.inf, x)


def _round_bfloat16(x: float) -> float:
    """Nearest bfloat16 of a double, ties to even, in one rounding (8 significant bits)."""
    if x == 0.0:
        return x
    exponent = max(math.frexp(x)[1], -125)  # subnormals share the smallest exponent
    step = math.ldexp(1.0, exponent - 8)
    rounded = round(x / step) * step
    return math.copysign(rounded if abs(rounded) < 2.0**128 else math.inf, x)
