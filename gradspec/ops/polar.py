"""Arguments of complex numbers, and complex numbers made of real ones."""

from __future__ import annotations

from typing import Any

from gradspec.dtypes import category, complex_of, real_of
from gradspec.ops.arguments import broadcast, fault
from gradspec.ops.registry import FLOAT, Array, Tensor, Xp, elementwise, linear
from gradspec.ops.samples import pairs, reals

__all__ = ["angle", "make_complex", "polar"]


def _angle_dtype(dtypes: dict[str, Any], statics: dict[str, Any]) -> Any:
    dtype = dtypes["input"][0]
    return (dtype, real_of(dtype)) if category(dtype) >= 2 else FLOAT


@elementwise(
    node="AngleBackward0",
    iterates=lambda input, **_: category(input.dtype) < 3,  # angles of complex numbers lie in order
    dtypes=_angle_dtype,
    samples=(*reals(-3.0, -0.5), *reals(0.5, 3.0)),
    kinks={"z = 0": {"torch": 0.0}},
)
def angle(xp: Xp, input: Tensor) -> Tensor:
    """The argument of z, from −π to π; of a real number π below 0, else 0. Real. Shape: any → same.

    Source: d arg z = Im(dz/z), so that the gradient is i·z/|z|²; 0 at 0 and for real numbers.
    """
    return xp.angle(input)


@angle.vjp("input")
def _(xp: Xp, ct: Array, input: Array, input_meta: Any) -> Array:
    if category(input_meta.dtype) < 3:
        return xp.zeros(input_meta.shape)
    zero = xp.equal(input, 0)
    size = xp.where(
        zero, 1.0, xp.abs(input)
    )  # nothing is divided by 0, also where it is differentiated again
    turned = xp.divide(xp.multiply(xp.sign(input), 1j), xp.astype(size, input_meta.dtype))
    return xp.multiply(xp.astype(ct, input_meta.dtype), turned)


def _parts_dtype(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[None, str]:
    (first, _), (second, _) = dtypes.values()
    for dtype in (first, second):
        if dtype not in ("float32", "float64"):
            raise fault(
                "dtype-unsupported", f"complex numbers are made of float32 or float64, not of {dtype}"
            )
    if first != second:
        raise fault("dtype-mismatch", f"complex numbers need parts of one dtype, not {first} and {second}")
    return None, complex_of(first)


@linear(
    name="complex",
    node="ComplexBackward0",
    dtypes=_parts_dtype,
    iterates=True,
    check=broadcast("real", "imag"),
    samples=pairs(("real", -2.0, 2.0), ("imag", -2.0, 2.0)),
)
def make_complex(xp: Xp, real: Tensor, imag: Tensor) -> Tensor:
    """real + i·imag of two real tensors of one dtype, which broadcast.

    Source: linear over the reals; the parts of the cotangent.
    """
    return xp.complex(real, imag)


@make_complex.adjoint("real")
def _(xp: Xp, ct: Array, real: Array) -> Array:
    return xp.real(ct)


@make_complex.adjoint("imag")
def _(xp: Xp, ct: Array, imag: Array) -> Array:
    return xp.imag(ct)


@elementwise(
    node="PolarBackward0",
    dtypes=_parts_dtype,
    check=broadcast("abs", "angle"),
    samples=pairs(("abs", 0.3, 2.0), ("angle", -2.0, 2.0)),
    kinks={"abs = 0": {"torch": 0.0}},
)
def polar(xp: Xp, abs: Tensor, angle: Tensor) -> Tensor:
    """abs·e^(i·angle) of two real tensors of one dtype, which broadcast; abs is meant to be 0 or above.

    Source: ∂/∂abs = e^(i·angle), here y/|y|, and ∂/∂angle = i·y; for abs the direction 0 at 0.
    """
    return xp.complex(xp.multiply(abs, xp.cos(angle)), xp.multiply(abs, xp.sin(angle)))


@polar.vjp("abs")
def _(xp: Xp, ct: Array, y: Array) -> Array:
    return xp.real(xp.multiply(xp.conj(ct), xp.sign(y)))


@polar.vjp("angle")
def _(xp: Xp, ct: Array, y: Array) -> Array:
    return xp.real(xp.multiply(xp.conj(ct), xp.multiply(y, 1j)))
