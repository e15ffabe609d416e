"""Along an axis, at each place a reduction of the elements up to there."""

from __future__ import annotations

from math import inf
from math import prod as product
from typing import Any

from gradspec.ops.arguments import axis_of, check_axis, drops_imaginary_part, int64_if_integral, keeps_dtype
from gradspec.ops.registry import KEEP, Array, DType, Tensor, Xp, general
from gradspec.ops.samples import sample, uniform
from gradspec.ops.sort import PAIR, picked, put_back

__all__ = ["cummax", "cummin", "cumprod", "logcumsumexp"]

ALONG = (
    sample(input=uniform(4), dim=0),
    sample(input=uniform(2, 3), dim=-1),
    sample(input=uniform(3, 2), dim=0),
    sample(input=uniform(2, 3, 2), dim=1),
    sample(input=uniform(), dim=0),
    sample(input=uniform(2, 0), dim=1),
)
REAL = ("float", "int", "bool")
LAST = {"equal to the extreme so far": {"torch": "1 to the last", "first": "1 to the first"}}


def _so_far(xp: Xp, input: Array, dim: int, find: str) -> tuple[Array, Array]:
    shape = xp.shape(input)
    places = getattr(xp, find)(input, axis_of(dim, len(shape))) if shape else xp.full((), 0, "int64")
    return picked(xp, input, places, dim)


