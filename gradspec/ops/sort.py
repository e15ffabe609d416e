"""Sorting along an axis, and what follows from the order: the largest few, one of each."""

from __future__ import annotations

from math import prod
from typing import Any

from gradspec.ops.arguments import axis_of, check_axis, each, fault, reduced_shape
from gradspec.ops.registry import KEEP, Array, Tensor, Xp, composite, general
from gradspec.ops.samples import ints, sample, uniform

__all__ = ["argsort", "in_order", "picked", "put_back", "size_along", "sort", "topk", "unique"]

PAIR = {"values": "", "indices": "int64"}
DISTINCT = uniform(2, 5)
ORDERS = (
    sample(input=DISTINCT),
    sample(input=uniform(4)),
    sample(input=uniform(3, 2), dim=0),
    sample(input=uniform(2, 3, 2), dim=1, descending=True),
    sample(input=uniform(4), stable=True),
    sample(input=uniform()),
    sample(input=uniform(2, 0)),
)


def in_order(xp: Xp, input: Array, dim: int, descending: bool = False) -> Array:
    """The places of the elements along dim, in order; of the shape of input."""
    shape = xp.shape(input)
    if not shape:
        return xp.full((), 0, "int64")
    return xp.argsort(input, axis_of(dim, len(shape)), descending)


def picked(xp: Xp, input: Array, places: Array, dim: int, keepdim: bool = True) -> tuple[Array, Array]:
    """The elements at places along dim, and the places; without the axis unless keepdim."""
    shape = xp.shape(input)
    if not shape:
        return input, places
    axis = axis_of(dim, len(shape))
    values = xp.take_along_axis(input, places, axis)
    if keepdim:
        return values, places
    rest = (*shape[:axis], *shape[axis + 1 :])
    return xp.reshape(values, rest), xp.reshape(places, rest)


def put_back(xp: Xp, ct: Any, indices: Array, meta: Any, dim: int, keepdim: bool = True) -> Array:
    """The transpose of `picked`: each cotangent at the place that its element came from."""
    shape, ct = meta.shape, ct[0]
    if not shape:
        return xp.multiply(ct, 1)  # as in torch a tensor of its own
    axis = axis_of(dim, len(shape))
    if not keepdim:
        kept = reduced_shape(shape, (axis,))
        # a bare number would become an array of the namespace's own dtype
        ct, indices = xp.reshape(ct, kept), xp.astype(xp.reshape(indices, kept), "int64")
    return xp.scatter_add(shape, indices, ct, axis)


def size_along(meta: Any, dim: int) -> int:
    """How many elements there are along dim; a 0-d tensor has one."""
    shape: tuple[int, ...] = meta.shape or (1,)
    return shape[axis_of(dim, len(meta.shape))]


def _sort_node(stable: bool, **_: Any) -> str:
    """torch has an overload of its own with the argument stable."""
    return "SortBackward1" if stable else "SortBackward0"


@general(
    node=_sort_node,
    dtypes=KEEP,
    outputs=PAIR,
    accepts=("float", "int", "bool"),
    iterates=True,
    check=check_axis(),
    samples=ORDERS,
    kinks={"elements equal": {"torch": "in the order they have"}},
)
def sort(
    xp: Xp, input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False
) -> tuple[Tensor, Tensor]:
    """The elements in order along dim, and the places they had: values, indices (int64). Shape: input's.

    NaN is larger than every number. Equal elements keep their order, with `stable` and without.

    Source: a permutation; each cotangent goes back to the place of its element.
    """
    return picked(xp, input, in_order(xp, input, dim, descending), dim)


@sort.vjp("input")
def _(xp: Xp, ct: Any, input_meta: Any, indices: Array, dim: int) -> Array:
    return put_back(xp, ct, indices, input_meta, dim)


@composite(accepts=("float", "int", "bool"), check=check_axis(), samples=ORDERS)
def argsort(
    F: Any, input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False
) -> Tensor:
    """The places of the elements in order along dim; int64. Shape: input's. As the indices of `sort`.

    Source: elementary.
    """
    return F.sort(input, dim, descending)[1]


def _check_topk(input: Any, k: int, dim: int, **_: Any) -> None:
    if input.dtype == "bool":
        raise fault("dtype-unsupported", "topk does not take bool tensors")
    size = size_along(input, dim)
    if not 0 <= k <= size:
        raise fault("index-out-of-range", f"there are {size} elements to take {k} of")


