"""Norms of vectors, and what is divided by them."""

from __future__ import annotations

from math import inf, isinf, prod
from typing import Any

from gradspec.dtypes import category, promote, real_of
from gradspec.errors import UnsupportedFeature
from gradspec.ops.arguments import axes_of, check_axes, each, fault, reduced_shape
from gradspec.ops.registry import (
    KEEP,
    SAME,
    Array,
    Dims,
    DType,
    Size,
    Tensor,
    Xp,
    composite,
    elementwise,
    general,
)  # fmt: skip
from gradspec.ops.samples import sample, uniform

__all__ = [
    "at_least", "has_identity", "layer_norm", "norm", "norm_slope", "norm_value", "normalize", "vector_norm",
]  # fmt: skip

Shape = tuple[int, ...]


def _norm_dtypes(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[str, str]:
    dtype, wanted = dtypes["x"][0], statics.get("dtype")
    if category(dtype) < 2:
        raise fault("dtype-unsupported", f"a norm is of floating or complex tensors, not of {dtype}")
    if wanted is None:
        return dtype, real_of(dtype)
    if category(wanted) != category(dtype):
        raise fault("dtype-unsupported", f"the norm of a {dtype} tensor has no dtype {wanted}")
    if promote(dtype, wanted) != wanted:
        raise fault("dtype-cast", f"{dtype} does not go into {wanted} without loss")
    return wanted, real_of(wanted)


def has_identity(shape: Shape, axes: Shape, p: float) -> None:
    """Raises empty-reduction where a norm of nothing is asked for that has no value."""
    empty = not prod(shape) and (len(axes) == len(shape) or any(not shape[axis] for axis in axes))
    if empty and (p < 0 or isinf(p)):
        raise fault("empty-reduction", f"the norm of order {p} of nothing does not exist")


def _something_to_measure(x: Any, ord: float, dim: Any, **_: Any) -> None:
    has_identity(x.shape, axes_of(dim, len(x.shape)), ord)


def norm_value(xp: Xp, x: Array, p: float, axes: Shape, keepdim: bool) -> Array:
    """(Σ |x|^p)^(1/p) over axes; real also for complex x."""
    return xp.real(_norm_of_sizes(xp, xp.abs(x), p, axes, keepdim))


def _norm_of_sizes(xp: Xp, size: Array, p: float, axes: Shape, keepdim: bool) -> Array:
    if isinf(p):
        extreme = xp.max if p > 0 else xp.min
        return extreme(size, axes, keepdim) if axes else size
    if p == 0:
        return xp.sum(xp.where(xp.equal(size, 0), 0, xp.ones_like(size)), axes, keepdim)
    if p == 1:
        return xp.sum(size, axes, keepdim)
    if p == 2:
        return xp.sqrt(xp.sum(xp.square(size), axes, keepdim))
    return xp.pow(xp.sum(xp.pow(size, p), axes, keepdim), 1 / p)


def norm_slope(xp: Xp, ct: Array, x: Array, y: Array, dtype: str, p: float, axes: Shape) -> Array | None:
    """The cotangent of x, of `dtype`, for y = norm_value(x), both ct and y with the axes kept.

    None for p = 0: a count does not depend on its elements.
    """
    if p == 0:
        return None
    wide = xp.astype(ct, dtype)
    if p == 1:
        return xp.multiply(wide, _direction(xp, x, dtype))
    flat = xp.equal(y, 0)
    if p == 2:
        unit = xp.divide(x, xp.astype(y, dtype))
        return xp.multiply(wide, xp.where(flat, 0, unit))
    size = xp.abs(x)
    if isinf(p):
        chosen = xp.astype(xp.logical_or(xp.equal(size, y), xp.isnan(size)), dtype)
        each_gets = xp.multiply(xp.divide(wide, xp.sum(chosen, axes, True)), chosen)
        return xp.multiply(_direction(xp, x, dtype), each_gets)
    if p < 1:
        power = xp.where(xp.equal(size, 0), 0, xp.pow(size, p - 1))
        scaled = xp.multiply(_direction(xp, x, dtype), xp.astype(power, dtype))
        return xp.multiply(xp.multiply(scaled, wide), xp.astype(xp.pow(y, 1 - p), dtype))
    if p < 2:
        scaled = xp.multiply(_direction(xp, x, dtype), xp.astype(xp.pow(size, p - 1), dtype))
    else:
        scaled = xp.multiply(x, xp.astype(xp.pow(size, p - 2), dtype))
    scale = xp.divide(wide, xp.astype(xp.pow(y, p - 1), dtype))
    return xp.multiply(scaled, xp.where(flat, 0, scale))


def _direction(xp: Xp, x: Array, dtype: str) -> Array:
    """x/|x|, 0 at 0 and, for a real x, at NaN."""
    return xp.sign(x) if category(dtype) == 3 else xp.where(xp.isnan(x), 0, xp.sign(x))


POWERS = (1, 3, 1.5, 0.5, -1, inf, -inf)


@general(
    name="linalg.vector_norm",
    node="LinalgVectorNormBackward0",
    dtypes=_norm_dtypes,
    accepts=("float", "complex"),
    check=each(check_axes("x"), _something_to_measure),
    samples=(
        sample(x=uniform(2, 3)),
        sample(x=uniform()),
        sample(x=uniform(0)),
        sample(x=uniform(2, 3), dim=1),
        sample(x=uniform(2, 3), dim=-1, keepdim=True),
        sample(x=uniform(2, 3, 2), dim=[0, 2]),
        sample(x=uniform(2, 0), ord=1, dim=0),
        sample(x=uniform(3), dtype="float64"),
        *(sample(x=uniform(2, 3, low=0.5), ord=p, dim=0) for p in POWERS),
        *(sample(x=uniform(3, low=-2, high=-0.5), ord=p) for p in POWERS),
    ),
    kinks={
        "x = 0, ord = 2": {"torch": 0.0},
        "x = 0, ord = 1": {"torch": 0.0, "right": 1.0},
        "a tie of n elements, ord = inf": {"torch": "1/n each", "first": "1 to the first"},
    },
)
def vector_norm(
    xp: Xp,
    x: Tensor,
    ord: float = 2,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """(Σ |x|^ord)^(1/ord) over dim, or over everything; real also for complex x.

    Shape: dim goes, or stays with size 1. ord = 0 counts what is not 0, and its gradient is absent, not
    zero; ±inf is the largest or the smallest |x|. Elements are cast to dtype first. Raises
    empty-reduction for ord < 0 and inf over nothing, dtype-cast where dtype is narrower than x's.

    Source: ∂y/∂xᵢ = sign(xᵢ)·(|xᵢ|/y)^(ord − 1), 0 where y = 0; ±inf: shared evenly by all that equal y.
    """
    return norm_value(xp, x, ord, axes_of(dim, len(xp.shape(x))), keepdim)


@vector_norm.vjp("x")
def _(
    xp: Xp, ct: Array, x: Array, x_meta: Any, y: Array, ord: float, dim: Any, keepdim: bool, dtype: str | None
) -> Array | None:
    shape = x_meta.shape
    axes = axes_of(dim, len(shape))
    if shape and not keepdim:
        kept = reduced_shape(shape, axes)
        ct, y = xp.reshape(ct, kept), xp.reshape(y, kept)
    return norm_slope(xp, ct, x, y, dtype or x_meta.dtype, ord, axes)


def _order(p: float | str | None, dim: Any, **_: Any) -> None:
    if p == "nuc":
        raise UnsupportedFeature("op:norm", "the nuclear norm needs singular values, which are not here")
    if isinstance(p, str) and p != "fro":
        raise fault("invalid-argument", f'p is a number, inf, -inf, "fro" or "nuc", not "{p}"')
    if p == "fro" and isinstance(dim, tuple | list) and len(dim) > 2:
        raise fault("invalid-argument", "the norm of a matrix is over two dims at most")


def _as_vector_norm(input: Any, dtype: str | None, **_: Any) -> None:
    _norm_dtypes({"x": (input.dtype, "dim")}, {"dtype": dtype})


@composite(
    check=each(_order, _as_vector_norm, check_axes()),
    samples=(
        sample(input=uniform(2, 3)),
        sample(input=uniform(2, 3), p=1, dim=1),
        sample(input=uniform(2, 3, low=0.5), p=inf, dim=[0, 1], keepdim=True),
        sample(input=uniform(2, 3), p=None, dim=-1),
        sample(input=uniform(3), p="fro", dtype="float64"),
    ),
)
def norm(
    F: Any,
    input: Tensor,
    p: float | str | None = "fro",
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """The norm of order p of all elements, or of those along dim: `linalg.vector_norm`.

    p = "fro" and None are 2. Shape: dim goes, or stays with size 1.

    Source: `linalg.vector_norm`.
    """
    order = 2 if p is None or p == "fro" else p
    return getattr(F, "linalg.vector_norm")(input, order, dim, keepdim, dtype=dtype)


@elementwise(node="ClampMinBackward0", dtypes=KEEP, internal=True)
def at_least(xp: Xp, input: Tensor, bound: float) -> Tensor:
    """max(input, bound). Source: the right derivative at the bound, which is torch's choice."""
    return xp.maximum(input, bound)


@at_least.vjp("input")
def _(xp: Xp, ct: Array, input: Array, bound: float) -> Array:
    return xp.where(xp.greater_equal(input, bound), ct, 0.0)


@composite(
    samples=(
        sample(input=uniform(2, 3)),
        sample(input=uniform(2, 3), p=1.0, dim=0),
        sample(input=uniform(2, 3, 2), dim=[0, 2]),
        sample(input=uniform(3, low=0.5), p=3, dim=-1),
        sample(input=uniform(2, 3), eps=9.0),
        sample(input=uniform(), dim=0),
        sample(input=uniform(0, 2)),
    ),
)
def normalize(F: Any, input: Tensor, p: float = 2.0, dim: Dims = 1, eps: float = 1e-12) -> Tensor:
    """input divided by its norm of order p along dim, or by eps where that is larger. Shape: any → same.

    Source: `linalg.vector_norm`; at the bound the norm's own derivative still counts.
    """
    length = F.at_least(F.norm(input, p, dim, True), eps)
    return F.div(input, F.expand(length, input.shape))


def _normalized_axes(shape: Shape, normalized_shape: Any) -> Shape:
    return tuple(range(len(shape) - len(normalized_shape), len(shape)))


def _fits_the_end(input: Any, normalized_shape: Any, weight: Any, bias: Any, **_: Any) -> None:
    wanted = tuple(normalized_shape)
    if not wanted:
        raise fault("shape-mismatch", "layer_norm is over one axis at least")
    for name, given in (("weight", weight), ("bias", bias)):
        if given is not None and given.shape != wanted:
            raise fault(
                "shape-mismatch", f"{name} has shape {list(given.shape)}, normalized_shape is {list(wanted)}"
            )
    if input.shape[-len(wanted) :] != wanted:
        raise fault("shape-mismatch", f"shape {list(input.shape)} does not end in {list(wanted)}")


def _standardized(xp: Xp, x: Array, axes: Shape, eps: float) -> tuple[Array, Array]:
    """x with mean 0 and variance 1 over axes, and one over the deviation it was divided by."""
    centred = xp.subtract(x, xp.mean(x, axes, True))
    spread = xp.reciprocal(xp.sqrt(xp.add(xp.mean(xp.square(centred), axes, True), eps)))
    return xp.multiply(centred, spread), spread


@general(
    node="NativeLayerNormBackward0",
    keeps=True,
    dtypes=SAME,
    accepts=("float",),
    check=_fits_the_end,
    samples=(
        sample(input=uniform(2, 3), normalized_shape=(3,)),
        sample(input=uniform(2, 3), normalized_shape=(3,), weight=uniform(3), bias=uniform(3)),
        sample(input=uniform(2, 3, 2), normalized_shape=(3, 2), weight=uniform(3, 2), eps=0.5),
        sample(input=uniform(2, 3), normalized_shape=(2, 3), bias=uniform(2, 3)),
        sample(input=uniform(0, 3), normalized_shape=(3,), weight=uniform(3)),
    ),
)
def layer_norm(
    xp: Xp,
    input: Tensor,
    normalized_shape: Size,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor:
    """y = weight·(x − mean)/√(var + eps) + bias over the last axes, whose sizes are normalized_shape.

    var is that of the population. Shape: any → same; weight and bias: normalized_shape.

    Source: Ba, Kiros and Hinton 2016; with z = (x − mean)·s and c = ct·weight the cotangent of x is
    s·(c − mean(c) − z·mean(c·z)).
    """
    axes = _normalized_axes(xp.shape(input), normalized_shape)
    y, _ = _standardized(xp, input, axes, eps)
    y = y if weight is None else xp.multiply(y, weight)
    return y if bias is None else xp.add(y, bias)


# torch keeps input, weight and bias for each of the three cotangents


@layer_norm.vjp("input")
def _(
    xp: Xp,
    ct: Array,
    input: Array,
    input_meta: Any,
    normalized_shape: Any,
    weight: Array,
    bias: Array,
    eps: float,
) -> Array:
    axes = _normalized_axes(input_meta.shape, normalized_shape)
    z, spread = _standardized(xp, input, axes, eps)
    ct = ct if weight is None else xp.multiply(ct, weight)
    along = xp.multiply(z, xp.mean(xp.multiply(ct, z), axes, True))
    return xp.chosen(xp.multiply(spread, xp.subtract(xp.subtract(ct, xp.mean(ct, axes, True)), along)), input)


@layer_norm.vjp("weight")
def _(
    xp: Xp,
    ct: Array,
    input: Array,
    input_meta: Any,
    normalized_shape: Any,
    weight: Array,
    bias: Array,
    eps: float,
) -> Array:
    z, _ = _standardized(xp, input, _normalized_axes(input_meta.shape, normalized_shape), eps)
    return xp.multiply(ct, z)


@layer_norm.vjp("bias")
def _(xp: Xp, ct: Array, input: Array, weight: Array, bias: Array) -> Array:
    return xp.beside(ct, input)
