"""Elementwise functions of the two libraries against each other and against independent values."""

from __future__ import annotations

import cmath
import itertools
import math

import numpy as np
import pytest

from gradspec.arrays.numpy import library as numpy_library
from gradspec.arrays.python import PyArray
from gradspec.arrays.python import library as python_library
from gradspec.dense import Dense
from gradspec.dtypes import DTYPES, category, real_of
from gradspec.errors import ProgramError
from tests.arrays.pair import SHAPES, agree, dense, draw, near, same

SEED = 77
ARITHMETIC = (
    "add",
    "subtract",
    "multiply",
    "divide",
    "floor_divide",
    "remainder",
    "pow",
    "maximum",
    "minimum",
    "fmod",
    "hypot",
    "atan2",
    "copysign",
    "nextafter",
)
TRUTH = (
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or",
)  # fmt: skip
EXACT = ("negative", "sign", "sqrt", "square", "reciprocal", "floor", "trunc", "round", "conj", "real",
         "imag", "abs", "angle")  # fmt: skip
RISING = (
    "exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "sigmoid", "log2", "log10", "tan", "asin", "acos",
    "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "erf", "erfc", "lgamma", "erfinv", "digamma",
)  # fmt: skip
PREDICATES = ("logical_not", "isnan", "isinf", "isfinite")
# Units in the last place by which a function may differ where it is not exact.
ULP = {"pow": 2, "exp": 2, "expm1": 2, "log": 2, "log1p": 3, "sin": 2, "cos": 2, "tanh": 2, "sigmoid": 4,
       "log2": 2, "log10": 2, "tan": 2, "asin": 2, "acos": 2, "atan": 2, "sinh": 2, "cosh": 2, "asinh": 2,
       "acosh": 2, "atanh": 2, "hypot": 1, "atan2": 2}  # fmt: skip
COMPLEX_ULP = 8.0
SPECIAL = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -3.0,
    3.5,
    1e30,
    -1e30,
    710.0,
    -746.0,
    math.inf,
    -math.inf,
    math.nan,
)


def ulp_of(name, dtype):
    if category(dtype) == 3:  # a power is an exponential of a rounded product, which loses bits
        return 8 * COMPLEX_ULP if name == "pow" else COMPLEX_ULP
    return ULP.get(name, 0.0)


def out_of(name, dtype):
    if name in TRUTH or name in PREDICATES:
        return "bool"
    return real_of(dtype) if name in ("abs", "real", "imag", "angle") else dtype


def call(name):
    return lambda xp, *operands: getattr(xp, name)(*operands)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*EXACT, *RISING, *PREDICATES])
def test_unary(name, dtype):
    rng = np.random.default_rng(SEED)
    for shape in SHAPES:
        x = draw(rng, shape, dtype)
        agree(dtype, call(name), x, out=out_of(name, dtype), ulp=ulp_of(name, dtype), note=f"{name} {shape}")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*ARITHMETIC, *TRUTH])
def test_binary(name, dtype):
    rng = np.random.default_rng(SEED)
    pairs = [(shape, shape) for shape in SHAPES]
    pairs += [
        ((3, 1), (1, 4)),
        ((2, 3, 4), (4,)),
        ((4,), (2, 3, 4)),
        ((2, 3, 4), (3, 1)),
        ((), (3, 2)),
        ((0,), (1,)),
    ]
    pairs += [((2, 1, 3, 1), (5, 1, 2)), ((3,), (4,)), ((2, 3), (3, 2)), ((1, 1), (0, 5))]
    for left, right in pairs:
        a, b = draw(rng, left, dtype), draw(rng, right, dtype)
        if name == "pow" and category(dtype) == 1:
            b = Dense(dtype, right, [abs(v) % 9 for v in b.flat()])
        note = f"{name} {left} {right}"
        agree(dtype, call(name), a, b, out=out_of(name, dtype), ulp=ulp_of(name, dtype), note=note)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", [*ARITHMETIC, *TRUTH])
