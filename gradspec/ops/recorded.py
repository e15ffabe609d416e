"""Ops that only a recorded backward makes: contract functions that no public op is."""

from __future__ import annotations

from math import prod
from typing import Any

from gradspec.dtypes import category
from gradspec.engine.plan import sum_to
from gradspec.ops.arguments import always, fault, shape_of
from gradspec.ops.indexing import index_arrays
from gradspec.ops.places import check_number
from gradspec.ops.registry import KEEP, Array, Index, Operand, Tensor, Xp, general, linear

__all__ = [
    "beside", "chosen", "copy", "duplicate", "fill_all", "index_get", "index_put_add", "index_write",
    "is_one_under_a_mask", "scatter_onto", "threshold_backward",
]  # fmt: skip


@linear(node="IndexBackward0", dtypes=KEEP, internal=True, dynamic=True)
def index_get(xp: Xp, input: Tensor, index: Index) -> Tensor:
    """input[index]. Source: a selection, whose transpose adds to zeros."""
    return xp.getitem(input, index)


@index_get.adjoint("input")
def _(xp: Xp, ct: Array, index: Any, input_meta: Any) -> Array:
    return xp.put_add(input_meta.shape, index, ct)


@linear(node="IndexPutBackward0", dtypes=KEEP, internal=True)
def index_put_add(xp: Xp, values: Tensor, index: Index, shape: Any) -> Tensor:
    """zeros(shape) with values added at index. Source: the transpose of a selection."""
    return xp.put_add(shape, index, values)


@index_put_add.adjoint("values")
def _(xp: Xp, ct: Array, index: Any) -> Array:
    return xp.getitem(ct, index)


def _sheds_axes(values: Any, **_: Any) -> bool:
    """An assignment first views its value without leading axes of size 1."""
    return shape_of(values)[:1] == (1,)


def is_one_under_a_mask(index: Any, values: Any) -> bool:
    """Whether an assignment is of one value under one mask, which torch writes as masked_fill_ does."""
    picks = [
        part
        for part in (index if isinstance(index, tuple) else (index,))
        if not (part is None or part is Ellipsis or isinstance(part, slice))
    ]
    if len(picks) != 1 or getattr(picks[0], "dtype", "") not in ("bool", "uint8"):
        return False
    return bool(picks[0].shape) and prod(shape_of(values)) == 1


def _may_be_written(input: Any, index: Any, values: Any) -> None:
    given = getattr(values, "dtype", None)
    if given is None:
        check_number(values, input.dtype)
    elif not is_one_under_a_mask(index, values):
        if given != input.dtype:
            raise fault("dtype-mismatch", f"a {given} value is written at places of a {input.dtype} tensor")
    elif category(given) == 3 and category(input.dtype) in (1, 2):
        raise fault("dtype-cast", f"a complex value does not fit into {input.dtype}")


@linear(
    node="IndexPutBackward0", hides=_sheds_axes, dtypes=KEEP, internal=True, apart=("values",),
    check=_may_be_written,
)  # fmt: skip
def index_write(xp: Xp, input: Tensor, index: Index, values: Tensor) -> Tensor:
    """input with values written at index. Source: linear in both."""
    return xp.put(input, index_arrays(xp, index), xp.astype(values, xp.dtype))


@index_write.adjoint("input")
def _(xp: Xp, ct: Array, index: Any) -> Array:
    return xp.put(ct, index_arrays(xp, index), 0)


@index_write.adjoint("values")
def _(xp: Xp, ct: Array, index: Any) -> Array:
    return xp.getitem(ct, index_arrays(xp, index))


@linear(node="ScatterAddBackward0", dtypes=KEEP, internal=True)
def scatter_onto(xp: Xp, values: Tensor, indices: Tensor, axis: int, shape: Any) -> Tensor:
    """zeros(shape) with values added along axis at indices. Source: the transpose of gather."""
    return xp.scatter_add(shape, indices, values, axis)


@scatter_onto.adjoint("values")
def _(xp: Xp, ct: Array, indices: Array, axis: int) -> Array:
    return xp.take_along_axis(ct, indices, axis)


def _fits(input: Any, value: Any, **_: Any) -> None:
    have: tuple[int, ...] = tuple(getattr(value, "shape", ()))
    while len(have) > len(input.shape) and have[0] == 1:
        have = have[1:]
    for mine, other in zip(reversed(input.shape), reversed(have), strict=False):
        if other not in (1, mine):
            break
    else:
        if len(have) <= len(input.shape):
            return
    raise fault("shape-mismatch", f"a value of shape {list(have)} does not fit into {list(input.shape)}")