@general(
    node="TopkBackward0",
    dtypes=KEEP,
    outputs=PAIR,
    accepts=("float", "int"),
    check=each(check_axis(), _check_topk),
    samples=(
        sample(input=DISTINCT, k=2),
        sample(input=uniform(4), k=3, largest=False),
        sample(input=uniform(4, 2), k=2, dim=0, sorted=False),
        sample(input=uniform(3), k=0),
        sample(input=uniform(), k=1),
    ),
    kinks={"elements equal": {"torch": "any of them"}},
)
def topk(
    xp: Xp, input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> tuple[Tensor, Tensor]:
    """The k largest (or smallest) elements along dim and their places: values, indices (int64).

    Shape: input's, with size k at dim. They come in order; with sorted=False any order would do. Which of
    equal elements are taken is left open; here the first ones.

    Source: a selection; each cotangent goes back to the place of its element.
    """
    places = in_order(xp, input, dim, largest)
    shape = xp.shape(input)
    if shape:
        axis = axis_of(dim, len(shape))
        places = xp.getitem(places, (*(slice(None),) * axis, slice(0, k)))
    return picked(xp, input, places, dim)


@topk.vjp("input")
def _(xp: Xp, ct: Any, input_meta: Any, indices: Array, dim: int) -> Array:
    return put_back(xp, ct, indices, input_meta, dim)


def _unique_results(return_inverse: bool, return_counts: bool, **_: Any) -> Any:
    names = {"output": ""}
    if return_inverse:
        names["inverse"] = "int64"
    if return_counts:
        names["counts"] = "int64"
    return names if len(names) > 1 else "one"


def _unique_node(dim: Any, **_: Any) -> str:
    return "Unique2Backward0" if dim is None else "UniqueDimBackward0"


def _check_unique(input: Any, dim: int | None, **_: Any) -> None:
    if dim is None:
        return
    if not input.shape:
        raise fault("dim-out-of-range", "a 0-d tensor has no dim whose slices could be compared")
    axis = axis_of(dim, len(input.shape))
    if input.shape[axis] and not prod(input.shape):
        raise fault("invalid-argument", f"slices of shape {list(input.shape)} along {dim} have no elements")


@general(
    node=_unique_node,
    dtypes=KEEP,
    outputs=_unique_results,
    dynamic=True,
    accepts=("float", "int", "bool"),
    check=_check_unique,
    samples=(
        sample(input=ints([3, 1, 3, 2])),
        sample(input=ints([3, 1, 3, 2], (2, 2)), return_inverse=True, return_counts=True),
        sample(input=ints([3, 1, 3, 2]), return_counts=True, sorted=False),
        sample(input=ints([2, 1, 1, 2, 1, 1], (3, 2)), dim=0, return_inverse=True),
        sample(input=uniform(0)),
        sample(input=uniform()),
    ),
)
def unique(
    xp: Xp,
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Tensor:
    """One of each of the elements (with dim: of the slices along it), in ascending order.

    With return_inverse also, for each element, which of them it is (int64, input's shape; with dim 1-d);
    with return_counts also how often each one was there (int64). Every NaN is another. sorted=False may
    leave the order open. There is a node, but no derivative: backward through it fails.

    Source: elementary.
    """
    shape = xp.shape(input)
    axis = 0 if dim is None else axis_of(dim, len(shape))
    if dim is None:
        rows = xp.reshape(input, (prod(shape), 1))
    else:
        count = prod(shape[:axis]) * prod(shape[axis + 1 :])
        first = (axis, *(a for a in range(len(shape)) if a != axis))
        rows = xp.reshape(xp.permute_dims(input, first), (shape[axis], count))
    order, starts = _runs(xp, rows)
    places = xp.getitem(order, (starts,))
    flat = xp.reshape(input, (prod(shape),))
    out = xp.getitem(flat, (places,)) if dim is None else xp.getitem(input, (*(slice(None),) * axis, places))
    results = [out]
    if return_inverse:
        size = xp.shape(order)[0]
        number = xp.subtract(xp.cumulative_sum(starts, 0), xp.full((size,), 1, "int64"))
        inverse = xp.put(xp.full((size,), 0, "int64"), (order,), number)
        # a bare number would be read in the namespace's own dtype
        results.append(xp.astype(xp.reshape(inverse, shape), "int64") if dim is None else inverse)
    if return_counts:
        (begins,) = xp.nonzero(starts)
        end = xp.full((xp.shape(begins)[0] and 1,), xp.shape(order)[0], "int64")
        ends = xp.concat([xp.getitem(begins, (slice(1, None),)), end], 0)
        results.append(xp.subtract(ends, begins))
    return tuple(results) if len(results) > 1 else out


def _runs(xp: Xp, rows: Array) -> tuple[Array, Array]:
    """The order of rows, compared from the first column on, and where in it another row begins."""
    size, width = xp.shape(rows)
    order = xp.arange(size)
    for column in reversed(range(width)):
        there = xp.getitem(rows, (order, column))
        order = xp.getitem(order, (xp.argsort(there, 0),))
    ordered = xp.getitem(rows, (order,))
    this, previous = xp.getitem(ordered, (slice(1, None),)), xp.getitem(ordered, (slice(None, -1),))
    differ = xp.not_equal(this, previous)
    begins = xp.full((min(size, 1),), True, "bool")
    return order, xp.concat([begins, xp.any(differ, 1)], 0)
