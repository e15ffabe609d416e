"""The discrete Fourier transform along one axis."""

from __future__ import annotations

from math import sqrt
from typing import Any

from gradspec.dense import Dense
from gradspec.dtypes import category, complex_of
from gradspec.ops.arguments import axis_of, fault
from gradspec.ops.registry import KEEP, Array, Tensor, Xp, composite, linear
from gradspec.ops.samples import sample, uniform

__all__ = ["fft", "fft_c2c", "fft_r2c", "ifft"]

# The norms: name → which direction is divided, and by how much of n.
_NORMS = ("backward", "ortho", "forward")


def _scaled(xp: Xp, x: Array, scale: float) -> Array:
    return x if scale == 1 else xp.multiply(x, scale)


@linear(node="FftC2CBackward0", dtypes=KEEP, internal=True)
def fft_c2c(xp: Xp, input: Tensor, dim: int, inverse: bool = False, scale: float = 1.0) -> Tensor:
    """The transform of complex numbers along dim, times scale.

    Source: linear; its matrix is symmetric, so that the transpose, conjugated, turns the other way.
    """
    return _scaled(xp, xp.fft(input, dim, inverse), scale)


@fft_c2c.adjoint("input")
def _(xp: Xp, ct: Array, dim: int, inverse: bool, scale: float) -> Array:
    return _scaled(xp, xp.fft(ct, dim, not inverse), scale)


def _to_complex(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[None, str]:
    return None, complex_of(dtypes["input"][0])


@linear(node="FftR2CBackward0", dtypes=_to_complex, internal=True)
def fft_r2c(xp: Xp, input: Tensor, dim: int, scale: float = 1.0) -> Tensor:
    """The transform of real numbers along dim, times scale.

    Source: linear over the reals; the real part of the transform that turns the other way.
    """
    return _scaled(xp, xp.fft(input, dim), scale)


@fft_r2c.adjoint("input")
def _(xp: Xp, ct: Array, input: Array, dim: int, scale: float) -> Array:
    # input is not needed here, but torch saves it, and to change it in place before backward is an error
    return xp.real(_scaled(xp, xp.fft(ct, dim, True), scale))


def _check(input: Any, n: int | None, dim: int, norm: str | None, **_: Any) -> None:
    if not input.shape:
        raise fault("dim-out-of-range", f"a 0-d tensor has no dim {dim}")
    size = input.shape[axis_of(dim, len(input.shape))]
    if norm not in (None, *_NORMS):
        raise fault("invalid-argument", f'fft has the norms {", ".join(_NORMS)}, not "{norm}"')
    if (size if n is None else n) < 1:
        raise fault("invalid-argument", f"{size if n is None else n} numbers cannot be transformed")
    if input.dtype in ("float16", "bfloat16"):
        raise fault("dtype-unsupported", f"fft does not take {input.dtype}")


def _resized(F: Any, x: Any, n: int | None, axis: int) -> Any:
    """x with n elements along an axis: cropped, or zeros added behind."""
    size = x.shape[axis]
    if category(x.dtype) < 2:
        x = F.div(x, 1)
    if n is None or n == size:
        return x
    if n < size:
        return F.slice(x, axis, 0, n, 1)
    return F.pad(x, [0, 0] * (len(x.shape) - axis - 1) + [0, n - size], value=0.0)


def _scale(norm: str | None, n: int, *, inverse: bool) -> float:
    if norm == "ortho":
        return 1 / sqrt(n)
    return 1 / n if (norm == "forward") != inverse else 1.0


SAMPLES = (
    sample(input=uniform(4)),
    sample(input=uniform(1)),
    sample(input=uniform(3), n=2, norm="ortho"),
    sample(input=uniform(3), n=5, norm="forward"),
    sample(input=uniform(2, 3), dim=0, norm="backward"),
    sample(input=Dense("complex128", (3,), [1 + 2j, -0.5j, 3.0])),
)


@composite(name="fft.fft", check=_check, samples=SAMPLES)
def fft(F: Any, input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """Yₖ = Σⱼ xⱼ·e^(−2πi·jk/n) along dim; complex, also of real numbers.

    n: how many numbers are transformed, input being cropped or filled up with zeros. norm: "backward", the
    same as None; "ortho" divides by √n, "forward" by n.

    Source: linear; the conjugate transpose turns the other way. A real input gets the real part.
    """
    axis = axis_of(dim, len(input.shape))
    x = _resized(F, input, n, axis)
    scale = _scale(norm, x.shape[axis], inverse=False)
    return F.fft_c2c(x, axis, False, scale) if category(x.dtype) == 3 else F.fft_r2c(x, axis, scale)


@composite(name="fft.ifft", check=_check, samples=SAMPLES)
def ifft(F: Any, input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """xⱼ = (1/n)·Σₖ Yₖ·e^(2πi·jk/n) along dim; complex, also of real numbers. The inverse of fft.fft.

    n: as for fft.fft. norm: "backward", the same as None; "ortho" divides by √n, "forward" by nothing.

    Source: linear; the conjugate transpose turns the other way. A real input gets the real part.
    """
    axis = axis_of(dim, len(input.shape))
    x = _resized(F, input, n, axis)
    scale = _scale(norm, x.shape[axis], inverse=True)
    return F.fft_c2c(x, axis, True, scale) if category(x.dtype) == 3 else F.conj(F.fft_r2c(x, axis, scale))