def test_binary_of_special_values(name, dtype):
    values = dense(dtype, (len(SPECIAL),), SPECIAL)
    column = Dense(dtype, (len(SPECIAL), 1), values.flat())
    agree(dtype, call(name), column, values, out=out_of(name, dtype), ulp=ulp_of(name, dtype), note=name)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", [*EXACT, *RISING, *PREDICATES])
def test_unary_of_special_values(name, dtype):
    values = dense(dtype, (len(SPECIAL),), SPECIAL)
    agree(dtype, call(name), values, out=out_of(name, dtype), ulp=ulp_of(name, dtype), note=name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "sqrt"])
def test_basic_arithmetic_has_every_bit_right(name, dtype):
    rng = np.random.default_rng(SEED)
    scales = 10.0 ** rng.integers(
        -44 if dtype == "float32" else -300, 39 if dtype == "float32" else 300, (2, 4000)
    )
    a, b = (dense(dtype, (4000,), (rng.standard_normal(4000) * scale).tolist()) for scale in scales)
    operands = (a, b) if name != "sqrt" else (dense(dtype, (4000,), map(abs, a.flat())),)
    mine = agree(dtype, call(name), *operands, note=name)
    with np.errstate(all="ignore"):
        theirs = getattr(np, name)(*(np.array(x.flat(), dtype) for x in operands)).astype(float).tolist()
    assert list(map(repr, mine.flat())) == list(map(repr, theirs))


BELOW_1 = ("asin", "acos", "atanh")


@pytest.mark.parametrize("name", [name for name in RISING if name not in ("erfinv", "digamma")])
@pytest.mark.parametrize("library", [python_library, numpy_library], ids=lambda library: library.name)
def test_functions_against_the_c_library_in_double_precision(name, library):
    rng = np.random.default_rng(SEED)
    low, high = (0.01, 1.0) if name in BELOW_1 else (1.0, 9.0) if name == "acosh" else (0.01, 9.0)
    values = [float(v) for v in rng.uniform(low, high, 300)] + ([1.0, 1e9] if low == 1 else [1e-9, 1e-300])

    def sigmoid(x):
        return 1.0 / (1.0 + math.exp(-x))

    expected = [(sigmoid if name == "sigmoid" else getattr(math, name))(value) for value in values]
    xp = library.namespace("float64", False)
    got = library.dump(getattr(xp, name)(library.load(Dense("float64", (302,), values))), "float64")
    same(got, Dense("float64", (302,), expected), ULP.get(name, 0.0), name)


def bare(name, dtype, *values):
    return getattr(python_library.namespace(dtype, True), name)(*values)


