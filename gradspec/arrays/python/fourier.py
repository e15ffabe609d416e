"""The discrete Fourier transform by its definition. Arrays are `PyArray`s of at least one axis."""

from __future__ import annotations

import math
from operator import mul

from gradspec.arrays.python.array import PyArray
from gradspec.arrays.python.rounding import list_rounder
from gradspec.dtypes import complex_of

__all__ = ["fft"]

_QUARTERS = (1, 1j, -1, -1j)


def fft(x: PyArray, axis: int, inverse: bool = False) -> PyArray:
    """Σⱼ xⱼ·exp(∓2πi·jk/n) along axis, with + where inverse. Complex, nothing divided by n."""
    n = x.shape[axis]
    step = math.prod(x.shape[axis + 1 :]) if axis >= 0 else math.prod(x.shape[len(x.shape) + axis + 1 :])
    roots = [_root(-j if not inverse else j, n) for j in range(n)]
    dtype = complex_of(x.dtype)
    data: list[complex] = [0j] * len(x.data)
    for start in range(0, len(x.data), n * step or 1):
        for first in range(start, start + step):
            line = x.data[first : first + n * step : step]
            for k in range(n):
                data[first + k * step] = sum(map(mul, line, [roots[j * k % n] for j in range(n)]), 0j)
    return PyArray(list_rounder(dtype)(data), x.shape, dtype)


def _root(j: int, n: int) -> complex:
    """exp(2πi·j/n), exact where it is 1, i, −1 or −i."""
    quarter, rest = divmod(4 * j, n)
    if not rest:
        return _QUARTERS[quarter % 4]
    return complex(math.cos(2 * math.pi * j / n), math.sin(2 * math.pi * j / n))
