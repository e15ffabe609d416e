"""Reading and writing at indices: pure Python against NumPy's own indexing, over random indices."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gradspec.arrays.numpy import library as numpy_library
from gradspec.arrays.python import library as python_library
from gradspec.dense import Dense
from gradspec.dtypes import DTYPES
from gradspec.errors import ProgramError
from tests.arrays.pair import agree, dense, draw, same

SEED = 31


@st.composite
def indices(draw, shape, wrong=True):
    """An index as data: arrays stand as Dense. Where `wrong`, some are out of range or do not fit."""
    slack = 1 if wrong and draw(st.integers(0, 9)) == 0 else 0
    batch = draw(st.lists(st.integers(0, 3), max_size=2))
    items, axis, dots = [], 0, False
    while axis < len(shape) + slack:
        kind = draw(st.sampled_from(["int", "slice", "none", "dots", "array", "mask", "bool", "stop"]))
        size = shape[axis] if axis < len(shape) else 2
        if kind == "stop":
            break
        if kind == "none":
            items.append(None)
        elif kind == "bool" and draw(st.integers(0, 5)) == 0:
            items.append(draw(st.booleans()))
        elif kind == "dots" and not dots:
            dots = True
            items.append(...)
            axis += draw(st.integers(0, max(len(shape) - axis, 0)))
        elif kind == "int" and size + slack:
            items.append(draw(st.integers(-size - slack, max(size - 1 + slack, 0))))
            axis += 1
        elif kind == "slice":
            edge = st.none() | st.integers(-size - 2, size + 2)
            items.append(slice(draw(edge), draw(edge), draw(st.none() | st.integers(1, 3))))
            axis += 1
        elif kind == "mask":
            rank = draw(st.integers(1, 2))
            covered = tuple(shape[axis : axis + rank]) or (2,)
            items.append(Dense("bool", covered, [draw(st.booleans()) for _ in range(math.prod(covered))]))
            axis += len(covered)
        elif kind == "array":
            own = tuple(
                1 if draw(st.integers(0, 3)) == 0 else n for n in batch[draw(st.integers(0, len(batch))) :]
            )
            count = math.prod(own)
            if size == 0 and count:
                continue
            values = [draw(st.integers(-size - slack, size - 1 + slack)) for _ in range(count)]
            if draw(st.booleans()):
                dtype = draw(st.sampled_from(["int64", "int32", "uint8"]))
                items.append(Dense(dtype, own, [abs(v) % max(size, 1) for v in values]))
            else:
                items.append(Dense("int64", own, values))
            axis += 1
    return tuple(items)


@st.composite
def cases(draw, wrong=True):
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=4)))
    return shape, draw(indices(shape, wrong))


def loaded(library, index):
    return tuple(library.load(item) if isinstance(item, Dense) else item for item in index)


def counting(shape):
    return Dense("float64", shape, [float(i) for i in range(math.prod(shape))])


@settings(max_examples=900, deadline=None, derandomize=True)
@given(cases())
def test_getitem(case):
    shape, index = case
    # NumPy does not look at the size of a mask's axis where it is 0; here that is an error as elsewhere.
    assume(not any(isinstance(item, Dense) and item.dtype == "bool" and 0 in item.shape for item in index))
    agree(
        "float64",
        lambda xp, x: xp.getitem(x, loaded(python_library if "python" in repr(xp) else numpy_library, index)),
        counting(shape),
        note=str(index),
    )


@settings(max_examples=300, deadline=None, derandomize=True)
@given(cases(wrong=False), st.integers(0, 3))
def test_writing(case, crop):
    """put and put_add, with values of the shape of the selection or of one that broadcasts to it."""
    shape, index = case
    x = counting(shape)
    try:
        selected = np.array(x.flat()).reshape(shape)[loaded(numpy_library, index)].shape
    except IndexError:
        return
    values_shape = selected[min(crop, len(selected)) :]
    size = math.prod(values_shape)
    values = Dense("float64", values_shape, [0.5 + i for i in range(size)])

    def with_index(name, first):
        def function(xp, values):
            library = python_library if "python" in repr(xp) else numpy_library
            start = library.load(first) if isinstance(first, Dense) else first
            return getattr(xp, name)(start, loaded(library, index), values)

        return function

    agree("float64", with_index("put", x), values, note=f"put {index}")
    added = agree("float64", with_index("put_add", shape), values, note=f"put_add {index}")
    expected = np.zeros(shape)
    np.add.at(expected, loaded(numpy_library, index), np.array(values.flat()).reshape(values_shape))
    same(added, Dense("float64", shape, expected.ravel().tolist()), 2, f"np.add.at {index}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_put_add_in_every_dtype(dtype):
    rng = np.random.default_rng(SEED)
    index = Dense("int64", (6,), [0, 2, 2, -1, 0, 0])
    for row in ((), (2,), (4, 3)):
        values = draw(rng, (6, *row), dtype)
        agree(
            dtype, lambda xp, i, v, row=row: xp.put_add((4, *row), (i,), v), index, values, ulp=2, floor=8.0
        )


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("repeats", [1, 5, 100])
def test_rows_are_added_however_often_they_repeat(dtype, repeats):
    rng = np.random.default_rng(SEED)
    rows = [int(i) for i in rng.integers(-20, 20, 100)] if repeats < 100 else [3] * 100
    values = draw(rng, (100, 8), dtype)
    index = Dense("int64", (100,), rows)
    got = agree(dtype, lambda xp, i, v: xp.put_add((20, 8), (i,), v), index, values, ulp=32, floor=64.0)
    expected = np.zeros((20, 8), "complex128" if dtype == "complex64" else "float64")
    np.add.at(expected, rows, np.array(values.flat()).reshape(100, 8))
    same(got, dense(dtype, (20, 8), expected.ravel().tolist()), 2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_gather_and_its_transpose(dtype):
    rng = np.random.default_rng(SEED)
    for shape, along, axis in [
        ((5,), (7,), 0),
        ((5,), (0,), 0),
        ((3, 4), (3, 4), 1),
        ((3, 4), (2, 6), 1),
        ((3, 4), (5, 2), 0),
        ((3, 4), (5, 2), -2),
        ((2, 3, 4), (1, 5, 2), 1),
        ((2, 3, 4), (2, 1, 9), -1),
        ((0, 3), (0, 2), 1),
        ((2, 3), (2,), 0),
        ((2, 3), (3, 3), 1),
    ]:
        size = shape[axis]
        index = Dense("int64", along, [int(i) for i in rng.integers(0, size, math.prod(along))])
        note = f"{shape} {along} {axis}"
        x, values = draw(rng, shape, dtype), draw(rng, along, dtype)
        agree(dtype, lambda xp, x, i, a=axis: xp.take_along_axis(x, i, a), x, index, note=note)
        agree(
            dtype,
            lambda xp, i, v, s=shape, a=axis: xp.scatter_add(s, i, v, a),
            index,
            values,
            ulp=2,
            floor=8.0,
        )
    zero = Dense("int64", (), [0])
    number = draw(rng, (), dtype)
    for zero_dim in (False, True):
        agree(dtype, lambda xp, x, i: xp.take_along_axis(x, i, 0), number, zero, zero_dim=zero_dim)
        agree(dtype, lambda xp, x, i: xp.scatter_add((), i, x, 0), number, zero, zero_dim=zero_dim)


def test_gather_and_scatter_are_transposes():
    rng = np.random.default_rng(SEED)
    x, ct = draw(rng, (3, 4), "float64"), draw(rng, (2, 6), "float64")
    index = Dense("int64", (2, 6), [int(i) for i in rng.integers(0, 4, 12)])
    for library in (python_library, numpy_library):
        xp = library.namespace("float64", False)
        i, a, b = library.load(index), library.load(x), library.load(ct)
        forward = float(xp.sum(xp.multiply(xp.take_along_axis(a, i, 1), b)))
        backward = float(xp.sum(xp.multiply(a, xp.scatter_add((3, 4), i, b, 1))))
        assert abs(forward - backward) < 1e-12


@pytest.mark.parametrize("dtype", DTYPES)
def test_nonzero(dtype):
    rng = np.random.default_rng(SEED)
    for shape in ((), (0,), (6,), (3, 4), (2, 0), (2, 3, 2)):
        x = draw(rng, shape, dtype)
        kept = rng.integers(0, 2, len(x.flat())).tolist()
        x = dense(dtype, shape, [v * keep for v, keep in zip(x.flat(), kept, strict=True)])
        for axis in range(max(len(shape), 1)):
            agree(dtype, lambda xp, x, axis=axis: xp.nonzero(x)[axis], x, out="int64", note=f"{shape}")
        for library in (python_library, numpy_library):
            assert len(library.namespace(dtype, False).nonzero(library.load(x))) == max(len(shape), 1)


@pytest.mark.parametrize("library", [python_library, numpy_library], ids=lambda library: library.name)
@pytest.mark.parametrize(
    ("code", "index"),
    [
        ("index-out-of-range", (3,)),
        ("index-out-of-range", (-4,)),
        ("index-out-of-range", (0, Dense("int64", (1,), [4]))),
        ("index-out-of-range", (Dense("int64", (2,), [0, -4]),)),
        ("too-many-indices", (0, 0, 0)),
        ("too-many-indices", (Dense("bool", (3, 4), [True] * 12), 0)),
        ("shape-mismatch", (Dense("bool", (2,), [True] * 2),)),
        ("shape-mismatch", (Dense("int64", (2,), [0, 1]), Dense("int64", (3,), [0, 1, 2]))),
        ("invalid-argument", (..., ...)),
        ("invalid-argument", ("x",)),
        ("dtype-unsupported", (Dense("float32", (1,), [1.0]),)),
    ],
)
def test_a_wrong_index_has_a_code(library, code, index):
    xp = library.namespace("float32", False)
    x, values = xp.zeros((3, 4)), xp.ones((1,))
    for function in (
        lambda i: xp.getitem(x, i),
        lambda i: xp.put(x, i, values),
        lambda i: xp.put_add((3, 4), i, values),
    ):
        with pytest.raises(ProgramError) as caught:
            function(loaded(library, index))
        assert caught.value.code == code


@pytest.mark.parametrize("library", [python_library, numpy_library], ids=lambda library: library.name)
def test_other_wrong_writes_have_codes(library):
    xp = library.namespace("float32", False)
    index = library.load(Dense("int64", (1, 2), [0, 5]))
    for code, function in [
        ("index-out-of-range", lambda: xp.take_along_axis(xp.ones((3, 4)), index, 1)),
        ("index-out-of-range", lambda: xp.scatter_add((3, 4), index, xp.ones((1, 2)), 1)),
        (
            "index-out-of-range",
            lambda: xp.take_along_axis(xp.ones((3, 4)), xp.negative(xp.ones((1, 2), "int64")), 1),
        ),
        ("index-out-of-range", lambda: xp.put_add((3, 8), (xp.reshape(index, (2,)),), xp.ones((2, 8)))),
        ("shape-mismatch", lambda: xp.scatter_add((3, 8), index, xp.ones((2, 2)), 1)),
        ("shape-mismatch", lambda: xp.put(xp.ones((3, 4)), (0,), xp.ones((3,)))),
        ("shape-mismatch", lambda: xp.put_add((3, 4), (0,), xp.ones((3,)))),
        ("shape-mismatch", lambda: xp.put_add((9,), (xp.reshape(index, (2,)),), xp.ones((3,)))),
    ]:
        with pytest.raises(ProgramError) as caught:
            function()
        assert caught.value.code == code


def test_nothing_is_changed_by_writing():
    for library in (python_library, numpy_library):
        xp = library.namespace("float64", False)
        x = library.load(counting((2, 2)))
        xp.put(x, (0,), xp.ones((2,)))
        assert library.dump(x, "float64").flat() == [0.0, 1.0, 2.0, 3.0]
