"""Constant expressions: `"1/3"`, `"4*cos(7)"`, `"1+2j"`.

Every literal is a float64, or imaginary with `j`; functions are those of Python's `math` and `cmath`
that are functions of real or complex numbers.  What is computed in is an `Arithmetic`: float64 and
complex128 here, any precision for whoever wants to prove a number.

What has a value in IEEE arithmetic has it here: overflow gives an infinity, underflow a zero, an
infinite or NaN operand what IEEE says.  What has no value in mathematics for finite operands
(`1/0`, `log(0)`, `sqrt(-1)` over the reals) is an error, since a spec that needs an infinity or a
NaN there can write `inf` or `nan`.  All of it is cheap: there are no integers to grow.
"""

from __future__ import annotations

import _ast
import cmath
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from gradspec.errors import did_you_mean
from gradspec.spec.syntax import BadText, parse

__all__ = ["CONSTANTS", "FUNCTIONS", "LIMIT", "Arithmetic", "FloatArithmetic", "NoValue", "evaluate"]

LIMIT = 200  # characters
CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
# name: (fewest, most) arguments
_REAL_OR_COMPLEX = {
    "acos": (1, 1), "acosh": (1, 1), "asin": (1, 1), "asinh": (1, 1), "atan": (1, 1), "atanh": (1, 1),
    "cos": (1, 1), "cosh": (1, 1), "exp": (1, 1), "log": (1, 2), "log10": (1, 1), "sin": (1, 1),
    "sinh": (1, 1), "sqrt": (1, 1), "tan": (1, 1), "tanh": (1, 1),
}  # fmt: skip
_REAL = {
    "atan2": (2, 2), "cbrt": (1, 1), "ceil": (1, 1), "copysign": (2, 2), "degrees": (1, 1), "erf": (1, 1),
    "erfc": (1, 1), "exp2": (1, 1), "expm1": (1, 1), "fabs": (1, 1), "floor": (1, 1), "fmod": (2, 2),
    "gamma": (1, 1), "hypot": (1, 9), "lgamma": (1, 1), "log1p": (1, 1), "log2": (1, 1), "pow": (2, 2),
    "radians": (1, 1), "remainder": (2, 2), "trunc": (1, 1),
}  # fmt: skip
FUNCTIONS = {**_REAL_OR_COMPLEX, **_REAL, "complex": (2, 2), "phase": (1, 1)}
_OPERATORS: dict[type[Any], str] = {
    _ast.Add: "+", _ast.Sub: "-", _ast.Mult: "*", _ast.Div: "/", _ast.FloorDiv: "//",
    _ast.Mod: "%", _ast.Pow: "**",
}  # fmt: skip


class Arithmetic(Protocol):
    """The numbers an expression is computed in. A `NoValue` says that mathematics has no answer."""

    def number(self, value: float | complex) -> Any:
        """A literal: a float64, or an imaginary number as a complex128; both exact."""

    def constant(self, name: str) -> Any:
        """pi, e, inf or nan."""

    def unary(self, operator: str, x: Any) -> Any:
        """`operator` is + or -."""

    def binary(self, operator: str, a: Any, b: Any) -> Any:
        """`operator` is one of + - * / // % **."""

    def call(self, function: str, arguments: list[Any]) -> Any:
        """A function of FUNCTIONS, with as many arguments as it takes."""


class NoValue(Exception):
    """Mathematics has no value here; the text says why."""


class FloatArithmetic:
    """float64 and complex128, each operation rounded once as the machine does it."""

    def number(self, value: float | complex) -> float | complex:
        return value

    def constant(self, name: str) -> float:
        return CONSTANTS[name]

    def unary(self, operator: str, x: Any) -> Any:
        return -x if operator == "-" else +x

    def binary(self, operator: str, a: Any, b: Any) -> Any:
        if isinstance(a, complex) or isinstance(b, complex):
            return self._complex(operator, a, b)
        if operator == "**":
            return self._apply("pow", math.pow, [a, b])
        try:
            result = _FLOAT[operator](a, b)
            return result if math.isfinite(result) else _unbounded(result, a, b)
        except ZeroDivisionError:
            if not math.isfinite(a):
                return a * math.copysign(1.0, b) if operator == "/" else math.nan
            raise NoValue("a division by zero has no value") from None

    def _complex(self, operator: str, a: Any, b: Any) -> complex:
        if operator in ("//", "%"):
            raise NoValue(f"{operator} is not defined for complex numbers")
        try:
            return complex(a**b if operator == "**" else _FLOAT[operator](a, b))
        except ZeroDivisionError:
            raise NoValue("a division by zero has no value") from None
        except OverflowError:
            raise NoValue("the complex result is too large for complex128") from None

    def call(self, function: str, arguments: list[Any]) -> Any:
        if function == "complex":
            if any(isinstance(x, complex) for x in arguments):
                raise NoValue("complex(re, im) takes two real numbers")
            return complex(*arguments)
        if function == "phase":
            return cmath.phase(arguments[0])
        if not any(isinstance(x, complex) for x in arguments):
            return self._apply(function, getattr(math, function), arguments)
        if function not in _REAL_OR_COMPLEX:
            raise NoValue(f"{function} is not defined for complex numbers")
        try:
            return complex(getattr(cmath, function)(*arguments))
        except (ValueError, ZeroDivisionError):
            if all(map(cmath.isfinite, arguments)):
                raise NoValue(f"{function} has no value here") from None
            return complex(math.nan, math.nan)
        except OverflowError:
            raise NoValue("the complex result is too large for complex128") from None

    def _apply(self, name: str, function: Callable[..., Any], arguments: list[float]) -> float:
        if name in ("ceil", "floor", "trunc") and abs(arguments[0]) < 2.0**53:
            return math.copysign(float(function(arguments[0])), arguments[0])  # floor(-0.0) is -0.0
        if name in ("ceil", "floor", "trunc"):
            return arguments[0]  # whole already, infinite or NaN
        try:
            return float(function(*arguments))
        except OverflowError:
            raise NoValue(_TOO_LARGE) from None
        except (ValueError, ZeroDivisionError):
            if all(map(math.isfinite, arguments)):
                shown = ", ".join(f"{x:g}" for x in arguments)
                raise NoValue(f"{name}({shown}) has no real value") from None
            return math.nan


