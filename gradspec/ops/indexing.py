"""Picking elements: by index, slice, mask, and along an axis."""

from __future__ import annotations

from math import prod
from typing import Any

from gradspec.dtypes import INTEGRAL
from gradspec.ops.arguments import axis_of, check_axis, each, fault
from gradspec.ops.places import at, at_least_1d, check_range, index_1d, is_beyond
from gradspec.ops.registry import INDEX, KEEP, Array, Index, Tensor, Xp, composite, constant, linear
from gradspec.ops.samples import ints, sample, uniform
from gradspec.ops.strides import selected, sliced

__all__ = ["gather", "getitem", "index", "index_arrays", "select", "slice_axis", "where_indices"]


def _check_select(input: Any, dim: int, index: int, **_: Any) -> None:
    if not input.shape:
        raise fault("too-many-indices", "a 0-d tensor cannot be indexed by an integer")
    size = input.shape[axis_of(dim, len(input.shape))]
    if not -size <= index < size:
        raise fault("index-out-of-range", f"index {index} is out of range for dim {dim} of size {size}")


@linear(node="SelectBackward0", dtypes=KEEP, view=True, strides=selected, internal=True, check=_check_select)
def select(xp: Xp, input: Tensor, dim: int, index: int) -> Tensor:
    """Element `index` of the axis `dim`, which goes. Shares memory.

    Source: linear; the transpose puts the cotangent into zeros.
    """
    return xp.getitem(input, at(dim, index))


@select.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, dim: int, index: int) -> Array:
    return xp.put_add(input_meta.shape, at(dim, index), ct)


@linear(node="SliceBackward0", dtypes=KEEP, view=True, strides=sliced, internal=True, name="slice")
def slice_axis(xp: Xp, input: Tensor, dim: int, start: int, stop: int, step: int) -> Tensor:
    """Elements start, start + step, … before stop of the axis `dim`. Shares memory.

    Source: linear; the transpose puts the cotangent into zeros.
    """
    return xp.getitem(input, at(dim, slice(start, stop, step)))


@slice_axis.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, dim: int, start: int, stop: int, step: int) -> Array:
    return xp.put_add(input_meta.shape, at(dim, slice(start, stop, step)), ct)


@linear(node="IndexBackward0", dtypes=KEEP, internal=True, dynamic=True)
def index(xp: Xp, input: Tensor, indices: Index) -> Tensor:
    """Elements by arrays of integers or bool, an entry of `indices` an axis, slice(None) for none.

    Source: linear; the transpose adds the cotangent into zeros, repeated indices adding up.
    """
    return xp.getitem(input, _checked(xp, indices, xp.shape(input)))


@index.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, indices: Any) -> Array:
    return xp.put_add(input_meta.shape, index_arrays(xp, indices), ct)


def index_arrays(xp: Xp, indices: Any) -> tuple[Any, ...]:
    """Index entries with lists of numbers made arrays."""
    return tuple(_array(xp, entry) if isinstance(entry, list | tuple) else entry for entry in indices)


def _array(xp: Xp, nested: Any) -> Array:
    """An int64 or bool array from nested lists."""
    shape: list[int] = []
    flat: list[Any] = [nested]
    while flat and isinstance(flat[0], list | tuple):
        shape.append(len(flat[0]))
        if any(len(part) != shape[-1] for part in flat):
            raise fault("invalid-argument", "an index is no rectangular list")
        flat = [item for part in flat for item in part]
    if not flat:
        return xp.zeros(tuple(shape), "int64")
    dtype = "bool" if isinstance(flat[0], bool) else "int64"
    return xp.reshape(xp.concat([xp.full((1,), value, dtype) for value in flat], 0), tuple(shape))


