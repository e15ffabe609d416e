"""Rearranging elements: other shapes, other orders, several tensors as one, one as several."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from gradspec.ops.arguments import always, axis_of, fault, resolved_size
from gradspec.ops.registry import (
    KEEP,
    Array,
    Dims,
    Size,
    Tensor,
    Tensors,
    Xp,
    composite,
    linear,
)  # fmt: skip
from gradspec.ops.samples import sample, uniform
from gradspec.ops.strides import (
    inserted,
    kept,
    permuted,
    regrouped,
    repeated,
    squeezed,
    starting_at,
    viewed,
)

__all__ = [
    "H", "T", "alias", "cat", "expand", "flatten", "flip", "mT", "permute", "reshape", "reshape_alias",
    "split", "squeeze", "squeeze_last", "stack", "t", "transpose", "tril", "triu", "unsafe_view",
    "unsqueeze", "view",
]  # fmt: skip

Shape = tuple[int, ...]


def _as_list(dims: int | Sequence[int]) -> Shape:
    return (dims,) if isinstance(dims, int) else tuple(dims)


# Views of the same elements in the same order.


def _fits(input: Any, size: Sequence[int], **_: Any) -> None:
    resolved_size(size, prod(input.shape))


@linear(
    node="ViewBackward0",
    dtypes=KEEP,
    view=True,
    strides=viewed,
    check=_fits,
    internal=True,
    samples=(sample(input=uniform(2, 3), size=[3, 2]), sample(input=uniform(), size=[1, 1])),
)
def view(xp: Xp, input: Tensor, size: Size) -> Tensor:
    """The same elements in C order under another shape; one entry may be −1. Shares memory.

    Source: linear; the transpose gives the first shape back.
    """
    return xp.reshape(input, resolved_size(size, prod(xp.shape(input))))


@view.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any) -> Array:
    return xp.reshape(ct, input_meta.shape)


@linear(node="UnsafeViewBackward0", dtypes=KEEP, check=_fits, passes_on=always, internal=True)
def unsafe_view(xp: Xp, input: Tensor, size: Size) -> Tensor:
    """As view, of a tensor that nothing else holds.

    Source: linear; the transpose gives the first shape back.
    """
    return xp.reshape(input, resolved_size(size, prod(xp.shape(input))))


@unsafe_view.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any) -> Array:
    return xp.reshape(ct, input_meta.shape)


@linear(node="ReshapeAliasBackward0", dtypes=KEEP, view=True, strides=viewed, check=_fits, internal=True)
def reshape_alias(xp: Xp, input: Tensor, size: Size) -> Tensor:
    """As view, of a tensor that is not contiguous but allows it.

    Source: linear; the transpose gives the first shape back.
    """
    return xp.reshape(input, resolved_size(size, prod(xp.shape(input))))


@reshape_alias.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any) -> Array:
    return xp.reshape(ct, input_meta.shape)


@linear(node="AliasBackward0", dtypes=KEEP, view=True, strides=kept, internal=True)
def alias(xp: Xp, input: Tensor) -> Tensor:
    """Another tensor of the same memory.

    Source: the identity.
    """
    return input


@alias.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


def _check_reshape(input: Any, shape: Sequence[int], **_: Any) -> None:
    resolved_size(shape, prod(input.shape))


@composite(
    view=True,
    check=_check_reshape,
    samples=(
        sample(input=uniform(2, 3), shape=[3, 2]),
        sample(input=uniform(2, 3), shape=[-1]),
        sample(input=uniform(), shape=[1, 1]),
        sample(input=uniform(1), shape=[]),
        sample(input=uniform(0, 3), shape=[3, 0]),
        sample(input=uniform(2, 3, 2), shape=[2, -1]),
    ),
)
def reshape(F: Any, input: Tensor, shape: Size) -> Tensor:
    """The same elements in C order under another shape; one entry may be −1.

    Source: linear; the transpose gives the first shape back.
    """
    size = resolved_size(shape, prod(input.shape))
    if regrouped(input.shape, input.strides, size) is None:
        return F.unsafe_view(F.contiguous_clone(input), size)
    return F.view(input, size) if _is_one_piece(input) else F.reshape_alias(input, size)


def _is_one_piece(x: Any) -> bool:
    """Whether the elements of x follow each other in memory, at whatever step."""
    if not prod(x.shape):
        return True
    pieces: list[tuple[int, int]] = []
    for size, stride in zip(x.shape, x.strides, strict=True):
        if size == 1:
            continue
        if pieces and pieces[-1][1] == size * stride:
            pieces[-1] = (pieces[-1][0] * size, stride)
        else:
            pieces.append((size, stride))
    return not pieces or (len(pieces) == 1 and pieces[0][1] == 1)


def _check_flatten(input: Any, start_dim: int, end_dim: int, **_: Any) -> None:
    count = len(input.shape)
    if axis_of(start_dim, count) > axis_of(end_dim, count):
        raise fault("invalid-argument", f"start_dim {start_dim} comes after end_dim {end_dim}")


@composite(
    view=True,
    check=_check_flatten,
    samples=(
        sample(input=uniform(2, 3, 2)),
        sample(input=uniform(2, 3, 2), start_dim=1),
        sample(input=uniform(2, 3, 2), end_dim=1),
        sample(input=uniform()),
        sample(input=uniform(3)),
        sample(input=uniform(2, 3, 2), start_dim=-2, end_dim=-1),
        sample(input=uniform(0, 2)),
    ),
)
def flatten(F: Any, input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from start_dim to end_dim as one, in C order; a 0-d tensor gets one axis.

    Source: linear; the transpose gives the first shape back.
    """
    shape = input.shape
    start, end = axis_of(start_dim, len(shape)), axis_of(end_dim, len(shape))
    if not shape:
        return F.reshape(input, [1])
    if start == end:
        return input
    return F.reshape(input, [*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]])


