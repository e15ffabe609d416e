"""The usual mistake behind a wrong result."""

from __future__ import annotations

import math

import pytest

from gradspec.dense import Dense
from gradspec.runner.pattern import pattern


def dense(data: list, shape: tuple | None = None) -> Dense:
    dtype = "complex128" if any(isinstance(v, complex) for v in data) else "float64"
    return Dense(dtype, (len(data),) if shape is None else shape, data)


WANT = [1.0, 2.5, -4.0, 7.0]


@pytest.mark.parametrize(
    ("got", "phrase"),
    [
        ([2 * v for v in WANT], "a factor of 2"),
        ([v / 2 for v in WANT], "a factor of 1/2"),
        ([-2 * v for v in WANT], "a factor of -2"),
        ([v / 3 for v in WANT], "a factor of 1/3"),
        ([v * 1.234 for v in WANT], "a factor of 1.234"),
        ([-v for v in WANT], "the sign"),
        ([0.0] * 4, "zero instead of the value"),
        ([1.0, math.nan, -4.0, 7.0], "NaN"),
        ([2.5, 1.0, 7.0, -4.0], "permuted"),
        ([1.0, 2.5, -4.0, 7.5], ""),
    ],
)
def test_of_a_vector(got, phrase):
    assert pattern(dense(WANT), dense(got)) == phrase


def test_transposed():
    assert pattern(dense(WANT, (2, 2)), dense([1.0, -4.0, 2.5, 7.0], (2, 2))) == "transposed"
    rows = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert pattern(dense(rows, (2, 3)), dense([1.0, 4.0, 2.0, 5.0, 3.0, 6.0], (3, 2))) == "transposed"
    assert pattern(dense(rows, (2, 3)), dense(rows, (3, 2))) == ""


def test_conjugate():
    want = [1 + 2j, 3 - 1j]
    assert pattern(dense(want), dense([v.conjugate() for v in want])) == "conjugate"


@pytest.mark.parametrize(
    ("got", "phrase"),
    [(2.0, "a factor of 2"), (-1.0, "the sign"), (1.37, ""), (0.0, "zero instead of the value")],
)
def test_of_one_number_only_usual_factors_are_named(got, phrase):
    assert pattern(dense([1.0], ()), dense([got], ())) == phrase


@pytest.mark.parametrize(
    ("got", "phrase"),
    [
        (20.0, "overwritten instead of accumulated"),
        (5.0, "one accumulation missing"),
        (45.0, "one accumulation too many"),
    ],
)
def test_accumulation(got, phrase):
    assert pattern(dense([25.0], ()), dense([got], ()), before=dense([5.0], ())) == phrase


def test_empty_and_infinite_arrays_have_no_pattern():
    assert pattern(dense([]), dense([])) == ""
    assert pattern(dense([math.inf, 1.0]), dense([1.0, 2.0])) == ""