def _checked(xp: Xp, indices: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """The arrays of an index, every integer of them in range. Raises index-out-of-range."""
    entries: list[Any] = []
    axis = 0
    given = index_arrays(xp, indices)
    nothing = 0 in _left(given, shape)  # is selected, and nobody looks at the numbers
    for entry in given:
        if isinstance(entry, slice) or _is_mask(entry):
            entries.append(entry)
            axis += 1 if isinstance(entry, slice) else len(xp.shape(entry))
            continue
        if is_beyond(xp, entry, -shape[axis], shape[axis]):
            if not nothing:
                raise fault("index-out-of-range", f"an index is not in [{-shape[axis]}, {shape[axis] - 1}]")
            entry = xp.zeros_like(entry)
        entries.append(entry)
        axis += 1
    return tuple(entries)


def _left(entries: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes of the axes that no array picks from."""
    sizes, axis = [], 0
    for entry in entries:
        if isinstance(entry, slice):
            sizes.append(shape[axis])
        axis += len(getattr(entry, "shape", ())) if _is_mask(entry) else 1
    return (*sizes, *shape[axis:])


def _is_mask(array: Any) -> bool:
    return isinstance(array, bool) or str(getattr(array, "dtype", "int64")) == "bool"


def _consumed(entry: Any) -> int:
    """How many axes an index entry takes up."""
    if entry is None or isinstance(entry, bool):
        return 0
    if isinstance(entry, tuple | list):
        return _list_rank(entry) if _holds_bools(entry) else 1
    if getattr(entry, "dtype", None) in ("bool", "uint8"):
        return len(entry.shape)
    return 1


def _list_rank(entry: Any) -> int:
    return 1 + _list_rank(entry[0]) if isinstance(entry, tuple | list) and entry else 0


def _holds_bools(entry: Any) -> bool:
    while isinstance(entry, tuple | list) and entry:
        entry = entry[0]
    return isinstance(entry, bool)


def _without_ellipsis(entries: tuple[Any, ...], ndim: int) -> list[Any]:
    """The entries, one an axis from the front. Raises too-many-indices."""
    dots = [k for k, entry in enumerate(entries) if entry is Ellipsis]
    used = 0
    for entry in entries:
        used += 0 if entry is Ellipsis else _consumed(entry)
    if used > ndim:
        raise fault("too-many-indices", f"{used} indices for a tensor with {ndim} axes")
    full = [slice(None)] * (ndim - used)
    if not dots:
        return [*entries, *full]
    rest = [
        entry for entry in entries[dots[0] + 1 :] if entry is not Ellipsis
    ]  # a second ... stands for no axis
    return [*entries[: dots[0]], *full, *rest]


@composite(
    name="__getitem__",
    samples=(
        sample(input=uniform(3), index=(1,)),
        sample(input=uniform(3), index=(-1,)),
        sample(input=uniform(2, 3), index=(0, slice(None, None, 2), None)),
        sample(input=uniform(2, 3), index=(Ellipsis, 0)),
        sample(input=uniform(4), index=(slice(1, 3),)),
        sample(input=uniform(2, 3), index=(slice(None), slice(-2, None))),
        sample(input=uniform(3, 2), index=((0, 2, 0),)),
        sample(input=uniform(3, 2), index=(slice(None), (1, 1))),
        sample(input=uniform(3, 2), index=((0, 2), (1, 1))),
        sample(input=uniform(3), index=((True, False, True),)),
        sample(input=uniform(), index=(Ellipsis,)),
        sample(input=uniform(), index=(None,)),
        sample(input=uniform(0), index=(None,)),
    ),
)
def getitem(F: Any, input: Tensor, index: Index) -> Tensor:
    """input[index] as in NumPy: integers, slices, None, ..., lists of integers, integer and bool tensors.

    Integers, slices and None give views that share memory, one after the other; then all lists and
    tensors together give a copy.

    Source: linear; repeated indices accumulate.
    """
    entries = index if isinstance(index, tuple) else (index,)
    _check_alone(entries, input.shape)
    y, axis = input, 0
    advanced: dict[int, Any] = {}
    for entry in _without_ellipsis(entries, len(input.shape)):
        if entry is None:
            y = F.unsqueeze(y, axis)
            axis += 1
        elif isinstance(entry, bool) or (getattr(entry, "dtype", None) == "bool" and not entry.shape):
            y = F.unsqueeze(y, axis)
            advanced[axis] = (entry,) if isinstance(entry, bool) else F.view(entry, [1])
            axis += 1
        elif isinstance(entry, int) or _is_integer(entry):
            number = entry if isinstance(entry, int) else entry.item()
            _check_select(y, axis, number)  # before anything is asked of the history of y
            y = F.select(y, axis, number)
        elif isinstance(entry, slice):
            y = _sliced(F, y, axis, entry, alone=len(entries) == 1 and entries[0] is entry)
            axis += 1
        else:
            advanced[axis] = _checked_index(entry, y.shape, axis)
            axis += _consumed(entry)
    if advanced:
        return F.index(y, _one_an_axis(advanced))
    return F.alias(input) if y is input else y


def _check_alone(entries: tuple[Any, ...], shape: tuple[int, ...]) -> None:
    """What torch looks at before it counts the indices, where an integer or a slice stands alone."""
    if len(entries) > 1 or shape:
        return
    (entry,) = entries
    if type(entry) is int and entry:
        raise fault("index-out-of-range", f"index {entry} of a tensor without axes")
    if isinstance(entry, slice) and type(entry.step) is int:
        _check_step(entry.step)


def _is_integer(entry: Any) -> bool:
    """Whether an entry is a 0-d tensor of integers, which stands for its number."""
    return getattr(entry, "shape", None) == () and entry.dtype in INTEGRAL


def _check_step(step: int) -> None:
    if step <= 0:
        code = "negative-step" if step < 0 else "invalid-argument"
        raise fault(code, f"a slice needs a step above 0, not {step}")


def _sliced(F: Any, y: Any, axis: int, entry: slice, *, alone: bool) -> Any:
    parts = [part.item() if _is_integer(part) else part for part in (entry.start, entry.stop, entry.step)]
    if any(not isinstance(part, int | None) for part in parts):
        raise fault("invalid-argument", "a slice is made of integers")
    entry = slice(*parts)
    step = 1 if entry.step is None else entry.step
    _check_step(step)
    start, stop, _ = entry.indices(y.shape[axis])
    # a start below 0 counts as a cut even where nothing is cut off
    if (start, max(start, stop), step) == (0, y.shape[axis], 1) and not alone and (entry.start or 0) >= 0:
        return y
    return F.slice(y, axis, start, max(start, stop), step)


def _checked_index(entry: Any, shape: tuple[int, ...], axis: int) -> Any:
    dtype = getattr(entry, "dtype", None)
    if dtype is not None and dtype not in ("bool", *INTEGRAL):
        raise fault("dtype-unsupported", f"a tensor used as an index is of integers or bool, not {dtype}")
    if dtype == "bool" and tuple(entry.shape) != tuple(shape[axis : axis + len(entry.shape)]):
        raise fault("shape-mismatch", f"a mask of shape {list(entry.shape)} does not fit shape {list(shape)}")
    return entry


def _one_an_axis(advanced: dict[int, Any]) -> tuple[Any, ...]:
    """Index entries by axis, as a tuple with slice(None) between them."""
    entries: list[Any] = []
    axis = 0
    for place, entry in advanced.items():
        entries += [slice(None)] * (place - axis)
        entries.append(entry)
        axis = place + _consumed(entry)
    return tuple(entries)


@constant(name="where_indices", dtypes=INDEX, internal=True, outputs="tuple", dynamic=True)
def where_indices(xp: Xp, condition: Tensor) -> Tensor:
    """The indices of the elements that are not zero, one int64 tensor an axis.

    Source: elementary.
    """
    return tuple(xp.nonzero(condition))


def _check_gather(input: Any, dim: int, index: Any, **_: Any) -> None:
    if index.dtype not in ("int64", "int32"):
        raise fault("dtype-unsupported", f"gather needs an int64 index, not {index.dtype}")
    shape, wanted = input.shape or (1,), index.shape or (1,)
    if not prod(wanted):
        return
    axis = axis_of(dim, len(input.shape))
    if len(shape) != len(wanted) or any(
        w > s for k, (s, w) in enumerate(zip(shape, wanted, strict=True)) if k != axis
    ):
        raise fault(
            "shape-mismatch",
            f"an index of shape {list(index.shape)} does not lie in shape {list(input.shape)}",
        )


@linear(
    node="GatherBackward0",
    dtypes=KEEP,
    apart=("index",),
    check=each(check_axis(), _check_gather),
    samples=(
        sample(input=uniform(3), dim=0, index=ints([2, 0, 0, 1])),
        sample(input=uniform(2, 3), dim=1, index=ints([0, 2, 1, 1], (2, 2))),
        sample(input=uniform(2, 3), dim=0, index=ints([1, 0, 1], (1, 3))),
        sample(input=uniform(3, 2), dim=-1, index=ints([1, 0], (2, 1))),
        sample(input=uniform(3), dim=0, index=ints([], (0,))),
        sample(input=uniform(), dim=0, index=ints([0], ())),
    ),
)
def gather(xp: Xp, input: Tensor, dim: int, index: Tensor) -> Tensor:
    """y[i, j] = input[index[i, j], j] for dim 0. Shape: index's, no longer than input's but at dim.

    Source: linear; repeated indices accumulate.
    """
    shape = xp.shape(input)
    if not prod(xp.shape(index)):
        return xp.zeros(xp.shape(index))
    axis = axis_of(dim, len(shape))
    check_range(xp, index, (shape or (1,))[axis], allow_negative=False)
    if not shape or not xp.shape(index):
        flat = xp.take_along_axis(at_least_1d(xp, input), index_1d(xp, index), axis)
        return xp.reshape(flat, xp.shape(index))
    return xp.take_along_axis(input, index, axis)


@gather.adjoint("input")
def _(xp: Xp, ct: Array, input: Array, input_meta: Any, index: Array, y_meta: Any, dim: int) -> Array:
    # input is not needed here, but torch saves it, and to change it in place before backward is an error
    shape = input_meta.shape
    axis = axis_of(dim, len(shape))
    if not prod(y_meta.shape):
        return xp.zeros(shape)
    total = xp.scatter_add(shape or (1,), index_1d(xp, index), at_least_1d(xp, ct), axis)
    return total if shape else xp.reshape(total, ())
