"""What each elementwise function is for each kind of number: the table behind numbers and arrays alike.

A kernel works on bare Python numbers in double precision (or unbounded integers) and rounds
nothing.  `fast` may raise an ArithmeticError or ValueError; `safe` gives the IEEE answer then.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from gradspec.arrays import special
from gradspec.arrays.python import ieee, ieee_complex
from gradspec.dtypes import BITS, category, real_of
from gradspec.errors import ProgramError
from gradspec.records import NamedTuple

__all__ = ["BINARY", "UNARY", "Kernel", "kernels", "unsupported"]

Function = Callable[..., Any]


class Kernel(NamedTuple):
    """`rounds`: whether a result may need rounding. `dtype`: of the result. `supported`: False raises."""

    fast: Function
    safe: Function
    rounds: bool
    dtype: str
    supported: bool = True


BINARY = (
    "add", "subtract", "multiply", "divide", "floor_divide", "remainder", "pow", "maximum", "minimum",
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or",
    "fmod", "hypot", "atan2", "copysign", "nextafter", "polygamma",
)  # fmt: skip
UNARY = (
    "negative", "abs", "sign", "sqrt", "square", "reciprocal", "exp", "expm1", "log", "log1p", "sin", "cos",
    "tanh", "floor", "trunc", "logical_not", "isnan", "isinf", "isfinite", "conj", "real", "imag", "sigmoid",
    "log2", "log10", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "round", "erf",
    "erfc", "erfinv", "lgamma", "digamma", "angle",
)  # fmt: skip
_ORDER = ("less", "less_equal", "greater", "greater_equal")
_COMPARE: dict[str, Function] = {
    "equal": operator.eq, "not_equal": operator.ne, "less": operator.lt, "less_equal": operator.le,
    "greater": operator.gt, "greater_equal": operator.ge,
}  # fmt: skip
# name: (fast, safe, rounds)
_Entry = tuple[Function, Function, bool]


def _same(function: Function, rounds: bool = True) -> _Entry:
    return function, function, rounds


def _identity(x: Any) -> Any:
    return x


def _logical_and(a: Any, b: Any) -> bool:
    return bool(a) and bool(b)


def _logical_or(a: Any, b: Any) -> bool:
    return bool(a) or bool(b)


_BOOLEAN: dict[str, Function] = _COMPARE | {
    "logical_and": _logical_and, "logical_or": _logical_or, "logical_not": operator.not_,
}  # fmt: skip
_REAL: dict[str, _Entry] = {
    "add": _same(operator.add),
    "subtract": _same(operator.sub),
    "multiply": _same(operator.mul),
    "divide": (operator.truediv, ieee.divide, True),
    "floor_divide": (operator.floordiv, ieee.floor_divide, True),
    "remainder": (operator.mod, ieee.remainder, True),
    "pow": (math.pow, ieee.pow, True),
    "maximum": _same(ieee.maximum, False),
    "minimum": _same(ieee.minimum, False),
    "negative": _same(operator.neg, False),
    "abs": _same(operator.abs, False),
    "sign": _same(ieee.sign, False),
    "sqrt": (math.sqrt, ieee.sqrt, True),
    "square": _same(ieee.square),
    "reciprocal": _same(ieee.reciprocal),
    "exp": (math.exp, ieee.exp, True),
    "expm1": (math.expm1, ieee.expm1, True),
    "log": (math.log, ieee.log, True),
    "log1p": (math.log1p, ieee.log1p, True),
    "sin": (math.sin, ieee.sin, True),
    "cos": (math.cos, ieee.cos, True),
    "tanh": _same(math.tanh),
    "floor": _same(ieee.floor, False),
    "trunc": _same(ieee.trunc, False),
    "sigmoid": _same(ieee.sigmoid),
    "fmod": (math.fmod, ieee.fmod, True),
    "hypot": _same(math.hypot),
    "atan2": _same(math.atan2),
    "copysign": _same(math.copysign, False),
    "polygamma": _same(special.polygamma),
    "log2": (math.log2, ieee.log2, True),
    "log10": (math.log10, ieee.log10, True),
    "tan": (math.tan, ieee.tan, True),
    "asin": (math.asin, ieee.asin, True),
    "acos": (math.acos, ieee.acos, True),
    "atan": _same(math.atan),
    "sinh": (math.sinh, ieee.sinh, True),
    "cosh": (math.cosh, ieee.cosh, True),
    "asinh": _same(math.asinh),
    "acosh": (math.acosh, ieee.acosh, True),
    "atanh": (math.atanh, ieee.atanh, True),
    "round": _same(ieee.round, False),
    "erf": _same(math.erf),
    "erfc": _same(math.erfc),
    "erfinv": _same(special.erfinv),
    "lgamma": _same(special.lgamma),
    "digamma": _same(special.digamma),
    "conj": _same(_identity, False),
    "real": _same(_identity, False),
    "imag": _same(lambda _: 0.0, False),
    "angle": _same(ieee.angle),
}
_COMPLEX: dict[str, _Entry] = {
    "add": _same(operator.add),
    "subtract": _same(operator.sub),
    "multiply": _same(operator.mul),
    "divide": (operator.truediv, ieee_complex.divide, True),
    "pow": _same(ieee_complex.pow),
    "negative": _same(operator.neg, False),
    "abs": _same(ieee_complex.abs),
    "conj": _same(lambda z: complex(z).conjugate(), False),
    "real": _same(lambda z: complex(z).real, False),
    "imag": _same(lambda z: complex(z).imag, False),
    "angle": _same(ieee_complex.angle),
} | {
    name: _same(getattr(ieee_complex, name))
    for name in (
        "sign", "sqrt", "square", "reciprocal", "exp", "expm1", "log", "log1p", "sin", "cos", "tanh",
        "sigmoid", "log2", "log10", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh",
    )
}  # fmt: skip
_BOOL: dict[str, _Entry] = {
    "add": _same(operator.or_), "multiply": _same(operator.and_),
    "maximum": _same(operator.or_), "minimum": _same(operator.and_), "imag": _same(lambda _: False),
} | dict.fromkeys(
    ("abs", "sign", "square", "conj", "real", "floor", "trunc", "round"), _same(_identity)
)  # fmt: skip


def _integer(dtype: str) -> dict[str, _Entry]:
    modulus = 2 ** BITS[dtype]

    def power(a: int, b: int) -> int:
        if b < 0:  # the inverse, rounded to zero
            return a ** (b % 2) if a in (1, -1) else 0
        return int(pow(a, b, modulus))

    return {
        "add": _same(operator.add),
        "subtract": _same(operator.sub),
        "multiply": _same(operator.mul),
        "floor_divide": (operator.floordiv, lambda a, b: a // b if b else 0, True),
        "remainder": (operator.mod, lambda a, b: a % b if b else 0, True),
        "fmod": _same(lambda a, b: int(math.copysign(1, a)) * (abs(a) % abs(b)) if b else 0),
        "pow": _same(power),
        "maximum": _same(max, False),
        "minimum": _same(min, False),
        "negative": _same(operator.neg),
        "abs": _same(operator.abs),
        "sign": _same(lambda x: 1 if x > 0 else -1 if x < 0 else 0, False),
        "square": _same(ieee.square),
        "imag": _same(lambda _: 0, False),
    } | dict.fromkeys(("conj", "real", "floor", "trunc", "round"), _same(_identity, False))


def _predicates(kind: int) -> dict[str, Function]:
    if kind < 2:
        return {"isnan": lambda _: False, "isinf": lambda _: False, "isfinite": lambda _: True}
    if kind == 2:
        return {"isnan": math.isnan, "isinf": math.isinf, "isfinite": math.isfinite}
    from cmath import isfinite, isinf, isnan

    return {"isnan": isnan, "isinf": isinf, "isfinite": isfinite}


def unsupported(name: str, dtype: str) -> Function:
    """A function that raises dtype-unsupported, whatever it is given."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise ProgramError("dtype-unsupported", f"{name} does not take {dtype}")

    return refuse


def kernels(dtype: str) -> dict[str, Kernel]:
    """Every elementwise function for `dtype`, by name. What the dtype does not have raises when called."""
    kind = category(dtype)
    entries = (_BOOL, _integer(dtype) if kind == 1 else {}, _REAL, _COMPLEX)[kind]
    if kind == 2:
        entries = entries | {"nextafter": _same(ieee.next_after(dtype), False)}
    table = {name: Kernel(f, f, False, "bool") for name, f in (_BOOLEAN | _predicates(kind)).items()}
    for name in (*BINARY, *UNARY):
        if name in entries:
            out = real_of(dtype) if name in ("abs", "real", "imag", "angle") else dtype
            table[name] = Kernel(*entries[name], out)
        elif name not in table or (kind == 3 and name in _ORDER):
            refuse = unsupported(name, dtype)
            table[name] = Kernel(refuse, refuse, False, dtype, supported=False)
    return table