@general(
    node="CummaxBackward0",
    dtypes=KEEP,
    outputs=PAIR,
    accepts=REAL,
    check=check_axis(),
    samples=ALONG,
    kinks=LAST,
)
def cummax(xp: Xp, input: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """At each place along dim the largest element so far and its place: values, indices (int64).

    Shape: input's. Of equal elements the last counts. NaN wins.

    Source: a selection; the cotangents add up at the element they were taken from.
    """
    return _so_far(xp, input, dim, "cumulative_argmax")


@general(
    node="CumminBackward0",
    dtypes=KEEP,
    outputs=PAIR,
    accepts=REAL,
    check=check_axis(),
    samples=ALONG,
    kinks=LAST,
)
def cummin(xp: Xp, input: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """At each place along dim the smallest element so far and its place: values, indices (int64).

    Shape: input's. Of equal elements the last counts. NaN wins.

    Source: a selection; the cotangents add up at the element they were taken from.
    """
    return _so_far(xp, input, dim, "cumulative_argmin")


@cummax.vjp("input")
@cummin.vjp("input")
def _(xp: Xp, ct: Any, input: Array, input_meta: Any, indices: Array, dim: int) -> Array:
    # torch saves input, and to change it in place before backward is an error
    if not product(input_meta.shape):
        return input  # as in torch: itself, where there is nothing to give
    return put_back(xp, ct, indices, input_meta, dim)


@general(
    node="CumprodBackward0",
    dtypes=int64_if_integral,
    inplace=True,
    check=check_axis(),
    check_in_place=keeps_dtype,
    warns=drops_imaginary_part,
    samples=(
        *ALONG,
        sample(input=uniform(3), dim=0, dtype="float64"),
        sample("one zero", input=((3,), 0.0, 0.0), dim=0),
        sample(input=uniform(9, low=-1.5, high=1.5), dim=0),
    ),
)
def cumprod(xp: Xp, input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """yᵢ = x₀ · … · xᵢ along dim. Shape: any → same. Integers give int64.

    Source: ∂yₖ/∂xᵢ is the product of the others up to k, right also where factors are zero: the product
    before i, times sᵢ, where sᵢ = ctᵢ + xᵢ₊₁·sᵢ₊₁.
    """
    shape = xp.shape(input)
    return xp.cumulative_prod(input, axis_of(dim, len(shape))) if shape else input


@cumprod.vjp("input")
def _(xp: Xp, ct: Array, input: Array, input_meta: Any, y: Array, dim: int) -> Array:
    shape = input_meta.shape
    if not product(shape) or not shape:
        return ct
    axis = axis_of(dim, len(shape))
    size = shape[axis]

    def part(values: Array, start: int, stop: int) -> Array:
        return xp.getitem(values, (*(slice(None),) * axis, slice(start, stop)))

    def filled(value: str, count: int) -> Array:
        return getattr(xp, value)((*shape[:axis], count, *shape[axis + 1 :]))

    def ahead(values: Array, by: int) -> Array:
        return xp.concat([part(values, by, size), filled("zeros", by)], axis)

    before = xp.concat([filled("ones", 1), part(y, 0, size - 1)], axis)
    # by doubling: after step k each place has what comes of the 2ᵏ places from it on
    factor, total = ahead(xp.conj(input), 1), ct
    step = 1
    while step < size:
        total = xp.add(total, xp.multiply(factor, ahead(total, step)))
        factor = xp.multiply(factor, ahead(factor, step))
        step *= 2
    return xp.multiply(xp.conj(before), total)


@general(
    node="LogcumsumexpBackward0",
    dtypes=KEEP,
    accepts=("float", "complex"),
    check=check_axis(),
    samples=(*ALONG, sample(input=uniform(4, low=-300.0, high=300.0), dim=0)),
)
def logcumsumexp(xp: Xp, input: Tensor, dim: int) -> Tensor:
    """yₖ = ln(exp(x₀) + … + exp(xₖ)) along dim. Shape: any → same.

    Source: ∂yₖ/∂xᵢ = exp(xᵢ − yₖ) for i ≤ k, NaN where both are −∞; the maximum so far is taken off first.
    """
    shape = xp.shape(input)
    if not product(shape) or not shape:
        return input
    axis = axis_of(dim, len(shape))
    if xp.dtype.startswith("complex"):
        return _in_turn(xp, input, shape[axis], axis)
    largest = xp.take_along_axis(input, xp.cumulative_argmax(input, axis), axis)
    top = xp.where(xp.isinf(largest), 0.0, largest)
    terms = xp.exp(_differences(xp, input, top, shape, axis))
    return xp.add(xp.log(xp.sum(terms, axis + 1)), top)


def _in_turn(xp: Xp, input: Array, size: int, axis: int) -> Array:
    """One element after the other, as torch does: the argument of a sum is not brought back to (−π, π]."""
    before = (slice(None),) * axis
    total = xp.getitem(input, (*before, slice(0, 1)))
    results = [total]
    for place in range(1, size):
        element = xp.getitem(input, (*before, slice(place, place + 1)))
        less = xp.less(xp.real(element), xp.real(total))
        low, high = xp.where(less, element, total), xp.where(less, total, element)
        total = xp.add(high, xp.log1p(xp.exp(xp.subtract(low, high))))
        equal = xp.logical_and(xp.equal(xp.real(low), xp.real(high)), xp.isinf(xp.real(high)))
        at_infinity = xp.where(xp.less(xp.real(low), 0.0), low, xp.log(xp.add(xp.exp(low), xp.exp(high))))
        total = xp.where(equal, at_infinity, total)
        results.append(total)
    return xp.concat(results, axis)


def _differences(xp: Xp, x: Array, y: Array, shape: tuple[int, ...], axis: int) -> Array:
    """xᵢ − yₖ along two axes, k and i, where i ≤ k; −∞ elsewhere."""
    before, size, behind = shape[:axis], shape[axis], shape[axis + 1 :]
    all_pairs = xp.subtract(
        xp.reshape(x, (*before, 1, size, *behind)), xp.reshape(y, (*before, size, 1, *behind))
    )
    places = xp.arange(size)
    earlier = xp.less_equal(xp.reshape(places, (1, size)), xp.reshape(places, (size, 1)))
    return xp.where(xp.reshape(earlier, (size, size, *(1,) * len(behind))), all_pairs, -inf)


@logcumsumexp.vjp("input")
def _(xp: Xp, ct: Array, input: Array, input_meta: Any, y: Array, dim: int) -> Array:
    shape = input_meta.shape
    if not shape:
        return xp.multiply(ct, xp.exp(xp.subtract(input, y)))  # 1, or NaN at an infinity
    axis = axis_of(dim, len(shape))
    weights = xp.exp(_differences(xp, input, y, shape, axis))
    cts = xp.reshape(ct, (*shape[: axis + 1], 1, *shape[axis + 1 :]))
    return xp.sum(xp.multiply(xp.conj(weights), cts), axis)
