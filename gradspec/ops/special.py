"""The error function, the gamma function and their kin, element by element."""

from __future__ import annotations

from math import pi, sqrt

from gradspec.ops.registry import FLOAT, Array, Tensor, Xp, elementwise
from gradspec.ops.samples import reals

__all__ = ["digamma", "erf", "erfc", "erfinv", "lgamma", "polygamma"]

INF, NAN = float("inf"), float("nan")


@elementwise(node="ErfBackward0", dtypes=FLOAT, accepts=("float",), inplace=True, samples=reals(-2.0, 2.0))
def erf(xp: Xp, input: Tensor) -> Tensor:
    """y = 2/√π·∫₀ˣ exp(−t²) dt; dy/dx = 2/√π·exp(−x²). Shape: any → same.

    Source: the definition.
    """
    return xp.erf(input)


def _bell(xp: Xp, x: Array, factor: float) -> Array:
    """factor·exp(−x²)."""
    return xp.multiply(factor, xp.exp(xp.negative(xp.square(x))))


@erf.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return _bell(xp, input, 2 / sqrt(pi))


@elementwise(node="ErfcBackward0", dtypes=FLOAT, accepts=("float",), inplace=True, samples=reals(-2.0, 2.0))
def erfc(xp: Xp, input: Tensor) -> Tensor:
    """y = 1 − erf x, with all its digits where it is small; dy/dx = −2/√π·exp(−x²). Shape: any → same.

    Source: the definition.
    """
    return xp.erfc(input)


@erfc.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return _bell(xp, input, -2 / sqrt(pi))


@elementwise(
    node="ErfinvBackward0",
    dtypes=FLOAT,
    accepts=("float",),
    inplace=True,
    samples=reals(-0.9, 0.9),
    kinks={"x = 1 or -1": {"torch": INF}},
)
def erfinv(xp: Xp, input: Tensor) -> Tensor:
    """The y with erf y = x; dy/dx = √π/2·exp(y²). Shape: any → same. ±∞ at ±1, NaN beyond.

    Source: the derivative of an inverse function.
    """
    return xp.erfinv(input)


@erfinv.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.multiply(sqrt(pi) / 2, xp.exp(xp.square(xp.erfinv(input))))


@elementwise(
    node="LgammaBackward0",
    dtypes=FLOAT,
    accepts=("float",),
    inplace=True,
    samples=(*reals(0.3, 5.0), *reals(-0.8, -0.2)),
    kinks={"x = 0": {"torch": -INF}, "x = -1, -2, …": {"torch": NAN}},
)
def lgamma(xp: Xp, input: Tensor) -> Tensor:
    """y = ln |Γ(x)|; dy/dx = ψ(x), the digamma function. Shape: any → same. ∞ at 0, −1, −2, …

    Source: the definition of ψ.
    """
    return xp.lgamma(input)


@lgamma.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.digamma(input)


@elementwise(
    node="DigammaBackward0",
    dtypes=FLOAT,
    accepts=("float",),
    inplace=True,
    samples=(*reals(0.3, 5.0), *reals(-0.8, -0.2)),
    kinks={
        "x = 0": {"torch": INF},
        "x = -1, -2, …": {"torch": "a huge number, where a rounded sine stands for 0", "limit": INF},
    },
)
def digamma(xp: Xp, input: Tensor) -> Tensor:
    """y = ψ(x) = Γ′(x)/Γ(x); dy/dx = ψ′(x). Shape: any → same. −∞ at 0, NaN at −1, −2, …

    Source: NIST DLMF 5.2, 5.15; at the poles the derivative is its limit ∞.
    """
    return xp.digamma(input)


@digamma.partial("input")
def _(xp: Xp, input: Array) -> Array:
    return xp.polygamma(1, input)


@elementwise(node="PolygammaBackward0", dtypes=FLOAT, accepts=("float",), internal=True)
def polygamma(xp: Xp, n: int, input: Tensor) -> Tensor:
    """y = ψ⁽ⁿ⁾(x), the n-th derivative of the digamma function. Shape: any → same.

    Source: NIST DLMF 5.15.
    """
    return xp.polygamma(n, input)


@polygamma.partial("input")
def _(xp: Xp, n: int, input: Array) -> Array:
    return xp.polygamma(n + 1, input)
