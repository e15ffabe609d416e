"""Special functions of one double that `math` lacks, for both array libraries; none of them raises.

What is not defined is NaN; a pole is an infinity where both of its sides agree, else NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

__all__ = ["digamma", "erfinv", "lgamma", "polygamma"]

INF, NAN = math.inf, math.nan
# Bernoulli numbers B₂, B₄ … B₂₀.
BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330,
)  # fmt: skip
LARGE = 15.0  # from here on the asymptotic series has all digits of a double


def lgamma(x: float) -> float:
    """ln |Γ(x)|; ∞ at the poles 0, −1, −2, …"""
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return INF


def erfinv(x: float) -> float:
    """The y with erf(y) = x; ±∞ at ±1, NaN beyond.

    Source: S. Winitzki's approximation (2008), then three steps of Halley's method.
    """
    size = math.fabs(x)
    if not size < 1:
        return math.copysign(INF, x) if size == 1 else NAN
    log = math.log1p(-size) + math.log1p(size)
    half = 2 / (math.pi * 0.147) + log / 2
    y = math.sqrt(-log / 0.147 / (math.sqrt(half * half - log / 0.147) + half))
    for _ in range(3):
        # near 1 the distance to 1 is what has the digits
        off = math.erf(y) - size if size < 0.5 else (1 - size) - math.erfc(y)
        step = off * math.exp(y * y) * math.sqrt(math.pi) / 2
        y -= step / (1 + step * y)
    return math.copysign(y, x)


def digamma(x: float) -> float:
    """ψ(x) = Γ′(x)/Γ(x); ∓∞ at ±0, NaN at the poles −1, −2, …

    Source: recurrence and reflection to where the asymptotic series holds (NIST DLMF 5.5, 5.11).
    """
    if x == 0:
        return math.copysign(INF, -x)
    if x < 0:
        if math.isinf(x) or x == math.floor(x):
            return NAN
        return digamma(1 - x) - _cotangent(0, x)
    total = 0.0
    while x < LARGE:
        total -= 1 / x
        x += 1
    inverse = 1 / x
    return total + math.log(x) - inverse / 2 - math.fsum(_tail(0, inverse))


def polygamma(n: float, x: float) -> float:
    """The n-th derivative of ψ at x, n ≥ 0; at the poles 0, −1, −2, … ∞ for an odd n.

    Source: as for digamma (NIST DLMF 5.15).
    """
    n = int(n)
    if n == 0:
        return digamma(x)
    sign = 1.0 if n % 2 else -1.0
    if not x > 0:
        if x == 0:
            return INF if n % 2 else math.copysign(INF, -x)
        if math.isnan(x) or math.isinf(x) or x == math.floor(x):
            return INF if n % 2 and math.isfinite(x) else NAN
        return -sign * polygamma(n, 1 - x) - _cotangent(n, x)
    factorial = math.factorial(n)
    total = 0.0
    while x < LARGE + n:
        try:
            total += factorial / x ** (n + 1)
        except (OverflowError, ZeroDivisionError):
            return sign * INF
        x += 1
    inverse = 1 / x
    head = factorial * inverse**n * (1 / n + inverse / 2)
    return sign * (total + head + math.fsum(_tail(n, inverse)))


def _tail(n: int, inverse: float) -> Iterator[float]:
    """The terms of the asymptotic series of ψ⁽ⁿ⁾, without the first two and their common sign."""
    for k, number in enumerate(BERNOULLI, 1):
        rising = math.factorial(2 * k + n - 1) / math.factorial(2 * k)
        yield number * rising * inverse ** (2 * k + n)


def _cotangent(n: int, x: float) -> float:
    """The n-th derivative of π·cot(πx), as a polynomial in the cotangent."""
    angle = math.pi * math.fmod(x, 1.0)
    cot = math.cos(angle) / math.sin(angle)
    powers = [0.0, 1.0]
    for _ in range(n):  # cot′ = −π(1 + cot²)
        slopes = [k * a for k, a in enumerate(powers)][1:]
        powers = [-math.pi * (a + b) for a, b in zip([*slopes, 0, 0], [0, 0, *slopes], strict=True)]
    return math.pi * math.fsum(a * cot**k for k, a in enumerate(powers))
