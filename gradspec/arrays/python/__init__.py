"""The array contract in pure Python: flat lists and bare numbers. No array library is imported."""

from __future__ import annotations

from gradspec.arrays.python.array import PyArray
from gradspec.arrays.python.library import library

__all__ = ["PyArray", "library"]
