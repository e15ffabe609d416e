"""The short path of 0-d arrays: elementwise functions on bare Python numbers.

In float64 most of them are Python's own operators.  Elsewhere each result is rounded once on its
way out.  Operands are taken as they are: a number that the dtype cannot hold must have been rounded
before (`astype`, `load`).  An array that comes by is handed on to the function for arrays.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable
from typing import Any

from gradspec.arrays.python.array import PyArray
from gradspec.arrays.python.elementwise import RAISED
from gradspec.arrays.python.kernels import BINARY, UNARY, Kernel, kernels
from gradspec.arrays.python.rounding import number_rounder

__all__ = ["scalar_functions"]

Function = Callable[..., Any]
# What a kernel or its rounding raises on meeting an array.
NOT_A_NUMBER = (TypeError, AttributeError, struct.error)
# Kernels that may not look at their operand at all, and so would not notice an array.
_BLIND = ("imag", "isnan", "isinf", "isfinite", "logical_and", "logical_or")
# Operators that `PyArray` answers to, so that they need no guard.
_OPERATORS: dict[str, Function] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "negative": operator.neg,
    "abs": operator.abs, "equal": operator.eq, "not_equal": operator.ne, "less": operator.lt,
    "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge,
}  # fmt: skip


def scalar_functions(dtype: str, arrays: dict[str, Function]) -> dict[str, Function]:
    """Elementwise functions by name; `arrays` are those that take arrays too."""
    table: dict[str, Function] = {}
    for name, kernel in kernels(dtype).items():
        rounds = kernel.rounds and kernel.dtype not in ("float64", "complex128")
        if not rounds and kernel.fast is _OPERATORS.get(name):
            table[name] = kernel.fast
        elif name in _BLIND:
            table[name] = _looking(kernel.safe, arrays[name])
        elif name in UNARY:
            table[name] = _unary(kernel, number_rounder(kernel.dtype) if rounds else None, arrays[name])
        elif name in BINARY:
            table[name] = _binary(kernel, number_rounder(kernel.dtype) if rounds else None, arrays[name])
    if dtype == "float32":
        table |= _float32(arrays)
    table["where"] = _where(arrays["where"])
    return table


def _looking(function: Function, on_arrays: Function) -> Function:
    def looking(*operands: Any) -> Any:
        for operand in operands:
            if type(operand) is PyArray:
                return on_arrays(*operands)
        return function(*operands)

    return looking


def _unary(kernel: Kernel, rounder: Function | None, on_arrays: Function) -> Function:
    fast, safe = kernel.fast, kernel.safe
    if rounder is None:

        def exact(x: Any) -> Any:
            try:
                return fast(x)
            except RAISED:
                return safe(x)
            except NOT_A_NUMBER:
                return on_arrays(x)

        return exact

    if kernel.dtype == "float32":
        cell: Any = memoryview(bytearray(4)).cast("f")  # a C float, as in `_float32`

        def single(x: Any) -> Any:
            try:
                cell[0] = fast(x)
                return cell[0]
            except RAISED:
                return rounder(safe(x))
            except NOT_A_NUMBER:
                return on_arrays(x)

        return single

    def rounded(x: Any) -> Any:
        try:
            return rounder(fast(x))
        except RAISED:
            return rounder(safe(x))
        except NOT_A_NUMBER:
            return on_arrays(x)

    return rounded


def _binary(kernel: Kernel, rounder: Function | None, on_arrays: Function) -> Function:
    fast, safe = kernel.fast, kernel.safe
    if rounder is None:

        def exact(a: Any, b: Any) -> Any:
            try:
                return fast(a, b)
            except RAISED:
                return safe(a, b)
            except NOT_A_NUMBER:
                return on_arrays(a, b)

        return exact

    def rounded(a: Any, b: Any) -> Any:
        try:
            return rounder(fast(a, b))
        except RAISED:
            return rounder(safe(a, b))
        except NOT_A_NUMBER:
            return on_arrays(a, b)

    return rounded


def _float32(arrays: dict[str, Function]) -> dict[str, Function]:
    """The commonest functions written out, which saves a call or two each."""
    cell: Any = memoryview(bytearray(4)).cast("f")  # a C float: storing rounds, overflow gives inf

    def add(a: Any, b: Any) -> Any:
        try:
            cell[0] = a + b
            return cell[0]
        except TypeError:
            return arrays["add"](a, b)

    def subtract(a: Any, b: Any) -> Any:
        try:
            cell[0] = a - b
            return cell[0]
        except TypeError:
            return arrays["subtract"](a, b)

    def multiply(a: Any, b: Any) -> Any:
        try:
            cell[0] = a * b
            return cell[0]
        except TypeError:
            return arrays["multiply"](a, b)

    def divide(a: Any, b: Any) -> Any:
        try:
            cell[0] = a / b
            return cell[0]
        except (TypeError, ZeroDivisionError):
            return arrays["divide"](a, b)

    def square(x: Any) -> Any:
        try:
            cell[0] = x * x
            return cell[0]
        except TypeError:
            return arrays["square"](x)

    return {"add": add, "subtract": subtract, "multiply": multiply, "divide": divide, "square": square}


def _where(on_arrays: Function) -> Function:
    def where(condition: Any, a: Any, b: Any) -> Any:
        if type(condition) is PyArray or type(a) is PyArray or type(b) is PyArray:
            return on_arrays(condition, a, b)
        return a if condition else b

    return where
