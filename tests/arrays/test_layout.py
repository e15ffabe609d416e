"""Moving elements about: the two libraries against each other, and NumPy's own function where it has one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gradspec.arrays.python.array import strided
from gradspec.dense import Dense
from gradspec.dtypes import DTYPES
from tests.arrays.pair import SHAPES, agree, draw

SEED = 9
DTYPE = "float32"


def sample(shape, dtype=DTYPE):
    return draw(np.random.default_rng(SEED), shape, dtype)


@pytest.mark.parametrize("shape", SHAPES)
def test_permute_dims(shape):
    for axes in itertools.permutations(range(len(shape))):
        got = agree(DTYPE, lambda xp, x, axes=axes: xp.permute_dims(x, axes), sample(shape))
        assert got.nested() == np.array(sample(shape).flat()).reshape(shape).transpose(
            axes
        ).tolist() or not all(shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_flip(shape):
    for count in range(len(shape) + 1):
        for axes in itertools.combinations(range(len(shape)), count):
            agree(DTYPE, lambda xp, x, axes=axes: xp.flip(x, axes), sample(shape))
    if shape:
        agree(DTYPE, lambda xp, x: xp.flip(x, (-1,)), sample(shape))


def test_reshape():
    for shape, wanted in [
        ((2, 6), (3, 4)),
        ((), (1, 1)),
        ((1,), ()),
        ((0, 3), (3, 0, 2)),
        ((4,), (-1, 2)),
        ((), (-1,)),
        ((2, 3), (7,)),
        ((2, 3), (4, -1)),
    ]:
        agree(
            DTYPE, lambda xp, x, wanted=wanted: xp.reshape(x, wanted), sample(shape), note=f"{shape} {wanted}"
        )
    assert agree(DTYPE, lambda xp, x: xp.reshape(x, (7,)), sample((2, 3))) == "shape-mismatch"


def test_broadcast_to():
    for shape, target in [
        ((), ()),
        ((), (2, 3)),
        ((3,), (2, 3)),
        ((2, 1), (2, 3)),
        ((1, 1), (4, 0)),
        ((2, 1, 3, 1), (5, 2, 4, 3, 2)),
        ((1,), (5000,)),
        ((3,), (2,)),
        ((2, 3), (3,)),
    ]:
        for zero_dim in (False, True):
            agree(DTYPE, lambda xp, x, t=target: xp.broadcast_to(x, t), sample(shape), zero_dim=zero_dim)
    assert agree(DTYPE, lambda xp, x: xp.broadcast_to(x, (2,)), sample((3,))) == "shape-mismatch"
    assert agree(DTYPE, lambda xp, x: xp.broadcast_to(x, (3,)), sample((2, 3))) == "shape-mismatch"


def test_concat_and_stack():
    for shapes, axis in [
        (((2, 3), (1, 3), (0, 3)), 0),
        (((2, 3), (2, 1)), 1),
        (((2, 3), (2, 1)), -1),
        (((2, 1, 2), (2, 3, 2)), 1),
        (((2,), (2, 2)), 0),
        (((2, 3), (3, 2)), 0),
        (((), ()), 0),
    ]:
        arrays = [sample(shape) for shape in shapes]
        agree(DTYPE, lambda xp, *arrays, axis=axis: xp.concat(arrays, axis), *arrays, note=f"{shapes}")
    for shape in SHAPES:
        for axis in range(-len(shape) - 1, len(shape) + 1):
            agree(DTYPE, lambda xp, *arrays, axis=axis: xp.stack(arrays, axis), *[sample(shape)] * 3)
    agree(DTYPE, lambda xp, a, b: xp.stack([a, b], 0), sample((2,)), sample((3,)))
    agree(DTYPE, lambda xp, a, b: xp.stack([a, b], 0), sample(()), sample(()), zero_dim=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_triangles(dtype):
    for shape in ((3, 3), (2, 4), (4, 2), (2, 3, 2), (0, 3), (3, 0), (2, 0, 2)):
        for k in range(-5, 6):
            agree(dtype, lambda xp, x, k=k: xp.tril(x, k), sample(shape, dtype), note=f"{shape} {k}")
            agree(dtype, lambda xp, x, k=k: xp.triu(x, k), sample(shape, dtype), note=f"{shape} {k}")


def test_pad_also_crops():
    widths = (-2, -1, 0, 1, 2)
    for shape in ((3,), (2, 3), (0, 2), (1, 1)):
        for pairs in itertools.product(itertools.product(widths, widths), repeat=len(shape)):
            if hash(pairs) % 7 and len(shape) > 1:  # a part of the many
                continue
            agree(DTYPE, lambda xp, x, w=pairs: xp.pad(x, w, 1.5), sample(shape), note=f"{shape} {pairs}")
    got = agree(DTYPE, lambda xp, x: xp.pad(x, ((1, -1),)), Dense(DTYPE, (3,), [1.0, 2.0, 3.0]))
    assert got.flat() == [0.0, 1.0, 2.0]
    assert agree(DTYPE, lambda xp, x: xp.pad(x, ((-2, -2),)), sample((3,))) == "shape-mismatch"


def test_strided_walks_as_numpy_does():
    rng = np.random.default_rng(SEED)
    data = list(range(60))
    for _ in range(400):
        shape = tuple(int(n) for n in rng.integers(0, 6, rng.integers(0, 4)))
        strides = [int(s) for s in rng.integers(-3, 4, len(shape))]
        reach = [(n - 1) * s for n, s in zip(shape, strides, strict=True)]
        offset = -sum(min(r, 0) for r in reach)
        if 0 not in shape and offset + sum(max(r, 0) for r in reach) >= 60:
            continue
        expected = [
            offset + sum(i * s for i, s in zip(index, strides, strict=True)) for index in np.ndindex(*shape)
        ]
        assert strided(data, shape, strides, offset) == expected, (shape, strides)
        assert strided(range(60), shape, strides, offset) == expected, (shape, strides)