def _insert(shape: Shape, dim: int) -> Shape:
    axis = _new_axis(dim, len(shape))
    return (*shape[:axis], 1, *shape[axis:])


def _new_axis(dim: int, ndim: int) -> int:
    if not -ndim - 1 <= dim <= ndim:
        raise fault("dim-out-of-range", f"dim {dim} is not in [{-ndim - 1}, {ndim}]")
    return dim + ndim + 1 if dim < 0 else dim


def _check_new_axis(input: Any, dim: int, **_: Any) -> None:
    _new_axis(dim, len(input.shape))


@linear(
    node="UnsqueezeBackward0",
    node_in_place="UnsqueezeBackward1",
    dtypes=KEEP,
    view=True,
    strides=inserted,
    inplace=True,
    check=_check_new_axis,
    samples=(
        sample(input=uniform(2, 3), dim=0),
        sample(input=uniform(2, 3), dim=1),
        sample(input=uniform(2, 3), dim=-1),
        sample(input=uniform(), dim=0),
        sample(input=uniform(0), dim=1),
    ),
)
def unsqueeze(xp: Xp, input: Tensor, dim: int) -> Tensor:
    """A new axis of size 1 at dim. Shares memory.

    Source: linear; the transpose takes the axis away.
    """
    return xp.reshape(input, _insert(xp.shape(input), dim))


@unsqueeze.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any) -> Array:
    return xp.reshape(ct, input_meta.shape)


def _squeezable(dim: Any, ndim: int) -> Shape:
    if dim is None:
        return tuple(range(ndim))
    axes = tuple(axis_of(d, ndim) for d in _as_list(dim))
    if len(set(axes)) < len(axes):
        raise fault("dim-repeated", f"a dim stands twice in {list(_as_list(dim))}")
    return axes


def _check_squeeze(input: Any, dim: Any, **_: Any) -> None:
    _squeezable(dim, len(input.shape))


def _squeeze_node(dim: Any, **_: Any) -> str:
    return f"SqueezeBackward{0 if dim is None else 1 if isinstance(dim, int) else 2}"