_TOO_LARGE = "the result is too large for float64"


def _unbounded(result: float, *operands: float) -> float:
    """An infinity or NaN that comes from another one; what comes from finite numbers is an overflow."""
    if all(map(math.isfinite, operands)):
        raise NoValue(_TOO_LARGE)
    return result


_FLOAT: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}


def evaluate(text: str, arithmetic: Arithmetic | None = None) -> Any:
    """The value of a constant expression, a float or a complex unless `arithmetic` makes others.

    Raises BadText (message, offset, width, hint) for what is no constant expression or has no value.
    """
    return _in_floats(text) if arithmetic is None else _Evaluation(text, arithmetic).value()


@lru_cache(maxsize=4096)
def _in_floats(text: str) -> float | complex:
    value: float | complex = _Evaluation(text, FloatArithmetic()).value()
    return value


class _Evaluation:
    """One walk over the tree of one text."""

    def __init__(self, text: str, arithmetic: Arithmetic) -> None:
        statements, self.offsets = parse(text, LIMIT, "constant expression")
        self.arithmetic = arithmetic
        if len(statements) != 1 or not isinstance(statements[0], _ast.Expr):
            raise BadText("not one expression", *_whole(text))
        self.root = statements[0].value

    def value(self) -> Any:
        return self._value(self.root)

    def _value(self, node: Any) -> Any:
        try:
            return self._compute(node)
        except NoValue as no:
            hint = "write inf, -inf or nan where one is meant"
            if "real value" in str(no):
                hint += "; a complex argument such as -1+0j gives a complex value"
            raise BadText(str(no), *self.offsets.of(node), hint=hint) from None

    def _compute(self, node: Any) -> Any:
        kind = type(node)
        if kind is _ast.Constant:
            return self._literal(node)
        if kind is _ast.Name:
            if node.id in CONSTANTS:
                return self.arithmetic.constant(node.id)
            hint = did_you_mean(node.id, [*CONSTANTS, *FUNCTIONS])
            known = "known are pi, e, inf, nan and the functions of math and cmath"
            raise self._bad(node, f'"{node.id}" is no constant', hint or known)
        if kind is _ast.UnaryOp and type(node.op) in (_ast.USub, _ast.UAdd):
            return self.arithmetic.unary(
                "-" if type(node.op) is _ast.USub else "+", self._value(node.operand)
            )
        if kind is _ast.BinOp and type(node.op) in _OPERATORS:
            left, right = self._value(node.left), self._value(node.right)
            return self.arithmetic.binary(_OPERATORS[type(node.op)], left, right)
        if kind is _ast.Call:
            return self._call(node)
        raise self._bad(node, "not part of a constant expression", "numbers, + - * / // % ** and functions")

    def _literal(self, node: Any) -> Any:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, (int, float, complex)):
            raise self._bad(node, "not a number")
        try:
            number = value if isinstance(value, complex) else float(value)
        except OverflowError:
            number = math.inf
        if not cmath.isfinite(number):
            raise self._bad(node, "a number out of the range of float64", "write inf for an infinity")
        return self.arithmetic.number(number)

    def _call(self, node: Any) -> Any:
        if not isinstance(node.func, _ast.Name):
            raise self._bad(node.func, "not a function", "functions are called by their bare name: sqrt(2)")
        name = node.func.id
        if name not in FUNCTIONS:
            hint = (
                did_you_mean(name, list(FUNCTIONS))
                or "known are the real and complex functions of math and cmath"
            )
            raise self._bad(node.func, f'no function "{name}"', hint)
        if node.keywords or any(isinstance(x, _ast.Starred) for x in node.args):
            raise self._bad(node, f"{name} takes plain arguments only")
        fewest, most = FUNCTIONS[name]
        if not fewest <= len(node.args) <= most:
            wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            raise self._bad(node, f"{name} takes {wanted} arguments, not {len(node.args)}")
        return self.arithmetic.call(name, [self._value(x) for x in node.args])

    def _bad(self, node: Any, message: str, hint: str = "") -> BadText:
        return BadText(message, *self.offsets.of(node), hint=hint)


def _whole(text: str) -> tuple[int, int]:
    return 0, max(1, len(text))
