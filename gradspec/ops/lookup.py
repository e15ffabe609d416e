"""Looking up whole slices and single elements by number."""

from __future__ import annotations

from math import prod
from typing import Any

from gradspec.errors import UnsupportedFeature
from gradspec.ops.arguments import axis_of, check_axis, each, fault
from gradspec.ops.places import at, check_dtype, check_range, index_1d
from gradspec.ops.registry import KEEP, Array, Tensor, Xp, linear
from gradspec.ops.samples import ints, sample, uniform

__all__ = ["embedding", "index_select", "take"]


def _check_index_select(input: Any, dim: int, index: Any, **_: Any) -> None:
    check_dtype("index_select", index)
    if len(index.shape) > 1:
        raise fault(
            "shape-mismatch", f"index_select needs a vector of numbers, not shape {list(index.shape)}"
        )
    if not input.shape and prod(index.shape) != 1:
        raise fault("shape-mismatch", "of a 0-d tensor there is one element to select")


@linear(
    node="IndexSelectBackward0",
    dtypes=KEEP,
    apart=("index",),
    check=each(check_axis(), _check_index_select),
    samples=(
        sample(input=uniform(3), dim=0, index=ints([2, 0, 0, 1])),
        sample(input=uniform(2, 3), dim=1, index=ints([0, 2, 2])),
        sample(input=uniform(2, 3), dim=-2, index=ints([1])),
        sample(input=uniform(3, 2), dim=0, index=ints([1], ())),
        sample(input=uniform(3), dim=0, index=ints([], (0,))),
        sample(input=uniform(), dim=0, index=ints([0])),
    ),
)
def index_select(xp: Xp, input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices along dim whose numbers stand in index, a vector. Shape: index's length at dim.

    Source: linear; repeated indices accumulate.
    """
    shape = xp.shape(input)
    axis = axis_of(dim, len(shape))
    numbers = index_1d(xp, index)
    check_range(xp, index, (shape or (1,))[axis], allow_negative=False)
    return xp.getitem(input, at(axis, numbers)) if shape else input


@index_select.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, dim: int, index: Array) -> Array:
    shape = input_meta.shape
    return xp.put_add(shape, at(axis_of(dim, len(shape)), index_1d(xp, index)), ct) if shape else ct


def _check_take(input: Any, index: Any, **_: Any) -> None:
    check_dtype("take", index, ("int64",))


@linear(
    node="TakeBackward0",
    dtypes=KEEP,
    apart=("index",),
    check=_check_take,
    samples=(
        sample(input=uniform(2, 3), index=ints([5, 0, 0, -1])),
        sample(input=uniform(2, 3), index=ints([1, 4, 2, 1], (2, 2))),
        sample(input=uniform(3), index=ints([-2], ())),
        sample(input=uniform(), index=ints([0, -1])),
        sample(input=uniform(2, 2), index=ints([], (0,))),
        sample(input=uniform(0), index=ints([], (0, 2))),
    ),
)
def take(xp: Xp, input: Tensor, index: Tensor) -> Tensor:
    """Elements by their number in C order, whatever the shape of input. Shape: index's.

    Source: linear; repeated indices accumulate.
    """
    count = prod(xp.shape(input))
    check_range(xp, index, count, allow_negative=True)
    return xp.getitem(xp.reshape(input, (count,)), (index,))


@take.adjoint("input")
def _(xp: Xp, ct: Array, input: Array, input_meta: Any, index: Array) -> Array:
    # input is not needed here, but torch saves it, and to change it in place before backward is an error
    return xp.reshape(xp.put_add((prod(input_meta.shape),), (index,), ct), input_meta.shape)


def _check_embedding(
    input: Any, weight: Any, padding_idx: int | None, max_norm: float | None, sparse: bool, **_: Any
) -> None:
    if max_norm is not None:
        raise UnsupportedFeature("op:embedding", "max_norm rescales rows of the weight in place")
    if sparse:
        raise UnsupportedFeature("op:embedding", "sparse gradients are not there")
    check_dtype("embedding", input)
    if len(weight.shape) != 2:
        raise fault("shape-mismatch", f"embedding needs a matrix of weights, not shape {list(weight.shape)}")
    rows = weight.shape[0]
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise fault("invalid-argument", f"padding_idx {padding_idx} is not in [{-rows}, {rows - 1}]")


@linear(
    node="EmbeddingBackward0",
    dtypes=KEEP,
    apart=("input",),
    check=_check_embedding,
    samples=(
        sample(input=ints([2, 0, 0]), weight=uniform(3, 2)),
        sample(input=ints([1, 2, 2, 1], (2, 2)), weight=uniform(3, 2), padding_idx=0),
        sample(input=ints([1], ()), weight=uniform(3, 2), padding_idx=-1),
        sample(input=ints([0, 2]), weight=uniform(3, 2), scale_grad_by_freq=True),
        sample(input=ints([1]), weight=uniform(2, 1), max_norm=None, norm_type=2.0, sparse=False),
        sample(input=ints([], (0,)), weight=uniform(3, 2)),
    ),
)
def embedding(
    xp: Xp,
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of weight whose numbers stand in input. Shape: input's, then the length of a row.

    The row padding_idx gets no gradient; scale_grad_by_freq divides that of a row by how often it was taken.
    max_norm and sparse are not supported.

    Source: linear in weight but for these two; repeated indices accumulate.
    """
    rows, width = xp.shape(weight)
    check_range(xp, input, rows, allow_negative=False)
    shape = xp.shape(input)
    return xp.reshape(xp.getitem(weight, (index_1d(xp, input),)), (*shape, width))


@embedding.adjoint("weight")
def _(
    xp: Xp,
    ct: Array,
    input: Array,
    input_meta: Any,
    weight_meta: Any,
    padding_idx: int | None,
    scale_grad_by_freq: bool,
) -> Array:
    rows, width = weight_meta.shape
    count = prod(input_meta.shape)
    numbers = xp.reshape(index_1d(xp, input), (count,))
    ct = xp.reshape(ct, (count, width))
    if padding_idx is not None:
        kept = xp.not_equal(numbers, padding_idx % rows)
        ct = xp.where(xp.reshape(kept, (count, 1)), ct, 0.0)
    if scale_grad_by_freq:
        times = xp.put_add((rows,), (numbers,), xp.ones((count,)))
        ct = xp.divide(ct, xp.reshape(xp.getitem(times, (numbers,)), (count, 1)))
    return xp.put_add((rows, width), (numbers,), ct)
