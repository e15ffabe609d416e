"""The two libraries side by side: the same arrays in both, and a comparison in units of the last place."""

from __future__ import annotations

import numpy as np

from gradspec.arrays.numpy import library as numpy_library
from gradspec.arrays.python import library as python_library
from gradspec.dense import Dense
from gradspec.dtypes import category, real_of
from gradspec.errors import ProgramError

DIGITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}
SMALLEST = {"float16": 2.0**-24, "bfloat16": 2.0**-133, "float32": 2.0**-149, "float64": 2.0**-1074}
SHAPES = ((), (0,), (1,), (5,), (3, 4), (2, 0, 3), (2, 3, 4), (2, 1, 3, 2))


def draw(rng, shape, dtype, low=-4.0, high=4.0) -> Dense:
    """Random numbers of a dtype; integers and bool too."""
    size = int(np.prod(shape))
    kind = category(dtype)
    if kind == 0:
        values = [bool(v) for v in rng.integers(0, 2, size)]
    elif kind == 1:
        values = [int(v) for v in rng.integers(0 if dtype == "uint8" else -100, 101, size)]
    else:
        values = [float(v) for v in rng.uniform(low, high, size)]
        if kind == 3:
            values = [
                complex(a, b) for a, b in zip(values, rng.uniform(low, high, size).tolist(), strict=True)
            ]
    return dense(dtype, shape, values)


def dense(dtype, shape, values) -> Dense:
    """Values rounded to the dtype."""
    loaded = python_library.load(Dense(dtype, shape, list(values)))
    return python_library.dump(loaded, dtype)


def outcome(library, dtype, zero_dim, function, *operands):
    """function(xp, *loaded operands) as a Dense of the dtype it has, or the code of its error."""
    xp = library.namespace(dtype, zero_dim)
    loaded = [library.load(x) if isinstance(x, Dense) else x for x in operands]
    with np.errstate(all="ignore"):
        try:
            return function(xp, *loaded)
        except ProgramError as error:
            return error.code
        except (ValueError, TypeError, IndexError) as error:
            explained = getattr(library, "explain", lambda e: e)(error)
            if not isinstance(explained, ProgramError):
                raise
            return explained.code


def both(dtype, function, *operands, zero_dim=False):
    """The results of the two libraries."""
    return (
        outcome(python_library, dtype, zero_dim, function, *operands),
        outcome(numpy_library, dtype, zero_dim, function, *operands),
    )


def agree(dtype, function, *operands, out=None, ulp=0.0, zero_dim=False, note="", floor=0.0) -> Dense | str:
    """Assert that both libraries give the same. `out`: the dtype of the result. `ulp`: how far apart."""
    mine, theirs = both(dtype, function, *operands, zero_dim=zero_dim)
    if isinstance(mine, str) or isinstance(theirs, str):
        assert repr(mine) == repr(theirs), note
        return mine
    out = out or dtype
    if hasattr(theirs, "dtype"):
        stored = "float32" if out == "bfloat16" else out
        assert theirs.dtype.name == stored, f"{note}: NumPy gives {theirs.dtype}, not {out}"
    if hasattr(mine, "dtype"):
        assert mine.dtype == out, f"{note}: Python gives {mine.dtype}, not {out}"
    left, right = python_library.dump(mine, out), numpy_library.dump(theirs, out)
    same(left, right, ulp, note, floor)
    return left


def same(left: Dense, right: Dense, ulp: float = 0.0, note: str = "", floor: float = 0.0) -> None:
    """Same shape, and elements apart by no more than `ulp` units in the last place (of at least `floor`)."""
    assert left.shape == right.shape, f"{note}: {left.shape} != {right.shape}"
    dtype = left.dtype
    assert len(left.flat()) == len(right.flat()), note
    for place, (a, b) in enumerate(zip(left.flat(), right.flat(), strict=True)):
        assert near(a, b, dtype, ulp, floor), f"{note}: at {place}: {a!r} != {b!r} ({dtype}, {ulp} ulp)"


def near(a, b, dtype, ulp, floor=0.0) -> bool:
    if category(dtype) < 2:
        return a == b and type(a) is type(b)
    if isinstance(a, complex) or isinstance(b, complex):
        a, b = complex(a), complex(b)
        floor = max(floor, min(abs(a), abs(b)) if np.isfinite(abs(a)) and np.isfinite(abs(b)) else 0.0)
        part = real_of(dtype)
        return near(a.real, b.real, part, ulp, floor) and near(a.imag, b.imag, part, ulp, floor)
    if a == b or (a != a and b != b):
        return True
    if not ulp or not (np.isfinite(a) and np.isfinite(b)):
        return False
    size = max(abs(a), abs(b), floor)
    unit = max(2.0 ** (np.frexp(size)[1] - DIGITS[dtype]), SMALLEST[dtype])
    return abs(a - b) <= ulp * unit
