"""Casting to every dtype, against NumPy's casts and against exact arithmetic for bfloat16."""

from __future__ import annotations

import struct
from fractions import Fraction

import numpy as np
import pytest

from gradspec.arrays.numpy import library as numpy_library
from gradspec.arrays.python import library as python_library
from gradspec.dense import Dense
from gradspec.dtypes import DTYPES, category
from tests.arrays.pair import agree, draw

SEED = 20240511


@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("target", DTYPES)
def test_astype_is_the_same_in_both_libraries(source, target):
    rng = np.random.default_rng(SEED)
    for shape in ((40,), (), (2, 0)):
        data = draw(rng, shape, source, 0, 100) if target == "uint8" else draw(rng, shape, source)
        if category(target) == 1 and source != "uint8" and category(source) == 1 and target == "uint8":
            data = Dense(source, shape, [abs(v) for v in data.flat()])
        agree(source, lambda xp, x: xp.astype(x, target), data, out=target, note=f"{source} to {target}")


def doubles():
    """Doubles around the edges of the smaller formats: ties, their neighbours, limits and subnormals."""
    rng = np.random.default_rng(SEED)
    values = list(rng.standard_normal(500) * 10.0 ** rng.integers(-42, 39, 500))
    for digits in (8, 11, 24):
        for exponent in (-140, -126, -25, -14, 0, 1, 15, 100, 127):
            for odd in (1, 3, 5):
                tie = (2 ** (digits) + odd) * 2.0 ** (exponent - digits)
                values += [tie, np.nextafter(tie, 0), np.nextafter(tie, np.inf), -tie]
    return [float(v) for v in values] + [0.0, -0.0, float("inf"), float("-inf"), float("nan"), 1e300, 5e-324]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_rounding_is_that_of_ieee(dtype):
    with np.errstate(all="ignore"):
        expected = np.array(doubles()).astype(dtype).astype(float).tolist()
    got = python_library.load(Dense(dtype, (len(expected),), doubles())).data
    assert list(map(repr, got)) == list(map(repr, expected))
    one_by_one = [python_library.load(Dense(dtype, (), [value])) for value in doubles()]
    assert list(map(repr, one_by_one)) == list(map(repr, expected))


@pytest.mark.parametrize("library", [python_library, numpy_library], ids=lambda library: library.name)
def test_bfloat16_rounds_a_double_once_to_the_nearest_even(library):
    values = [v for v in doubles() if abs(v) < 3e38]
    got = library.dump(library.load(Dense("bfloat16", (len(values),), values)), "bfloat16").flat()
    for value, rounded in zip(values, got, strict=True):
        (bits,) = struct.unpack("<I", struct.pack("<f", rounded))
        assert bits & 0xFFFF == 0, f"{rounded!r} is no bfloat16"
        if rounded == 0 or bits & 0x7FFFFFFF == 0x7F7F0000:
            continue
        neighbours = [struct.unpack("<f", struct.pack("<I", bits + step))[0] for step in (-0x10000, 0x10000)]
        distance = abs(Fraction(value) - Fraction(rounded))
        for other in neighbours:
            apart = abs(Fraction(value) - Fraction(other))
            assert distance < apart or (distance == apart and bits >> 16 & 1 == 0), (value, rounded, other)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_integers_wrap(dtype):
    info = np.iinfo(dtype)
    edges = [int(info.min), int(info.min) + 1, 0, 1, int(info.max) - 1, int(info.max), 100]
    left = Dense(dtype, (7, 1), edges)
    right = Dense(dtype, (7,), edges)
    for name in ("add", "subtract", "multiply", "floor_divide", "remainder"):
        agree(dtype, lambda xp, a, b, name=name: getattr(xp, name)(a, b), left, right, note=name)
    for name in ("negative", "abs", "square", "sign"):
        agree(dtype, lambda xp, a, name=name: getattr(xp, name)(a), right, note=name)
    powers = Dense(dtype, (4,), [0, 1, 5, 63])
    agree(dtype, lambda xp, a, b: xp.pow(a, b), left, powers, note="pow")
