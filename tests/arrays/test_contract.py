"""Both libraries provide the contract, whole and alone, and each in its own company."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gradspec.arrays.contract import CONTRACT, EXTRAS
from gradspec.arrays.numpy import library as numpy_library
from gradspec.arrays.python import library as python_library
from gradspec.dense import Dense
from gradspec.dtypes import DTYPES

LIBRARIES = pytest.mark.parametrize(
    "library", [python_library, numpy_library], ids=lambda library: library.name
)


@LIBRARIES
@pytest.mark.parametrize("zero_dim", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_namespace_has_exactly_the_names_of_the_contract(library, dtype, zero_dim):
    xp = library.namespace(dtype, zero_dim)
    assert {name for name in vars(xp) if name not in ("dtype", "operators", "cell")} == {*CONTRACT, *EXTRAS}
    assert xp.dtype == dtype
    assert library.namespace(dtype, zero_dim) is xp


@LIBRARIES
def test_a_name_outside_the_contract_is_an_attribute_error_that_names_it(library):
    with pytest.raises(AttributeError, match="einsumm"):
        _ = library.namespace("float32", False).einsumm


@LIBRARIES
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (2, 2), (1, 0, 3)])
def test_what_is_loaded_comes_out_again(library, dtype, shape):
    sample = {"b": True, "u": 200, "i": -7, "f": 0.5, "c": 1.5 - 2j}["f" if dtype == "bfloat16" else dtype[0]]
    size = 1
    for n in shape:
        size *= n
    array = library.load(Dense(dtype, shape, [sample] * size))
    assert library.shape_of(array) == shape
    assert library.dump(array, dtype) == Dense(dtype, shape, [sample] * size)


@LIBRARIES
def test_loading_rounds(library):
    values = [1 / 3, 1e300, -1e300, 65520.0, 1e-46]
    expected = {
        "float32": [0.3333333432674408, float("inf"), float("-inf"), 65520.0, 0.0],
        "float16": [0.333251953125, float("inf"), float("-inf"), float("inf"), 0.0],
        "bfloat16": [0.333984375, float("inf"), float("-inf"), 65536.0, 0.0],
        "float64": values,
    }
    for dtype, wanted in expected.items():
        assert library.dump(library.load(Dense(dtype, (5,), list(values))), dtype) == Dense(
            dtype, (5,), wanted
        )


def test_integers_in_a_floating_dense_become_floats():
    for library in (python_library, numpy_library):
        out = library.dump(library.load(Dense("float64", (2,), [1, -2])), "float64")
        assert [type(value) for value in out.flat()] == [float, float]
        assert type(library.dump(library.load(Dense("float32", (), [3])), "float32").item()) is float


def test_pure_python_arrays_do_without_numpy():
    code = """
import sys
sys.modules["numpy"] = None
from gradspec.arrays.python import library
from gradspec.dense import Dense
xp = library.namespace("float32", False)
x = library.load(Dense("float32", (2, 3), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
y = xp.einsum("ij,kj->ik", xp.exp(x), xp.getitem(x, (slice(None, 1), Ellipsis)))
z = xp.put_add((3,), (library.load(Dense("int64", (2,), [2, 2])),), xp.full((2,), 1.5))
assert library.dump(z, "float32").flat() == [0.0, 0.0, 3.0]
assert library.shape_of(xp.matmul(y, xp.ones((1, 2)))) == (2, 2)
heavy = {"numpy", "torch", "inspect", "dataclasses", "importlib.metadata"}
assert not [name for name in heavy if sys.modules.get(name)], "imported too much"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
