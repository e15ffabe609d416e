"""The discrete Fourier transform, computed in doubles and rounded once."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["fft"]


def fft(x: Any, axis: int, inverse: bool = False) -> Any:
    """Σⱼ xⱼ·exp(∓2πi·jk/n) along axis, with + where inverse. Complex, nothing divided by n."""
    wide = x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)
    found = np.fft.ifft(wide, axis=axis, norm="forward") if inverse else np.fft.fft(wide, axis=axis)
    return found.astype(np.complex128 if x.dtype in (np.float64, np.complex128) else np.complex64)
