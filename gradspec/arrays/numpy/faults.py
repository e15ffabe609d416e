"""NumPy's exceptions as errors of the program, told by what their text says."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from gradspec.errors import ProgramError

__all__ = ["explain", "explained"]

# A part of the message, and the code. The first that fits decides.
_CODES = (
    ("too many indices", "too-many-indices"),
    ("out of bounds for axis", "index-out-of-range"),
    ("is out of bounds for", "index-out-of-range"),
    ("could not be broadcast", "shape-mismatch"),
    ("could not broadcast", "shape-mismatch"),
    ("boolean index did not match", "shape-mismatch"),
    ("single ellipsis", "invalid-argument"),
    ("must be of integer (or boolean) type", "dtype-unsupported"),
    ("only integers, slices", "invalid-argument"),
    ("zero-size array to reduction", "empty-reduction"),
    ("of an empty sequence", "empty-reduction"),
    ("negative integer powers", "negative-integer-power"),
    ("not supported for the input types", "dtype-unsupported"),
    ("did not contain a loop with signature", "dtype-unsupported"),
)


def explain(error: Exception) -> Exception:
    """The ProgramError that an exception of NumPy stands for; other exceptions are returned as they are.

    The elementwise functions and matmul are NumPy's own ufuncs, so theirs come out untranslated.
    """
    if isinstance(error, ProgramError) or not isinstance(error, (ValueError, IndexError, TypeError)):
        return error
    text = str(error)
    for part, code in _CODES:
        if part in text:
            return ProgramError(code, text)
    return ProgramError("shape-mismatch", text) if isinstance(error, ValueError) else error


def explained(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with NumPy's ValueErrors and IndexErrors translated."""

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except (ValueError, IndexError) as error:
            raise explain(error) from None

    return call