def _squeeze_in_place(dim: Any, **_: Any) -> str:
    return f"SqueezeBackward{3 if dim is None else 4 if isinstance(dim, int) else 5}"


@linear(
    node=_squeeze_node,
    node_in_place=_squeeze_in_place,
    dtypes=KEEP,
    view=True,
    strides=squeezed,
    inplace=True,
    check=_check_squeeze,
    samples=(
        sample(input=uniform(1, 3, 1)),
        sample(input=uniform(1, 3, 1), dim=0),
        sample(input=uniform(1, 3), dim=1),
        sample(input=uniform(1, 3, 1), dim=[0, 2]),
        sample(input=uniform()),
        sample(input=uniform(1), dim=-1),
        sample(input=uniform(1, 0)),
    ),
)
def squeeze(xp: Xp, input: Tensor, dim: Dims | None = None) -> Tensor:
    """Without the axes of size 1, all of them or those in dim; other axes stay. Shares memory.

    Source: linear; the transpose puts the axes back.
    """
    shape = xp.shape(input)
    axes = _squeezable(dim, len(shape))
    return xp.reshape(input, tuple(n for axis, n in enumerate(shape) if axis not in axes or n != 1))


@squeeze.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, y_meta: Any) -> Array:
    return ct if input_meta.shape == y_meta.shape else xp.reshape(ct, input_meta.shape)


@linear(node="SqueezeBackward4", dtypes=KEEP, written=1, passes_on=always, internal=True)
def squeeze_last(xp: Xp, input: Tensor, dim: int) -> Tensor:
    """Without the axis `dim` of size 1, at the end of a vector-matrix product.

    Source: linear; the transpose puts the axis back.
    """
    shape = xp.shape(input)
    axis = axis_of(dim, len(shape))
    return xp.reshape(input, (*shape[:axis], *shape[axis + 1 :]))


@squeeze_last.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any) -> Array:
    return xp.reshape(ct, input_meta.shape)


# Views with other strides.


def _expanded(shape: Shape, size: Sequence[int]) -> Shape:
    """Raises shape-mismatch and invalid-argument."""
    lead = len(size) - len(shape)
    if lead < 0:
        raise fault("shape-mismatch", f"shape {list(shape)} has more axes than the wanted {list(size)}")
    result = []
    for axis, wanted in enumerate(size):
        have = shape[axis - lead] if axis >= lead else None
        if wanted == -1 and have is not None:
            wanted = have
        if wanted < 0:
            raise fault(
                "invalid-argument", f"size {list(size)} has a negative entry where there is no axis to keep"
            )
        if have not in (None, 1, wanted):
            raise fault("shape-mismatch", f"shape {list(shape)} does not expand to {list(size)}")
        result.append(wanted)
    return tuple(result)


def _check_expand(input: Any, size: Sequence[int], **_: Any) -> None:
    _expanded(input.shape, size)


@linear(
    node="ExpandBackward0",
    dtypes=KEEP,
    view=True,
    strides=repeated,
    check=_check_expand,
    samples=(
        sample(input=uniform(1, 3), size=[2, 3]),
        sample(input=uniform(3), size=[2, -1]),
        sample(input=uniform(), size=[2, 2]),
        sample(input=uniform(2, 1), size=[3, 2, 2]),
        sample(input=uniform(2), size=[2]),
        sample(input=uniform(1), size=[0]),
    ),
)
def expand(xp: Xp, input: Tensor, size: Size) -> Tensor:
    """input repeated along axes of size 1 and along new axes in front; −1 keeps an axis. Shares memory.

    Source: linear; the transpose is the sum over the repeated axes, which is how broadcasting is undone.
    """
    return xp.broadcast_to(input, _expanded(xp.shape(input), size))


@expand.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, y_meta: Any) -> Array:
    # as in torch, of a number the cotangent is another tensor even where nothing was repeated
    return ct if input_meta.shape or y_meta.shape else xp.multiply(ct, 1)


