"""One expected array against one observed array."""

from __future__ import annotations

import math

import pytest

from gradspec.dense import Dense, round_to
from gradspec.runner.compare import bound_for, compare, ulps_between
from gradspec.spec.model import Tolerance

F32 = bound_for(["float32"], None)
F64 = bound_for(["float64"], None)
NAN, INF = math.nan, math.inf


def dense(data: list, dtype: str = "float32", shape: tuple | None = None) -> Dense:
    return Dense(dtype, (len(data),) if shape is None else shape, data)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.0], [1.0 + 1e-6]),
        ([0.0], [1e-5]),
        ([0.0], [-0.0]),
        ([-0.0], [-0.0]),
        ([NAN, 1.0], [-NAN, 1.0]),
        ([INF, -INF], [INF, -INF]),
        ([1e39], [INF]),  # what 1e39 is in float32
        ([], []),
    ],
)
def test_equal(expected, got):
    assert compare(dense(expected), dense(got), F32) is None


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ([1.0], [1.001]),
        ([-0.0], [0.0]),
        ([INF], [-INF]),
        ([INF], [3e38]),
        ([3e38], [INF]),
        ([NAN], [0.0]),
        ([0.0], [NAN]),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.1]),
    ],
)
def test_different(expected, got):
    difference = compare(dense(expected), dense(got), F32)
    assert difference is not None
    assert difference.wrong == 1


def test_the_worst_element_is_told():
    got = Dense("float64", (2, 2), [1.0, 2.5, 3.0, 4.1])
    difference = compare(Dense("float64", (2, 2), [1.0, 2.0, 3.0, 4.0]), got, F64)
    assert difference is not None
    assert (difference.summary, difference.worst) == ("2 of 4 outside", (0, 1))
    assert (difference.expected, difference.got, difference.abs) == ("2.0", "2.5", 0.5)
    assert difference.rel == 0.25
    assert difference.bound == "1e-07 + 1e-07·|2.0|"


def test_a_nan_is_worse_than_any_distance():
    difference = compare(dense([1.0, 1.0]), dense([9.0, NAN]), F32)
    assert difference is not None
    assert (difference.worst, difference.abs) == ((1,), None)


@pytest.mark.parametrize(("one", "other"), [((3,), (1, 3)), ((), (1,)), ((0,), (0, 2)), ((2, 3), (3, 2))])
def test_nothing_broadcasts(one, other):
    size = math.prod(one)
    difference = compare(dense([1.0] * size, shape=one), dense([1.0] * math.prod(other), shape=other), F32)
    assert difference is not None
    assert difference.summary == f"expected shape {list(one)}, got {list(other)}"


@pytest.mark.parametrize(
    ("dtypes", "least"),
    [
        (["float32"], "float32"),
        (["float64", "float32"], "float32"),
        (["float32", "bfloat16", "float16"], "bfloat16"),
        (["complex128", "int64"], "float64"),
        (["complex64", "float64"], "float32"),
        (["int64"], "float64"),
    ],
)
def test_the_least_precise_dtype_decides(dtypes, least):
    assert bound_for(dtypes, None).dtype == least


def test_a_less_precise_result_fails_whatever_its_numbers():
    difference = compare(dense([1.0], "float64"), dense([1.0], "float32"), F64)
    assert difference is not None
    assert difference.summary == "got float32, which is less precise than float64"
    assert compare(dense([1.0], "float32"), dense([1.0], "float64"), F32) is None


def test_integers_are_exact_whatever_the_tolerance():
    loose = bound_for(["float32"], Tolerance(rtol=1.0, atol=1.0))
    assert compare(dense([1, 2], "int64"), dense([1, 2], "int64"), loose) is None
    difference = compare(dense([1, 2], "int64"), dense([1, 3], "int64"), loose)
    assert difference is not None
    assert difference.summary == "1 of 2 different"


@pytest.mark.parametrize(
    ("expected", "got", "equal"),
    [
        (dense([3], "int64"), dense([3.0]), True),  # a bare 3 stands for any number
        (dense([3], "int64"), dense([3], "int8"), True),
        (dense([3.0]), dense([3], "int64"), False),
        (dense([True], "bool"), dense([True], "bool"), True),
        (dense([True], "bool"), dense([1.0]), False),
        (dense([1], "int64"), dense([True], "bool"), False),
        (dense([3.0]), dense([3 + 0j], "complex64"), True),
        (dense([3 + 0j], "complex64"), dense([3.0]), False),
        (dense([]), dense([], "int64"), True),
    ],
)
def test_bare_expectations_fix_no_dtype(expected, got, equal):
    assert (compare(expected, got, F32) is None) == equal


def test_an_own_dtype_is_exact():
    difference = compare(dense([3.0], "float64"), dense([3.0], "float32"), F32, bare=False)
    assert difference is not None
    assert difference.summary == "expected dtype float64, got float32"


def test_ulps():
    bound = bound_for(["float32"], Tolerance(ulp=2))
    third = round_to(1 / 3, "float32")
    step = 2.0**-25
    for steps, fits in ((0, True), (2, True), (-2, True), (3, False)):
        assert (compare(dense([1 / 3]), dense([third + steps * step]), bound) is None) == fits
    difference = compare(dense([1 / 3]), dense([third + 3 * step]), bound)
    assert difference is not None
    assert (difference.ulp, difference.bound) == (3, "2 ulp")


@pytest.mark.parametrize(
    ("a", "b", "dtype", "steps"),
    [
        (0.0, -0.0, "float64", 0),
        (5e-324, -5e-324, "float64", 2),
        (1.0, 1.0078125, "bfloat16", 1),
        (1.0, 1.0009765625, "float16", 1),
        (INF, INF, "float32", 0),
        (INF, 1.0, "float32", INF),
    ],
)
def test_ulps_between(a, b, dtype, steps):
    assert ulps_between(a, b, dtype) == steps


def test_zero_tolerance_means_correctly_rounded():
    exact = bound_for(["float32"], Tolerance(rtol=0.0, atol=0.0))
    assert compare(dense([1 / 3]), dense([round_to(1 / 3, "float32")]), exact) is None
    assert compare(dense([1 / 3]), dense([round_to(1 / 3, "float32") + 2.0**-25]), exact) is not None


def test_half_a_tolerance_keeps_the_other_default():
    assert bound_for(["float32"], Tolerance(rtol=1e-3))[1:3] == (1e-3, 1e-5)


@pytest.mark.parametrize(
    ("expected", "got", "equal"),
    [
        (1 + 2j, 1 + 2j, True),
        (1 + 2j, 1 - 2j, False),
        (complex(-0.0, -2.0), complex(0.0, -2.0), True),
        (complex(INF, 1.0), complex(INF, 1.0 + 1e-7), True),
        (complex(INF, 1.0), complex(INF, 2.0), False),
        (complex(INF, NAN), complex(INF, NAN), True),
        (complex(INF, NAN), complex(NAN, NAN), False),
        (1000 + 0j, 1000 + 0.001j, True),  # measured against the whole number, as torch does
    ],
)
def test_complex(expected, got, equal):
    assert (compare(dense([expected], "complex64"), dense([got], "complex64"), F32) is None) == equal


def test_numbers_are_shown_as_their_dtype_has_them():
    difference = compare(dense([round_to(0.1, "float32")]), dense([round_to(0.2, "float32")]), F32)
    assert difference is not None
    assert (difference.expected, difference.got) == ("0.1", "0.2")
