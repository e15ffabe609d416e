"""Losses of a choice among classes."""

from __future__ import annotations

from math import prod
from typing import Any

from gradspec.dense import Dense
from gradspec.dtypes import category
from gradspec.ops.arguments import each, fault
from gradspec.ops.loss import check_reduction
from gradspec.ops.registry import KEEP, Array, Tensor, Xp, composite, general, linear
from gradspec.ops.samples import ints, sample, uniform

__all__ = ["cross_entropy", "div_by", "nll_images", "nll_loss", "nll_rows"]

Shape = tuple[int, ...]


def _class_axis(shape: Shape) -> int:
    return 0 if len(shape) == 1 else 1


def _classes_fit(input: Any, target: Any, weight: Any, **_: Any) -> None:
    shape, classes = input.shape, target.shape
    if not shape:
        raise fault("shape-mismatch", "input has no axis of classes")
    batch = shape[:1] + shape[2:] if len(shape) > 1 else ()
    if classes != batch and not (len(shape) == 1 and classes == (1,)):
        raise fault(
            "shape-mismatch", f"input of shape {list(shape)} and target of shape {list(classes)} do not fit"
        )
    count = shape[_class_axis(shape)]
    if weight is not None and weight.shape != (count,):
        raise fault("shape-mismatch", f"weight has shape {list(weight.shape)}, for {count} classes")


def _dtypes_fit(input: Any, target: Any, weight: Any, **_: Any) -> None:
    if target.dtype not in ("int64", "uint8"):
        raise fault("dtype-unsupported", f"classes are int64 or uint8, not {target.dtype}")
    if target.dtype == "uint8" and len(input.shape) > 2:
        raise fault("dtype-mismatch", "classes of more than one row each are int64")
    if weight is not None and weight.dtype != input.dtype:
        raise fault("dtype-mismatch", f"weight is {weight.dtype}, input {input.dtype}")


# An input [C] or [N, C], and one [N, C, H, W], are nodes of their own in torch.


def _classes(xp: Xp, shape: Shape, target: Array, ignore_index: int) -> tuple[Array, Array]:
    """Of every row whether it counts, and its class (0 where it does not); the axis of classes is there."""
    axis = _class_axis(shape)
    single = tuple(1 if k == axis else size for k, size in enumerate(shape))
    classes = xp.astype(xp.reshape(target, single), "int64")
    counts = xp.not_equal(classes, ignore_index)
    return counts, xp.astype(xp.where(counts, classes, 0), "int64")


def _weights(xp: Xp, shape: Shape, weight: Array, counts: Array, classes: Array) -> Array:
    """The weight of the class of every row, 0 where the row does not count."""
    axis = _class_axis(shape)
    if weight is None:
        weights = xp.ones(xp.shape(classes))
    else:
        flat = tuple(size if k == axis else 1 for k, size in enumerate(shape))
        spread = xp.broadcast_to(xp.reshape(weight, flat), shape)
        weights = xp.take_along_axis(spread, classes, axis)
    return xp.where(counts, weights, 0.0)


def _nll(xp: Xp, input: Array, target: Array, weight: Array, ignore_index: int, reduction: str) -> Array:
    shape = xp.shape(input)
    axis = _class_axis(shape)
    counts, classes = _classes(xp, shape, target, ignore_index)
    if prod(xp.shape(classes)) and (
        xp.any(xp.less(classes, 0)) or xp.any(xp.greater_equal(classes, shape[axis]))
    ):
        raise fault("index-out-of-range", f"a class is not in [0, {shape[axis] - 1}]")
    weights = _weights(xp, shape, weight, counts, classes)
    taken = xp.take_along_axis(input, classes, axis)
    losses = xp.negative(xp.where(counts, xp.multiply(weights, taken), 0.0))
    if reduction == "none":
        return xp.reshape(losses, shape[:axis] + shape[axis + 1 :])
    axes = tuple(range(len(shape)))
    total = xp.sum(losses, axes)
    return total if reduction == "sum" else xp.divide(total, xp.sum(weights, axes))