@pytest.mark.parametrize(
    ("name", "operands", "expected"),
    [
        ("divide", (1.0, 0.0), math.inf),
        ("divide", (1.0, -0.0), -math.inf),
        ("divide", (0.0, 0.0), math.nan),
        ("divide", (math.nan, 0.0), math.nan),
        ("reciprocal", (-0.0,), -math.inf),
        ("exp", (1000.0,), math.inf),
        ("expm1", (1000.0,), math.inf),
        ("log", (0.0,), -math.inf),
        ("log", (-1.0,), math.nan),
        ("log1p", (-1.0,), -math.inf),
        ("log1p", (-2.0,), math.nan),
        ("sqrt", (-1.0,), math.nan),
        ("sqrt", (-0.0,), -0.0),
        ("sin", (math.inf,), math.nan),
        ("pow", (0.0, -1.0), math.inf),
        ("pow", (-0.0, -1.0), -math.inf),
        ("pow", (-0.0, -2.0), math.inf),
        ("pow", (-8.0, 1 / 3), math.nan),
        ("pow", (1.0, math.nan), 1.0),
        ("pow", (math.nan, 0.0), 1.0),
        ("pow", (-10.0, 309.0), -math.inf),
        ("pow", (-10.0, 310.0), math.inf),
        ("pow", (-1.0, math.inf), 1.0),
        ("maximum", (math.nan, 1.0), math.nan),
        ("maximum", (1.0, math.nan), math.nan),
        ("minimum", (1.0, math.nan), math.nan),
        ("minimum", (math.nan, 1.0), math.nan),
        ("sign", (math.nan,), math.nan),
        ("sign", (-0.0,), 0.0),
        ("floor_divide", (1.0, 0.0), math.inf),
        ("floor_divide", (-7.0, 2.0), -4.0),
        ("floor_divide", (-1.0, math.inf), -1.0),
        ("remainder", (1.0, 0.0), math.nan),
        ("remainder", (-7.0, 3.0), 2.0),
        ("remainder", (-1.0, math.inf), math.inf),
        ("remainder", (math.inf, 2.0), math.nan),
        ("floor", (-0.0,), -0.0),
        ("floor", (math.inf,), math.inf),
        ("trunc", (-0.5,), -0.0),
        ("sigmoid", (-1000.0,), 0.0),
        ("sigmoid", (1000.0,), 1.0),
        ("sigmoid", (-700.0,), math.exp(-700.0)),
        ("tanh", (-math.inf,), -1.0),
        ("log2", (0.0,), -math.inf),
        ("log10", (-1.0,), math.nan),
        ("tan", (math.inf,), math.nan),
        ("asin", (2.0,), math.nan),
        ("acos", (-2.0,), math.nan),
        ("acosh", (0.5,), math.nan),
        ("atanh", (1.0,), math.inf),
        ("atanh", (-1.0,), -math.inf),
        ("atanh", (2.0,), math.nan),
        ("sinh", (-1000.0,), -math.inf),
        ("cosh", (-1000.0,), math.inf),
        ("round", (2.5,), 2.0),
        ("round", (-0.5,), -0.0),
        ("round", (math.nan,), math.nan),
        ("fmod", (-7.0, 3.0), -1.0),
        ("fmod", (1.0, 0.0), math.nan),
        ("fmod", (-1.0, math.inf), -1.0),
        ("hypot", (math.inf, math.nan), math.inf),
        ("atan2", (0.0, -0.0), math.pi),
        ("copysign", (3.0, -0.0), -3.0),
        ("nextafter", (0.5, math.nan), math.nan),
        ("nextafter", (0.0, -0.0), -0.0),
        ("lgamma", (-2.0,), math.inf),
        ("lgamma", (-math.inf,), math.inf),
        ("digamma", (0.0,), -math.inf),
        ("digamma", (-0.0,), math.inf),
        ("digamma", (-3.0,), math.nan),
        ("polygamma", (1, -3.0), math.inf),
        ("polygamma", (2, -3.0), math.nan),
        ("polygamma", (1, math.inf), 0.0),
        ("erfinv", (1.0,), math.inf),
        ("erfinv", (-1.5,), math.nan),
    ],
)
def test_ieee(name, operands, expected):
    for dtype in ("float64", "float32"):
        if dtype == "float32" and operands in ((-700.0,), (-10.0, 309.0), (-8.0, 1 / 3), (0.0, -0.0)):
            continue
        got = bare(name, dtype, *operands)
        assert repr(got) == repr(expected), (name, operands, got)
        arrays = [PyArray([v], (1,), dtype) for v in operands]
        (in_array,) = getattr(python_library.namespace(dtype, False), name)(*arrays).data
        assert repr(in_array) == repr(expected), (name, operands, in_array)
        with np.errstate(all="ignore"):
            numpy = getattr(numpy_library.namespace(dtype, False), name)(
                *(np.array([v], dtype) for v in operands)
            )
        assert near(float(numpy[0]), expected, dtype, 2), (name, operands, numpy)