def _order(dims: Dims, ndim: int) -> Shape:
    """Raises invalid-argument, dim-out-of-range and dim-repeated."""
    dims = _as_list(dims)
    if len(dims) != ndim:
        raise fault("invalid-argument", f"dims {list(dims)} do not name each of {ndim} axes")
    axes = tuple(axis_of(dim, ndim) for dim in dims)
    if len(set(axes)) < ndim:
        raise fault("dim-repeated", f"a dim stands twice in {list(dims)}")
    return axes


def _check_order(input: Any, dims: Dims, **_: Any) -> None:
    _order(dims, len(input.shape))


def _inverse(axes: Shape) -> Shape:
    return tuple(axes.index(axis) for axis in range(len(axes)))


@linear(
    node="PermuteBackward0",
    dtypes=KEEP,
    view=True,
    strides=permuted(lambda ndim, dims: _order(dims, ndim)),
    check=_check_order,
    samples=(
        sample(input=uniform(2, 3, 4), dims=[2, 0, 1]),
        sample(input=uniform(2, 3), dims=[-1, 0]),
        sample(input=uniform(), dims=[]),
        sample(input=uniform(3), dims=[0]),
        sample(input=uniform(2, 0, 3), dims=[1, 2, 0]),
    ),
)
def permute(xp: Xp, input: Tensor, dims: Dims) -> Tensor:
    """The axes in the order dims. Shares memory.

    Source: linear; the transpose is the inverse order.
    """
    return xp.permute_dims(input, _order(dims, len(xp.shape(input))))


@permute.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, dims: Dims) -> Array:
    return xp.permute_dims(ct, _inverse(_order(dims, len(input_meta.shape))))


def _swapped(ndim: int, dim0: int, dim1: int) -> Shape:
    axes = list(range(ndim))
    a, b = axis_of(dim0, ndim), axis_of(dim1, ndim)
    if ndim:
        axes[a], axes[b] = b, a
    return tuple(axes)


def _swap(xp: Xp, x: Array, ndim: int, dim0: int, dim1: int) -> Array:
    return xp.permute_dims(x, _swapped(ndim, dim0, dim1))


def _check_swap(input: Any, dim0: int, dim1: int, **_: Any) -> None:
    axis_of(dim0, len(input.shape))
    axis_of(dim1, len(input.shape))


@linear(
    node="TransposeBackward0",
    node_in_place="TransposeBackward1",
    dtypes=KEEP,
    view=True,
    strides=permuted(_swapped),
    inplace=True,
    check=_check_swap,
    samples=(
        sample(input=uniform(2, 3), dim0=0, dim1=1),
        sample(input=uniform(2, 3, 4), dim0=-1, dim1=0),
        sample(input=uniform(), dim0=0, dim1=-1),
        sample(input=uniform(3), dim0=0, dim1=0),
        sample(input=uniform(2, 0), dim0=1, dim1=0),
    ),
)
def transpose(xp: Xp, input: Tensor, dim0: int, dim1: int) -> Tensor:
    """The axes dim0 and dim1 in each other's place. Shares memory.

    Source: linear; its own transpose.
    """
    return _swap(xp, input, len(xp.shape(input)), dim0, dim1)


@transpose.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, dim0: int, dim1: int) -> Array:
    return _swap(xp, ct, len(input_meta.shape), dim0, dim1)


@linear(
    node="TBackward0",
    dtypes=KEEP,
    view=True,
    strides=permuted(lambda ndim: tuple(range(ndim))[::-1]),
    internal=True,
)
def t(xp: Xp, input: Tensor) -> Tensor:
    """A matrix transposed; a vector or number as it is. Shares memory.

    Source: linear; its own transpose.
    """
    return xp.permute_dims(input, tuple(range(len(xp.shape(input))))[::-1])


@t.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any) -> Array:
    return xp.permute_dims(ct, tuple(range(len(input_meta.shape)))[::-1])


