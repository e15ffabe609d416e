"""Losses: how far a prediction is from its target, element by element, and their sum or mean."""

from __future__ import annotations

from math import prod
from typing import Any

from gradspec.dtypes import category, promote
from gradspec.ops.arguments import broadcast, broadcast_shapes, each, fault
from gradspec.ops.registry import PROMOTE, Array, Tensor, Xp, composite, general
from gradspec.ops.samples import ints, sample, uniform

__all__ = [
    "binary_cross_entropy_with_logits", "check_reduction", "huber_loss", "huber_pairs", "l1_loss", "mse_loss",
    "mse_pairs", "smooth_l1_loss", "smooth_l1_pairs",
]  # fmt: skip

REDUCTIONS = ("mean", "sum", "none")


def check_reduction(reduction: str, **_: Any) -> None:
    """A check: `reduction` is one that there is."""
    if reduction not in REDUCTIONS:
        raise fault("invalid-argument", f'reduction is "none", "mean" or "sum", not "{reduction}"')


def _weight_fits(input: Any, weight: Any, **_: Any) -> None:
    if weight is not None and weight.shape != input.shape:
        raise fault(
            "shape-mismatch", f"weight has shape {list(weight.shape)}, not that of input, {list(input.shape)}"
        )


SHAPES: tuple[Any, ...] = (((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 2)))


def _samples(*others: Any) -> Any:
    return (
        *(sample(input=uniform(*a), target=uniform(*b)) for a, b in SHAPES),
        sample(input=uniform(0, 3), target=uniform(1, 3), reduction="sum"),
        *(sample(input=uniform(2, 3), target=uniform(2, 3), reduction=word) for word in ("sum", "none")),
        *others,
    )


WEIGHTED = (
    sample(input=uniform(3), target=uniform(3), weight=uniform(3, low=0.5)),
    sample(input=uniform(3), target=uniform(3), weight=uniform(3, low=0.5), reduction="sum"),
)


def _reduced(xp: Xp, losses: Array, reduction: str) -> Array:
    if reduction == "none":
        return losses
    axes = tuple(range(len(xp.shape(losses))))
    return xp.sum(losses, axes) if reduction == "sum" else xp.mean(losses, axes)


def _share(xp: Xp, ct: Array, shape: tuple[int, ...], reduction: str) -> Array:
    """The cotangent of every single loss."""
    count = prod(shape)
    return xp.divide(ct, count) if reduction == "mean" and count else ct


def _spread(F: Any, input: Any, target: Any) -> tuple[Any, Any]:
    """Both in their common shape."""
    shape = broadcast_shapes((input.shape, target.shape))
    a, b = (x if x.shape == shape else F.expand(x, shape) for x in (input, target))
    return a, b


def _broadcasts(input: Any, target: Any, **_: Any) -> tuple[tuple[str, str], ...]:
    if input.shape == target.shape:
        return ()
    text = f"a loss of shapes {list(input.shape)} and {list(target.shape)}"
    return (("loss-broadcast", text),)


def _sum_or_mean(F: Any, losses: Any, reduction: str) -> Any:
    return losses if reduction == "none" else F.sum(losses) if reduction == "sum" else F.mean(losses)


def _weighted(F: Any, losses: Any, weight: Any, reduction: str) -> Any:
    losses = F.mul(losses, weight)
    return F.div(F.sum(losses), F.sum(weight)) if reduction == "mean" else _sum_or_mean(F, losses, reduction)


@composite(
    warns=_broadcasts,
    check=each(check_reduction, broadcast("input", "target"), _weight_fits),
    samples=_samples(*WEIGHTED),
    kinks={"input = target": {"torch": 0.0, "right": 1.0, "left": -1.0}},
)
def l1_loss(
    F: Any, input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None
) -> Tensor:
    """|input − target|, its sum, or its mean; the mean with weights is Σ w·|input − target| / Σ w.

    Shapes broadcast; weight has input's. torch's old size_average and reduce are not here, which is why
    reduction is given by name.

    Source: elementary; the subgradient 0 at 0.
    """
    losses = F.abs(F.sub(*_spread(F, input, target)))
    if weight is not None:
        return _weighted(F, losses, weight, reduction)
    return _sum_or_mean(F, losses, reduction)


