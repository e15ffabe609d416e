"""Conjugates and parts of complex numbers, and complex numbers as pairs."""

from __future__ import annotations

from typing import Any

from gradspec.dense import Dense
from gradspec.dtypes import complex_of, real_of
from gradspec.ops.arguments import fault
from gradspec.ops.registry import KEEP, Array, Tensor, Xp, composite, linear
from gradspec.ops.samples import sample, uniform
from gradspec.ops.strides import kept, of_pairs, paired

__all__ = [
    "complex_view", "conj", "conj_view", "imag", "imag_part", "real", "real_part", "real_view",
    "view_as_complex", "view_as_real",
]  # fmt: skip


def _real_part_dtype(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[str, str]:
    dtype = dtypes["input"][0]
    return dtype, real_of(dtype)


@linear(node="ConjBackward0", dtypes=KEEP, view=True, strides=kept, turns=True, internal=True)
def conj_view(xp: Xp, input: Tensor) -> Tensor:
    """z̄ of a complex tensor, sharing memory. Shape: any → same.

    Source: linear over the reals; its own transpose.
    """
    return xp.conj(input)


@conj_view.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return xp.conj(ct)


@composite(view=True, samples=(sample(input=Dense("complex128", (2,), [1 + 2j, -3j])),))
def conj(F: Any, input: Tensor) -> Tensor:
    """z̄; a real tensor comes back itself. Shares memory. Shape: any → same.

    Source: linear over the reals; its own transpose.
    """
    return F.conj_view(input) if input.dtype.startswith("complex") else input


@linear(node="SelectBackward0", dtypes=_real_part_dtype, internal=True)
def real_part(xp: Xp, input: Tensor) -> Tensor:
    """Re z of a complex tensor. Shape: any → same.

    Source: linear over the reals; ct as a real number.
    """
    return xp.real(input)


@real_part.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any) -> Array:
    return xp.astype(ct, input_meta.dtype)


@linear(node="SelectBackward0", hides=True, dtypes=_real_part_dtype, internal=True)
def imag_part(xp: Xp, input: Tensor) -> Tensor:
    """Im z of a complex tensor. Shape: any → same.

    Source: linear over the reals; ct as an imaginary number.
    """
    return xp.imag(input)


@imag_part.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any) -> Array:
    return xp.multiply(xp.astype(ct, input_meta.dtype), 1j)


def _check_as_real(input: Any, **_: Any) -> None:
    if not input.dtype.startswith("complex"):
        raise fault("dtype-unsupported", f"view_as_real needs a complex tensor, not {input.dtype}")


@linear(
    node="ViewAsRealBackward0",
    dtypes=_real_part_dtype,
    view=True,
    strides=paired,
    unit=2,
    internal=True,
)
def real_view(xp: Xp, input: Tensor) -> Tensor:
    """See view_as_real.

    Source: linear over the reals; the transpose puts the parts together.
    """
    return xp.parts(input)


@real_view.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return xp.joined(ct)


@composite(
    view=True,
    check=_check_as_real,
    samples=(
        sample(input=Dense("complex128", (2,), [1 + 2j, -3j])),
        sample(input=Dense("complex128", (), [0.5 - 1j])),
    ),
)
def view_as_real(F: Any, input: Tensor) -> Tensor:
    """Real and imaginary part of each element along a new last axis. Shape: [...] → [..., 2]. Shares memory.

    A tensor that is a conjugate by its memory (`conj(x)`) has no such view: error dtype-unsupported.

    Source: linear over the reals; the transpose puts the parts together.
    """
    if input.is_turned:
        raise fault("dtype-unsupported", "view_as_real of a view that is a conjugate of its memory")
    return F.real_view(input)


def _complex_dtype(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[None, str]:
    return None, complex_of(dtypes["input"][0])


def _check_as_complex(input: Any, **_: Any) -> None:
    if input.dtype not in ("float32", "float64"):
        raise fault("dtype-unsupported", f"view_as_complex needs a real floating tensor, not {input.dtype}")
    if not input.shape or input.shape[-1] != 2:
        raise fault(
            "invalid-argument", f"view_as_complex needs a last axis of 2, not shape {list(input.shape)}"
        )


@linear(
    node="ViewAsComplexBackward0",
    dtypes=_complex_dtype,
    view=True,
    strides=of_pairs,
    unit=0.5,
    accepts=("float",),
    internal=True,
)
def complex_view(xp: Xp, input: Tensor) -> Tensor:
    """See view_as_complex.

    Source: linear over the reals; the transpose takes the parts apart.
    """
    return xp.joined(input)


@complex_view.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return xp.parts(ct)


@composite(
    view=True,
    accepts=("float",),
    check=_check_as_complex,
    samples=(sample(input=uniform(3, 2)), sample(input=uniform(2))),
)
def view_as_complex(F: Any, input: Tensor) -> Tensor:
    """Complex numbers of the pairs along the last axis. Shape: [..., 2] → [...]. Shares memory.

    Pairs lie side by side in memory, and each begins at an even place: else error not-viewable.

    Source: linear over the reals; the transpose takes the parts apart.
    """
    *others, last = input.strides
    odd = any(step % 2 for step, size in zip(others, input.shape, strict=False) if size != 1)
    if last != 1 or odd or input.offset % 2:
        raise fault("not-viewable", "the pairs of a complex view lie side by side, at even places")
    return F.complex_view(input)


@composite(view=True, samples=(sample(input=uniform(2, 3)),))
def real(F: Any, input: Tensor) -> Tensor:
    """Re z; a real tensor comes back itself. Shares memory. Shape: any → same.

    Source: linear over the reals.
    """
    return F.select(F.real_view(input), len(input.shape), 0) if input.dtype.startswith("complex") else input


def _check_imag(input: Any, **_: Any) -> None:
    if not input.dtype.startswith("complex"):
        raise fault("dtype-unsupported", f"imag needs a complex tensor, not {input.dtype}")


@composite(view=True, check=_check_imag, samples=(sample(input=Dense("complex128", (2,), [1 + 2j, -3j])),))
def imag(F: Any, input: Tensor) -> Tensor:
    """Im z of a complex tensor. Shares memory. Shape: any → same.

    Source: linear over the reals.
    """
    return F.select(F.real_view(input), len(input.shape), 1)