@composite(
    view=True, samples=(sample(input=uniform(2, 3)), sample(input=uniform(3)), sample(input=uniform()))
)
def T(F: Any, input: Tensor) -> Tensor:  # noqa: N802  # torch's name
    """The axes in reverse order: a matrix transposed. Shares memory.

    Source: linear; its own transpose.
    """
    return F.permute(input, list(range(len(input.shape)))[::-1])


def _check_matrices(input: Any, **_: Any) -> None:
    if len(input.shape) < 2:
        raise fault(
            "invalid-argument", f"mT needs a matrix or a batch of matrices, not shape {list(input.shape)}"
        )


@composite(
    view=True,
    check=_check_matrices,
    samples=(sample(input=uniform(2, 3)), sample(input=uniform(2, 3, 2))),
)
def mT(F: Any, input: Tensor) -> Tensor:  # noqa: N802  # torch's name
    """Each matrix of a batch transposed. Shape: [..., n, m] → [..., m, n]. Shares memory.

    Source: linear; its own transpose.
    """
    return F.transpose(input, -2, -1)


def _check_matrix(input: Any, **_: Any) -> None:
    if len(input.shape) != 2:
        raise fault("invalid-argument", f"H needs a matrix, not shape {list(input.shape)}")


@composite(view=True, check=_check_matrix, samples=(sample(input=uniform(2, 3)),))
def H(F: Any, input: Tensor) -> Tensor:  # noqa: N802  # torch's name
    """A matrix transposed and conjugated. Shape: [n, m] → [m, n]. Shares memory.

    Source: linear over the reals; its own transpose.
    """
    swapped = F.transpose(input, 0, 1)
    return F.conj_view(swapped) if input.dtype.startswith("complex") else swapped


# Copies.


def _check_flip(input: Any, dims: Dims, **_: Any) -> None:
    axes = [axis_of(dim, len(input.shape)) for dim in _as_list(dims)]
    if len(set(axes)) < len(axes):
        raise fault("dim-repeated", f"a dim stands twice in {list(_as_list(dims))}")


def _flipped(xp: Xp, x: Array, ndim: int, dims: Dims) -> Array:
    return xp.flip(x, tuple(axis_of(dim, ndim) for dim in _as_list(dims))) if ndim else x


@linear(
    node="FlipBackward0",
    dtypes=KEEP,
    iterates=True,
    check=_check_flip,
    samples=(
        sample(input=uniform(3), dims=[0]),
        sample(input=uniform(2, 3), dims=[0, -1]),
        sample(input=uniform(2, 3), dims=1),
        sample(input=uniform(2, 3), dims=[]),
        sample(input=uniform(2, 0), dims=[0]),
    ),
)
def flip(xp: Xp, input: Tensor, dims: Dims) -> Tensor:
    """The elements in reverse order along dims. Shape: any → same.

    Source: linear; its own transpose.
    """
    return _flipped(xp, input, len(xp.shape(input)), dims)


@flip.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, dims: Dims) -> Array:
    flipped = _flipped(xp, ct, len(input_meta.shape), dims)
    return xp.multiply(ct, 1) if flipped is ct else flipped  # as in torch always a tensor of its own


def _at_least_a_matrix(input: Any, **_: Any) -> None:
    if len(input.shape) < 2:
        raise fault("shape-mismatch", f"a triangle needs a matrix, not shape {list(input.shape)}")


TRIANGLES = (
    sample(input=uniform(3, 3)),
    sample(input=uniform(2, 4), diagonal=1),
    sample(input=uniform(4, 2), diagonal=-1),
    sample(input=uniform(2, 3, 3)),
    sample(input=uniform(0, 3)),
)


