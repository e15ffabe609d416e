"""One element of many by its rank: the extremes, the median, the k-th, the most frequent, quantiles."""

from __future__ import annotations

from math import nan
from math import prod as product
from typing import Any

from gradspec.dtypes import category
from gradspec.ops.arguments import axis_of, check_axis, dtype_of, each, fault, reduced_shape, shape_of
from gradspec.ops.registry import KEEP, Array, Operand, Tensor, Xp, composite, general, linear
from gradspec.ops.samples import sample, uniform
from gradspec.ops.sort import PAIR, in_order, picked, put_back, size_along

__all__ = [
    "kthvalue", "max", "max_all", "max_dim", "median", "median_all", "median_dim", "min", "min_all",
    "min_dim", "mode", "nanmedian", "nanmedian_all", "nanmedian_dim", "quantile", "quantile_between",
    "quantile_first", "quantile_rank",
]  # fmt: skip

REAL = ("float", "int", "bool")
TIES = {"a tie of n elements": {"torch": "1/n each; over a dim 1 to the first", "first": "1 to the first"}}


def _something_along(input: Any, dim: int, **_: Any) -> None:
    if not size_along(input, dim):
        raise fault("empty-reduction", f"shape {list(input.shape)} has no element to choose from along {dim}")


def _something(input: Any, **_: Any) -> None:
    if not product(input.shape):
        raise fault("empty-reduction", f"shape {list(input.shape)} has no element to choose from")


ALONG = each(check_axis(), _something_along)


def _evenly(xp: Xp, ct: Array, input: Array, y: Array, meta: Any) -> Array:
    """The cotangent shared by all elements that equal y; where it is NaN, by all that are NaN."""
    both_nan = xp.logical_and(xp.isnan(input), xp.isnan(y))
    chosen = xp.astype(xp.logical_or(xp.equal(input, y), both_nan), meta.dtype)
    return xp.divide(xp.multiply(ct, chosen), xp.sum(chosen))


# The largest and the smallest, in three forms each.


def _one_form(input: Any, dim: Any, keepdim: bool, other: Any = None) -> None:
    """torch has no signature with two of these."""
    if other is not None and (dim is not None or keepdim):
        raise fault("invalid-argument", "a second tensor leaves no room for dim and keepdim")
    if dim is None and keepdim:
        raise fault("invalid-argument", "keepdim needs a dim")


EXTREMES = (
    sample(input=uniform(2, 3)),
    sample(input=uniform(2, 3), dim=1),
    sample(input=uniform(2, 3), dim=0, keepdim=True),
    sample(input=uniform(2, 3), other=uniform(3)),
    sample(input=uniform()),
    sample(input=uniform(), dim=-1),
    sample(input=uniform(2, 0), dim=0),
)


@composite(
    chooses=True, instead={"dim": "other"}, accepts=REAL, check=_one_form, samples=EXTREMES, kinks=TIES
)
def max(
    F: Any, input: Tensor, dim: int | None = None, keepdim: bool = False, *, other: Tensor | None = None
) -> Any:
    """The largest element of all; along dim, with its place: values, indices (int64); or `maximum`.

    `max(x)` is one tensor, `max(x, dim)` two, `max(x, other)` the larger of each two elements. NaN wins.
    Along a dim the first of equal elements counts.

    Source: over everything a tie shares the cotangent evenly; along a dim the chosen element takes it.
    """
    if other is not None:
        return F.maximum(input, other)
    return F.max_all(input) if dim is None else F.max_dim(input, dim, keepdim)


@composite(
    chooses=True, instead={"dim": "other"}, accepts=REAL, check=_one_form, samples=EXTREMES, kinks=TIES
)
def min(
    F: Any, input: Tensor, dim: int | None = None, keepdim: bool = False, *, other: Tensor | None = None
) -> Any:
    """The smallest element of all; along dim, with its place: values, indices (int64); or `minimum`.

    `min(x)` is one tensor, `min(x, dim)` two, `min(x, other)` the smaller of each two elements. NaN wins.
    Along a dim the first of equal elements counts.

    Source: over everything a tie shares the cotangent evenly; along a dim the chosen element takes it.
    """
    if other is not None:
        return F.minimum(input, other)
    return F.min_all(input) if dim is None else F.min_dim(input, dim, keepdim)


