"""Constant expressions: values, what has none, and what must stay cheap."""

from __future__ import annotations

import cmath
import math
import time
from fractions import Fraction

import pytest

from gradspec.spec.constant import CONSTANTS, FUNCTIONS, LIMIT, evaluate
from gradspec.spec.syntax import BadText


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/3", 1 / 3),
        ("sqrt(2)/2", math.sqrt(2) / 2),
        ("4*cos(7)", 4 * math.cos(7)),
        ("1+2j", 1 + 2j),
        ("exp(-2)", math.exp(-2)),
        ("7", 7.0),
        ("-0.0", -0.0),
        ("2 ** -5000", 0.0),
        ("inf**2", math.inf),
        ("exp(inf)", math.inf),
        ("inf * -2", -math.inf),
        ("-inf", -math.inf),
        ("inf/0", math.inf),
        ("inf/-0.0", -math.inf),
        ("sqrt(-1+0j)", 1j),
        ("complex(0.0, -0.0)", complex(0.0, -0.0)),
        ("log(8, 2)", 3.0),
        ("floor(-0.0)", -0.0),
        ("ceil(-0.5)", -0.0),
        ("floor(1e300)", 1e300),
        ("trunc(-inf)", -math.inf),
        ("phase(-1)", math.pi),
        ("7 // 2 + 7 % 4", 6.0),
        ("pi - e", math.pi - math.e),
    ],
)
def test_value(text: str, value: complex) -> None:
    assert repr(evaluate(text)) == repr(value)


@pytest.mark.parametrize("text", ["nan", "inf - inf", "sin(inf)", "nan // 0", "fmod(inf, 1)", "sqrt(-inf)"])
def test_ieee_gives_nan(text: str) -> None:
    assert math.isnan(evaluate(text))


@pytest.mark.parametrize(
    ("text", "offset", "width"),
    [
        ("1/0", 0, 3),
        ("9**9**9", 0, 7),
        ("(-10)**309", 0, 10),
        ("1 + 1e308*1e308", 4, 11),
        ("exp(1000)", 0, 9),
        ("sinh(-1000)", 0, 11),
        ("gamma(200)", 0, 10),
        ("2 + log(0)", 4, 6),
        ("sqrt(-1)", 0, 8),
        ("(-8)**(1/3)", 0, 11),
        ("1 + foo", 4, 3),
        ("sqrtt(2)", 0, 5),
        ("factorial(5)", 0, 9),
        ("comb(9, 3)", 0, 4),
        ("sqrt(1, 2)", 0, 10),
        ("1e400", 0, 5),
        ("[1]", 0, 3),
        ("'a'", 0, 3),
        ("True", 0, 4),
        ("1 if 2 else 3", 0, 13),
        ("x = 1", 0, 5),
        ("1; 2", 0, 4),
        ("sqrt(x=2)", 0, 9),
        ("math.sqrt(2)", 0, 9),
        ("(1).real", 0, 8),
        ("1 // 1j", 0, 7),
        ("erf(1j)", 0, 7),
        ("exp(1000 + 1j)", 0, 14),
        ("1 +", 3, 1),
        ("", 0, 1),
        ("π + é", 0, 1),
    ],
)
def test_no_value_has_its_place(text: str, offset: int, width: int) -> None:
    with pytest.raises(BadText) as caught:
        evaluate(text)
    assert (caught.value.offset, caught.value.width) in [(offset, width), (min(offset, len(text) - 1), width)]
    assert caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "9" * LIMIT,
        "9**" * 60 + "9",
        "(" * 99 + "1" + ")" * 99,
        "-" * 199 + "1",
        "gamma(" * 30 + "9" + ")" * 30,
        "1e308*" * 30 + "2",
        "2**" * 66 + "1",
        "exp(" * 40 + "9" + ")" * 40,
        "[" * 200,
        "x" * 10**6,
        "1_" * 99 + "1",
        "\0",
        "1\\\n+1",
        "\ud800",
        "0x" + "f" * 190,
    ],
)
def test_is_cheap_whatever_is_written(text: str) -> None:
    start = time.process_time()
    try:
        evaluate(text)
    except BadText:
        pass
    assert time.process_time() - start < 5.0  # seconds: no hang, also on a busy machine


def test_the_functions_are_those_of_math_and_cmath() -> None:
    """Every name is a function of Python's, and every float function of one number there is here."""
    for name in FUNCTIONS.keys() - {"complex"}:
        assert hasattr(math, name) or hasattr(cmath, name)
    for name in dir(math):
        if name.startswith("_") or name in FUNCTIONS or name in CONSTANTS or name == "tau":
            continue
        try:
            result = getattr(math, name)(0.5)
        except (TypeError, ValueError):
            continue
        assert type(result) is not float or name in ("ulp", "modf"), f"{name} is missing"


class Exact:
    """Rational arithmetic: what a proof would compute in."""

    def number(self, value: float | complex) -> Fraction:
        return Fraction(value)  # type: ignore[arg-type]

    def constant(self, name: str) -> Fraction:
        return Fraction(CONSTANTS[name])

    def unary(self, operator: str, x: Fraction) -> Fraction:
        return -x if operator == "-" else x

    def binary(self, operator: str, a: Fraction, b: Fraction) -> Fraction:
        return {"+": a + b, "-": a - b, "*": a * b, "/": a / b}[operator]

    def call(self, function: str, arguments: list[Fraction]) -> Fraction:
        raise NotImplementedError


def test_any_arithmetic() -> None:
    assert evaluate("1/3 + 1/6", Exact()) == Fraction(1, 2)
    assert evaluate("0.1", Exact()) == Fraction(0.1), "a literal is a float64"
