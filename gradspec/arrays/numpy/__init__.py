"""The array contract in NumPy: ufuncs as they are, and what NumPy lacks beside them."""

from __future__ import annotations

from gradspec.arrays.numpy.library import library

__all__ = ["library"]
