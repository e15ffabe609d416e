"""The NumPy library: its namespaces, and the way of data in and out.

Arrays are `np.ndarray` or NumPy scalars.  The engine runs everything under np.errstate(all="ignore").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import copysign
from typing import Any

import numpy as np

from gradspec.arrays.numpy import elimination, fourier, indexing, layout, order
from gradspec.arrays.numpy.bfloat16 import on_bfloat16, to_bfloat16
from gradspec.arrays.numpy.elementwise import elementwise_functions
from gradspec.arrays.numpy.faults import explain, explained
from gradspec.arrays.numpy.reduce import reduce_functions
from gradspec.dense import Dense
from gradspec.dtypes import DTYPES, complex_of

__all__ = ["NumpyLibrary", "NumpyNamespace", "library"]

Function = Callable[..., Any]
# How each dtype is kept in memory.
STORED = {word: np.dtype("float32" if word == "bfloat16" else word) for word in DTYPES}
_NUMBERS = (float, int, bool, complex)
_LARGE = 1 << 14  # elements of an einsum's loop from which planning it pays
# In bfloat16, functions whose results are what they were given need no rounding.
_EXACT_IN_BFLOAT16 = (
    "astype", "shape", "zeros", "zeros_like", "ones", "ones_like", "arange", "negative", "abs", "sign",
    "floor", "trunc", "round", "copysign", "nextafter", "isnan", "isinf", "isfinite", "logical_not", "conj",
    "real", "imag", "complex", "argmax", "argmin", "argsort", "cumulative_argmax", "cumulative_argmin", "any",
    "all", "max", "min", "reshape", "permute_dims", "broadcast_to", "flip", "concat", "stack", "tril", "triu",
    "getitem", "take_along_axis", "nonzero",
)  # fmt: skip


class NumpyNamespace:
    """The contract's functions as attributes; `dtype` is that of bare numbers."""

    def __init__(self, dtype: str, functions: dict[str, Function]) -> None:
        self.dtype = dtype
        self.__dict__.update(functions)

    def __getattr__(self, name: str) -> Any:  # reached for what is not there
        raise AttributeError(f"the array contract has no {name!r}")

    def __repr__(self) -> str:
        return f"<numpy namespace of {self.dtype}>"


class NumpyLibrary:
    """`ArrayLibrary` of NumPy arrays."""

    name = "numpy"

    def __init__(self) -> None:
        self._namespaces: dict[str, NumpyNamespace] = {}

    def namespace(self, dtype: str, zero_dim: bool) -> NumpyNamespace:
        """The same for 0-d arrays and others."""
        found = self._namespaces.get(dtype)
        if found is None:
            found = self._namespaces[dtype] = NumpyNamespace(dtype, _functions(dtype))
        return found

    def load(self, data: Dense) -> Any:
        """A `Dense` as an array, which may share its memory; each element rounded to its dtype."""
        values = data.data
        if type(values) is np.ndarray and values.dtype is STORED[data.dtype] and data.dtype != "bfloat16":
            return values if values.shape == data.shape else values.reshape(data.shape)
        with np.errstate(all="ignore"):
            if data.dtype == "bfloat16":
                return np.asarray(to_bfloat16(np.asarray(values, np.float64))).reshape(data.shape)
            return np.asarray(values, STORED[data.dtype]).reshape(data.shape)

    def dump(self, array: Any, dtype: str) -> Dense:
        stored = np.asarray(array)
        if stored.dtype != STORED[dtype]:
            stored = np.asarray(_astype(stored, dtype))
        return Dense(dtype, stored.shape, stored)

    def shape_of(self, array: Any) -> tuple[int, ...]:
        return layout.shape(array)

    def explain(self, error: Exception) -> Exception:
        """The ProgramError behind an exception that one of NumPy's own functions raised."""
        return explain(error)


library = NumpyLibrary()


def _functions(dtype: str) -> dict[str, Function]:
    functions = elementwise_functions(dtype) | reduce_functions(dtype) | _creation(dtype)
    for module in (layout, indexing, order, elimination, fourier):
        functions |= {name: getattr(module, name) for name in module.__all__}
    functions |= {"matmul": np.matmul, "einsum": _einsum}
    if dtype == "bfloat16":
        for name in functions.keys() - set(_EXACT_IN_BFLOAT16):
            functions[name] = on_bfloat16(functions[name])
    return functions