@linear(
    node="TrilBackward0",
    dtypes=KEEP,
    inplace=True,
    overlap="unchecked",
    check=_at_least_a_matrix,
    samples=TRIANGLES,
)
def tril(xp: Xp, input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of each matrix, zeros above the diagonal. Shape: [..., n, m] → same.

    Source: linear; its own transpose.
    """
    return xp.tril(input, diagonal)


@tril.adjoint("input")
def _(xp: Xp, ct: Array, diagonal: int) -> Array:
    return xp.tril(ct, diagonal)


@linear(
    node="TriuBackward0",
    dtypes=KEEP,
    inplace=True,
    overlap="unchecked",
    check=_at_least_a_matrix,
    samples=TRIANGLES,
)
def triu(xp: Xp, input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of each matrix, zeros below the diagonal. Shape: [..., n, m] → same.

    Source: linear; its own transpose.
    """
    return xp.triu(input, diagonal)


@triu.adjoint("input")
def _(xp: Xp, ct: Array, diagonal: int) -> Array:
    return xp.triu(ct, diagonal)


# Several tensors and one.


def _skipped(shape: Shape) -> bool:
    """A 1-d empty tensor joins anything, as in torch."""
    return shape == (0,)


def _check_cat(tensors: Any, dim: int, **_: Any) -> None:
    shapes = [tuple(meta.shape) for meta in tensors]
    if not shapes:
        raise fault("invalid-argument", "cat needs at least one tensor")
    if () in shapes:
        raise fault("shape-mismatch", "cat takes no 0-d tensors; stack does")
    joined = [shape for shape in shapes if not _skipped(shape)]
    axis = axis_of(dim, len((joined or shapes)[0]))
    for shape in joined:
        first = joined[0]
        if len(shape) != len(first) or any(
            a != b for k, (a, b) in enumerate(zip(shape, first, strict=True)) if k != axis
        ):
            raise fault(
                "shape-mismatch", f"shapes {list(first)} and {list(shape)} do not fit outside dim {dim}"
            )


@linear(
    node="CatBackward0",
    check=_check_cat,
    passes_on=always,
    samples=(
        sample(tensors=[uniform(2, 3), uniform(1, 3)]),
        sample(tensors=[uniform(2, 3), uniform(2, 1)], dim=1),
        sample(tensors=[uniform(3)]),
        sample(tensors=[uniform(2, 2), uniform(0), uniform(1, 2)]),
        sample(tensors=[uniform(2, 0), uniform(2, 2)], dim=-1),
        sample(tensors=[uniform(0), uniform(0)]),
    ),
)
def cat(xp: Xp, tensors: Tensors, dim: int = 0) -> Tensor:
    """The tensors one after the other along dim; elsewhere their shapes agree. 1-d empty ones are left out.

    Source: linear; the transpose cuts the cotangent into pieces.
    """
    joined = [x for x in tensors if not _skipped(xp.shape(x))] or [*tensors]
    return xp.concat(joined, axis_of(dim, len(xp.shape(joined[0]))))


@cat.adjoint("tensors")
def _(xp: Xp, ct: Array, tensors_meta: Any, y_meta: Any, dim: int) -> list[Array]:
    axis = axis_of(dim, len(y_meta.shape))
    pieces, start = [], 0
    for meta in tensors_meta:
        if _skipped(meta.shape):
            pieces.append(xp.zeros((0,)))
            continue
        stop = start + meta.shape[axis]
        pieces.append(xp.getitem(ct, (*(slice(None),) * axis, slice(start, stop))))
        start = stop
    return pieces


def _check_stack(tensors: Any, dim: int, **_: Any) -> None:
    if not tensors:
        raise fault("invalid-argument", "stack needs at least one tensor")
    first = tensors[0].shape
    _new_axis(dim, len(first))
    for meta in tensors:
        if meta.shape != first:
            raise fault(
                "shape-mismatch", f"stack needs equal shapes, not {list(first)} and {list(meta.shape)}"
            )


@linear(
    node="StackBackward0",
    check=_check_stack,
    passes_on=always,
    samples=(
        sample(tensors=[uniform(2, 3), uniform(2, 3)]),
        sample(tensors=[uniform(2, 3), uniform(2, 3)], dim=1),
        sample(tensors=[uniform(), uniform(), uniform()]),
        sample(tensors=[uniform(3)], dim=-1),
        sample(tensors=[uniform(0), uniform(0)]),
    ),
)
def stack(xp: Xp, tensors: Tensors, dim: int = 0) -> Tensor:
    """Tensors of one shape along a new axis at dim.

    Source: linear; the transpose takes the cotangent apart.
    """
    return xp.stack([*tensors], _new_axis(dim, len(xp.shape(tensors[0]))))


@stack.adjoint("tensors")
def _(xp: Xp, ct: Array, tensors_meta: Any, dim: int) -> list[Array]:
    axis = _new_axis(dim, len(tensors_meta[0].shape))
    return [xp.getitem(ct, (*(slice(None),) * axis, k)) for k in range(len(tensors_meta))]


def _sections(size: int, wanted: Dims) -> Shape:
    """How many elements each piece gets. Raises shape-mismatch and invalid-argument."""
    if isinstance(wanted, int):
        if wanted < 0 or (wanted == 0 and size):
            raise fault("invalid-argument", f"pieces of {wanted} elements do not make up {size}")
        if not size:
            return (0,)
        return tuple(min(wanted, size - start) for start in range(0, size, wanted))
    if any(n < 0 for n in wanted):
        raise fault("invalid-argument", f"a piece of {list(wanted)} has a negative size")
    total = 0
    for n in wanted:
        total += n
    if total != size:
        raise fault("shape-mismatch", f"pieces of {list(wanted)} elements do not make up {size}")
    return tuple(wanted)


def _piece(shape: Shape, part: int, split_size_or_sections: Dims, dim: int) -> tuple[int, int]:
    axis = axis_of(dim, len(shape))
    return axis, sum(_sections(shape[axis], split_size_or_sections)[:part])


def _check_split(tensor: Any, split_size_or_sections: Dims, dim: int, **_: Any) -> None:
    if not tensor.shape:
        raise fault("invalid-argument", "split needs at least one axis")
    _sections(tensor.shape[axis_of(dim, len(tensor.shape))], split_size_or_sections)


def _split_node(split_size_or_sections: Any, **_: Any) -> str:
    return "SplitBackward0" if isinstance(split_size_or_sections, int) else "SplitWithSizesBackward0"


@linear(
    node=_split_node,
    dtypes=KEEP,
    view=True,
    strides=starting_at(_piece),
    outputs="tuple",
    check=_check_split,
    samples=(
        sample(tensor=uniform(5), split_size_or_sections=2),
        sample(tensor=uniform(2, 4), split_size_or_sections=[1, 3], dim=1),
        sample(tensor=uniform(3, 2), split_size_or_sections=3),
        sample(tensor=uniform(2, 3), split_size_or_sections=1, dim=-1),
        sample(tensor=uniform(0), split_size_or_sections=2),
        sample(tensor=uniform(3), split_size_or_sections=[0, 3]),
    ),
)
def split(xp: Xp, tensor: Tensor, split_size_or_sections: Dims, dim: int = 0) -> Tensor:
    """The tensor cut along dim into pieces of one size (the last may be smaller), or of the given sizes.

    The pieces share memory with it.

    Source: linear; the transpose puts the pieces together.
    """
    shape = xp.shape(tensor)
    axis = axis_of(dim, len(shape))
    pieces, start = [], 0
    for size in _sections(shape[axis], split_size_or_sections):
        pieces.append(xp.getitem(tensor, (*(slice(None),) * axis, slice(start, start + size))))
        start += size
    return tuple(pieces)


@split.adjoint("tensor")
def _(xp: Xp, ct: Array, tensor_meta: Any, split_size_or_sections: Dims, dim: int) -> Array:
    shape = tensor_meta.shape
    axis = axis_of(dim, len(shape))
    pieces = [
        xp.zeros((*shape[:axis], size, *shape[axis + 1 :])) if piece is None else piece
        for piece, size in zip(ct, _sections(shape[axis], split_size_or_sections), strict=True)
    ]
    return xp.concat(pieces, axis)
