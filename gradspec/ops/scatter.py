"""Writing and adding elements at places named by number or mask, out of place and in place."""

from __future__ import annotations

from math import prod
from typing import Any

from gradspec.dtypes import category
from gradspec.ops.arguments import axis_of, check_axis, each, fault, rank_of, shape_of
from gradspec.ops.places import at, at_least_1d, check_dtype, check_number, check_range, index_1d, put_along
from gradspec.ops.registry import KEEP, SAME, Array, Number, Operand, Tensor, Tensors, Xp, linear
from gradspec.ops.samples import bools, ints, sample, uniform

__all__ = ["index_add", "index_copy", "index_put", "masked_fill", "scatter", "scatter_add"]

Shape = tuple[int, ...]


# At index arrays.


def _check_index_put(input: Any, indices: Any, values: Any, accumulate: bool) -> None:
    if not indices:
        raise fault("invalid-argument", "index_put needs at least one index")
    # one value under one mask is cast, as by masked_fill
    fills = not accumulate and [index.dtype for index in indices] == ["bool"] and prod(values.shape) == 1
    if values.dtype != input.dtype and not fills:
        raise fault("dtype-mismatch", f"values of {values.dtype} do not fit a {input.dtype} tensor")
    axis = 0
    for index in indices:
        check_dtype("index_put", index, ("int64", "int32", "bool"))
        mask = index.dtype == "bool"
        taken = len(index.shape) or 1 if mask else 1
        if axis + taken > len(input.shape):
            raise fault("too-many-indices", f"too many indices for a tensor with {len(input.shape)} axes")
        if mask and index.shape != input.shape[axis : axis + taken]:
            raise fault(
                "shape-mismatch", f"a mask of shape {list(index.shape)} does not fit {list(input.shape)}"
            )
        axis += taken


@linear(
    node="IndexPutBackward0",
    dtypes=KEEP,
    inplace=True,
    overlap="places",
    apart=("indices",),
    check=_check_index_put,
    samples=(
        sample(input=uniform(3), indices=[ints([2, 0])], values=uniform(2)),
        sample(input=uniform(3), indices=[ints([1, 1, -1])], values=uniform(3), accumulate=True),
        sample(input=uniform(2, 3), indices=[ints([1])], values=uniform(3)),
        sample(input=uniform(2, 3), indices=[ints([1, 0]), ints([2, 2])], values=uniform(), accumulate=True),
        sample(input=uniform(3), indices=[bools([True, False, True])], values=uniform(2)),
        sample(input=uniform(3), indices=[ints([], (0,))], values=uniform(0)),
    ),
)
def index_put(xp: Xp, input: Tensor, indices: Tensors, values: Tensor, accumulate: bool = False) -> Tensor:
    """input with values written at input[indices], or added there. Integer or bool tensors, one an axis.

    Where a place is named twice the last value is written, and with accumulate both are added.

    Source: linear in both; what was overwritten gets no gradient, and each value that of its place.
    """
    shape = xp.shape(input)
    axis = 0
    for index in indices:
        if _is_mask(index):
            axis += len(xp.shape(index))
        else:
            check_range(xp, index, shape[axis], allow_negative=True)
            axis += 1
    places, values = tuple(indices), xp.astype(values, xp.dtype)
    _check_values(xp.shape(values), xp.shape(xp.getitem(input, places)))
    if not accumulate:
        return xp.put(input, places, values)
    return xp.add(input, xp.put_add(shape, places, values))


def _is_mask(array: Any) -> bool:
    return isinstance(array, bool) or str(getattr(array, "dtype", "int64")) == "bool"


def _check_values(shape: Shape, selected: Shape) -> None:
    lead = len(selected) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, selected[lead:], strict=True)):
        raise fault(
            "shape-mismatch", f"values of shape {list(shape)} do not fit the selected {list(selected)}"
        )


@index_put.adjoint("input")
def _(xp: Xp, ct: Array, indices: Any, accumulate: bool) -> Array:
    return ct if accumulate else xp.put(ct, tuple(indices), 0)


@index_put.adjoint("values")
def _(xp: Xp, ct: Array, indices: Any) -> Array:
    return xp.getitem(ct, tuple(indices))


# Slices along a dim.


def _check_index_add(input: Any, dim: int, index: Any, source: Any, alpha: float) -> None:
    check_dtype("index_add", index)
    check_number(alpha, input.dtype)
    if len(index.shape) > 1:
        raise fault("shape-mismatch", f"index_add needs a vector of numbers, not shape {list(index.shape)}")
    axis = axis_of(dim, len(input.shape))
    if axis >= (len(source.shape) or 1):
        raise fault("dim-out-of-range", f"a source of shape {list(source.shape)} has no dim {axis}")
    count = prod(index.shape)
    if (source.shape or (1,))[axis] != count or source.shape != _replaced(input.shape, axis, count):
        raise fault(
            "shape-mismatch",
            f"{count} slices of shape {list(source.shape)} along dim {axis} do not fit {list(input.shape)}",
        )


