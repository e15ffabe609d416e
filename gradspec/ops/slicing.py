"""Parts of a tensor that share its memory."""

from __future__ import annotations

from math import prod
from typing import Any

from gradspec.ops.arguments import axis_of, fault
from gradspec.ops.places import at
from gradspec.ops.registry import KEEP, Array, Tensor, Xp, composite, linear
from gradspec.ops.samples import sample, uniform

__all__ = ["chunk", "diagonal", "narrow", "unbind"]

Shape = tuple[int, ...]


def _check_unbind(input: Any, dim: int, **_: Any) -> None:
    if not input.shape:
        raise fault("dim-out-of-range", f"a 0-d tensor has no dim {dim}")
    axis_of(dim, len(input.shape))


def _bound(shape: Shape, strides: Shape, result: Shape, part: int, dim: int) -> tuple[Shape, int]:
    axis = axis_of(dim, len(shape))
    return (*strides[:axis], *strides[axis + 1 :]), part * strides[axis]


@linear(
    node="UnbindBackward0",
    dtypes=KEEP,
    view=True,
    strides=_bound,
    outputs="tuple",
    check=_check_unbind,
    samples=(
        sample(input=uniform(3)),
        sample(input=uniform(2, 3), dim=1),
        sample(input=uniform(2, 3), dim=-2),
        sample(input=uniform(2, 0)),
    ),
)
def unbind(xp: Xp, input: Tensor, dim: int = 0) -> Tensor:
    """The slices along dim, which goes, one after the other. They share memory with input.

    Source: linear; the transpose stacks the slices.
    """
    shape = xp.shape(input)
    axis = axis_of(dim, len(shape))
    return tuple([xp.getitem(input, at(axis, k)) for k in range(shape[axis])])


@unbind.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, dim: int) -> Array:
    shape = input_meta.shape
    axis = axis_of(dim, len(shape))
    rest = (*shape[:axis], *shape[axis + 1 :])
    return xp.stack([xp.zeros(rest) if slice_ is None else slice_ for slice_ in ct], axis)


def _check_chunk(input: Any, chunks: int, dim: int, **_: Any) -> None:
    if not input.shape:
        raise fault("invalid-argument", "chunk needs at least one axis")
    if chunks < 1:
        raise fault("invalid-argument", f"a tensor is not cut into {chunks} chunks")
    axis_of(dim, len(input.shape))


@composite(
    view=True,
    outputs="tuple",
    check=_check_chunk,
    samples=(
        sample(input=uniform(5), chunks=2),
        sample(input=uniform(2, 4), chunks=3, dim=1),
        sample(input=uniform(3), chunks=4),
        sample(input=uniform(0), chunks=2),
    ),
)
def chunk(F: Any, input: Tensor, chunks: int, dim: int = 0) -> Tensor:
    """input cut along dim into at most `chunks` pieces of one size (the last may be smaller).

    The pieces share memory with it.

    Source: as split.
    """
    size = input.shape[axis_of(dim, len(input.shape))]
    return F.split(input, -(-size // chunks) if size else [0] * chunks, dim)


def _check_narrow(input: Any, dim: int, start: int, length: int, **_: Any) -> None:
    if not input.shape:
        raise fault("invalid-argument", "narrow needs at least one axis")
    if length < 0:
        raise fault("shape-mismatch", f"narrow cannot keep {length} elements")
    size = input.shape[axis_of(dim, len(input.shape))]
    if not -size <= start <= size:
        raise fault("index-out-of-range", f"start {start} is not in [{-size}, {size}]")
    if (start if start >= 0 else start + size) + length > size:
        raise fault("index-out-of-range", f"{length} elements from {start} reach beyond size {size}")


@composite(
    view=True,
    check=_check_narrow,
    samples=(
        sample(input=uniform(4), dim=0, start=1, length=2),
        sample(input=uniform(2, 3), dim=1, start=-2, length=2),
        sample(input=uniform(2, 3), dim=-2, start=2, length=0),
    ),
)
def narrow(F: Any, input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` elements of dim from start on. Shares memory.

    Source: linear; the transpose puts the cotangent into zeros.
    """
    axis = axis_of(dim, len(input.shape))
    first = start if start >= 0 else start + input.shape[axis]
    return F.slice(input, axis, first, first + length, 1)


def _check_diagonal(input: Any, dim1: int, dim2: int, **_: Any) -> None:
    count = len(input.shape)
    if axis_of(dim1, count) == axis_of(dim2, count):
        raise fault("dim-repeated", f"a diagonal needs two different dims, not {dim1} and {dim2}")


def _diagonal(shape: Shape, offset: int, dim1: int, dim2: int) -> tuple[Shape, tuple[Any, ...]]:
    """The axes with dim1 and dim2 last, and the index of the diagonal once these two are one axis."""
    a, b = axis_of(dim1, len(shape)), axis_of(dim2, len(shape))
    rest = tuple(axis for axis in range(len(shape)) if axis not in (a, b))
    rows, columns = shape[a], shape[b]
    length = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    first = offset if offset >= 0 else -offset * columns
    stop = first + (length - 1) * (columns + 1) + 1 if length else first
    return (*rest, a, b), at(len(rest), slice(first, stop, columns + 1))


def _slanted(
    shape: Shape, strides: Shape, result: Shape, part: int, offset: int, dim1: int, dim2: int
) -> tuple[Shape, int]:
    a, b = axis_of(dim1, len(shape)), axis_of(dim2, len(shape))
    rest = [step for axis, step in enumerate(strides) if axis not in (a, b)]
    start = offset * strides[b] if offset >= 0 else -offset * strides[a]
    return (*rest, strides[a] + strides[b]), start if prod(result) else 0


@linear(
    node="DiagonalBackward0",
    dtypes=KEEP,
    view=True,
    strides=_slanted,
    check=_check_diagonal,
    samples=(
        sample(input=uniform(3, 3)),
        sample(input=uniform(2, 3), offset=1),
        sample(input=uniform(3, 2), offset=-1),
        sample(input=uniform(2, 3, 2), dim1=0, dim2=-1),
        sample(input=uniform(2, 3, 2), offset=1, dim1=2, dim2=1),
        sample(input=uniform(2, 2), offset=3),
        sample(input=uniform(0, 2)),
    ),
)
def diagonal(xp: Xp, input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonals of the matrices that dim1 and dim2 span, as a last axis; offset counts to the right.

    Shares memory.

    Source: linear; the transpose puts the cotangent into zeros.
    """
    shape = xp.shape(input)
    axes, places = _diagonal(shape, offset, dim1, dim2)
    sizes = [shape[axis] for axis in axes]
    joined = (*sizes[:-2], prod(sizes[-2:]))
    return xp.getitem(xp.reshape(xp.permute_dims(input, axes), joined), places)


@diagonal.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, offset: int, dim1: int, dim2: int) -> Array:
    axes, places = _diagonal(input_meta.shape, offset, dim1, dim2)
    sizes = tuple(input_meta.shape[axis] for axis in axes)
    joined = xp.put_add((*sizes[:-2], prod(sizes[-2:])), places, ct)
    back = tuple(axes.index(axis) for axis in range(len(axes)))
    # as in torch a tensor of its own, no view of one that only the rule has
    return xp.multiply(xp.permute_dims(xp.reshape(joined, sizes), back), 1)
