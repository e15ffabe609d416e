"""Determinants and inverses by elimination with row pivots, all matrices of a batch at once, in doubles."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["det", "det_sign", "inv", "log_abs_det"]


def det(x: Any) -> Any:
    """The determinant of each matrix; 1 of an empty one."""
    parity, reduced = _reduced(_wide(x))
    return _shaped(np.prod(_pivots(reduced), axis=1) * parity, x, x.dtype)


def det_sign(x: Any) -> Any:
    """det/|det| of each matrix, without overflow; 0 of a singular one."""
    parity, reduced = _reduced(_wide(x))
    pivots = _pivots(reduced)
    size = np.abs(pivots)
    signs = np.where(size == 0, 0.0, pivots / np.where(size == 0, 1.0, size))
    return _shaped(np.prod(signs, axis=1) * parity, x, x.dtype)


def log_abs_det(x: Any) -> Any:
    """ln |det| of each matrix, without overflow; −∞ of a singular one."""
    _, reduced = _reduced(_wide(x))
    return _shaped(np.sum(np.log(np.abs(_pivots(reduced))), axis=1), x, x.real.dtype)


def inv(x: Any) -> Any:
    """The inverse of each matrix; NaN of a singular one."""
    a = _wide(x)
    n = a.shape[-1]
    unit = np.broadcast_to(np.eye(n, dtype=a.dtype), a.shape)
    _, reduced = _reduced(np.concatenate([a, unit], axis=2))
    singular = np.any(_pivots(reduced) == 0, axis=1)
    for k in reversed(range(n)):
        reduced[:, k] = reduced[:, k] / reduced[:, k, k, None]
        reduced[:, :k] -= reduced[:, :k, k, None] * reduced[:, k, None]
    found = reduced[:, :, n:]
    found[singular] = np.nan
    return found.astype(x.dtype).reshape(x.shape)


def _wide(x: Any) -> Any:
    """The matrices in one batch, in double precision; a copy."""
    n = x.shape[-1]
    return x.reshape((-1, n, n) if x.size else (int(np.prod(x.shape[:-2])), n, n)).astype(
        np.complex128 if x.dtype.kind == "c" else np.float64
    )


def _shaped(found: Any, x: Any, dtype: Any) -> Any:
    return found.astype(dtype).reshape(x.shape[:-2])


def _pivots(reduced: Any) -> Any:
    return np.diagonal(reduced, axis1=1, axis2=2)


def _reduced(a: Any) -> tuple[Any, Any]:
    """(the sign of the row permutation, upper triangular form), the largest pivot first; changes `a`."""
    parity = np.ones(len(a))
    batch = np.arange(len(a))
    for k in range(a.shape[1]):
        best = k + np.argmax(np.abs(a[:, k:, k]), axis=1)
        a[batch, best], a[:, k] = a[:, k].copy(), a[batch, best]
        parity[best != k] *= -1
        pivot = a[:, k, k]
        factors = a[:, k + 1 :, k] / np.where(pivot == 0, 1.0, pivot)[:, None]
        a[:, k + 1 :] -= factors[:, :, None] * a[:, k, None]
    return parity, a
