"""Copies, casts and fills of a tensor: how a tensor becomes another, mostly of the same shape."""

from __future__ import annotations

from math import prod
from typing import Any

from gradspec.dtypes import DTYPES
from gradspec.errors import did_you_mean
from gradspec.ops.arguments import drops_imaginary_part, fault
from gradspec.ops.registry import KEEP, Array, DType, Size, Tensor, Xp, composite, constant, linear
from gradspec.ops.samples import reals, sample, uniform
from gradspec.ops.strides import kept

__all__ = [
    "clone", "contiguous", "contiguous_clone", "detach", "new_zeros", "ones_like", "to", "to_copy",
    "zeros_like",
]  # fmt: skip


def _given_or_own(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[None, str]:
    return None, statics.get("dtype") or dtypes["input"][0]


FILLS = (*reals(-1, 1), sample(input=uniform(2, 3), dtype="float64"), sample(input=uniform(2), dtype="int64"))


@constant(dtypes=_given_or_own, iterates=True, samples=FILLS)
def zeros_like(xp: Xp, input: Tensor, *, dtype: DType | None = None) -> Tensor:
    """Zeros. Shape: any → same; dtype the input's if not given. No gradient.

    Source: elementary.
    """
    return xp.zeros_like(input) if dtype is None else xp.zeros(xp.shape(input), dtype)


@constant(dtypes=_given_or_own, iterates=True, samples=FILLS)
def ones_like(xp: Xp, input: Tensor, *, dtype: DType | None = None) -> Tensor:
    """Ones. Shape: any → same; dtype the input's if not given. No gradient.

    Source: elementary.
    """
    return xp.ones_like(input) if dtype is None else xp.ones(xp.shape(input), dtype)


def _check_size(size: Any, **_: Any) -> None:
    if any(n < 0 for n in size):
        raise fault("invalid-argument", f"size {list(size)} has a negative entry")


@constant(
    dtypes=_given_or_own,
    check=_check_size,
    samples=(
        sample(input=uniform(2), size=[2, 3]),
        sample(input=uniform(), size=[]),
        sample(input=uniform(2), size=[0, 2], dtype="int64"),
    ),
)
def new_zeros(xp: Xp, input: Tensor, size: Size, *, dtype: DType | None = None) -> Tensor:
    """Zeros of shape `size`; dtype the input's if not given. No gradient.

    Source: elementary.
    """
    return xp.zeros(tuple(size), dtype)


@linear(node="CloneBackward0", dtypes=KEEP, internal=True)
def contiguous_clone(xp: Xp, input: Tensor) -> Tensor:
    """A copy in C order, however input lies in memory. Shape: any → same.

    Source: the identity.
    """
    return xp.getitem(input, (Ellipsis,)) if xp.shape(input) else input


@contiguous_clone.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


@linear(node="CloneBackward0", dtypes=KEEP, iterates=True, samples=reals(-3, 3))
def clone(xp: Xp, input: Tensor) -> Tensor:
    """A copy; dy/dx = 1. Shape: any → same.

    Source: the identity.
    """
    return xp.getitem(input, (Ellipsis,)) if xp.shape(input) else input


@clone.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


def _is_contiguous(x: Any) -> bool:
    """Whether neighbours in C order are neighbours in memory."""
    step = 1
    for size, stride in zip(reversed(x.shape), reversed(x.strides), strict=True):
        if size != 1 and stride != step:
            return not prod(x.shape)
        step *= size
    return True


@composite(samples=reals(-3, 3))
def contiguous(F: Any, input: Tensor) -> Tensor:
    """The very tensor where its elements lie in C order, else a copy. Shape: any → same.

    Source: the identity.
    """
    return input if _is_contiguous(input) else F.contiguous_clone(input)


@constant(dtypes=KEEP, view=True, strides=kept, samples=reals(-3, 3))
def detach(xp: Xp, input: Tensor) -> Tensor:
    """The same numbers without history. Shape: any → same. Shares memory; no gradient.

    Source: the identity, its derivative cut.
    """
    return input


@linear(
    node="ToCopyBackward0",
    dtypes=_given_or_own,
    casts=True,
    iterates=True,
    internal=True,
    warns=drops_imaginary_part,
    samples=(sample(input=uniform(2, 3), dtype="float64"), sample(input=uniform(3), dtype="complex128")),
)
def to_copy(xp: Xp, input: Tensor, dtype: DType) -> Tensor:
    """input cast to dtype. Shape: any → same. The gradient is cast back.

    Source: the identity; from complex to real it is z ↦ Re z.
    """
    return xp.astype(input, dtype)


@to_copy.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


@composite(
    samples=(
        *(
            sample(input=uniform(2, 3), dtype=dtype)
            for dtype in ("float32", "float64", "complex128", "int64")
        ),
        sample(input=uniform(2), other=uniform(3)),
    ),
)
def to(F: Any, input: Tensor, dtype: DType | None = None, *, other: Tensor | None = None) -> Tensor:
    """input with another dtype, or other's; the very tensor where it has that already. Shape: any → same.

    The gradient is cast back to input's dtype; a cast to integers or bool cuts the graph, one from
    complex to real drops the imaginary part.

    Source: the identity.
    """
    wanted = other.dtype if dtype is None and other is not None else dtype
    if wanted not in DTYPES:
        hint = did_you_mean(str(wanted), DTYPES)
        raise fault("invalid-argument", f'"{wanted}" is no dtype{"; " + hint if hint else ""}')
    return input if input.dtype == wanted else F.to_copy(input, wanted)
