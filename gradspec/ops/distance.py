"""Distances between tensors, and the cosine of the angle between them."""

from __future__ import annotations

from math import inf, prod
from typing import Any

from gradspec.dtypes import category, real_of, result_type
from gradspec.ops.arguments import axes_of, broadcast, broadcast_shapes, each, fault
from gradspec.ops.norm import has_identity, norm_slope, norm_value
from gradspec.ops.registry import KEEP, SAME, Array, Tensor, Xp, composite, general, linear
from gradspec.ops.samples import sample, uniform

__all__ = ["cdist", "cdist_forward", "clone_at_least", "cosine_similarity", "dist", "euclidean_dist"]

Shape = tuple[int, ...]


def _dist_dtypes(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[str, str]:
    dtype = result_type([dtypes["input"], dtypes["other"]])
    return dtype, real_of(dtype)


def _something_between(input: Any, other: Any, p: float, **_: Any) -> None:
    shape = broadcast_shapes((input.shape, other.shape))
    has_identity(shape, tuple(range(len(shape))), p)
    if "bool" in (input.dtype, other.dtype):
        raise fault("dtype-unsupported", "dist does not take bool tensors")


@general(
    node="DistBackward0",
    dtypes=_dist_dtypes,
    accepts=("float", "complex"),
    check=each(broadcast("input", "other"), _something_between),
    samples=(
        sample(input=uniform(2, 3), other=uniform(2, 3)),
        sample(input=uniform(2, 1), other=uniform(3)),
        sample(input=uniform(), other=uniform()),
        sample(input=uniform(0), other=uniform(1)),
        *(sample(input=uniform(3, low=0.5), other=uniform(3, high=0), p=p) for p in (1, 3, 1.5, 0.5, -1)),
        *(sample(input=uniform(3, low=0.5), other=uniform(3, high=0), p=p) for p in (inf, -inf)),
    ),
    kinks={"input = other, p = 2": {"torch": 0.0}},
)
def dist(xp: Xp, input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The norm of order p of input − other, over everything; real also for complex tensors.

    Shapes broadcast; y is 0-d. For p = 0 the gradients are absent, not zero.

    Source: `linalg.vector_norm` of the difference.
    """
    apart = xp.subtract(input, other)
    return norm_value(xp, apart, p, axes_of(None, len(xp.shape(apart))), False)


def _dist_slope(xp: Xp, ct: Array, a: Array, b: Array, y: Array, metas: Any, p: float) -> Array | None:
    shape = broadcast_shapes(meta.shape for meta in metas)
    dtype = result_type([(meta.dtype, "dim" if meta.shape else "zero") for meta in metas])
    ones = (1,) * len(shape)
    if shape:
        ct, y = xp.reshape(ct, ones), xp.reshape(y, ones)
    return norm_slope(xp, ct, xp.subtract(a, b), y, dtype, p, axes_of(None, len(shape)))


@dist.vjp("input")
def _(
    xp: Xp, ct: Array, input: Array, other: Array, y: Array, input_meta: Any, other_meta: Any, p: float
) -> Array | None:
    return _dist_slope(xp, ct, input, other, y, (input_meta, other_meta), p)


@dist.vjp("other")
def _(
    xp: Xp, ct: Array, input: Array, other: Array, y: Array, input_meta: Any, other_meta: Any, p: float
) -> Array | None:
    slope = _dist_slope(xp, ct, input, other, y, (input_meta, other_meta), p)
    return None if slope is None else xp.negative(slope)


MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


def _two_sets_of_points(x1: Any, x2: Any, p: float, compute_mode: str | None, **_: Any) -> None:
    for name, x in (("x1", x1), ("x2", x2)):
        if len(x.shape) < 2:
            raise fault("shape-mismatch", f"{name} is no matrix of points: it has shape {list(x.shape)}")
        if x.dtype not in ("float32", "float64"):
            raise fault("dtype-unsupported", f"cdist takes float32 and float64, not {x.dtype}")
    if x1.shape[-1] != x2.shape[-1]:
        raise fault("shape-mismatch", f"points of {x1.shape[-1]} and of {x2.shape[-1]} numbers")
    if p < 0:
        raise fault("invalid-argument", f"p is {p}: a distance has no negative order")
    if compute_mode is not None and compute_mode not in MODES:
        raise fault("invalid-argument", f'compute_mode is one of {", ".join(MODES)}, not "{compute_mode}"')
    broadcast_shapes((x1.shape[:-2], x2.shape[:-2]))


POINTS = (
    sample(x1=uniform(2, 3), x2=uniform(4, 3)),
    sample(x1=uniform(2, 1, 2, 3), x2=uniform(3, 4, 3)),
    sample(x1=uniform(0, 2), x2=uniform(3, 2)),
    sample(x1=uniform(2, 0), x2=uniform(3, 0)),
)


def _every_pair(xp: Xp, x1: Array, x2: Array) -> Array:
    """x1[i] − x2[j] at [..., i, j, :]."""
    rows, columns = xp.shape(x1), xp.shape(x2)
    spread = xp.reshape(x1, (*rows[:-1], 1, rows[-1]))
    return xp.subtract(spread, xp.reshape(x2, (*columns[:-2], 1, *columns[-2:])))


def _pair_slope(xp: Xp, ct: Array, x1: Array, x2: Array, y: Array, metas: Any, p: float) -> Array:
    """The cotangents of x1[i] − x2[j]."""
    batch = broadcast_shapes(meta.shape[:-2] for meta in metas)
    shape = (*batch, metas[0].shape[-2], metas[1].shape[-2], 1)
    ct, y = xp.reshape(ct, shape), xp.reshape(y, shape)
    apart = _every_pair(xp, x1, x2)
    if p == inf:  # every coordinate that is the farthest one gets all of it
        farthest = xp.astype(xp.equal(xp.abs(apart), y), metas[0].dtype)
        return xp.multiply(xp.multiply(ct, farthest), xp.sign(apart))
    slope = norm_slope(xp, ct, apart, y, metas[0].dtype, p, (len(shape) - 1,))
    return xp.zeros_like(apart) if slope is None else slope


@general(node="CdistBackward0", dtypes=SAME, accepts=("float",), internal=True)
def cdist_forward(xp: Xp, x1: Tensor, x2: Tensor, p: float) -> Tensor:
    """cdist by differences of coordinates. Source: `linalg.vector_norm` of every difference."""
    apart = _every_pair(xp, x1, x2)
    if not xp.shape(apart)[-1]:
        return xp.zeros(xp.shape(apart)[:-1])
    return norm_value(xp, apart, p, (len(xp.shape(apart)) - 1,), False)


@cdist_forward.vjp("x1")
def _(xp: Xp, ct: Array, x1: Array, x2: Array, y: Array, x1_meta: Any, x2_meta: Any, p: float) -> Array:
    return xp.sum(_pair_slope(xp, ct, x1, x2, y, (x1_meta, x2_meta), p), (-2,))


@cdist_forward.vjp("x2")
def _(xp: Xp, ct: Array, x1: Array, x2: Array, y: Array, x1_meta: Any, x2_meta: Any, p: float) -> Array:
    return xp.negative(xp.sum(_pair_slope(xp, ct, x1, x2, y, (x1_meta, x2_meta), p), (-3,)))


@general(node="EuclideanDistBackward0", dtypes=SAME, accepts=("float",), internal=True)
def euclidean_dist(xp: Xp, x1: Tensor, x2: Tensor) -> Tensor:
    """cdist for p = 2, where torch multiplies matrices. Source: `linalg.vector_norm`; no digits are lost."""
    return norm_value(xp, _every_pair(xp, x1, x2), 2, (-1,), False)


@euclidean_dist.vjp("x1")
def _(xp: Xp, ct: Array, x1: Array, x2: Array, y: Array, x1_meta: Any, x2_meta: Any) -> Array:
    return xp.sum(_pair_slope(xp, ct, x1, x2, y, (x1_meta, x2_meta), 2), (-2,))


@euclidean_dist.vjp("x2")
def _(xp: Xp, ct: Array, x1: Array, x2: Array, y: Array, x1_meta: Any, x2_meta: Any) -> Array:
    return xp.negative(xp.sum(_pair_slope(xp, ct, x1, x2, y, (x1_meta, x2_meta), 2), (-3,)))


@composite(
    check=_two_sets_of_points,
    samples=(
        *POINTS,
        *(sample(x1=uniform(2, 3, low=0.5), x2=uniform(4, 3, high=0), p=p) for p in (1, 3.0, 1.5, 0.5, inf)),
        sample(x1=uniform(2, 3), x2=uniform(4, 3), compute_mode=MODES[1]),
    ),
)
def cdist(F: Any, x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = MODES[0]) -> Tensor:
    """yᵢⱼ = the norm of order p of x1ᵢ − x2ⱼ. x1: [..., m, d], x2: [..., n, d] → [..., m, n].

    The axes in front broadcast. For p = inf every farthest coordinate gets the whole gradient, for p = 0
    none gets any. compute_mode changes nothing but how torch calculates, and the node. float32 and
    float64 of one dtype only.

    Source: `linalg.vector_norm` of every difference; torch has no second derivative.
    """
    batch = broadcast_shapes((x1.shape[:-2], x2.shape[:-2]))
    shape = (*batch, x1.shape[-2], x2.shape[-2])
    many = max(shape[-2:]) > 25 and compute_mode in (None, MODES[0])
    if p == 2 and (many or compute_mode == MODES[1]) and prod(shape) and x1.shape[-1]:
        return F.view(F.euclidean_dist(x1, x2), shape)
    return F.cdist_forward(x1, x2, p)


@linear(node="CloneBackward0", dtypes=KEEP, internal=True)
def clone_at_least(xp: Xp, input: Tensor, bound: float) -> Tensor:
    """max(input, bound). Source: the identity, since torch clamps a copy where nothing is recorded."""
    return xp.maximum(input, bound)


@clone_at_least.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


def _floating_together(x1: Any, x2: Any, **_: Any) -> None:
    dtype = result_type([(x.dtype, "dim" if x.shape else "zero") for x in (x1, x2)])
    if category(dtype) != 2:
        raise fault("dtype-unsupported", f"cosine_similarity is of floating tensors, not of {dtype}")


@composite(
    check=each(broadcast("x1", "x2"), _floating_together),
    samples=(
        sample(x1=uniform(2, 3), x2=uniform(2, 3)),
        sample(x1=uniform(2, 3), x2=uniform(3), dim=0),
        sample(x1=uniform(3), x2=uniform(3), dim=-1, eps=1e-06),
        sample(x1=uniform(), x2=uniform(), dim=0),
        sample(x1=uniform(2, 0), x2=uniform(2, 0)),
    ),
)
def cosine_similarity(F: Any, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-08) -> Tensor:
    """Σ x1·x2 / (|x1|·|x2|) along dim, with norms below eps taken as eps. Shapes broadcast; dim goes.

    Source: each is divided by its norm first; that the norm was bounded is not differentiated, so that the
    gradient at 0 is 1/eps long.
    """
    shape = broadcast_shapes((x1.shape, x2.shape))
    dtype = result_type([(x.dtype, "dim" if x.shape else "zero") for x in (x1, x2)])
    units = []
    for given in (x1, x2):
        x = F.to(given, dtype) if category(given.dtype) < 2 else given
        x = x if x1.shape == x2.shape else F.expand(x, shape)
        units.append(F.div(x, F.clone_at_least(F.norm(x, 2, dim, True), eps)))
    return F.sum(F.mul(*units), dim)
