"""Copies of a tensor side by side, and its elements shifted around the end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import prod
from typing import Any

from gradspec.ops.arguments import axis_of, fault
from gradspec.ops.registry import KEEP, Array, Dims, Size, Tensor, Xp, composite, linear
from gradspec.ops.samples import sample, uniform

__all__ = ["repeat", "roll", "tile"]

Shape = tuple[int, ...]


def _check_repeat(input: Any, repeats: Sequence[int], **_: Any) -> None:
    if len(repeats) < len(input.shape):
        raise fault("shape-mismatch", f"{len(repeats)} numbers of copies for {len(input.shape)} axes")
    if any(count < 0 for count in repeats):
        raise fault("invalid-argument", f"repeats {list(repeats)} has a negative number of copies")


def _pairs(shape: Shape, repeats: Sequence[int]) -> list[tuple[int, int]]:
    """(copies, size) of each axis of the result."""
    lead = (1,) * (len(repeats) - len(shape))
    return list(zip(repeats, (*lead, *shape), strict=True))


@linear(
    node="RepeatBackward0",
    dtypes=KEEP,
    check=_check_repeat,
    samples=(
        sample(input=uniform(2), repeats=[3]),
        sample(input=uniform(2, 3), repeats=[2, 1]),
        sample(input=uniform(3), repeats=[2, 1, 2]),
        sample(input=uniform(), repeats=[2, 2]),
        sample(input=uniform(), repeats=[]),
        sample(input=uniform(2), repeats=[0]),
        sample(input=uniform(0, 2), repeats=[1, 2]),
    ),
)
def repeat(xp: Xp, input: Tensor, repeats: Size) -> Tensor:
    """repeats[k] copies side by side along each axis k; more entries than axes make new ones in front.

    Source: linear; the transpose is the sum over the copies.
    """
    pairs = _pairs(xp.shape(input), repeats)
    apart = xp.reshape(input, tuple(chain.from_iterable((1, size) for _, size in pairs)))
    copies = xp.broadcast_to(apart, tuple(chain.from_iterable(pairs)))
    return xp.reshape(copies, tuple(count * size for count, size in pairs))


@repeat.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, repeats: Sequence[int]) -> Array:
    pairs = _pairs(input_meta.shape, repeats)
    if len(pairs) == len(input_meta.shape) and all(count == 1 for count, _ in pairs):
        return ct
    copies = xp.reshape(ct, tuple(chain.from_iterable(pairs)))
    return xp.reshape(xp.sum(copies, tuple(range(0, 2 * len(pairs), 2))), input_meta.shape)


def _check_tile(input: Any, dims: Sequence[int], **_: Any) -> None:
    if any(count < 0 for count in dims):
        raise fault("invalid-argument", f"dims {list(dims)} has a negative number of copies")


@composite(
    check=_check_tile,
    samples=(
        sample(input=uniform(2), dims=[3]),
        sample(input=uniform(2, 3), dims=[2]),
        sample(input=uniform(3), dims=[2, 2]),
        sample(input=uniform(), dims=[]),
    ),
)
def tile(F: Any, input: Tensor, dims: Size) -> Tensor:
    """As repeat; axes that dims does not reach, counted from the last, are not repeated.

    Source: linear; the transpose is the sum over the copies.
    """
    return F.repeat(input, [1] * (len(input.shape) - len(dims)) + list(dims))


def _as_list(dims: int | Sequence[int] | None) -> Shape:
    return () if dims is None else (dims,) if isinstance(dims, int) else tuple(dims)


def _check_roll(input: Any, shifts: Dims, dims: Dims | None, **_: Any) -> None:
    count, axes = len(_as_list(shifts)), _as_list(dims)
    if not count:
        raise fault("invalid-argument", "roll needs at least one shift")
    if count != (len(axes) or 1):
        raise fault("shape-mismatch", f"{count} shifts do not align with {len(axes)} dims")
    for dim in axes:
        if not input.shape:
            raise fault("dim-out-of-range", f"a 0-d tensor has no dim {dim}")
        axis_of(dim, len(input.shape))


def _rolled(xp: Xp, x: Array, shape: Shape, shifts: Shape, dims: Shape) -> Array:
    if not prod(shape):
        return x
    if not dims:
        whole = (prod(shape),)
        return xp.reshape(_rolled(xp, xp.reshape(x, whole), whole, shifts, (0,)), shape)
    for shift, dim in zip(shifts, dims, strict=True):
        axis = axis_of(dim, len(shape))
        cut = -shift % shape[axis]
        if cut:
            ahead = (slice(None),) * axis
            parts = [xp.getitem(x, (*ahead, part)) for part in (slice(cut, None), slice(None, cut))]
            x = xp.concat(parts, axis)
    return x


@linear(
    node="RollBackward0",
    dtypes=KEEP,
    check=_check_roll,
    samples=(
        sample(input=uniform(3), shifts=1),
        sample(input=uniform(2, 3), shifts=-2),
        sample(input=uniform(2, 3), shifts=1, dims=-1),
        sample(input=uniform(2, 3), shifts=[1, 4], dims=[0, 1]),
        sample(input=uniform(3), shifts=[1, 1], dims=[0, 0]),
        sample(input=uniform(), shifts=1),
        sample(input=uniform(0), shifts=2, dims=0),
    ),
)
def roll(xp: Xp, input: Tensor, shifts: Dims, dims: Dims | None = None) -> Tensor:
    """The elements shifts places further along dims, those beyond the end at the front. Shape: any → same.

    Without dims all elements, in C order, are one axis.

    Source: linear; the transpose shifts back.
    """
    return _rolled(xp, input, xp.shape(input), _as_list(shifts), _as_list(dims))


@roll.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, shifts: Dims, dims: Dims | None) -> Array:
    back = tuple(-shift for shift in _as_list(shifts))
    return _rolled(xp, ct, input_meta.shape, back, _as_list(dims))
