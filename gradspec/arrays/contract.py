"""The names a derivative rule may call: the contract of an array namespace `xp`.

Names and meanings follow the Python array API standard where it has them; the rest are marked
*extra*.  A rule uses these names alone (no operators, no methods), so that one rule serves bare
Python numbers, the pure-Python arrays, NumPy and the namespace that records onto the tape.

An **array** here is whatever the library works with.  The pure-Python library uses bare Python
numbers for 0-d arrays; a bare number has the namespace's own `dtype` (a bool is bool, an int in a
floating namespace that floating dtype).  Python numbers as operands are always allowed and never
promote.  Operands of one call have one dtype (the engine has cast them).  Every call rounds its
result once to the dtype; nothing warns and nothing raises for a floating-point reason (IEEE).
Binary functions broadcast as NumPy does.  `axis` is None, an int or a tuple, never out of range
(ops check); no function changes its arguments, and results may share memory with them.
"""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["CONTRACT", "EXTRAS", "ArrayLibrary", "Namespace"]

Array = Any

CONTRACT = {
    # name: parameters and meaning
    "astype": "(x, dtype) cast; complex to real keeps the real part, float to int truncates",
    "shape": "(x) tuple; () for a bare number. Not differentiable, not recorded",
    "full": "(shape, value, dtype=None) dtype None: the namespace's own",
    "zeros": "(shape, dtype=None)", "ones": "(shape, dtype=None)",
    "zeros_like": "(x)", "ones_like": "(x)",
    "arange": "(stop, dtype='int64') 0 .. stop-1 as a 1-d array",
    "add": "(a, b)", "subtract": "(a, b)", "multiply": "(a, b)", "divide": "(a, b) true division, IEEE",
    "floor_divide": "(a, b) floor, as torch: IEEE for floats; integers by zero give 0",
    "remainder": "(a, b) sign of b, as Python",
    "hypot": "(a, b)", "atan2": "(a, b) a over b", "copysign": "(a, b) size of a, sign of b",
    "nextafter": "(a, b) the number of the dtype next to a towards b",
    "pow": "(a, b) IEEE pow; integers wrap, their inverses round to 0",
    "negative": "(x)", "abs": "(x) real result for complex", "sign": "(x) complex: x/|x|, 0 at 0; NaN at NaN",
    "sqrt": "(x)", "square": "(x)", "reciprocal": "(x)", "exp": "(x)", "expm1": "(x)", "log": "(x)",
    "log1p": "(x)", "log2": "(x)", "log10": "(x)", "sin": "(x)", "cos": "(x)", "tan": "(x)", "asin": "(x)",
    "acos": "(x)", "atan": "(x)", "sinh": "(x)", "cosh": "(x)", "tanh": "(x)", "asinh": "(x)", "acosh": "(x)",
    "atanh": "(x)", "floor": "(x)", "trunc": "(x)", "round": "(x) half to even",
    "maximum": "(a, b) NaN wins", "minimum": "(a, b) NaN wins",
    "equal": "(a, b) bool", "not_equal": "(a, b)", "less": "(a, b)", "less_equal": "(a, b)",
    "greater": "(a, b)", "greater_equal": "(a, b)",
    "logical_and": "(a, b)", "logical_or": "(a, b)", "logical_not": "(x)",
    "isnan": "(x)", "isinf": "(x)", "isfinite": "(x)",
    "conj": "(x) itself for a real x", "real": "(x)", "imag": "(x) zeros for a real x",
    "where": "(condition, a, b) broadcasts all three",
    "sum": "(x, axis=None, keepdims=False) axis (): nothing is summed; bool and integers give int64",
    "prod": "(x, axis=None, keepdims=False) dtype as sum", "max": "(x, axis=None, keepdims=False) NaN wins",
    "min": "(x, axis=None, keepdims=False) NaN wins",
    "argmax": "(x, axis=None, keepdims=False) first index; NaN wins; int64", "argmin": "like argmax",
    "any": "(x, axis=None, keepdims=False)", "all": "(x, axis=None, keepdims=False)",
    "cumulative_sum": "(x, axis) dtype as sum", "cumulative_prod": "(x, axis) dtype as sum",
    "argsort": "(x, axis, descending=False) int64; stable either way; NaN is the largest",
    "reshape": "(x, shape)", "permute_dims": "(x, axes)", "broadcast_to": "(x, shape)",
    "flip": "(x, axis) axis a tuple", "concat": "(arrays, axis)", "stack": "(arrays, axis)",
    "tril": "(x, k=0)", "triu": "(x, k=0)",
    "matmul": "(a, b) as np.matmul for ranks >= 1, batches broadcast",
    "take_along_axis": "(x, indices, axis) as torch.gather: indices may be shorter in every other axis",
}  # fmt: skip
EXTRAS = {
    "complex": "(re, im) *extra*",
    "parts": "(x) *extra* real and imaginary part of a complex array, along a new last axis",
    "joined": "(x) *extra* the complex numbers of the pairs along the last axis",
    "fmod": "(a, b) *extra* sign of a, as C; integers by zero give 0",
    "erf": "(x) *extra*",
    "erfc": "(x) *extra*",
    "erfinv": "(x) *extra*",
    "lgamma": "(x) *extra* ln |Γ(x)|",
    "digamma": "(x) *extra* ψ(x) = Γ′(x)/Γ(x)",
    "polygamma": "(n, x) *extra* the n-th derivative of ψ, n ≥ 0",
    "angle": "(x) *extra* the argument of a complex x, real; of a real x π below 0, else 0; NaN at NaN",
    "sigmoid": "(x) *extra* 1/(1+exp(-x)) without overflow",
    "gate": "(x, y) *extra* x where y > 0 or is NaN, else 0",
    "beside": "(x, y) *extra* x, which y had a part in; recorded, y gets zero for it and not nothing",
    "chosen": "(x, y) *extra* x, which y had a part in, as `beside`; recorded, y is saved",
    "mean": "(x, axis=None, keepdims=False) *extra*",
    "cumulative_argmax": "(x, axis) *extra* int64, up to each place the last place of the largest; NaN wins",
    "cumulative_argmin": "(x, axis) *extra* like cumulative_argmax",
    "einsum": "(equation, *arrays) *extra* letters, '->' always present, no ellipsis",
    "pad": "(x, widths, value=0) *extra* widths ((before, after), ...) for every axis; negative crops",
    "getitem": "(x, index) *extra* a tuple of int, slice, None, Ellipsis, integer or bool arrays, as NumPy",
    "put_add": "(shape, index, values) *extra* zeros(shape) with values added at index, repeats adding up",
    "put": "(x, index, values) *extra* a copy of x with values written at index",
    "scatter_add": "(shape, indices, values, axis) *extra* the transpose of take_along_axis",
    "nonzero": "(x) *extra* tuple of int64 arrays",
    "fft": "(x, axis, inverse=False) *extra* Σⱼ xⱼ·exp(∓2πi·jk/n), + where inverse, unscaled; always complex",
    "det": "(x) *extra* of each matrix, by elimination with row pivots; 1 of an empty one",
    "det_sign": "(x) *extra* det/|det| without overflow, 0 where singular",
    "log_abs_det": "(x) *extra* ln |det| without overflow, real; −∞ where singular",
    "inv": "(x) *extra* the inverse of each matrix; NaN and infinities where singular",
}


class Namespace(Protocol):
    """What a rule is given as `xp`: the functions named above, and `dtype`, that of bare numbers.

    One whose 0-d arrays are Python numbers may say which functions of numbers are a Python expression
    (`operators`: name → (form, whether it is rounded)) and where results are rounded (`cell`, a memory of
    one number, or None); the engine then writes the expression instead of the call.
    """

    dtype: str

    def __getattr__(self, name: str) -> Any: ...


class ArrayLibrary(Protocol):
    """An array library as the engine sees it."""

    name: str

    def namespace(self, dtype: str, zero_dim: bool) -> Namespace:
        """The namespace for arrays of `dtype`; `zero_dim`: all operands are 0-d, take the short path.
        The same object for the same arguments, so that it may be compared and kept."""

    def load(self, data: Any) -> Array:
        """A `Dense` as an array of this library (a fresh one, or one that nobody changes)."""

    def dump(self, array: Array, dtype: str) -> Any:
        """An array as a `Dense` of `dtype`."""

    def shape_of(self, array: Array) -> tuple[int, ...]:
        """() for a bare number."""
