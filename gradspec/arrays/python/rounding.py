"""Rounding to a dtype, one number or a list at a time; the double that Python computed in goes in."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from functools import cache
from struct import pack, unpack
from typing import Any

from gradspec.dense import round_to
from gradspec.dtypes import BITS, INTEGRAL, category, real_of

__all__ = ["cast_list", "cast_number", "list_rounder", "number_rounder"]

Number = Any


@cache
def number_rounder(dtype: str) -> Callable[[Number], Number]:
    """A function number → number of `dtype`, rounded once. Real numbers for a real dtype."""
    kind = category(dtype)
    if kind == 0:
        return bool
    if kind == 1:
        return _wrapper(dtype)
    if kind == 3:
        return complex if dtype == "complex128" else _to_complex64
    if dtype == "float64":
        return float
    if dtype == "float32":
        return _float32_rounder()
    return _to_float16 if dtype == "float16" else _to_bfloat16


@cache
def list_rounder(dtype: str) -> Callable[[list[Number]], list[Number]]:
    """A function list of numbers → list of numbers of `dtype`, each rounded once."""
    kind = category(dtype)
    if kind == 1:
        low, high, wrap = *_bounds(dtype), _wrapper(dtype)

        def wrap_all(values: list[Number]) -> list[Number]:
            if not values or (low <= min(values) and max(values) <= high):
                return values
            return list(map(wrap, values))

        return wrap_all
    if dtype == "float32":
        return _all_float32
    if dtype == "float16":
        return _all_float16
    if dtype == "complex64":
        return _all_complex64
    one = number_rounder(dtype)
    return lambda values: list(map(one, values))


def cast_number(value: Number, dtype: str) -> Number:
    """`value` as `dtype`: complex to real keeps the real part, floating to integer truncates."""
    if type(value) is float and category(dtype) >= 2:
        return number_rounder(dtype)(value)
    return round_to(value, dtype)


def cast_list(values: list[Number], source: str, dtype: str) -> list[Number]:
    """`values` of dtype `source` as `dtype`; the same list where they are the same already."""
    if source == dtype:
        return values
    have, want = category(source), category(dtype)
    if want == 0:
        return list(map(bool, values))
    if have == 3 and want < 3:
        values = [z.real for z in values]
        have = 2
    if want == 1:
        if have == 2:
            return [round_to(value, dtype) for value in values]
        values = list(map(int, values)) if have == 0 else values
    if dtype == real_of(source) or (have == want and BITS[dtype] > BITS[source] and source != "uint8"):
        return values  # a wider dtype of the same kind holds every value
    return list_rounder(dtype)(values)


def _bounds(dtype: str) -> tuple[int, int]:
    bits = BITS[dtype]
    return (0, 2**bits - 1) if dtype not in INTEGRAL[1:] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _wrapper(dtype: str) -> Callable[[Number], Number]:
    low, high = _bounds(dtype)
    mask = high - low

    def wrap(value: Number) -> Number:
        return value if low <= value <= high else ((value - low) & mask) + low

    return wrap


def _float32_rounder() -> Callable[[Number], Number]:
    cell = memoryview(bytearray(4)).cast("f")  # a C float: storing rounds, overflow gives inf

    def to_float32(value: Number) -> float:
        cell[0] = value
        return cell[0]

    return to_float32


def _to_float16(value: Number) -> float:
    try:
        result: float = unpack("e", pack("e", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return result


def _to_bfloat16(value: Number) -> float:
    result: float = round_to(value, "bfloat16")
    return result


_round32 = _float32_rounder()


def _to_complex64(value: Number) -> complex:
    value = complex(value)
    return complex(_round32(value.real), _round32(value.imag))


def _all_float32(values: list[Number]) -> list[Number]:
    return array("f", values).tolist()


def _all_float16(values: list[Number]) -> list[Number]:
    code = f"{len(values)}e"
    try:
        return list(unpack(code, pack(code, *values)))
    except OverflowError:
        return list(map(_to_float16, values))


def _all_complex64(values: list[Number]) -> list[Number]:
    reals = array("f", [value.real for value in values])
    imags = array("f", [value.imag for value in values])
    return list(map(complex, reals, imags))
