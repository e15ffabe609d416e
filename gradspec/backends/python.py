"""The embedded backend over pure-Python arrays. It imports no NumPy."""

from __future__ import annotations

import platform

from gradspec.arrays.python import library
from gradspec.backends.tape import TapeBackend

__all__ = ["PythonBackend"]


class PythonBackend(TapeBackend):
    name = "python"
    version = platform.python_version()
    library = library