def _nll_vjp(
    xp: Xp, ct: Array, shape: Shape, target: Array, weight: Array, ignore_index: int, reduction: str
) -> Array:
    counts, classes = _classes(xp, shape, target, ignore_index)
    weights = _weights(xp, shape, weight, counts, classes)
    if reduction == "none":
        ct = xp.reshape(ct, xp.shape(classes))
    elif reduction == "mean":
        ct = xp.divide(ct, xp.sum(weights, tuple(range(len(shape)))))
    values = xp.where(counts, xp.negative(xp.multiply(ct, weights)), 0.0)
    return xp.scatter_add(shape, classes, values, _class_axis(shape))


@general(
    node="NllLossBackward0",
    dtypes=KEEP,
    accepts=("float",),
    apart=("target",),
    fixed=("weight",),
    internal=True,
)
def nll_rows(
    xp: Xp, input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Tensor:
    """nll_loss of input [C] or [N, C]. Source: a weighted selection, linear in input."""
    return _nll(xp, input, target, weight, ignore_index, reduction)


@general(
    node="NllLoss2DBackward0",
    dtypes=KEEP,
    accepts=("float",),
    apart=("target",),
    fixed=("weight",),
    internal=True,
)
def nll_images(
    xp: Xp, input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Tensor:
    """nll_loss of input [N, C, H, W]. Source: a weighted selection, linear in input."""
    return _nll(xp, input, target, weight, ignore_index, reduction)


@nll_rows.vjp("input")
@nll_images.vjp("input")
def _(
    xp: Xp,
    ct: Array,
    input: Array,
    input_meta: Any,
    target: Array,
    weight: Array,
    ignore_index: int,
    reduction: str,
) -> Array:
    slope = _nll_vjp(xp, ct, input_meta.shape, target, weight, ignore_index, reduction)
    return xp.beside(slope, input)


SAMPLES = (
    sample(input=uniform(3), target=ints([2], ())),
    sample(input=uniform(2, 3), target=ints([2, 0])),
    sample(input=uniform(2, 3), target=ints([2, 1]), ignore_index=1, reduction="none"),
    sample(input=uniform(2, 3, 2), target=ints([2, 0, 1, 1], (2, 2)), reduction="none"),
    sample(input=uniform(1, 2, 2, 2), target=ints([0, 1, 1, 0], (1, 2, 2)), reduction="sum"),
    sample(input=uniform(0, 3), target=ints([], (0,)), reduction="sum"),
)
WEIGHT = Dense("float64", (3,), [0.5, 2.0, 0.25])


@composite(
    check=each(check_reduction, _dtypes_fit, _classes_fit),
    fixed=("weight",),
    samples=(*SAMPLES, sample(input=uniform(2, 3), target=ints([2, 0]), weight=WEIGHT)),
)
def nll_loss(
    F: Any,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """−weight[t]·input[n, t] for the class t = target[n], their sum, or their mean: Σ over Σ weight[t].

    input: [C], [N, C] or [N, C, …]; target: (), [N] or [N, …], int64 (uint8 for up to two axes); weight:
    [C], which may not require grad. Rows with ignore_index do not count. torch's old size_average and
    reduce are not here, which is why what follows weight is given by name. Raises index-out-of-range.

    Source: the negative log-likelihood, for logarithms of probabilities.
    """
    shape = input.shape
    if len(shape) < 3:
        return F.nll_rows(input, target, weight, ignore_index, reduction)
    if len(shape) == 4:
        return F.nll_images(input, target, weight, ignore_index, reduction)
    n, c, rest = shape[0], shape[1], prod(shape[2:])
    images, classes = F.reshape(input, (n, c, 1, rest)), F.reshape(target, (n, 1, rest))
    losses = F.nll_images(images, classes, weight, ignore_index, reduction)
    return F.view(losses, target.shape) if reduction == "none" else losses


def _targets_fit(
    input: Any, target: Any, weight: Any, ignore_index: int, label_smoothing: float, **_: Any
) -> None:
    if not 0 <= label_smoothing <= 1:
        raise fault("invalid-argument", f"label_smoothing is {label_smoothing}, not between 0 and 1")
    if input.shape and target.shape == input.shape:
        if category(target.dtype) != 2:
            raise fault("dtype-unsupported", f"shares of classes are floating, not {target.dtype}")
        if ignore_index >= 0:
            raise fault("invalid-argument", "there is no class to ignore among shares of classes")
        if weight is not None and weight.shape != (input.shape[_class_axis(input.shape)],):
            raise fault("shape-mismatch", f"weight has shape {list(weight.shape)}")
    else:
        _dtypes_fit(input, target, weight)
        _classes_fit(input, target, weight)


@linear(node="DivBackward1", dtypes=KEEP, internal=True)
def div_by(xp: Xp, input: Tensor, count: float) -> Tensor:
    """input/count, count being no tensor. Source: elementary."""
    return xp.divide(input, count)


@div_by.adjoint("input")
def _(xp: Xp, ct: Array, count: float) -> Array:
    return xp.divide(ct, count)


@linear(node="MulBackward1", dtypes=KEEP, internal=True)
def mul_by(xp: Xp, input: Tensor, count: float) -> Tensor:
    """input·count, count being no tensor. Source: elementary."""
    return xp.multiply(input, count)


@mul_by.adjoint("input")
def _(xp: Xp, ct: Array, count: float) -> Array:
    return xp.multiply(ct, count)


@linear(node="AddBackward1", dtypes=KEEP, internal=True)
def add_by(xp: Xp, input: Tensor, count: float) -> Tensor:
    """input + count, count being no tensor. Source: elementary."""
    return xp.add(input, count)


@add_by.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


@composite(
    check=each(check_reduction, _targets_fit),
    samples=(
        *SAMPLES,
        sample(input=uniform(2, 3), target=uniform(2, 3, low=0, high=1)),
        sample(input=uniform(2, 3), target=uniform(2, 3, low=0, high=1), label_smoothing=0.25),
        sample(input=uniform(2, 3), target=ints([2, 1]), label_smoothing=0.25),
        sample(input=uniform(2, 3), target=ints([2, 1]), label_smoothing=0.25, ignore_index=1),
        sample(input=uniform(2, 3), target=uniform(2, 3), weight=uniform(3), label_smoothing=0.5),
    ),
)
def cross_entropy(
    F: Any,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """nll_loss of log_softmax(input) along the classes; or −Σ target·log_softmax(input) for shares.

    target: classes as for nll_loss, or shares of the classes, of input's shape and floating; then the mean
    is over the rows. label_smoothing s makes of every target (1 − s) of itself and s/C of each class.
    torch's old size_average and reduce are not here, which is why what follows weight is given by name.

    Source: Szegedy et al. 2016 for the smoothing.
    """
    shape = input.shape
    axis = _class_axis(shape)
    logs = F.log_softmax(input, axis)
    row = [1] * len(shape)
    row[axis] = shape[axis]
    if target.shape == shape:
        if label_smoothing:
            target = F.add_by(F.mul_by(target, 1 - label_smoothing), label_smoothing / shape[axis])
        products = F.mul(logs, target)
        if weight is not None:
            products = F.mul(products, F.reshape(weight, row))
        if reduction == "none":
            return F.neg(F.sum(products, axis))
        total = F.neg(F.sum(products))
        return total if reduction == "sum" else F.div_by(total, prod(shape) / shape[axis])
    loss = F.nll_loss(logs, target, weight, ignore_index=ignore_index, reduction=reduction)
    if not label_smoothing:
        return loss
    weighted = logs if weight is None else F.mul(logs, F.reshape(weight, row))
    spread = F.neg(F.sum(weighted, axis))
    ignored = F.reshape(F.eq(target, ignore_index), spread.shape)
    spread = F.masked_fill(spread, ignored, 0.0)
    if reduction != "none":
        spread = F.sum(spread)
    if reduction == "mean":
        counted = F.to(F.eq(ignored, False), logs.dtype)
        spread = F.div(spread, F.sum(counted if weight is None else _weight_of(F, weight, target, counted)))
    return F.add(F.mul_by(loss, 1 - label_smoothing), F.mul_by(spread, label_smoothing / shape[axis]))


def _weight_of(F: Any, weight: Any, target: Any, counted: Any) -> Any:
    """The weight of every target's class, 0 where it does not count."""
    flat = F.reshape(F.to(target, "int64"), [-1])
    counted = F.reshape(counted, [-1])
    return F.mul(F.gather(weight, 0, F.where(F.gt(counted, 0), flat, 0)), counted)
