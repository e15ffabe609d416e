"""Sorting and running extremes of the two libraries against each other and against what is said of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradspec.dense import Dense
from gradspec.dtypes import DTYPES, category
from tests.arrays.pair import SHAPES, agree, dense, draw

SEED = 11
NAN, INF = math.nan, math.inf
RUNNING = ("cumulative_argmax", "cumulative_argmin")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("descending", [False, True])
def test_argsort_along_any_axis(dtype, descending):
    rng = np.random.default_rng(SEED)
    for shape in SHAPES:
        x = draw(rng, shape, dtype, -2.0, 2.0)
        for axis in range(-len(shape), len(shape)):
            got = agree(
                dtype,
                lambda xp, x, axis=axis: xp.argsort(x, axis, descending),
                x,
                out="int64",
                note=f"{shape}",
            )
            if category(dtype) == 3:
                assert got == "dtype-unsupported"
                continue
            values = np.array(x.flat()).reshape(shape)
            ordered = np.take_along_axis(values, np.array(got.flat(), "int64").reshape(shape), axis)
            steps = np.diff(ordered.astype(float), axis=axis)
            assert (steps <= 0).all() if descending else (steps >= 0).all()


@pytest.mark.parametrize(
    ("descending", "expected"), [(False, [5, 1, 6, 0, 3, 2, 7, 4]), (True, [4, 2, 7, 0, 3, 1, 6, 5])]
)
def test_equal_elements_keep_their_order_and_nan_is_the_largest(descending, expected):
    x = Dense("float64", (8,), [1.0, -0.0, INF, 1.0, NAN, -INF, 0.0, INF])
    got = agree("float64", lambda xp, x: xp.argsort(x, 0, descending), x, out="int64")
    assert got.flat() == expected


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", RUNNING)
def test_running_extremes_along_any_axis(name, dtype):
    rng = np.random.default_rng(SEED)
    for shape in SHAPES:
        x = draw(rng, shape, dtype)
        for axis in range(-len(shape), len(shape)):
            agree(dtype, lambda xp, x, axis=axis: getattr(xp, name)(x, axis), x, out="int64", note=f"{shape}")


def test_the_last_of_equal_elements_counts_and_nan_wins():
    x = dense("float32", (2, 5), [2.0, 2.0, 1.0, 3.0, 3.0, 1.0, NAN, 5.0, NAN, 0.0])
    largest = agree("float32", lambda xp, x: xp.cumulative_argmax(x, 1), x, out="int64")
    assert largest.flat() == [0, 1, 1, 3, 4, 0, 1, 1, 3, 3]
    smallest = agree("float32", lambda xp, x: xp.cumulative_argmin(x, 1), x, out="int64")
    assert smallest.flat() == [0, 1, 2, 2, 2, 0, 1, 1, 3, 3]


@pytest.mark.parametrize("name", ["argsort", *RUNNING])
def test_a_bare_number_stands_at_place_0(name):
    got = agree("float32", lambda xp, x: getattr(xp, name)(x, 0), Dense("float32", (), [2.5]), out="int64")
    assert got.item() == 0
