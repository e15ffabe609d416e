"""The special functions against closed forms."""

from __future__ import annotations

import math

import pytest

from gradspec.arrays.special import digamma, erfinv, lgamma, polygamma

EULER = 0.57721566490153286061
APERY = 1.2020569031595942854  # ζ(3)


def close(got: float, expected: float, ulp: float = 4.0) -> bool:
    """Near in units of the last place of the terms of which the values are the sum."""
    return abs(got - expected) <= ulp * math.ulp(max(2.0, abs(expected)))


@pytest.mark.parametrize("n", [1, 2, 3, 10, 100])
def test_digamma_of_integers_and_halves(n: int) -> None:
    harmonic = math.fsum(1 / k for k in range(1, n))
    odd = math.fsum(2 / (2 * k - 1) for k in range(1, n + 1))
    assert close(digamma(float(n)), harmonic - EULER)
    assert close(digamma(n + 0.5), odd - EULER - 2 * math.log(2))


def test_digamma_on_the_left_of_zero() -> None:
    assert close(digamma(-0.5), 2 - EULER - 2 * math.log(2))
    assert close(digamma(-1.5), 2 + 2 / 3 - EULER - 2 * math.log(2))
    assert close(digamma(-0.25), math.pi / 2 - 3 * math.log(2) - EULER + 4)


def test_polygamma() -> None:
    squared = math.pi**2
    for x, expected in ((1.0, squared / 6), (2.0, squared / 6 - 1), (-0.5, squared / 2 + 4)):
        assert close(polygamma(1, x), expected)
    for x, expected in ((1.0, -2 * APERY), (0.5, -14 * APERY), (-0.5, 16 - 14 * APERY)):
        assert close(polygamma(2, x), expected, 32)
    for x, expected in ((1.0, squared**2 / 15), (0.5, squared**2), (-0.5, squared**2 + 96)):
        assert close(polygamma(3, x), expected, 8)
    assert polygamma(0, 2.5) == digamma(2.5)


def test_lgamma() -> None:
    assert close(lgamma(0.5), math.log(math.pi) / 2)
    assert lgamma(0.0) == lgamma(-4.0) == lgamma(1e308) == math.inf


@pytest.mark.parametrize("x", [1e-300, 1e-9, 0.1, 0.4999, 0.5, 0.7, 0.99, 1 - 1e-9, 1 - 2.0**-53])
def test_erfinv(x: float) -> None:
    y = erfinv(x)
    assert erfinv(-x) == -y
    # by the derivative, what one unit in the last place of y changes
    slope = 2 / math.sqrt(math.pi) * math.exp(-y * y)
    off = math.erf(y) - x if x < 0.5 else (1 - x) - math.erfc(y)
    assert abs(off) <= 4 * (math.ulp(y) * slope + math.ulp(x if x < 0.5 else 1 - x))
    assert math.copysign(1.0, erfinv(-0.0)) == -1.0