def _drops_imaginary_part(input: Any, value: Any) -> tuple[tuple[str, str], ...]:
    """What a complex tensor written into a real one warns of, if there is anything to write."""
    given = getattr(value, "dtype", "float64")
    if category(given) < 3 or category(input.dtype) not in (1, 2) or not prod(input.shape):
        return ()
    return (("complex-to-real", f"a {given} value is written into a {input.dtype} tensor"),)


def _spreads(input: Any, value: Any) -> bool:
    """A value of another shape is first viewed and expanded."""
    return shape_of(value) != shape_of(input)


@linear(
    node="CopyBackwards",
    hides=_spreads,
    dtypes=KEEP,
    internal=True,
    inplace=True,
    spreads=True,
    passes_on=always,
    apart=("value",),
    check=_fits,
    warns=_drops_imaginary_part,
)
def copy(xp: Xp, input: Tensor, value: Operand) -> Tensor:
    """value in the shape and dtype of input: what an assignment writes. Source: the identity in value."""
    shape = xp.shape(input)
    given = xp.shape(value)
    if len(given) > len(shape):
        value = xp.reshape(value, given[len(given) - len(shape) :])
    return xp.broadcast_to(xp.astype(value, xp.dtype), shape)


@copy.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return xp.zeros_like(ct)


@copy.adjoint("value")
def _(xp: Xp, ct: Array, input_meta: Any, value_meta: Any) -> Array:
    # torch views the value without leading axes of size 1, and expands that
    shape = value_meta.shape
    while shape[:1] == (1,) and value_meta.shape != input_meta.shape:
        shape = shape[1:]
    return ct if shape == input_meta.shape else xp.reshape(sum_to(xp, ct, shape), value_meta.shape)


@linear(
    node="FillBackward3",
    dtypes=KEEP,
    internal=True,
    inplace=True,
    apart=("value",),
    warns=_drops_imaginary_part,
)
def fill_all(xp: Xp, input: Tensor, value: Operand) -> Tensor:
    """value, 0-d, in every element of input: what assigning one number writes. Source: linear in value."""
    return xp.broadcast_to(xp.astype(value, xp.dtype), xp.shape(input))


@fill_all.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return xp.zeros_like(ct)


@fill_all.adjoint("value")
def _(xp: Xp, ct: Array) -> Array:
    return ct


@general(node="ThresholdBackwardBackward0", dtypes=KEEP, internal=True)
def threshold_backward(xp: Xp, input: Tensor, result: Tensor) -> Tensor:
    """input where result > 0, else 0: what relu hands on. As torch has it, zero for result, and not nothing.

    Source: linear in input, piecewise constant in result.
    """
    return xp.gate(input, result)


@threshold_backward.vjp("input")
def _(xp: Xp, ct: Array, result: Array) -> Array:
    return xp.gate(ct, result)


@threshold_backward.vjp("result")
def _(xp: Xp, result: Array) -> Array:
    return xp.zeros_like(result)


@linear(node="ThresholdBackwardBackward0", dtypes=KEEP, internal=True, apart=("other",))
def beside(xp: Xp, input: Tensor, other: Tensor) -> Tensor:
    """input, a choice that other made. Source: the identity in input, piecewise constant in other."""
    return input


@beside.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


@beside.adjoint("other")
def _(xp: Xp, other_meta: Any) -> Array:
    return xp.zeros(other_meta.shape)


@linear(node="ThresholdBackwardBackward0", dtypes=KEEP, internal=True, apart=("other",))
def chosen(xp: Xp, input: Tensor, other: Tensor) -> Tensor:
    """As beside; torch saves other, whoever needs a gradient, and to change it in place then is an error."""
    return input


@chosen.adjoint("input")
def _(xp: Xp, ct: Array, other: Array) -> Array:
    return ct


@chosen.adjoint("other")
def _(xp: Xp, other: Array) -> Array:
    return xp.zeros_like(other)


@linear(node="CopyBackwards", dtypes=KEEP, internal=True)
def duplicate(xp: Xp, input: Tensor) -> Tensor:
    """input as what a leaf keeps of a gradient with history. Source: the identity."""
    return input


@duplicate.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct
