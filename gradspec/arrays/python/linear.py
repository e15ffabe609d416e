"""matmul and einsum on flat lists. Arrays are `PyArray`s here, 0-d ones of shape ()."""

from __future__ import annotations

import math
from operator import mul
from typing import Any

from gradspec.arrays.python.array import PyArray, broadcast_shapes, strided, strides_of
from gradspec.arrays.python.rounding import list_rounder
from gradspec.dtypes import category
from gradspec.errors import ProgramError
from gradspec.records import NamedTuple

__all__ = ["einsum", "matmul"]

_ZEROS = (0, 0, 0.0, 0j)


def _rounded(data: list[Any], shape: tuple[int, ...], dtype: str) -> PyArray:
    return PyArray(list_rounder(dtype)(data), shape, dtype)


def matmul(a: PyArray, b: PyArray) -> PyArray:
    """np.matmul: 1-d operands are a row and a column, leading axes are batches that broadcast.

    Raises shape-mismatch, also for 0-d operands.
    """
    row, column = len(a.shape) == 1, len(b.shape) == 1
    left = (1, *a.shape) if row else a.shape
    right = (*b.shape, 1) if column else b.shape
    if len(left) < 2 or len(right) < 2 or left[-1] != right[-2]:
        raise ProgramError("shape-mismatch", f"shapes {a.shape} and {b.shape} cannot be multiplied")
    (m, k), n = left[-2:], right[-1]
    batch = broadcast_shapes(left[:-2], right[:-2])
    zero = _ZEROS[category(a.dtype)]
    lefts, rights = _batches(left[:-2], batch, m * k), _batches(right[:-2], batch, k * n)
    data: list[Any] = []
    for at, bt in zip(lefts, rights, strict=True):
        columns = [b.data[bt + j : bt + k * n : n] for j in range(n)]
        for start in range(at, at + m * k, k) if k else [at] * m:
            line = a.data[start : start + k]
            data += [sum(map(mul, line, column), zero) for column in columns]
    shape = batch + (() if row else (m,)) + (() if column else (n,))
    return _rounded(data, shape, a.dtype)


def _batches(shape: tuple[int, ...], target: tuple[int, ...], size: int) -> list[int]:
    """Where each matrix of the broadcast batch starts."""
    strides = [0 if n == 1 else step * size for n, step in zip(shape, strides_of(shape), strict=True)]
    lead = len(target) - len(shape)
    extent = range(math.prod(shape) * size or 1)
    return strided(extent, target, [0] * lead + strides)


class _Term(NamedTuple):
    """An operand of einsum: a letter an axis, none twice."""

    data: list[Any]
    letters: str


def einsum(equation: str, *arrays: PyArray) -> PyArray:
    """Sums of products; operands are contracted from left to right. Raises shape-mismatch."""
    inputs, _, output = equation.replace(" ", "").partition("->")
    sizes = _sizes(equation, inputs.split(","), arrays)
    dtype = arrays[0].dtype
    zero = _ZEROS[category(dtype)]
    terms = [_term(array, letters, sizes) for array, letters in zip(arrays, inputs.split(","), strict=True)]
    done = terms[0]
    for position, term in enumerate(terms[1:], 2):
        later = output + "".join(t.letters for t in terms[position:])
        done = _contract(done, term, later, sizes, zero)
    done = _sum_away(done, output, sizes, zero)
    shape = tuple(sizes[letter] for letter in output)
    return _rounded(_arrange(done, output, sizes), shape, dtype)


def _sizes(equation: str, inputs: list[str], arrays: tuple[PyArray, ...]) -> dict[str, int]:
    if len(inputs) != len(arrays):
        raise ProgramError("shape-mismatch", f"{equation!r} has {len(inputs)} operands, not {len(arrays)}")
    sizes: dict[str, int] = {}
    for letters, array in zip(inputs, arrays, strict=True):
        if len(letters) != len(array.shape):
            raise ProgramError("shape-mismatch", f"{letters!r} of {equation!r} does not fit {array.shape}")
        for letter, size in zip(letters, array.shape, strict=True):
            known = sizes.setdefault(letter, size)
            if known == 1:
                sizes[letter] = size
            elif size not in (1, known):
                raise ProgramError("shape-mismatch", f"{letter!r} of {equation!r} is both {known} and {size}")
    return sizes


def _term(array: PyArray, letters: str, sizes: dict[str, int]) -> _Term:
    """The diagonal over repeated letters; axes of size 1 that broadcast are dropped."""
    steps: dict[str, int] = {}
    for letter, size, step in zip(letters, array.shape, strides_of(array.shape), strict=True):
        if size == sizes[letter]:
            steps[letter] = steps.get(letter, 0) + step
    names = "".join(steps)
    if names == letters:
        return _Term(array.data, letters)
    return _Term(strided(array.data, [sizes[c] for c in names], list(steps.values())), names)


def _arrange(term: _Term, order: str, sizes: dict[str, int]) -> list[Any]:
    """The elements with axes in `order`, broadcast over letters the term does not have."""
    if term.letters == order:
        return term.data
    own = strides_of([sizes[c] for c in term.letters])
    steps = dict(zip(term.letters, own, strict=True))
    return strided(term.data, [sizes[c] for c in order], [steps.get(c, 0) for c in order])


def _sum_away(term: _Term, wanted: str, sizes: dict[str, int], zero: Any) -> _Term:
    """The term summed over the letters that are not in `wanted`."""
    kept = "".join(c for c in term.letters if c in wanted)
    if kept == term.letters:
        return term
    gone = "".join(c for c in term.letters if c not in wanted)
    data = _arrange(term, kept + gone, sizes)
    size = math.prod([sizes[c] for c in gone])
    count = math.prod([sizes[c] for c in kept])
    return _Term([sum(data[i * size : (i + 1) * size], zero) for i in range(count)], kept)


def _contract(a: _Term, b: _Term, later: str, sizes: dict[str, int], zero: Any) -> _Term:
    """The product of two terms, summed over what nothing `later` needs: a batched matrix product."""
    a = _sum_away(a, b.letters + later, sizes, zero)
    b = _sum_away(b, a.letters + later, sizes, zero)
    both = [c for c in a.letters if c in b.letters]
    batch = "".join(c for c in both if c in later)
    summed = "".join(c for c in both if c not in later)
    rows = "".join(c for c in a.letters if c not in both)
    columns = "".join(c for c in b.letters if c not in both)
    left, right = _arrange(a, batch + rows + summed, sizes), _arrange(b, batch + columns + summed, sizes)
    count, m, n, k = (math.prod([sizes[c] for c in letters]) for letters in (batch, rows, columns, summed))
    data: list[Any] = []
    for at in range(count):
        lines = [left[i * k : (i + 1) * k] for i in range(at * m, (at + 1) * m)]
        others = [right[j * k : (j + 1) * k] for j in range(at * n, (at + 1) * n)]
        for line in lines:
            data += [sum(map(mul, line, other), zero) for other in others]
    return _Term(data, batch + rows + columns)