@general(node="MseLossBackward0", dtypes=PROMOTE, accepts=("float",), iterates=True, internal=True)
def mse_pairs(xp: Xp, input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """mse_loss of one shape. Source: ∂/∂input = 2(input − target), shared by the mean."""
    return _reduced(xp, xp.square(xp.subtract(input, target)), reduction)


@mse_pairs.vjp("input")
def _(xp: Xp, ct: Array, input: Array, target: Array, input_meta: Any, reduction: str) -> Array:
    twice = xp.multiply(2.0, xp.subtract(input, target))
    return xp.multiply(_share(xp, ct, input_meta.shape, reduction), twice)


@mse_pairs.vjp("target")
def _(xp: Xp, ct: Array, input: Array, target: Array, input_meta: Any, reduction: str) -> Array:
    twice = xp.multiply(2.0, xp.subtract(target, input))
    return xp.multiply(_share(xp, ct, input_meta.shape, reduction), twice)


@composite(
    warns=_broadcasts,
    check=each(check_reduction, broadcast("input", "target"), _weight_fits),
    samples=_samples(*WEIGHTED),
)
def mse_loss(
    F: Any, input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None
) -> Tensor:
    """(input − target)², its sum, or its mean; the mean with weights is Σ w·(input − target)² / Σ w.

    Shapes broadcast; weight has input's. torch's old size_average and reduce are not here, which is why
    reduction is given by name.

    Source: elementary; ∂/∂input = 2(input − target), shared by the mean.
    """
    a, b = _spread(F, input, target)
    if weight is not None:
        return _weighted(F, F.square(F.sub(a, b)), weight, reduction)
    return F.mse_pairs(a, b, reduction)


def _knee(xp: Xp, apart: Array, knee: float) -> tuple[Array, Array]:
    """Where |apart| < knee, and apart there, 0 elsewhere."""
    near = xp.less(xp.abs(apart), knee)
    return near, xp.where(near, apart, 0)


@general(node="SmoothL1LossBackward0", dtypes=PROMOTE, accepts=("float",), iterates=True, internal=True)
def smooth_l1_pairs(xp: Xp, input: Tensor, target: Tensor, reduction: str, beta: float) -> Tensor:
    """smooth_l1_loss of one shape. Source: ∂/∂input = d/beta, and sign(d) from the knee on."""
    apart = xp.subtract(input, target)
    near, inner = _knee(xp, apart, beta)
    curved = xp.divide(xp.multiply(0.5, xp.square(inner)), beta)
    return _reduced(xp, xp.where(near, curved, xp.subtract(xp.abs(apart), 0.5 * beta)), reduction)


def _smooth_slope(xp: Xp, apart: Array, beta: float) -> Array:
    near, inner = _knee(xp, apart, beta)
    return xp.where(near, xp.divide(inner, beta), xp.sign(apart))


@smooth_l1_pairs.vjp("input")
def _(xp: Xp, ct: Array, input: Array, target: Array, input_meta: Any, reduction: str, beta: float) -> Array:
    slope = _smooth_slope(xp, xp.subtract(input, target), beta)
    return xp.multiply(_share(xp, ct, input_meta.shape, reduction), slope)


@smooth_l1_pairs.vjp("target")
def _(xp: Xp, ct: Array, input: Array, target: Array, input_meta: Any, reduction: str, beta: float) -> Array:
    slope = _smooth_slope(xp, xp.subtract(target, input), beta)
    return xp.multiply(_share(xp, ct, input_meta.shape, reduction), slope)


def _not_negative(beta: float, **_: Any) -> None:
    if beta < 0:
        raise fault("invalid-argument", f"beta is {beta}: the knee of smooth_l1_loss is not negative")


@composite(
    warns=_broadcasts,
    check=each(check_reduction, _not_negative, broadcast("input", "target")),
    samples=_samples(
        sample(input=uniform(4), target=uniform(4), beta=0.5),
        sample(input=uniform(4), target=uniform(4), beta=0),
    ),
)
def smooth_l1_loss(
    F: Any, input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """With d = input − target: d²/(2·beta) where |d| < beta, else |d| − beta/2; its sum, or its mean.

    Shapes broadcast; beta = 0 is l1_loss. torch's old size_average and reduce are not here, which is why
    reduction is given by name.

    Source: Girshick 2015; ∂/∂input = d/beta, and sign(d) from the knee on.
    """
    a, b = _spread(F, input, target)
    return F.smooth_l1_pairs(a, b, reduction, beta) if beta else F.l1_loss(a, b, reduction=reduction)


def _as_input(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[str, str]:
    dtype, other = dtypes["input"][0], dtypes["target"][0]
    if category(promote(dtype, other)) > category(dtype):
        raise fault("dtype-cast", f"a huber_loss of {other} does not go into {dtype}")
    return dtype, dtype


@general(node="HuberLossBackward0", iterates=True, dtypes=_as_input, accepts=("float",), internal=True)
def huber_pairs(xp: Xp, input: Tensor, target: Tensor, reduction: str, delta: float) -> Tensor:
    """huber_loss of one shape. Source: ∂/∂input = d, and delta·sign(d) from the knee on."""
    apart = xp.subtract(input, target)
    near, inner = _knee(xp, apart, delta)
    straight = xp.multiply(xp.subtract(xp.abs(apart), 0.5 * delta), delta)
    return _reduced(xp, xp.where(near, xp.multiply(0.5, xp.square(inner)), straight), reduction)


def _huber_slope(xp: Xp, apart: Array, delta: float) -> Array:
    near, inner = _knee(xp, apart, delta)
    return xp.where(near, inner, xp.multiply(xp.sign(apart), delta))


@huber_pairs.vjp("input")
def _(xp: Xp, ct: Array, input: Array, target: Array, input_meta: Any, reduction: str, delta: float) -> Array:
    slope = _huber_slope(xp, xp.subtract(input, target), delta)
    return xp.multiply(_share(xp, ct, input_meta.shape, reduction), slope)


@huber_pairs.vjp("target")
def _(xp: Xp, ct: Array, input: Array, target: Array, input_meta: Any, reduction: str, delta: float) -> Array:
    slope = _huber_slope(xp, xp.subtract(target, input), delta)
    return xp.multiply(_share(xp, ct, input_meta.shape, reduction), slope)


def _positive(delta: float, **_: Any) -> None:
    if delta <= 0:
        raise fault("invalid-argument", f"delta is {delta}: the knee of huber_loss is above 0")


@composite(
    warns=_broadcasts,
    check=each(check_reduction, _positive, broadcast("input", "target"), _weight_fits),
    samples=_samples(*WEIGHTED, sample(input=uniform(4), target=uniform(4), delta=0.5)),
)
def huber_loss(
    F: Any,
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """With d = input − target: d²/2 where |d| ≤ delta, else delta·(|d| − delta/2); its sum, or its mean.

    Shapes broadcast; weight has input's. The mean with weights is that of the weighted losses, over their
    number. y has the dtype of input, also where target's is wider.

    Source: Huber 1964; ∂/∂input = d, and delta·sign(d) from the knee on.
    """
    a, b = _spread(F, input, target)
    if weight is None:
        return F.huber_pairs(a, b, reduction, delta)
    return _sum_or_mean(F, F.mul(F.huber_pairs(a, b, "none", delta), weight), reduction)


def _logits_fit(input: Any, target: Any, weight: Any, pos_weight: Any, **_: Any) -> None:
    if input.shape != target.shape:
        raise fault("shape-mismatch", f"shapes {list(input.shape)} and {list(target.shape)} differ")
    if category(input.dtype) != 2:
        raise fault("dtype-unsupported", f"logits are floating, not {input.dtype}")
    if "bool" in (target.dtype, getattr(pos_weight, "dtype", None)):
        raise fault("dtype-unsupported", "a share and its weight are numbers, not bool")
    if category(target.dtype) < 2:
        raise fault("dtype-cast", f"the losses of {input.dtype} logits do not go into {target.dtype}")
    for given in (weight, pos_weight):
        if given is None:
            continue
        if broadcast_shapes((input.shape, given.shape)) != input.shape:
            raise fault("shape-mismatch", f"shape {list(given.shape)} does not fit into {list(input.shape)}")
        if category(given.dtype) > category(target.dtype):
            raise fault("dtype-cast", f"losses times {given.dtype} weights do not go into {target.dtype}")


def _as_target(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[str, str]:
    return dtypes["target"][0], dtypes["target"][0]


def _positive_share(xp: Xp, target: Array, pos_weight: Array) -> tuple[Array, Array]:
    """pos_weight·t, and 1 − t + pos_weight·t: None without pos_weight, where that is 1."""
    if pos_weight is None:
        return target, None
    share = xp.multiply(target, pos_weight)
    return share, xp.add(xp.subtract(1.0, target), share)


def _times(xp: Xp, factor: Array, x: Array) -> Array:
    return x if factor is None else xp.multiply(factor, x)


def _log_sigmoid(xp: Xp, x: Array) -> Array:
    """ln σ(x) without overflow."""
    tail = xp.log1p(xp.exp(xp.negative(xp.abs(x))))
    return xp.subtract(xp.minimum(x, 0), tail)


@general(
    node="BinaryCrossEntropyWithLogitsBackward0",
    dtypes=_as_target,
    accepts=("float",),
    fixed=("weight", "pos_weight"),
    iterates=("target", "input"),
    check=each(check_reduction, _logits_fit),
    samples=(
        sample(input=uniform(3), target=uniform(3, low=0, high=1)),
        sample(input=uniform(), target=uniform(low=0, high=1)),
        sample(input=uniform(0, 3), target=uniform(0, 3), reduction="sum"),
        sample(input=uniform(2, 3, low=-90, high=90), target=uniform(2, 3, low=0, high=1), reduction="none"),
        sample(input=uniform(2, 3), target=uniform(2, 3), weight=ints([2, 1, 3]), pos_weight=ints([4, 2, 1])),
    ),
)
def binary_cross_entropy_with_logits(
    xp: Xp,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """−pos_weight·t·ln σ(x) − (1 − t)·ln σ(−x), times weight; its sum, or its mean over their number.

    x = input and t = target have one shape; weight and pos_weight broadcast to it, and may not require
    grad. y has the dtype of target. torch's old size_average and reduce are not here, which is why
    reduction is given by name.

    Source: ∂/∂x = (1 − t + pos_weight·t)·σ(x) − pos_weight·t; no exp overflows.
    """
    _, both = _positive_share(xp, target, pos_weight)
    against = xp.multiply(xp.subtract(1.0, target), input)
    losses = xp.subtract(against, _times(xp, both, _log_sigmoid(xp, input)))
    return _reduced(xp, _times(xp, weight, losses), reduction)


def _logit_share(xp: Xp, ct: Array, weight: Array, shape: tuple[int, ...], reduction: str) -> Array:
    return _times(xp, weight, _share(xp, ct, shape, reduction))


@binary_cross_entropy_with_logits.vjp("input")
def _(
    xp: Xp,
    ct: Array,
    input: Array,
    target: Array,
    weight: Array,
    pos_weight: Array,
    input_meta: Any,
    reduction: str,
) -> Array:
    share, both = _positive_share(xp, target, pos_weight)
    slope = xp.subtract(_times(xp, both, xp.sigmoid(input)), share)
    return xp.multiply(_logit_share(xp, ct, weight, input_meta.shape, reduction), slope)


@binary_cross_entropy_with_logits.vjp("target")
def _(
    xp: Xp,
    ct: Array,
    input: Array,
    target: Array,
    weight: Array,
    pos_weight: Array,
    input_meta: Any,
    reduction: str,
) -> Array:
    if pos_weight is None:
        slope = xp.negative(input)
    else:
        against = _log_sigmoid(xp, xp.negative(input))
        slope = xp.subtract(against, xp.multiply(pos_weight, _log_sigmoid(xp, input)))
    return xp.multiply(_logit_share(xp, ct, weight, input_meta.shape, reduction), slope)