def test_float32_overflows_to_infinity():
    assert bare("multiply", "float32", 1e30, 1e30) == math.inf
    assert bare("add", "float16", 65504.0, 65504.0) == math.inf
    assert bare("exp", "float32", 100.0) == math.inf


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*ARITHMETIC, *TRUTH, *EXACT, *RISING, *PREDICATES])
def test_the_short_path_of_numbers_is_the_path_of_arrays(name, dtype):
    rng = np.random.default_rng(SEED)
    count = 2 if name in (*ARITHMETIC, *TRUTH) else 1
    values = draw(rng, (6,), dtype).flat()
    if category(dtype) == 2:
        values += dense(dtype, (len(SPECIAL),), SPECIAL).flat()
    if name == "pow" and category(dtype) == 1:
        values = [abs(v) for v in values]
    short = getattr(python_library.namespace(dtype, True), name)
    long = getattr(python_library.namespace(dtype, False), name)
    for operands in itertools.product(values, repeat=count):
        arrays = [PyArray([v], (1,), dtype) for v in operands]
        try:
            expected = long(*arrays)
        except ProgramError:
            with pytest.raises(ProgramError):
                short(*operands)
            continue
        assert repr(short(*operands)) == repr(expected.data[0]), (name, operands)
        assert repr(long(*operands)) == repr(expected.data[0]), (name, operands)
        through = short(*arrays)  # an array on the short path
        assert repr(through) == repr(expected), (name, operands)
        assert expected.dtype == out_of(name, dtype)


@pytest.mark.parametrize("name", ARITHMETIC)
def test_numbers_do_not_promote_and_come_from_either_side(name):
    for dtype in ("float16", "float32", "float64"):
        x = dense(dtype, (3,), [0.5, 2.0, -3.0])
        agree(dtype, lambda xp, x: getattr(xp, name)(x, 2), x, ulp=2, note=name)
        agree(dtype, lambda xp, x: getattr(xp, name)(2.5, x), x, ulp=2, note=name)
        agree(dtype, lambda xp, x: getattr(xp, name)(x, 0.1), x, ulp=2, note=name)


