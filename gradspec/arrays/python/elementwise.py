"""Elementwise functions on arrays (`PyArray` and bare numbers), made from the kernels of a dtype."""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from typing import Any

from gradspec.arrays.python.array import PyArray, broadcast_shapes, expand
from gradspec.arrays.python.kernels import BINARY, UNARY, Kernel, kernels
from gradspec.arrays.python.rounding import cast_list, list_rounder, number_rounder
from gradspec.dtypes import category, complex_of, promote, real_of

__all__ = ["elementwise_functions", "joined", "make_complex", "parts"]

Function = Callable[..., Any]
RAISED = (ArithmeticError, ValueError)  # what a fast kernel raises where IEEE has an answer
_tables: dict[str, dict[str, Function]] = {}


def elementwise_functions(dtype: str) -> dict[str, Function]:
    """All of them by name, bare numbers being of `dtype`; arrays of another dtype go to its own table."""
    table = _tables.get(dtype)
    if table is None:
        made = kernels(dtype)
        table = {name: _binary(name, dtype, made[name]) for name in BINARY}
        table |= {name: _unary(name, dtype, made[name]) for name in UNARY}
        table["where"] = _where(dtype)
        _tables[dtype] = table
    return table


def _unary(name: str, own: str, kernel: Kernel) -> Function:
    if not kernel.supported:
        return _refusing(name, own, kernel.safe)
    fast, safe, rounds, out, _ = kernel
    round_all, round_one = list_rounder(out), number_rounder(out)
    rounds = rounds and out not in ("float64", "complex128")

    def function(x: Any) -> Any:
        if type(x) is not PyArray:
            value = safe(_checked(x))
            return round_one(value) if rounds else value
        if x.dtype != own:
            return elementwise_functions(x.dtype)[name](x)
        try:
            data = list(map(fast, x.data))
        except RAISED:
            data = list(map(safe, x.data))
        return PyArray(round_all(data) if rounds else data, x.shape, out)

    function.__name__ = name
    return function


def _binary(name: str, own: str, kernel: Kernel) -> Function:
    if not kernel.supported:
        return _refusing(name, own, kernel.safe)
    fast, safe, rounds, out, _ = kernel
    round_all, round_one, operand = list_rounder(out), number_rounder(out), number_rounder(own)
    rounds = rounds and out not in ("float64", "complex128")
    is_complex = category(own) == 3

    def function(a: Any, b: Any) -> Any:
        left: Any
        right: Any
        if type(a) is PyArray:
            if type(b) is PyArray:
                if a.dtype != own or b.dtype != own:
                    return _elsewhere(name, a, b)
                shape = a.shape
                if shape == b.shape:
                    left, right = a.data, b.data
                else:
                    shape = broadcast_shapes(shape, b.shape)
                    left, right = expand(a.data, a.shape, shape), expand(b.data, b.shape, shape)
            elif a.dtype != own or (type(b) is complex and not is_complex):
                return _elsewhere(name, a, b)
            else:
                shape, left, right = a.shape, a.data, repeat(operand(_checked(b)))
        elif type(b) is PyArray:
            if b.dtype != own or (type(a) is complex and not is_complex):
                return _elsewhere(name, a, b)
            shape, left, right = b.shape, repeat(operand(_checked(a))), b.data
        else:
            value = safe(_checked(a), _checked(b))
            return round_one(value) if rounds else value
        try:
            data = list(map(fast, left, right))
        except RAISED:
            data = list(map(safe, left, right))
        return PyArray(round_all(data) if rounds else data, shape, out)

    function.__name__ = name
    return function


def _refusing(name: str, own: str, refuse: Function) -> Function:
    def function(*operands: Any) -> Any:
        for x in operands:
            if type(x) is PyArray and x.dtype != own:
                return elementwise_functions(x.dtype)[name](*operands)
        return refuse()

    return function


def _where(own: str) -> Function:
    def where(condition: Any, a: Any, b: Any) -> Any:
        arrays = [x for x in (condition, a, b) if type(x) is PyArray]
        if not arrays:
            return a if condition else b
        if arrays[0] is condition:
            del arrays[0]
        dtype = own
        if arrays:
            dtype = arrays[0].dtype if len(arrays) == 1 else promote(arrays[0].dtype, arrays[1].dtype)
        if category(dtype) < 3 and (type(a) is complex or type(b) is complex):
            dtype = complex_of(dtype)
        shape = broadcast_shapes(*(x.shape for x in (condition, a, b) if type(x) is PyArray))
        left, right = _operand(a, shape, dtype), _operand(b, shape, dtype)
        chosen = condition.data if type(condition) is PyArray else [condition]
        chosen = expand(chosen, condition.shape if type(condition) is PyArray else (), shape)
        # not strict: a repeated number has no end
        data = [x if yes else y for yes, x, y in zip(chosen, left, right, strict=False)]
        return PyArray(data, shape, dtype)

    return where


def make_complex(re: Any, im: Any) -> Any:
    """re + i·im part by part, so that an infinite part does not spoil the other."""
    arrays = [x for x in (re, im) if type(x) is PyArray]
    if not arrays:
        return complex(_checked(re), _checked(im))
    dtype = complex_of(arrays[0].dtype)
    shape = broadcast_shapes(*(x.shape for x in arrays))
    left, right = _operand(re, shape, real_of(dtype)), _operand(im, shape, real_of(dtype))
    return PyArray([complex(x, y) for x, y in zip(left, right, strict=False)], shape, dtype)


def parts(x: Any) -> PyArray:
    """The real and imaginary part of each element, along a new last axis."""
    shape, data, dtype = (
        (x.shape, x.data, x.dtype) if type(x) is PyArray else ((), [complex(x)], "complex128")
    )
    return PyArray([part for z in data for part in (z.real, z.imag)], (*shape, 2), real_of(dtype))


def joined(x: PyArray) -> Any:
    """The complex numbers of the pairs along the last axis."""
    pairs = iter(x.data)
    data = [complex(re, im) for re, im in zip(pairs, pairs, strict=True)]
    return PyArray(data, x.shape[:-1], complex_of(x.dtype)) if x.shape[1:] else data[0]


def _operand(x: Any, shape: tuple[int, ...], dtype: str) -> Any:
    """An iterable of the elements of x broadcast to `shape`, as `dtype`; endless for a bare number."""
    if type(x) is PyArray:
        return expand(cast_list(x.data, x.dtype, dtype), x.shape, shape)
    return repeat(number_rounder(dtype)(_checked(x)))


def _elsewhere(name: str, a: Any, b: Any) -> Any:
    """The function of the dtype that the arrays have, or that both can be promoted to."""
    arrays = [x for x in (a, b) if type(x) is PyArray]
    dtype = arrays[0].dtype if len(arrays) == 1 else promote(arrays[0].dtype, arrays[1].dtype)
    if category(dtype) < 3 and (type(a) is complex or type(b) is complex):
        dtype = complex_of(dtype) if category(dtype) == 2 else "complex128"
    return elementwise_functions(dtype)[name](_cast(a, dtype), _cast(b, dtype))


def _cast(x: Any, dtype: str) -> Any:
    return PyArray(cast_list(x.data, x.dtype, dtype), x.shape, dtype) if type(x) is PyArray else x


_NUMBERS = frozenset((float, int, bool, complex))


def _checked(x: Any) -> Any:
    if type(x) in _NUMBERS:
        return x
    raise TypeError(f"a Python number or PyArray is wanted here, not {type(x).__name__}")
