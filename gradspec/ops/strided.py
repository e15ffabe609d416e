"""Elements of a tensor's memory by strides."""

from __future__ import annotations

from math import prod
from typing import Any

from gradspec.engine.strides import contiguous
from gradspec.errors import UnsupportedFeature
from gradspec.ops.arguments import fault
from gradspec.ops.registry import KEEP, Array, Size, Tensor, Xp, composite, linear
from gradspec.ops.samples import sample, uniform

__all__ = ["as_strided", "strided_view"]

Shape = tuple[int, ...]


def _lying(
    shape: Shape, strides: Shape, result: Shape, part: int, size: Shape, stride: Shape, offset: int
) -> tuple[Shape, int]:
    return tuple(stride), offset


def _places(xp: Xp, size: Shape, stride: Shape, offset: int) -> Array:
    """Where the elements lie, counted in input's: offset + Σ iₖ·strideₖ."""
    places = xp.full((1,) * len(size), offset, "int64")
    for axis, (count, step) in enumerate(zip(size, stride, strict=True)):
        along = xp.reshape(xp.arange(count), (*(1,) * axis, count, *(1,) * (len(size) - axis - 1)))
        places = xp.add(places, xp.multiply(along, xp.full((), step, "int64")))
    return places


@linear(node="AsStridedBackward0", dtypes=KEEP, view=True, strides=_lying, internal=True)
def strided_view(xp: Xp, input: Tensor, size: Size, stride: Size, offset: int) -> Tensor:
    """See as_strided; `offset` is counted from input's first element.

    Source: linear; the transpose adds into zeros what shares a place.
    """
    flat = xp.reshape(input, (prod(xp.shape(input)),))
    return xp.getitem(flat, (_places(xp, size, stride, offset),))


@strided_view.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, size: Shape, stride: Shape, offset: int) -> Array:
    if not prod(size):
        return xp.zeros(input_meta.shape)
    flat = xp.put_add((prod(input_meta.shape),), (_places(xp, size, stride, offset),), ct)
    return xp.reshape(flat, input_meta.shape)


def _check(input: Any, size: Size, stride: Size, storage_offset: int | None, **_: Any) -> None:
    if len(size) != len(stride):
        raise fault("shape-mismatch", f"size {list(size)} and stride {list(stride)} differ in length")
    if any(n < 0 for n in (*size, *stride, storage_offset or 0)):
        raise fault("invalid-argument", "sizes, strides and the offset of as_strided are not negative")


@composite(
    view=True,
    check=_check,
    samples=(
        sample(input=uniform(4), size=[2, 2], stride=[2, 1]),
        sample(input=uniform(2, 3), size=[3, 2], stride=[1, 3]),
        sample("shared places", input=uniform(4), size=[3, 2], stride=[1, 1]),
        sample(input=uniform(5), size=[2], stride=[2], storage_offset=1),
        sample("one place for all", input=uniform(2), size=[2, 3], stride=[0, 0]),
        sample(input=uniform(3), size=[], stride=[]),
        sample(input=uniform(3), size=[0, 2], stride=[2, 1]),
    ),
)
def as_strided(F: Any, input: Tensor, size: Size, stride: Size, storage_offset: int | None = None) -> Tensor:
    """The elements of input's memory at storage_offset + Σ iₖ·strideₖ; places may be shared. Shares memory.

    storage_offset counts from the start of the memory, and is where input begins if it is not given.
    What lies beyond the last element is error index-out-of-range. Of a view, only elements that are its
    own, lying in C order, are supported.

    Source: linear; what shares a place adds up in the transpose.
    """
    begin = input.offset
    offset = (begin if storage_offset is None else storage_offset) - begin
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if prod(size) else 0
    outside = offset < 0 or last >= max(prod(input.shape), 1)
    if input.is_view and (outside or tuple(input.strides) != contiguous(input.shape)):
        raise UnsupportedFeature("views", "as_strided of a view, beyond its own elements")
    if outside:
        raise fault("index-out-of-range", f"place {last} is beyond {prod(input.shape)} elements")
    if tuple(input.strides) != contiguous(input.shape):
        raise UnsupportedFeature("views", "as_strided of a tensor that does not lie in C order")
    return F.strided_view(input, size, stride, offset)