def test_a_number_is_rounded_before_it_is_compared():
    for dtype in ("float32", "bfloat16", "float16"):
        x = dense(dtype, (1,), [0.1])
        assert agree(dtype, lambda xp, x: xp.equal(x, 0.1), x, out="bool").flat() == [True]


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize(
    "name", ["log", "exp", "sqrt", "sin", "cos", "tanh", "expm1", "log1p", "reciprocal", "sign",
             "log2", "log10", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh"]
)  # fmt: skip
def test_complex_functions_against_cmath(name, dtype):
    formulas = {
        "expm1": lambda z: cmath.exp(z) - 1,
        "log1p": lambda z: cmath.log(1 + z),
        "reciprocal": lambda z: 1 / z,
        "sign": lambda z: z / abs(z),
        "log2": lambda z: cmath.log(z) / math.log(2),
    }
    rng = np.random.default_rng(SEED)
    z = draw(rng, (50,), dtype)
    expected = Dense(dtype, (50,), [(formulas.get(name) or getattr(cmath, name))(v) for v in z.flat()])
    same(
        agree(dtype, call(name), z, ulp=COMPLEX_ULP), dense(dtype, (50,), expected.flat()), 8, name, floor=0.1
    )


def test_complex_log1p_keeps_its_digits_near_zero():
    z = Dense("complex128", (2,), [1e-12 + 1e-13j, -1e-12j])
    got = agree("complex128", call("log1p"), z, ulp=4)
    assert abs(got.flat()[0].real - 1e-12) < 1e-23


@pytest.mark.parametrize(
    "name", ["exp", "sin", "cos", "tanh", "log", "sqrt", "expm1", "log1p", "sigmoid", "log2", "log10", "tan",
             "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh"]
)  # fmt: skip
def test_complex_functions_never_raise(name):
    parts = (0.0, -0.0, 1.0, -800.0, 800.0, math.inf, -math.inf, math.nan)
    for re, im in itertools.product(parts, parts):
        assert isinstance(bare(name, "complex128", complex(re, im)), complex)
    for name in ("divide", "multiply", "pow"):
        for values in itertools.product(
            (0j, 1j, complex(1e308, 1e308), complex(math.inf, 0), complex(0, math.nan)), repeat=2
        ):
            assert isinstance(bare(name, "complex128", *values), complex)


@pytest.mark.parametrize("name", ["log", "log2", "log10"])
def test_complex_logarithms_of_zero(name):
    z = Dense("complex128", (2,), [0j, complex(math.inf, 0)])
    assert agree("complex128", call(name), z).flat() == [complex(-math.inf, 0), complex(math.inf, 0)]


def test_complex_division_by_zero():
    z = Dense("complex128", (3,), [1 + 1j, 0j, -1 + 0j])
    agree("complex128", lambda xp, z: xp.divide(z, 0j), z)


def test_where_takes_arrays_and_numbers_in_any_place():
    rng = np.random.default_rng(SEED)
    for dtype in DTYPES:
        condition = draw(rng, (3, 1), "bool")
        a, b = draw(rng, (2, 1, 4), dtype), draw(rng, (4,), dtype)
        agree(dtype, lambda xp, c, a, b: xp.where(c, a, b), condition, a, b)
        if dtype != "bool":
            agree(dtype, lambda xp, c, a: xp.where(c, a, 0), condition, a)
            agree(dtype, lambda xp, c, a: xp.where(c, 1, a), condition, a)
        agree(dtype, lambda xp, c: xp.where(c, 1, 0), condition)
        agree(dtype, lambda xp, a: xp.where(True, a, False), a)
        agree(dtype, lambda xp, c, a: xp.where(c, a, False), draw(rng, (5,), "bool"), draw(rng, (4,), dtype))


def test_complex_is_made_of_its_parts():
    for dtype, part in (("complex64", "float32"), ("complex128", "float64")):
        re = Dense(part, (2, 1), [1.0, math.inf])
        im = Dense(part, (3,), [0.5, math.nan, -math.inf])
        for own in (dtype, part):
            agree(own, lambda xp, re, im: xp.complex(re, im), re, im, out=dtype)
            agree(own, lambda xp, re: xp.complex(re, 0.0), re, out=dtype)
            agree(own, lambda xp: xp.complex(1.5, -2.0), out=dtype, zero_dim=True)


def test_creation():
    for dtype in DTYPES:
        for shape in SHAPES:
            for name in ("zeros", "ones"):
                agree(dtype, lambda xp, name=name, shape=shape: getattr(xp, name)(shape))
            agree(dtype, lambda xp, shape=shape: xp.full(shape, 1, "float32"), out="float32")
            agree(dtype, lambda xp, shape=shape: xp.full(shape, 3))
            x = dense("bool", shape, [True] * int(np.prod(shape)))
            agree(dtype, lambda xp, x: xp.zeros_like(x), x, out="bool")
            agree(dtype, lambda xp, x, dtype=dtype: xp.ones_like(xp.astype(x, dtype)), x)
        agree(dtype, lambda xp: xp.arange(5), out="int64")
        agree("float32", lambda xp, dtype=dtype: xp.arange(2, dtype), out=dtype)


def test_arrays_of_another_dtype_are_their_own_dtypes_business():
    index = Dense("int64", (3,), [5, 6, 7])
    agree("float32", lambda xp, i: xp.remainder(xp.add(i, 1), 4), index, out="int64")
    agree("float64", lambda xp, m: xp.logical_not(m), Dense("bool", (2,), [True, False]), out="bool")
    half = dense("float16", (2,), [0.1, 0.2])
    agree("float64", lambda xp, x: xp.multiply(x, 3.0), half, out="float16")
