"""The embedded backend over NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradspec.arrays.numpy import library
from gradspec.backends.tape import TapeBackend

__all__ = ["NumpyBackend"]


class NumpyBackend(TapeBackend):
    name = "numpy"
    version = np.__version__
    library = library

    def quiet(self) -> Any:
        return np.errstate(all="ignore")
