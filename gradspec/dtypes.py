"""dtypes as words, and torch's promotion between them. Facts only: no array library is imported."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = [
    "BITS", "COMPLEX", "DTYPES", "FLOATING", "INTEGRAL", "category", "default_tolerance",
    "is_differentiable", "of_number", "promote", "real_of", "result_type", "can_cast", "complex_of",
]  # fmt: skip

INTEGRAL = ("uint8", "int8", "int16", "int32", "int64")
FLOATING = ("float16", "bfloat16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
DTYPES = ("bool", *INTEGRAL, *FLOATING, *COMPLEX)
BITS = {
    "bool": 8, "uint8": 8, "int8": 8, "int16": 16, "int32": 32, "int64": 64, "float16": 16,
    "bfloat16": 16, "float32": 32, "float64": 64, "complex64": 64, "complex128": 128,
}  # fmt: skip
_CATEGORY = {
    "bool": 0,
    **dict.fromkeys(INTEGRAL, 1),
    **dict.fromkeys(FLOATING, 2),
    **dict.fromkeys(COMPLEX, 3),
}
_REAL_OF = {"complex64": "float32", "complex128": "float64"}
_COMPLEX_OF = {
    "float16": "complex64",
    "bfloat16": "complex64",
    "float32": "complex64",
    "float64": "complex128",
}
# torch.testing.assert_close; dtypes not listed are compared exactly.
_TOLERANCE = {
    "float16": (1e-3, 1e-5), "bfloat16": (1.6e-2, 1e-5), "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7), "complex64": (1.3e-6, 1e-5), "complex128": (1e-7, 1e-7),
}  # fmt: skip


def category(dtype: str) -> int:
    """0 bool, 1 integer, 2 floating, 3 complex: the order in which torch's categories win."""
    return _CATEGORY[dtype]


def is_differentiable(dtype: str) -> bool:
    """Whether a tensor of this dtype may require grad."""
    return _CATEGORY[dtype] >= 2


def real_of(dtype: str) -> str:
    """The dtype of abs() or real(): float32 for complex64; a real dtype stays itself."""
    return _REAL_OF.get(dtype, dtype)


def complex_of(dtype: str) -> str:
    """The complex dtype whose parts have this precision; a complex dtype stays itself."""
    return _COMPLEX_OF.get(dtype, dtype)


def default_tolerance(dtype: str) -> tuple[float, float]:
    """(rtol, atol) as torch.testing.assert_close has them; (0, 0) for integers and bool."""
    return _TOLERANCE.get(dtype, (0.0, 0.0))


def of_number(value: Any, default: str = "float32") -> str:
    """The dtype torch.tensor gives a Python number, `default` being the default float dtype."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int64"
    return default if isinstance(value, float) else complex_of(default)


def promote(a: str, b: str) -> str:
    """torch.promote_types: the smallest dtype that holds both. float16 with bfloat16 gives float32."""
    if a == b:
        return a
    low, high = sorted((a, b), key=lambda d: (_CATEGORY[d], BITS[d]))
    if _CATEGORY[low] != _CATEGORY[high]:
        if _CATEGORY[high] == 3 and low == "float64":
            return "complex128"
        return high
    if {low, high} == {"float16", "bfloat16"}:
        return "float32"
    if "uint8" in (low, high):  # uint8 needs the next wider signed type
        other = high if low == "uint8" else low
        return "int16" if other == "int8" else other
    return high


def result_type(operands: Iterable[tuple[str, str]], default: str = "float32") -> str:
    """torch.result_type. Each operand is (dtype, rank), rank one of "dim" (a tensor with
    dimensions), "zero" (a 0-d tensor) and "weak" (a Python number).

    A lower rank only matters where its category is higher. A weak float is the default dtype.
    """
    best: dict[str, str] = {}
    for dtype, rank in operands:
        best[rank] = promote(best[rank], dtype) if rank in best else dtype
    if "weak" in best and _CATEGORY[best["weak"]] >= 2:
        best["weak"] = default if _CATEGORY[best["weak"]] == 2 else complex_of(default)
    result: str | None = None
    for rank in ("dim", "zero", "weak"):
        if rank not in best:
            continue
        low = best[rank]
        if result is None:
            result = low
        elif _CATEGORY[low] > _CATEGORY[result]:
            # complex and floating: the precision is that of the higher rank, float64 with 1j is complex128
            precise = _CATEGORY[low] == 3 and _CATEGORY[result] == 2
            result = complex_of(result) if precise else promote(result, low)
    if result is None:
        raise ValueError("result_type needs at least one operand")
    return result


def can_cast(source: str, target: str) -> bool:
    """torch.can_cast: whether an in-place result of `source` may be written into `target`."""
    return not _CATEGORY[source] > _CATEGORY[target]
