"""Reductions that leave elements out (NaNs, what is beside the diagonal) or only ask: any, all."""

from __future__ import annotations

from typing import Any

from gradspec.ops.arguments import axes_of, check_axes, each, fault, int64_if_integral, reduced_shape
from gradspec.ops.registry import Array, Dims, DType, Tensor, Xp, composite, constant, general, linear
from gradspec.ops.samples import bools, sample, uniform

__all__ = ["all", "any", "nanmean", "nansum", "trace"]

SOME = (
    sample(input=uniform(2, 3)),
    sample(input=uniform()),
    sample(input=uniform(2, 3), dim=0),
    sample(input=uniform(2, 3), dim=-1, keepdim=True),
    sample(input=uniform(2, 3, 2), dim=[0, 2]),
    sample(input=uniform(2, 3), dim=[]),
    sample(input=uniform(0)),
    sample(input=uniform(3), dtype="float64"),
)


def _cast_later(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[None, str]:
    """A NaN must be seen before it is made an integer."""
    return None, int64_if_integral(dtypes, statics)[1]


def _no_complex(input: Any, dtype: str | None, **_: Any) -> None:
    if "complex" in input.dtype or "complex" in (dtype or ""):
        raise fault("dtype-unsupported", "nansum does not take complex tensors")


@general(
    node="NansumBackward0",
    dtypes=_cast_later,
    accepts=("float", "int", "bool"),
    check=each(_no_complex, check_axes()),
    samples=SOME,
)
def nansum(
    xp: Xp, input: Tensor, dim: Dims | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """Σ of the elements that are no NaN, over dim or over everything. Shape: dim goes, or stays with size 1.

    Integers give int64.

    Source: linear in the elements that count; a NaN gets 0.
    """
    counted = xp.where(xp.isnan(input), 0, input)
    if dtype is not None:
        counted = xp.astype(counted, dtype)
    return xp.sum(counted, axes_of(dim, len(xp.shape(input))), keepdim)


@nansum.vjp("input")
def _(xp: Xp, ct: Array, input: Array, input_meta: Any, y_meta: Any, dim: Any, keepdim: bool) -> Array:
    shape = input_meta.shape
    if not keepdim and shape:
        ct = xp.reshape(ct, reduced_shape(shape, axes_of(dim, len(shape))))
    return xp.multiply(ct, xp.astype(xp.logical_not(xp.isnan(input)), y_meta.dtype))


def _floating(input: Any, dtype: str | None, **_: Any) -> None:
    for one in (input.dtype, dtype or input.dtype):
        if not one.startswith(("float", "bfloat")):
            raise fault("dtype-unsupported", f"nanmean does not take {one}")


@composite(accepts=("float",), check=each(_floating, check_axes()), samples=(*SOME[:6], SOME[7]))
def nanmean(
    F: Any, input: Tensor, dim: Dims | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """The mean of the elements that are no NaN, over dim or over everything; NaN where there are none.

    Shape: dim goes, or stays with size 1.

    Source: nansum by the number of elements that count.
    """
    counted = F.eq(input, F.detach(input))  # NaN is not equal to itself
    return F.div(F.nansum(input, dim, keepdim, dtype=dtype), F.sum(counted, dim, keepdim))


QUESTIONS = (*SOME[:7], sample(input=bools([True, False, True])))


def _bool_or_uint8(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[None, str]:
    return None, "uint8" if dtypes["input"][0] == "uint8" else "bool"


def _asked(xp: Xp, input: Array, dim: Any, keepdim: bool, question: str) -> Array:
    axes = () if dim is not None and dim == () else axes_of(dim, len(xp.shape(input)))
    answer = getattr(xp, question)(input, axes, keepdim)
    return xp.astype(answer, "uint8") if xp.dtype == "uint8" else answer


@constant(dtypes=_bool_or_uint8, check=check_axes(), samples=QUESTIONS)
def any(xp: Xp, input: Tensor, dim: Dims | None = None, keepdim: bool = False) -> Tensor:
    """Whether an element over dim, or any at all, is not 0. Shape: dim goes, or stays with size 1.

    bool, for uint8 uint8. NaN is not 0. An empty list of dims asks each element for itself. False of nothing.

    Source: elementary.
    """
    return _asked(xp, input, dim, keepdim, "any")


@constant(dtypes=_bool_or_uint8, check=check_axes(), samples=QUESTIONS)
def all(xp: Xp, input: Tensor, dim: Dims | None = None, keepdim: bool = False) -> Tensor:
    """Whether all elements over dim, or all there are, are not 0. Shape: dim goes, or stays with size 1.

    bool, for uint8 uint8. NaN is not 0. An empty list of dims asks each element for itself. True of nothing.

    Source: elementary.
    """
    return _asked(xp, input, dim, keepdim, "all")


def _matrix(input: Any) -> None:
    if len(input.shape) != 2:
        raise fault("shape-mismatch", f"trace needs a matrix, not shape {list(input.shape)}")
    if input.dtype == "bool":
        raise fault("dtype-unsupported", "trace does not take bool tensors")


@linear(
    node="TraceBackward0",
    dtypes=int64_if_integral,
    check=_matrix,
    samples=(
        sample(input=uniform(3, 3)),
        sample(input=uniform(2, 4)),
        sample(input=uniform(4, 2)),
        sample(input=uniform(0, 3)),
    ),
)
def trace(xp: Xp, input: Tensor) -> Tensor:
    """Σ of the diagonal of a matrix. Shape: [n, m] → []. Integers give int64.

    Source: linear; the cotangent goes to the diagonal.
    """
    return xp.sum(xp.tril(xp.triu(input)))


@trace.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any) -> Array:
    rows, columns = input_meta.shape
    count = min(rows, columns)
    places = xp.multiply(xp.arange(count), xp.full((), columns + 1, "int64"))
    flat = xp.put_add((rows * columns,), (places,), xp.broadcast_to(ct, (count,)))
    return xp.reshape(flat, (rows, columns))
