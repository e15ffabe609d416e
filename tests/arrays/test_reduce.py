"""Reductions of the two libraries against each other and against exact sums."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from gradspec.arrays.python import library as python_library
from gradspec.dense import Dense
from gradspec.dtypes import DTYPES, category
from tests.arrays.pair import SHAPES, agree, dense, draw

SEED = 4
NAMES = ("sum", "prod", "mean", "max", "min", "any", "all")


def axes_of(rank):
    """None, () and every set of axes, some counted from the end, some alone."""
    yield None
    yield ()
    for count in range(1, rank + 1):
        for axes in itertools.combinations(range(rank), count):
            yield axes
            yield tuple(axis - rank for axis in reversed(axes))
    yield from range(-rank, rank)


def out_of(name, dtype):
    if name in ("any", "all"):
        return "bool"
    return "int64" if category(dtype) < 2 and name in ("sum", "prod") else dtype


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_reductions_over_any_axes(name, dtype):
    rng = np.random.default_rng(SEED)
    for shape in SHAPES:
        x = draw(rng, shape, dtype)
        # NumPy adds float32 and bfloat16 in float32: an error relative to the sum of sizes
        ulp, floor = (8, 8.0) if category(dtype) >= 2 and name in ("sum", "prod", "mean") else (0, 0)
        for axis, keepdims in itertools.product(axes_of(len(shape)), (False, True)):
            agree(
                dtype,
                lambda xp, x, axis=axis, keepdims=keepdims: getattr(xp, name)(x, axis, keepdims),
                x,
                out=out_of(name, dtype),
                ulp=ulp,
                floor=floor,
                note=f"{name} {shape} {axis} {keepdims}",
            )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_places_of_extremes(name, dtype):
    rng = np.random.default_rng(SEED)
    for shape in SHAPES:
        x = draw(rng, shape, dtype)
        for axis, keepdims in itertools.product((None, *range(-len(shape), len(shape))), (False, True)):
            agree(
                dtype,
                lambda xp, x, axis=axis, keepdims=keepdims: getattr(xp, name)(x, axis, keepdims),
                x,
                out="int64",
                note=f"{name} {shape} {axis}",
            )


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
def test_nan_wins_and_the_first_place_counts(name):
    nan = math.nan
    x = Dense(
        "float64", (5, 3), [1.0, nan, 2.0, nan, 0.0, nan, 3.0, 3.0, 1.0, -1.0, -1.0, 5.0, *[-math.inf] * 3]
    )
    out = "int64" if name.startswith("arg") else "float64"
    got = agree("float64", lambda xp, x: getattr(xp, name)(x, 1), x, out=out)
    expected = {
        "max": [nan, nan, 3.0, 5.0, -math.inf],
        "min": [nan, nan, 1.0, -1.0, -math.inf],
        "argmax": [1, 0, 0, 2, 0],
        "argmin": [1, 0, 2, 0, 0],
    }
    assert repr(got.flat()) == repr(expected[name])


def test_nothing_has_no_extreme_and_no_mean():
    empty = Dense("float32", (0, 2), [])
    for name in ("max", "min", "argmax", "argmin"):
        assert agree("float32", lambda xp, x, name=name: getattr(xp, name)(x, 0), empty) == "empty-reduction"
        assert agree("float32", lambda xp, x, name=name: getattr(xp, name)(x), empty) == "empty-reduction"
    assert repr(agree("float32", lambda xp, x: xp.mean(x, 0), empty).flat()) == "[nan, nan]"
    assert agree("float32", lambda xp, x: xp.sum(x), empty).item() == 0.0
    assert agree("float32", lambda xp, x: xp.prod(x), empty).item() == 1.0


def test_pure_sums_are_rounded_once():
    rng = np.random.default_rng(SEED)
    for dtype in ("float16", "bfloat16", "float32"):
        x = draw(rng, (1000,), dtype)
        total = python_library.namespace(dtype, False).sum(python_library.load(x))
        assert total == dense(dtype, (), [math.fsum(x.flat())]).item()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_cumulative_sum_and_product(name, dtype):
    rng = np.random.default_rng(SEED)
    for shape in SHAPES:
        x = draw(rng, shape, dtype)
        for axis in range(-len(shape), len(shape)):
            agree(
                dtype,
                lambda xp, x, axis=axis: getattr(xp, name)(x, axis),
                x,
                out=out_of("sum", dtype),
                ulp=2,
                floor=8.0,
                note=f"{shape} {axis}",
            )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*NAMES, "argmax", "argmin"])
def test_a_bare_number_is_reduced_to_itself(name, dtype):
    x = draw(np.random.default_rng(SEED), (), dtype)
    out = "int64" if name.startswith("arg") else out_of(name, dtype)
    for axis in (None, (), 0, -1):
        if axis == () and name.startswith("arg"):
            continue
        agree(dtype, lambda xp, x, axis=axis: getattr(xp, name)(x, axis), x, out=out, zero_dim=True)