def _astype(x: Any, dtype: str) -> Any:
    if getattr(x, "dtype", None) is None:
        x = np.asarray(x)
    if x.dtype.kind == "c" and STORED[dtype].kind not in "cb":
        x = x.real
    return to_bfloat16(x) if dtype == "bfloat16" else x.astype(STORED[dtype], copy=False)


@explained
def _einsum(equation: str, *arrays: Any) -> Any:
    """Raises shape-mismatch."""
    sizes: dict[str, int] = {}  # only to judge its cost: what does not fit, np.einsum says
    inputs = equation.replace(" ", "").partition("->")[0].split(",")
    for letters, array in zip(inputs, arrays, strict=False):
        sizes.update(zip(letters, np.shape(array), strict=False))
    loop = 1
    for size in sizes.values():
        loop *= size
    return np.einsum(equation, *arrays, optimize=loop > _LARGE)


def _creation(own: str) -> dict[str, Function]:
    stored = STORED[own]
    complex_stored = STORED[complex_of(own)]

    def full(shape: Sequence[int], value: Any, dtype: str | None = None) -> Any:
        kept = stored if dtype is None else STORED[dtype]
        return np.full(shape, to_bfloat16(value) if dtype == "bfloat16" else value, kept)

    def zeros(shape: Sequence[int], dtype: str | None = None) -> Any:
        return np.zeros(shape, stored if dtype is None else STORED[dtype])

    def ones(shape: Sequence[int], dtype: str | None = None) -> Any:
        return np.ones(shape, stored if dtype is None else STORED[dtype])

    def zeros_like(x: Any) -> Any:
        return np.zeros(getattr(x, "shape", ()), getattr(x, "dtype", stored))

    def ones_like(x: Any) -> Any:
        return np.ones(getattr(x, "shape", ()), getattr(x, "dtype", stored))

    def arange(stop: int, dtype: str = "int64") -> Any:
        return np.arange(stop, dtype=STORED[dtype])

    def where(condition: Any, a: Any, b: Any) -> Any:
        if type(a) in _NUMBERS and type(b) in _NUMBERS:
            a, b = stored.type(a), stored.type(b)
        elif _is_zero(b) and _has_words(a, condition):
            return _kept(condition, a)
        elif _is_zero(a) and _has_words(b, condition):
            return _kept(condition, b, where=False)
        return np.where(condition, a, b)[()]

    def complex(re: Any, im: Any) -> Any:
        kept = getattr(re, "dtype", None) or getattr(im, "dtype", None)
        kept = complex_stored if kept is None else STORED[complex_of(kept.name)]
        result = np.empty(np.broadcast_shapes(np.shape(re), np.shape(im)), kept)
        result.real, result.imag = re, im
        return result

    def parts(x: Any) -> Any:
        return np.stack([np.real(x), np.imag(x)], -1)

    def joined(x: Any) -> Any:
        return complex(x[..., 0], x[..., 1])[()]

    def gate(x: Any, y: Any) -> Any:
        return where(np.less_equal(y, 0), 0.0, x)

    def beside(x: Any, y: Any) -> Any:
        return x

    def chosen(x: Any, y: Any) -> Any:
        return x

    created = (
        full, zeros, ones, zeros_like, ones_like, arange, explained(where), explained(complex), gate, beside,
        chosen, parts, joined,
    )  # fmt: skip
    return {function.__name__: function for function in created} | {"astype": _astype}


# dtype → an integer of its size
_WORDS = {np.dtype("float32"): np.int32, np.dtype("float64"): np.int64}


def _is_zero(value: Any) -> bool:
    """Whether it is the Python number +0."""
    return type(value) in (int, float) and value == 0 and copysign(1.0, value) > 0


def _has_words(array: Any, condition: Any) -> bool:
    return getattr(array, "ndim", 0) > 0 and array.dtype in _WORDS and array.shape == np.shape(condition)


def _kept(condition: Any, a: Any, where: bool = True) -> Any:
    """`where(condition, a, 0)`, by masking bits: a masked gradient costs a tenth of np.where's time.

    `where`: what the condition is where a is kept.
    """
    word = _WORDS[a.dtype]
    narrow = condition.view(np.int8)  # the arithmetic is done on bytes
    mask = np.negative(narrow) if where else np.subtract(narrow, 1)  # −1, all bits, where a is kept, else 0
    mask = mask.astype(word)
    mask &= a.view(word)
    return mask.view(a.dtype)
