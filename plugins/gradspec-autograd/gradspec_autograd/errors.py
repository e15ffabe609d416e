"""NumPy's exceptions as gradspec's codes."""

from __future__ import annotations

import re

import numpy as np

__all__ = ["code_of"]

_BY_TEXT = {
    "dim-repeated": r"duplicate value in 'axis'|repeated axis",
    "too-many-indices": r"too many indices",
    "index-out-of-range": r"out of bounds|out of range",
    "negative-integer-power": r"Integers to negative integer powers",
    "empty-reduction": r"zero-size array to reduction|attempt to get arg(max|min) of an empty",
    "dtype-unsupported": r"not supported for the input types|data type .* not understood|boolean negative"
    r"|boolean subtract|did not contain a loop|arrays used as indices must be",
    "singular-matrix": r"Singular matrix",
    "shape-mismatch": r"could not be broadcast|broadcast together|cannot reshape|mismatch|not aligned"
    r"|must match|does not match|same shape|not enough dimensions|equal division|incompatible with the shape"
    r"|boolean index did not match|cannot select an axis|zero-dimensional arrays cannot be concatenated"
    r"|axes don't match|more dimensions|expected",
    "invalid-argument": r"can only specify one unknown dimension|need at least one array"
    r"|slice step cannot be zero|subscript|can't contain negative",
}


def code_of(error: BaseException) -> str:
    """The code; "unclassified" where the words are not known."""
    if isinstance(error, np.exceptions.AxisError):
        return "dim-out-of-range"
    text = str(error)
    return next((code for code, words in _BY_TEXT.items() if re.search(words, text)), "unclassified")