def _replaced(shape: Shape, axis: int, size: int) -> Shape:
    """shape with another size at an axis; () stays."""
    return (*shape[:axis], size, *shape[axis + 1 :]) if shape else ()


@linear(
    node="IndexAddBackward0",
    dtypes=SAME,
    inplace=True,
    overlap="none",
    apart=("index",),
    check=each(check_axis(), _check_index_add),
    samples=(
        sample(input=uniform(3), dim=0, index=ints([2, 0, 0]), source=uniform(3)),
        sample(input=uniform(2, 3), dim=1, index=ints([1, 1]), source=uniform(2, 2), alpha=0.5),
        sample(input=uniform(2, 3), dim=-2, index=ints([1]), source=uniform(1, 3)),
        sample(input=uniform(), dim=0, index=ints([0]), source=uniform()),
        sample(input=uniform(3), dim=0, index=ints([], (0,)), source=uniform(0)),
    ),
)
def index_add(xp: Xp, input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """input with alpha·source added, slice by slice along dim, at the numbers in index.

    Source: linear in both; repeated indices accumulate.
    """
    shape = xp.shape(input)
    axis = axis_of(dim, len(shape))
    numbers = index_1d(xp, index)
    check_range(xp, index, (shape or (1,))[axis], allow_negative=False)
    added = xp.put_add(shape or (1,), at(axis, numbers), at_least_1d(xp, source))
    return xp.add(input, _times(xp, xp.reshape(added, shape), alpha))


def _times(xp: Xp, x: Array, alpha: float) -> Array:
    """alpha·x; of integers and bool alpha becomes one of them."""
    if alpha == 1:
        return x
    kind = category(xp.dtype)
    return xp.multiply(x, (bool, int)[kind](alpha) if kind < 2 else alpha)


@index_add.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


@index_add.adjoint("source")
def _(xp: Xp, ct: Array, index: Array, source: Array, input_meta: Any, dim: int, alpha: float) -> Array:
    # source is not needed here, but torch saves it, and to change it in place before backward is an error
    shape = input_meta.shape
    taken = xp.getitem(ct, at(axis_of(dim, len(shape)), index_1d(xp, index))) if shape else ct
    return _times(xp, taken, alpha)


def _check_index_copy(input: Any, dim: int, index: Any, source: Any, **_: Any) -> None:
    check_dtype("index_copy", index, ("int64",))
    if len(index.shape) > 1:
        raise fault("shape-mismatch", f"index_copy needs a vector of numbers, not shape {list(index.shape)}")
    axis, count = axis_of(dim, len(input.shape)), prod(index.shape)
    if len(input.shape) < 2 and len(source.shape) < 2:
        fits = (source.shape or (1,)) == (count,)
    else:
        fits = source.shape == _replaced(input.shape, axis, count)
    if not fits:
        raise fault(
            "shape-mismatch",
            f"{count} slices of shape {list(source.shape)} along dim {axis} do not fit {list(input.shape)}",
        )


@linear(
    node="IndexCopyBackward0",
    dtypes=SAME,
    inplace=True,
    overlap="none",
    apart=("index",),
    check=each(check_axis(), _check_index_copy),
    samples=(
        sample(input=uniform(3), dim=0, index=ints([2, 0]), source=uniform(2)),
        sample(input=uniform(2, 3), dim=1, index=ints([1, 2]), source=uniform(2, 2)),
        sample(input=uniform(2, 3), dim=-2, index=ints([1], ()), source=uniform(1, 3)),
        sample(input=uniform(3), dim=0, index=ints([1]), source=uniform()),
        sample(input=uniform(), dim=0, index=ints([0]), source=uniform()),
        sample(input=uniform(3), dim=0, index=ints([], (0,)), source=uniform(0)),
    ),
)
def index_copy(xp: Xp, input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """input with slices of source, along dim, written at the numbers in index; of repeated ones the last.

    Source: linear in both; what was overwritten gets no gradient, and each slice that of its place.
    """
    shape = xp.shape(input)
    axis = axis_of(dim, len(shape))
    numbers = index_1d(xp, index)
    check_range(xp, index, (shape or (1,))[axis], allow_negative=False)
    written = xp.put(at_least_1d(xp, input), at(axis, numbers), at_least_1d(xp, source))
    return xp.reshape(written, shape)


@index_copy.adjoint("input")
def _(xp: Xp, ct: Array, index: Array, input_meta: Any, dim: int) -> Array:
    shape = input_meta.shape
    cut = xp.put(at_least_1d(xp, ct), at(axis_of(dim, len(shape)), index_1d(xp, index)), 0)
    return xp.reshape(cut, shape)


@index_copy.adjoint("source")
def _(xp: Xp, ct: Array, index: Array, source: Array, source_meta: Any, input_meta: Any, dim: int) -> Array:
    # source is not needed here, but torch saves it, and to change it in place before backward is an error
    axis = axis_of(dim, len(input_meta.shape))
    taken = xp.getitem(at_least_1d(xp, ct), at(axis, index_1d(xp, index)))
    return xp.reshape(taken, source_meta.shape)


# Single elements along a dim.


def _check_along(name: str, input: Any, dim: int, index: Any, src: Any) -> None:
    """`src`: a meta; None where one number is written."""
    check_dtype(name, index)
    if not prod(index.shape):
        return
    axis = axis_of(dim, len(input.shape))
    shape, places = input.shape or (1,), index.shape or (1,)
    source = places if src is None else src.shape or (1,)
    if not len(shape) == len(places) == len(source):
        raise fault("shape-mismatch", f"{name} needs tensors of the same number of axes")
    for other, (size, count, have) in enumerate(zip(shape, places, source, strict=True)):
        if count > have or (count > size and other != axis):
            raise fault(
                "shape-mismatch",
                f"an index of shape {list(places)} does not lie in {list(shape)} and {list(source)}",
            )


def _check_scatter(input: Any, dim: int, index: Any, src: Any, value: Any, **_: Any) -> None:
    if (src is None) == (value is None):
        raise fault("invalid-argument", "scatter takes src or value")
    number = value if src is None else src
    if hasattr(number, "dtype"):
        _check_along("scatter", input, dim, index, number)
        if number.dtype != input.dtype:
            raise fault("dtype-mismatch", f"a src of {number.dtype} does not fit a {input.dtype} tensor")
    else:
        _check_along("scatter", input, dim, index, None)
        check_number(number, input.dtype)


def _scatter_node(src: Any, **_: Any) -> str:
    return f"ScatterBackward{0 if rank_of(src) not in (None, 'weak') else 1}"


@linear(
    node=_scatter_node,
    dtypes=KEEP,
    inplace=True,
    overlap="none",
    apart=("index",),
    check=each(check_axis(), _check_scatter),
    samples=(
        sample(input=uniform(3), dim=0, index=ints([2, 0]), src=uniform(2)),
        sample(input=uniform(2, 3), dim=1, index=ints([0, 2, 1, 0], (2, 2)), src=uniform(2, 2)),
        sample(input=uniform(2, 3), dim=-2, index=ints([1, 0], (1, 2)), src=uniform(2, 3)),
        sample(input=uniform(2, 3), dim=1, index=ints([1, 0], (2, 1)), src=2.5),
        sample(input=uniform(3), dim=0, index=ints([1]), value=-1.0),
        sample(input=uniform(), dim=0, index=ints([0], ()), src=uniform()),
        sample(input=uniform(3), dim=0, index=ints([], (0,)), src=uniform(0)),
    ),
)
def scatter(
    xp: Xp,
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Operand | None = None,
    *,
    value: Number | None = None,
) -> Tensor:
    """input with y[index[i, j], j] = src[i, j] for dim 0; src may be a number, also under the name value.

    The last of repeated places wins. src may be larger than index; only its beginning counts.

    Source: linear in both; what was overwritten gets no gradient, and each element of src that of its place.
    """
    written = value if src is None else src
    shape = xp.shape(input)
    axis = axis_of(dim, len(shape))
    places = index_1d(xp, index)
    if not prod(xp.shape(places)):
        return input
    check_range(xp, index, (shape or (1,))[axis], allow_negative=False)
    if xp.shape(written):
        written = _beginning(xp, written, xp.shape(places))
    return xp.reshape(put_along(xp, at_least_1d(xp, input), places, axis, written), shape)


def _beginning(xp: Xp, x: Array, shape: Shape) -> Array:
    """x cropped to a shape."""
    return x if xp.shape(x) == shape else xp.getitem(x, tuple(slice(0, size) for size in shape))


def _filled_up(xp: Xp, x: Array, shape: Shape) -> Array:
    """The transpose of _beginning."""
    have = xp.shape(x)
    return x if have == shape else xp.put_add(shape, tuple(slice(0, size) for size in have), x)


@scatter.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, index: Array, index_meta: Any, dim: int) -> Array:
    if not prod(index_meta.shape):
        return ct
    shape = input_meta.shape
    axis = axis_of(dim, len(shape))
    return xp.reshape(put_along(xp, at_least_1d(xp, ct), index_1d(xp, index), axis, 0), shape)


@scatter.adjoint("src")
def _(xp: Xp, ct: Array, input_meta: Any, index: Array, index_meta: Any, src_meta: Any, dim: int) -> Array:
    return _taken(xp, ct, axis_of(dim, len(input_meta.shape)), index, index_meta.shape, src_meta.shape)


def _taken(xp: Xp, ct: Array, axis: int, index: Array, places: Shape, source: Shape) -> Array:
    """The cotangent of what was written or added at places."""
    if not prod(places):
        return xp.zeros(source)
    taken = xp.take_along_axis(at_least_1d(xp, ct), index_1d(xp, index), axis)
    return xp.reshape(_filled_up(xp, taken, source or (1,)), source)


def _check_scatter_add(input: Any, dim: int, index: Any, src: Any, **_: Any) -> None:
    _check_along("scatter_add", input, dim, index, src)


@linear(
    node="ScatterAddBackward0",
    dtypes=SAME,
    inplace=True,
    overlap="none",
    apart=("index",),
    check=each(check_axis(), _check_scatter_add),
    samples=(
        sample(input=uniform(3), dim=0, index=ints([2, 0, 0]), src=uniform(3)),
        sample(input=uniform(2, 3), dim=1, index=ints([0, 0, 1, 0], (2, 2)), src=uniform(2, 2)),
        sample(input=uniform(2, 3), dim=-2, index=ints([1, 0], (1, 2)), src=uniform(2, 3)),
        sample(input=uniform(), dim=0, index=ints([0, 0]), src=uniform(2)),
        sample(input=uniform(3), dim=0, index=ints([], (0,)), src=uniform(0)),
    ),
)
def scatter_add(xp: Xp, input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """input with y[index[i, j], j] += src[i, j] for dim 0. Shapes as for scatter.

    Source: linear in both; repeated indices accumulate, and src gets what gather takes.
    """
    shape = xp.shape(input)
    axis = axis_of(dim, len(shape))
    places = index_1d(xp, index)
    if not prod(xp.shape(places)):
        return input
    check_range(xp, index, (shape or (1,))[axis], allow_negative=False)
    source = _beginning(xp, at_least_1d(xp, src), xp.shape(places))
    return xp.add(input, xp.reshape(xp.scatter_add(shape or (1,), places, source, axis), shape))


@scatter_add.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


@scatter_add.adjoint("src")
def _(xp: Xp, ct: Array, input_meta: Any, index: Array, index_meta: Any, src_meta: Any, dim: int) -> Array:
    return _taken(xp, ct, axis_of(dim, len(input_meta.shape)), index, index_meta.shape, src_meta.shape)


# Under a mask.


def _check_masked_fill(input: Any, mask: Any, value: Any, **_: Any) -> None:
    if shape_of(value):
        raise fault("shape-mismatch", f"masked_fill writes one number, not shape {list(value.shape)}")
    if mask.dtype != "bool":
        raise fault("dtype-unsupported", f"masked_fill needs a mask of bool, not {mask.dtype}")
    if not hasattr(value, "dtype"):
        check_number(value, input.dtype)
    elif category(value.dtype) == 3 and category(input.dtype) in (1, 2):
        raise fault("dtype-cast", f"a {value.dtype} value does not fit into {input.dtype}")


def _masked_fill_node(value: Any, **_: Any) -> str:
    return f"MaskedFillBackward{0 if rank_of(value) == 'weak' else 1}"


@linear(
    node=_masked_fill_node,
    dtypes=KEEP,
    inplace=True,
    overlap="marked",
    apart=("mask", "value"),
    check=_check_masked_fill,
    samples=(
        sample(input=uniform(3), mask=bools([True, False, True]), value=0.5),
        sample(input=uniform(2, 3), mask=bools([True, False, True]), value=uniform()),
        sample(input=uniform(3), mask=bools([True, False], (2, 1)), value=uniform()),
        sample(input=uniform(), mask=bools([True], ()), value=2),
        sample(input=uniform(0), mask=bools([], (0,)), value=uniform()),
    ),
)
def masked_fill(xp: Xp, input: Tensor, mask: Tensor, value: Operand) -> Tensor:
    """value where mask is true, else input. value is a number or a 0-d tensor; input and mask broadcast.

    Source: linear; input gets the cotangent where mask is false, value the sum of the rest.
    """
    return xp.where(mask, xp.astype(value, xp.dtype), input)


@masked_fill.adjoint("input")
def _(xp: Xp, ct: Array, mask: Array) -> Array:
    return xp.where(mask, 0.0, ct)


@masked_fill.adjoint("value")
def _(xp: Xp, ct: Array, mask: Array) -> Array:
    return xp.where(mask, ct, 0.0)