@general(node="MaxBackward1", dtypes=KEEP, accepts=REAL, check=_something, internal=True)
def max_all(xp: Xp, input: Tensor) -> Tensor:
    """The largest element.

    Source: the gradient is shared evenly by all elements that equal it.
    """
    return xp.max(input)


@max_all.vjp("input")
def _(xp: Xp, ct: Array, input: Array, input_meta: Any, y: Array) -> Array:
    return _evenly(xp, ct, input, y, input_meta)


@general(node="MinBackward1", dtypes=KEEP, accepts=REAL, check=_something, internal=True)
def min_all(xp: Xp, input: Tensor) -> Tensor:
    """The smallest element.

    Source: the gradient is shared evenly by all elements that equal it.
    """
    return xp.min(input)


@min_all.vjp("input")
def _(xp: Xp, ct: Array, input: Array, input_meta: Any, y: Array) -> Array:
    return _evenly(xp, ct, input, y, input_meta)


def _extreme_place(xp: Xp, input: Array, dim: int, find: str) -> Array:
    shape = xp.shape(input)
    if not shape:
        return xp.full((), 0, "int64")
    axis = axis_of(dim, len(shape))
    if not product(shape):
        return xp.full(reduced_shape(shape, (axis,)), 0, "int64")
    return getattr(xp, find)(input, axis, True)


