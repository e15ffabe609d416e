"""Determinants and inverses by elimination with row pivots. Arrays are `PyArray`s of at least two axes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from gradspec.arrays.python.array import PyArray
from gradspec.arrays.python.rounding import list_rounder
from gradspec.dtypes import real_of

__all__ = ["det", "det_sign", "inv", "log_abs_det"]

Rows = list[list[Any]]


def det(x: PyArray) -> PyArray:
    """The determinant of each matrix; 1 of an empty one."""
    found = []
    for rows in _matrices(x):
        value: Any = _reduced(rows)
        for k, row in enumerate(rows):
            value *= row[k]
        found.append(value)
    return _rounded(found, x.shape[:-2], x.dtype)


def det_sign(x: PyArray) -> PyArray:
    """det/|det| of each matrix, without overflow; 0 of a singular one."""
    found = []
    for rows in _matrices(x):
        value: Any = _reduced(rows)
        for k, row in enumerate(rows):
            size = _size(row[k])
            value *= row[k] / size if size else 0.0
        found.append(value)
    return _rounded(found, x.shape[:-2], x.dtype)


def log_abs_det(x: PyArray) -> PyArray:
    """ln |det| of each matrix, without overflow; −∞ of a singular one."""
    found = []
    for rows in _matrices(x):
        _reduced(rows)
        sizes = [_size(row[k]) for k, row in enumerate(rows)]
        found.append(sum((math.log(size) if size else -math.inf for size in sizes), 0.0))
    return _rounded(found, x.shape[:-2], real_of(x.dtype))


def inv(x: PyArray) -> PyArray:
    """The inverse of each matrix; NaN of a singular one."""
    data: list[Any] = []
    for rows in _matrices(x):
        n = len(rows)
        wide = [row + [float(i == j) for j in range(n)] for i, row in enumerate(rows)]
        _reduced(wide)
        if any(wide[k][k] == 0 for k in range(n)):
            data += [math.nan] * (n * n)
            continue
        for k in reversed(range(n)):
            wide[k] = [value / wide[k][k] for value in wide[k]]
            for i in range(k):
                wide[i] = _less(wide[i], wide[i][k], wide[k])
        data += [value for row in wide for value in row[n:]]
    return _rounded(data, x.shape, x.dtype)


def _rounded(data: list[Any], shape: tuple[int, ...], dtype: str) -> PyArray:
    return PyArray(list_rounder(dtype)(data), shape, dtype)


def _matrices(x: PyArray) -> Iterator[Rows]:
    """Each matrix as rows that may be changed."""
    n = x.shape[-1]
    for batch in range(math.prod(x.shape[:-2])):
        start = batch * n * n
        yield [list(x.data[start + i * n : start + (i + 1) * n]) for i in range(n)]


def _size(value: Any) -> float:
    return math.hypot(value.real, value.imag)


def _reduced(rows: Rows) -> float:
    """Bring rows to upper triangular form, the largest pivot first; the sign of the row permutation."""
    parity = 1.0
    for k in range(len(rows)):
        best = max(range(k, len(rows)), key=lambda i: _rank(rows[i][k]))
        if best != k:
            rows[k], rows[best] = rows[best], rows[k]
            parity = -parity
        pivot = rows[k][k]
        if pivot == 0:
            continue
        for i in range(k + 1, len(rows)):
            rows[i] = _less(rows[i], rows[i][k] / pivot, rows[k])
    return parity


def _rank(value: Any) -> float:
    """How good a pivot is: its size; NaN first, so that it is not lost."""
    size = _size(value)
    return math.inf if size != size else size


def _less(row: list[Any], factor: Any, other: list[Any]) -> list[Any]:
    """row − factor·other."""
    return [a - factor * b for a, b in zip(row, other, strict=True)]
