"""Conjugates and parts of complex numbers."""

from __future__ import annotations

from typing import Any

from gradspec.dense import Dense
from gradspec.dtypes import real_of
from gradspec.ops.arguments import fault
from gradspec.ops.registry import KEEP, Array, Tensor, Xp, composite, linear
from gradspec.ops.samples import sample, uniform

__all__ = ["conj", "imag", "imag_part", "real", "real_part"]


def _real_part_dtype(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[str, str]:
    dtype = dtypes["input"][0]
    return dtype, real_of(dtype)


@linear(node="ConjBackward0", dtypes=KEEP, internal=True)
def conj(xp: Xp, input: Tensor) -> Tensor:
    """z̄. Shape: any → same.

    Source: linear over the reals; its own transpose.
    """
    return xp.conj(input)


@conj.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return xp.conj(ct)


@linear(node="SelectBackward0", dtypes=_real_part_dtype, internal=True)
def real_part(xp: Xp, input: Tensor) -> Tensor:
    """Re z of a complex tensor. Shape: any → same.

    Source: linear over the reals; ct as a real number.
    """
    return xp.real(input)


@real_part.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any) -> Array:
    return xp.astype(ct, input_meta.dtype)


@linear(node="SelectBackward0", dtypes=_real_part_dtype, internal=True)
def imag_part(xp: Xp, input: Tensor) -> Tensor:
    """Im z of a complex tensor. Shape: any → same.

    Source: linear over the reals; ct as an imaginary number.
    """
    return xp.imag(input)


@imag_part.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any) -> Array:
    return xp.multiply(xp.astype(ct, input_meta.dtype), 1j)


@composite(samples=(sample(input=uniform(2, 3)),))
def real(F: Any, input: Tensor) -> Tensor:
    """Re z; a real tensor comes back itself. Shape: any → same.

    Source: linear over the reals.
    """
    return F.real_part(input) if input.dtype.startswith("complex") else input


def _check_imag(input: Any, **_: Any) -> None:
    if not input.dtype.startswith("complex"):
        raise fault("dtype-unsupported", f"imag needs a complex tensor, not {input.dtype}")


@composite(check=_check_imag, samples=(sample(input=Dense("complex128", (2,), [1 + 2j, -3j])),))
def imag(F: Any, input: Tensor) -> Tensor:
    """Im z of a complex tensor. Shape: any → same.

    Source: linear over the reals.
    """
    return F.imag_part(input)
