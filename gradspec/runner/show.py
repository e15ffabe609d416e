"""Numbers and arrays as short text for messages: as few digits as tell a value apart in its dtype."""

from __future__ import annotations

import math
from typing import Any

from gradspec.dense import Dense, round_to

__all__ = ["array", "number", "short"]


def number(value: Any, dtype: str = "float64") -> str:
    """The shortest decimals that mean `value` in `dtype`: 0.1 for the float32 next to 0.1."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    part = {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
    if isinstance(value, complex):
        imag = _real(value.imag, part)
        return f"{_real(value.real, part)}{'' if imag[0] == '-' else '+'}{imag}j"
    return _real(value, part)


def _real(value: float, dtype: str) -> str:
    if math.isnan(value) or math.isinf(value) or dtype not in ("float16", "bfloat16", "float32"):
        return repr(value)
    for digits in range(2, 10):
        text = f"{value:.{digits}g}"
        if round_to(float(text), dtype) == value:
            return repr(float(text))
    return repr(value)


def short(value: float) -> str:
    """A difference or a bound, to three digits."""
    return f"{value:.3g}"


def array(dense: Dense | None, limit: int = 8) -> str:
    """A whole array as nested lists; beyond `limit` elements only its dtype and shape."""
    if dense is None:
        return "absent"
    if dense.size > limit:
        return f"{dense.dtype} {list(dense.shape)}"
    return _nested(dense.nested(), dense.dtype)


def _nested(value: Any, dtype: str) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_nested(item, dtype) for item in value) + "]"
    return number(value, dtype)
