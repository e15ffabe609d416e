"""Elementwise functions: NumPy's ufuncs themselves, replaced only where they would answer otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np

from gradspec.arrays import special
from gradspec.arrays.numpy.bfloat16 import next_bfloat16
from gradspec.dtypes import category
from gradspec.errors import ProgramError

__all__ = ["elementwise_functions"]

Function = Callable[..., Any]
_UFUNCS: dict[str, Function] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
    "floor_divide": np.floor_divide, "remainder": np.remainder, "pow": np.power, "negative": np.negative,
    "abs": np.absolute, "sign": np.sign, "sqrt": np.sqrt, "square": np.square, "reciprocal": np.reciprocal,
    "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "sin": np.sin, "cos": np.cos,
    "log2": np.log2, "log10": np.log10, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh,
    "acosh": np.arccosh, "atanh": np.arctanh, "hypot": np.hypot, "atan2": np.arctan2, "copysign": np.copysign,
    "nextafter": np.nextafter, "fmod": np.fmod, "floor": np.floor, "trunc": np.trunc, "round": np.rint,
    "maximum": np.maximum, "minimum": np.minimum,
    "equal": np.equal, "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal,
    "greater": np.greater, "greater_equal": np.greater_equal, "logical_and": np.logical_and,
    "logical_or": np.logical_or, "logical_not": np.logical_not, "isnan": np.isnan, "isinf": np.isinf,
    "isfinite": np.isfinite, "conj": np.conjugate, "real": attrgetter("real"), "imag": attrgetter("imag"),
    "angle": np.angle,
}  # fmt: skip
_HALF_MAX = 65504


def _each(function: Callable[..., float], inputs: int = 1) -> Function:
    """A function of doubles, called for every element of arrays."""
    loop = np.frompyfunc(function, inputs, 1)

    def call(*operands: Any) -> Any:
        dtype = next((x.dtype for x in operands if hasattr(x, "dtype")), np.float64)
        return np.asarray(loop(*[np.asarray(x, np.float64) for x in operands]), dtype)[()]

    return call


_SPECIAL: dict[str, Function] = {
    "erf": _each(math.erf), "erfc": _each(math.erfc), "erfinv": _each(special.erfinv),
    "lgamma": _each(special.lgamma), "digamma": _each(special.digamma),
    "polygamma": _each(special.polygamma, inputs=2),
}  # fmt: skip
# What a kind of number does not have: these raise dtype-unsupported.
_NOT_INTEGER = (
    "divide", "sqrt", "reciprocal", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan",
    "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "hypot", "atan2", "copysign",
    "nextafter", "sigmoid", "angle", *_SPECIAL,
)  # fmt: skip
_NOT_BOOL = (*_NOT_INTEGER, "subtract", "negative", "floor_divide", "remainder", "fmod", "pow")
_NOT_COMPLEX = (
    "floor_divide", "remainder", "fmod", "maximum", "minimum", "floor", "trunc", "round", "less",
    "less_equal", "greater", "greater_equal", "hypot", "atan2", "copysign", "nextafter", *_SPECIAL,
)  # fmt: skip


def elementwise_functions(dtype: str) -> dict[str, Function]:
    """All of them by name for arrays of `dtype`. Operands that are all Python numbers give doubles."""
    kind = category(dtype)
    table: dict[str, Function] = _UFUNCS | _SPECIAL | {"sigmoid": _sigmoid}
    if dtype == "float16":
        table |= {"divide": _half_divide, "sigmoid": _half_sigmoid}
    if dtype == "bfloat16":
        table["nextafter"] = next_bfloat16
    if kind < 3:
        table["conj"] = table["real"] = _identity
        table["angle"] = _real_angle
    if kind < 2:
        table |= dict.fromkeys(("floor", "trunc", "round"), _identity)
    if kind == 1:
        table["pow"] = _integer_power
    if kind == 0:
        table |= dict.fromkeys(("abs", "sign", "square"), _identity)
    if kind == 3:
        table |= {"log1p": _complex_log1p, "sigmoid": _complex_sigmoid, "reciprocal": _complex_reciprocal}
    for name in (_NOT_BOOL, _NOT_INTEGER, (), _NOT_COMPLEX)[kind]:
        table[name] = _refusing(name, dtype, table[name])
    return table


def _identity(x: Any) -> Any:
    return x


def _refusing(name: str, dtype: str, function: Function) -> Function:
    """`function` for arrays of another dtype that come by; dtype-unsupported for the namespace's own."""
    own = np.dtype(dtype)

    def refuse(*operands: Any) -> Any:
        others = {x.dtype for x in operands if hasattr(x, "dtype")} - {own}
        if others:
            return function(*operands)
        raise ProgramError("dtype-unsupported", f"{name} does not take {dtype}")

    return refuse


def _integer_power(a: Any, b: Any) -> Any:
    below = np.less(b, 0)
    if not np.any(below):
        return np.power(a, b)
    power = np.power(a, np.where(below, np.remainder(b, 2), b))  # right for ±1, whose inverses they are
    return np.where(below & np.not_equal(np.abs(a), 1), power.dtype.type(0), power)[()]


def _sigmoid(x: Any) -> Any:
    """1/(1+e⁻ˣ) from e⁻|x|, so that nothing overflows and small values keep their digits."""
    small = np.exp(-np.absolute(x))
    return np.where(np.greater_equal(x, 0), 1, small)[()] / (1 + small)


def _half_divide(a: Any, b: Any) -> Any:
    """A count of elements is a Python number, and may be beyond float16 where the quotient is not."""
    if isinstance(b, int | float) and abs(b) > _HALF_MAX and getattr(a, "dtype", None) == np.float16:
        return np.divide(a, np.float32(b)).astype(np.float16)
    return np.divide(a, b)


def _real_angle(x: Any) -> Any:
    """π below 0, else 0, also at -0.0; NaN stays."""
    angle = np.where(np.less(x, 0), np.pi, np.multiply(0.0, np.isnan(x)))
    return np.where(np.isnan(x), x, angle)[()].astype(np.asarray(x).dtype)


def _half_sigmoid(x: Any) -> Any:
    return _sigmoid(np.asarray(x, np.float32)).astype(np.float16)


def _complex_sigmoid(z: Any) -> Any:
    right = np.greater_equal(np.real(z), 0)
    small = np.exp(np.where(right, np.negative(z), z))
    return np.where(right, 1, small)[()] / (1 + small)


def _complex_reciprocal(z: Any) -> Any:
    return np.divide(1, z)


def _complex_log1p(z: Any) -> Any:
    """log(1 + z), its real part from log1p of |1 + z|² − 1 near 0, where NumPy's loses its digits."""
    x, y = np.real(z), np.imag(z)
    near = np.multiply(0.5, np.log1p(x * (2 + x) + y * y)) + 1j * np.arctan2(y, 1 + x)
    return np.where(x * x + y * y < 0.25, near, np.log(np.add(z, 1)))[()]