@general(node="MaxBackward0", dtypes=KEEP, outputs=PAIR, accepts=REAL, check=ALONG, internal=True)
def max_dim(xp: Xp, input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The largest element along dim and its place.

    Source: a selection; the cotangent goes to the chosen element.
    """
    return picked(xp, input, _extreme_place(xp, input, dim, "argmax"), dim, keepdim)


@max_dim.vjp("input")
def _(xp: Xp, ct: Any, input_meta: Any, indices: Array, dim: int, keepdim: bool) -> Array:
    return put_back(xp, ct, indices, input_meta, dim, keepdim)


@general(node="MinBackward0", dtypes=KEEP, outputs=PAIR, accepts=REAL, check=ALONG, internal=True)
def min_dim(xp: Xp, input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The smallest element along dim and its place.

    Source: a selection; the cotangent goes to the chosen element.
    """
    return picked(xp, input, _extreme_place(xp, input, dim, "argmin"), dim, keepdim)


@min_dim.vjp("input")
def _(xp: Xp, ct: Any, input_meta: Any, indices: Array, dim: int, keepdim: bool) -> Array:
    return put_back(xp, ct, indices, input_meta, dim, keepdim)


# The k-th and the median.


def _check_kth(input: Any, k: int, dim: int, **_: Any) -> None:
    size = size_along(input, dim)
    if not 1 <= k <= size:
        raise fault("index-out-of-range", f"there is no element number {k} of {size}")


def _no_bool(input: Any, **_: Any) -> None:
    if input.dtype == "bool":
        raise fault("dtype-unsupported", "bool tensors have no such rank")


@general(
    node="KthvalueBackward0",
    dtypes=KEEP,
    outputs=PAIR,
    accepts=("float", "int"),
    check=each(ALONG, _no_bool, _check_kth),
    samples=(
        sample(input=uniform(2, 5), k=2),
        sample(input=uniform(4), k=4),
        sample(input=uniform(3, 2), k=1, dim=0, keepdim=True),
        sample(input=uniform(), k=1),
        sample(input=uniform(2, 0), k=2, dim=0),
    ),
    kinks={"elements equal": {"torch": "all to one of them"}},
)
def kthvalue(xp: Xp, input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The k-th smallest element along dim, counted from 1, and its place: values, indices (int64).

    Shape: dim goes, or stays with size 1. NaN is larger than every number. Which of equal elements it is is
    left open; here they keep their order.

    Source: a selection; the cotangent goes to the chosen element.
    """
    return _ranked(xp, input, k - 1, dim, keepdim)


def _ranked(xp: Xp, input: Array, rank: int, dim: int, keepdim: bool) -> tuple[Array, Array]:
    order = in_order(xp, input, dim)
    shape = xp.shape(input)
    if shape:
        order = xp.getitem(order, (*(slice(None),) * axis_of(dim, len(shape)), slice(rank, rank + 1)))
    return picked(xp, input, order, dim, keepdim)


@kthvalue.vjp("input")
def _(xp: Xp, ct: Any, input_meta: Any, indices: Array, dim: int, keepdim: bool) -> Array:
    return put_back(xp, ct, indices, input_meta, dim, keepdim)


MEDIANS = (
    sample(input=uniform(5)),
    sample(input=uniform(2, 4)),
    sample(input=uniform(2, 4), dim=1),
    sample(input=uniform(3, 2), dim=0, keepdim=True),
    sample(input=uniform()),
    sample(input=uniform(), dim=0),
    sample(input=uniform(2, 0), dim=0),
)
MEDIAN_TIES = {"a tie of n elements": {"torch": "1/n each; over a dim all to one of them"}}


@composite(chooses=True, accepts=("float", "int"), check=_one_form, samples=MEDIANS, kinks=MEDIAN_TIES)
def median(F: Any, input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle element of all, the lower of two; along dim, with its place: values, indices (int64).

    `median(x)` is one tensor, `median(x, dim)` two. NaN where there is a NaN, and of nothing.

    Source: over everything a tie shares the cotangent evenly; along a dim the chosen element takes it.
    """
    return F.median_all(input) if dim is None else F.median_dim(input, dim, keepdim)


@composite(chooses=True, accepts=("float", "int"), check=_one_form, samples=MEDIANS, kinks=MEDIAN_TIES)
def nanmedian(F: Any, input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle one of the elements that are no NaN; along dim, with its place: values, indices (int64).

    `nanmedian(x)` is one tensor, `nanmedian(x, dim)` two. The lower of two; NaN where there is nothing else.

    Source: over everything a tie shares the cotangent evenly; along a dim the chosen element takes it.
    """
    return F.nanmedian_all(input) if dim is None else F.nanmedian_dim(input, dim, keepdim)


def _middle(xp: Xp, input: Array, dim: int, keepdim: bool, skip: bool) -> tuple[Array, Array]:
    """The median along dim. `skip`: without the NaNs; else the first of them is the median."""
    shape = xp.shape(input)
    if not shape:
        return picked(xp, input, in_order(xp, input, dim), dim)
    axis = axis_of(dim, len(shape))
    size = shape[axis]
    order = in_order(xp, input, dim)
    numbers = xp.sum(xp.logical_not(xp.isnan(input)), axis, True)  # NaNs stand behind them
    if skip:
        rank = xp.floor_divide(xp.maximum(xp.subtract(numbers, 1), 0), 2)
    else:
        whole = xp.full(xp.shape(numbers), (size - 1) // 2, "int64")
        rank = xp.where(xp.less(numbers, size), numbers, whole)
    return picked(xp, input, xp.take_along_axis(order, rank, axis), dim, keepdim)


def _middle_of_all(xp: Xp, input: Array, skip: bool) -> Array:
    count = product(xp.shape(input))
    if not count:
        return xp.full((), nan)
    return _middle(xp, xp.reshape(input, (count,)), 0, False, skip)[0]


def _nan_or_something(input: Any, **_: Any) -> None:
    """Of no integers there is no median, and no NaN to say so."""
    if category(input.dtype) < 2:
        _something(input)


_ALL_OF_IT = each(_no_bool, _nan_or_something)
_ALONG_IT = each(ALONG, _no_bool)


@general(node="MedianBackward0", dtypes=KEEP, accepts=("float", "int"), check=_ALL_OF_IT, internal=True)
def median_all(xp: Xp, input: Tensor) -> Tensor:
    """The middle element.

    Source: the gradient is shared evenly by all elements that equal it.
    """
    return _middle_of_all(xp, input, skip=False)


@general(node="NanmedianBackward0", dtypes=KEEP, accepts=("float", "int"), check=_ALL_OF_IT, internal=True)
def nanmedian_all(xp: Xp, input: Tensor) -> Tensor:
    """The middle element of those that are no NaN.

    Source: the gradient is shared evenly by all elements that equal it.
    """
    return _middle_of_all(xp, input, skip=True)


@median_all.vjp("input")
@nanmedian_all.vjp("input")
def _(xp: Xp, ct: Array, input: Array, input_meta: Any, y: Array) -> Array:
    return _evenly(xp, ct, input, y, input_meta)


@general(
    node="MedianBackward1",
    dtypes=KEEP,
    outputs=PAIR,
    accepts=("float", "int"),
    check=_ALONG_IT,
    internal=True,
)
def median_dim(xp: Xp, input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The middle element along dim and its place.

    Source: a selection; the cotangent goes to the chosen element.
    """
    return _middle(xp, input, dim, keepdim, skip=False)


@general(
    node="NanmedianBackward1",
    dtypes=KEEP,
    outputs=PAIR,
    accepts=("float", "int"),
    check=_ALONG_IT,
    internal=True,
)
def nanmedian_dim(xp: Xp, input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The middle element along dim of those that are no NaN, and its place.

    Source: a selection; the cotangent goes to the chosen element.
    """
    return _middle(xp, input, dim, keepdim, skip=True)


@median_dim.vjp("input")
@nanmedian_dim.vjp("input")
def _(xp: Xp, ct: Any, input_meta: Any, indices: Array, dim: int, keepdim: bool) -> Array:
    return put_back(xp, ct, indices, input_meta, dim, keepdim)


@general(
    node="ModeBackward0",
    dtypes=KEEP,
    outputs=PAIR,
    accepts=REAL,
    check=ALONG,
    samples=(
        sample(input=uniform(2, 3)),
        sample(input=uniform(4), dim=0, keepdim=True),
        sample(input=uniform(3, 2), dim=0),
        sample(input=uniform()),
        sample("ties", input=((3,), 1.0, 1.0)),
    ),
    kinks={"elements equal": {"torch": "all to the last of them"}},
)
def mode(xp: Xp, input: Tensor, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The most frequent element along dim and its last place: values, indices (int64).

    Shape: dim goes, or stays with size 1. Of equally frequent ones the smallest.

    Source: a selection; the cotangent goes to the chosen element.
    """
    shape = xp.shape(input)
    order = in_order(xp, input, dim)
    if not product(shape) or not shape:
        kept = reduced_shape(shape, (axis_of(dim, len(shape)),)) if shape else ()
        return picked(xp, input, xp.full(kept, 0, "int64"), dim, keepdim)
    axis = axis_of(dim, len(shape))
    before, size, behind = shape[:axis], shape[axis], shape[axis + 1 :]
    ordered = xp.take_along_axis(input, order, axis)
    each_one = xp.reshape(ordered, (*before, size, 1, *behind))
    same = xp.equal(each_one, xp.reshape(ordered, (*before, 1, size, *behind)))
    counts = xp.sum(same, axis + 1)  # at each place of the order how often its element is there
    first = xp.argmax(counts, axis, True)
    further = xp.maximum(xp.subtract(xp.take_along_axis(counts, first, axis), 1), 0)
    return picked(xp, input, xp.take_along_axis(order, xp.add(first, further), axis), dim, keepdim)


@mode.vjp("input")
def _(xp: Xp, ct: Any, input_meta: Any, indices: Array, dim: int, keepdim: bool) -> Array:
    return put_back(xp, ct, indices, input_meta, dim, keepdim)


# Quantiles: between the elements of an order.

INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _check_quantile(input: Any, q: Any, dim: int | None, interpolation: str, **_: Any) -> None:
    if input.dtype not in ("float32", "float64"):
        raise fault("dtype-unsupported", f"quantile takes float32 and float64 tensors, not {input.dtype}")
    if not product(input.shape):
        raise fault("invalid-argument", "quantile needs an element")
    if len(shape_of(q)) > 1:
        raise fault("invalid-argument", f"q has at most one axis, not shape {list(shape_of(q))}")
    if dtype_of(q) not in (None, input.dtype):
        raise fault("dtype-mismatch", f"q of {dtype_of(q)} for a tensor of {input.dtype}")
    if dtype_of(q) is None and not 0 <= q <= 1:
        raise fault("invalid-argument", f"q is in [0, 1], not {q}")
    if interpolation not in INTERPOLATIONS:
        raise fault("invalid-argument", f"interpolation is one of {', '.join(INTERPOLATIONS)}")
    if dim is not None:
        axis_of(dim, len(input.shape))


@composite(
    accepts=("float",),
    check=_check_quantile,
    samples=(
        sample(input=uniform(5), q=0.3),
        sample(input=uniform(2, 3), q=((2,), 0.1, 0.45)),
        sample(input=uniform(2, 4), q=0.6, dim=1),
        sample(input=uniform(3, 2), q=((2,), 0.1, 0.45), dim=0, keepdim=True),
        sample(input=uniform(5), q=0.3, interpolation="midpoint"),
        sample(input=uniform(5), q=0.3, interpolation="nearest"),
        sample(input=uniform(5), q=0.3, interpolation="lower"),
        sample(input=uniform(2, 3), q=0.7, interpolation="higher", keepdim=True),
        sample(input=uniform(), q=0.5),
    ),
)
def quantile(
    F: Any,
    input: Tensor,
    q: Operand,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """The value below which the share q of the elements lies, of all or along dim.

    It stands at rank q·(n − 1) of the order; between two elements, interpolation says what it is: linear,
    lower, higher, midpoint or nearest (at a half the even rank). Shape: dim goes, or stays with size 1
    (without dim all stay); for a q with one axis that axis comes first. NaN where there is a NaN.

    Source: with linear, weights 1 − w and w for the two neighbours, w the fractional part of the rank.
    """
    shape = tuple(input.shape)
    if dim is None:
        kept = (1,) * len(shape)
        ordered, _ = F.sort(F.flatten(input))
    else:
        axis = axis_of(dim, len(shape))
        kept = reduced_shape(shape, (axis,)) if shape else ()
        last = axis == len(shape) - 1
        ordered, _ = F.sort(input if last else F.transpose(F.unsqueeze(input, -1), axis, -1))
    out = kept if keepdim else () if dim is None or not shape else (*shape[:axis], *shape[axis + 1 :])
    ordered = F.reshape(ordered, (*out, ordered.shape[-1]))
    if interpolation != "linear" and hasattr(q, "shape"):
        q = F.detach(q)  # a rank that is rounded does not move with q
    result = F.quantile_between(ordered, F.quantile_rank(F.detach(ordered), q), interpolation)
    return F.quantile_first(result, bool(len(getattr(q, "shape", ()))), interpolation)


@general(internal=True, node="MulBackward0")
def quantile_rank(xp: Xp, ordered: Tensor, q: Operand) -> Tensor:
    """The rank q·(n − 1) along the last axis, of n elements; n − 1, where a NaN stands, if there is one.

    Shape: [..., n] and [m] or [] → [..., m] or [..., 1]. Raises invalid-argument for a q outside [0, 1].

    Source: linear in q.
    """
    inside = xp.logical_and(xp.less_equal(0.0, q), xp.less_equal(q, 1.0))
    if not bool(xp.all(inside)):
        raise fault("invalid-argument", "q is in [0, 1]")
    last = float(xp.shape(ordered)[-1] - 1)
    return xp.where(_with_nan(xp, ordered), last, xp.multiply(q, last))


@quantile_rank.vjp("q")
def _(xp: Xp, ct: Array, ordered: Array, ordered_meta: Any) -> Array:
    last = float(ordered_meta.shape[-1] - 1)
    return xp.where(_with_nan(xp, ordered), 0.0, xp.multiply(ct, last))


def _with_nan(xp: Xp, ordered: Array) -> Array:
    return xp.any(xp.isnan(ordered), len(xp.shape(ordered)) - 1, True)


def _steps_in_place(several: bool, interpolation: str, **_: Any) -> int:
    """torch interpolates in place, and moves and drops the axis in place."""
    return (interpolation in ("linear", "midpoint")) + (3 if several else 1)


@linear(node="SqueezeBackward4", dtypes=KEEP, written=_steps_in_place, internal=True)
def quantile_first(xp: Xp, input: Tensor, several: bool, interpolation: str) -> Tensor:
    """The last axis, that of q, as the first one; without it where q is one number.

    Source: linear; the transpose puts the axis back.
    """
    shape = xp.shape(input)
    if not several:
        return xp.reshape(input, shape[:-1])
    return xp.permute_dims(input, (len(shape) - 1, *range(len(shape) - 1)))


@quantile_first.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, several: bool) -> Array:
    if not several:
        return xp.reshape(ct, input_meta.shape)
    return xp.permute_dims(ct, (*range(1, len(input_meta.shape)), 0))


def _goes_between(interpolation: str, **_: Any) -> bool:
    return interpolation in ("linear", "midpoint")


def _between_node(interpolation: str, **_: Any) -> str:
    return "LerpBackward1" if _goes_between(interpolation) else "GatherBackward0"


@general(node=_between_node, hides=_goes_between, internal=True)
def quantile_between(xp: Xp, ordered: Tensor, rank: Tensor, interpolation: str) -> Tensor:
    """What stands at a rank of the last axis, which is in order. Shape: [..., n] and [..., m] → [..., m].

    Source: with linear, weights 1 − w and w for the neighbours, w the fractional part of the rank.
    """
    axis = len(xp.shape(ordered)) - 1
    below, above, weight = _neighbours(xp, rank, interpolation)
    low = xp.take_along_axis(ordered, below, axis)
    if above is None:
        return low
    high = xp.take_along_axis(ordered, above, axis)
    step = xp.subtract(high, low)
    # from the nearer neighbour, so that weights 0 and 1 give the element itself
    from_above = xp.subtract(high, xp.multiply(step, xp.subtract(1.0, weight)))
    return xp.where(xp.less(weight, 0.5), xp.add(low, xp.multiply(weight, step)), from_above)


def _neighbours(xp: Xp, rank: Array, interpolation: str) -> tuple[Array, Any, Any]:
    """The indices below and above a rank, and the weight of the one above; None for one element alone."""
    floor = xp.floor(rank)
    ceil = xp.negative(xp.floor(xp.negative(rank)))
    below, above = xp.astype(floor, "int64"), xp.astype(ceil, "int64")
    if interpolation == "linear":
        return below, above, xp.subtract(rank, floor)
    if interpolation == "midpoint":
        return below, above, xp.full(xp.shape(rank), 0.5)
    if interpolation == "lower":
        return below, None, None
    if interpolation == "higher":
        return above, None, None
    half_up = xp.floor(xp.add(rank, 0.5))
    tie = xp.equal(xp.subtract(half_up, rank), 0.5)
    odd = xp.not_equal(xp.multiply(2.0, xp.floor(xp.multiply(0.5, half_up))), half_up)
    even = xp.where(xp.logical_and(tie, odd), xp.subtract(half_up, 1.0), half_up)
    return xp.astype(even, "int64"), None, None


@quantile_between.vjp("ordered")
def _(xp: Xp, ct: Array, ordered_meta: Any, rank: Array, interpolation: str) -> Array:
    shape = ordered_meta.shape
    axis = len(shape) - 1
    below, above, weight = _neighbours(xp, rank, interpolation)
    if above is None:
        return xp.scatter_add(shape, below, ct, axis)
    high = xp.multiply(ct, weight)
    low = xp.subtract(ct, high)
    return xp.add(xp.scatter_add(shape, below, low, axis), xp.scatter_add(shape, above, high, axis))


@quantile_between.vjp("rank")
def _(xp: Xp, ct: Array, ordered: Array, ordered_meta: Any, rank: Array, interpolation: str) -> Array:
    axis = len(ordered_meta.shape) - 1
    below, above, _ = _neighbours(xp, rank, interpolation)
    step = xp.subtract(xp.take_along_axis(ordered, above, axis), xp.take_along_axis(ordered, below, axis))
    return xp.multiply(ct, step)
