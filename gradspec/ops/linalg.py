"""Products of vectors, matrices and batches of them."""

from __future__ import annotations

from math import prod
from typing import Any

from gradspec.ops.arguments import broadcast_shapes, each, fault
from gradspec.ops.registry import SAME, Array, Tensor, Xp, composite, general
from gradspec.ops.samples import sample, uniform

__all__ = ["addmm", "bmm", "dot", "linear_layer", "matmul", "mm", "mv", "vdot"]

NUMBERS = ("float", "complex", "int")


def _swapped(xp: Xp, x: Array, ndim: int = 2) -> Array:
    """Each matrix transposed."""
    axes = range(ndim)
    return xp.permute_dims(x, (*axes[:-2], ndim - 1, ndim - 2))


def _adjoint(xp: Xp, x: Array, ndim: int = 2) -> Array:
    """Each matrix transposed and conjugated."""
    return xp.conj(_swapped(xp, x, ndim))


def _ranks(**wanted: int) -> Any:
    """A check: the named tensors have these numbers of axes."""

    def check(**given: Any) -> None:
        for name, rank in wanted.items():
            if len(given[name].shape) != rank:
                raise fault("shape-mismatch", f"{name} has {len(given[name].shape)} axes, not {rank}")

    return check


def _meets(first: str, second: str) -> Any:
    """A check: the last axis of the first tensor is as long as the one it is summed against in the second."""

    def check(**given: Any) -> None:
        a, b = given[first].shape, given[second].shape
        if a[-1] != b[-2 if len(b) > 1 else -1]:
            raise fault("shape-mismatch", f"shapes {list(a)} and {list(b)} cannot be multiplied")

    return check


@general(
    node="DotBackward0",
    dtypes=SAME,
    accepts=NUMBERS,
    check=each(_ranks(input=1, tensor=1), _meets("input", "tensor")),
    samples=(sample(input=uniform(3), tensor=uniform(3)), sample(input=uniform(0), tensor=uniform(0))),
)
def dot(xp: Xp, input: Tensor, tensor: Tensor) -> Tensor:
    """Σᵢ inputᵢ·tensorᵢ, nothing conjugated. Shapes: [n], [n] → [].

    Source: bilinear; each gets the other, conjugated.
    """
    return xp.matmul(input, tensor)


@dot.vjp("input")
def _(xp: Xp, ct: Array, tensor: Array) -> Array:
    return xp.multiply(ct, xp.conj(tensor))


@dot.vjp("tensor")
def _(xp: Xp, ct: Array, input: Array) -> Array:
    return xp.multiply(ct, xp.conj(input))


@general(
    node="VdotBackward0",
    dtypes=SAME,
    accepts=NUMBERS,
    check=each(_ranks(input=1, other=1), _meets("input", "other")),
    samples=(sample(input=uniform(3), other=uniform(3)), sample(input=uniform(0), other=uniform(0))),
)
def vdot(xp: Xp, input: Tensor, other: Tensor) -> Tensor:
    """Σᵢ inputᵢ*·otherᵢ, the first conjugated. Shapes: [n], [n] → [].

    Source: bilinear over the reals; c̄t·other for input, ct·input for other.
    """
    return xp.matmul(xp.conj(input), other)


@vdot.vjp("input")
def _(xp: Xp, ct: Array, other: Array) -> Array:
    return xp.multiply(xp.conj(ct), other)


@vdot.vjp("other")
def _(xp: Xp, ct: Array, input: Array) -> Array:
    return xp.multiply(ct, input)


@general(
    node="MvBackward0",
    dtypes=SAME,
    accepts=NUMBERS,
    internal=True,
    check=each(_ranks(input=2, vec=1), _meets("input", "vec")),
    samples=(sample(input=uniform(2, 3), vec=uniform(3)),),
)
def mv(xp: Xp, input: Tensor, vec: Tensor) -> Tensor:
    """A·v. Shapes: [n, k], [k] → [n].

    Source: bilinear; ct·v† for A, A†·ct for v.
    """
    return xp.matmul(input, vec)


@mv.vjp("input")
def _(xp: Xp, ct: Array, vec: Array, input_meta: Any) -> Array:
    rows, columns = input_meta.shape
    return xp.multiply(xp.reshape(ct, (rows, 1)), xp.reshape(xp.conj(vec), (1, columns)))


@mv.vjp("vec")
def _(xp: Xp, ct: Array, input: Array) -> Array:
    return xp.matmul(_adjoint(xp, input), ct)


@general(
    node="MmBackward0",
    dtypes=SAME,
    accepts=NUMBERS,
    internal=True,
    check=each(_ranks(input=2, mat2=2), _meets("input", "mat2")),
    samples=(sample(input=uniform(2, 3), mat2=uniform(3, 4)),),
)
def mm(xp: Xp, input: Tensor, mat2: Tensor) -> Tensor:
    """A·B. Shapes: [n, k], [k, m] → [n, m].

    Source: bilinear; ct·B† for A, A†·ct for B.
    """
    return xp.matmul(input, mat2)


@mm.vjp("input")
def _(xp: Xp, ct: Array, mat2: Array) -> Array:
    return xp.matmul(ct, _adjoint(xp, mat2))


@mm.vjp("mat2")
def _(xp: Xp, ct: Array, input: Array) -> Array:
    return xp.matmul(_adjoint(xp, input), ct)


@general(
    node="BmmBackward0",
    dtypes=SAME,
    accepts=NUMBERS,
    internal=True,
    check=each(_ranks(input=3, mat2=3), _meets("input", "mat2")),
    samples=(sample(input=uniform(2, 2, 3), mat2=uniform(2, 3, 4)),),
)
def bmm(xp: Xp, input: Tensor, mat2: Tensor) -> Tensor:
    """Aᵢ·Bᵢ. Shapes: [b, n, k], [b, k, m] → [b, n, m].

    Source: bilinear; ct·B† for A, A†·ct for B, each of a batch.
    """
    return xp.matmul(input, mat2)


@bmm.vjp("input")
def _(xp: Xp, ct: Array, mat2: Array) -> Array:
    return xp.matmul(ct, _adjoint(xp, mat2, 3))


@bmm.vjp("mat2")
def _(xp: Xp, ct: Array, input: Array) -> Array:
    return xp.matmul(_adjoint(xp, input, 3), ct)


@general(
    node="AddmmBackward0",
    dtypes=SAME,
    accepts=NUMBERS,
    internal=True,
    check=each(_ranks(mat1=2, mat2=2), _meets("mat1", "mat2")),
    samples=(sample(input=uniform(4), mat1=uniform(2, 3), mat2=uniform(3, 4)),),
)
def addmm(xp: Xp, input: Tensor, mat1: Tensor, mat2: Tensor) -> Tensor:
    """A·B + input. Shapes: [m] or [n, m], [n, k], [k, m] → [n, m].

    Source: bilinear in A and B; ct for input.
    """
    return xp.add(xp.matmul(mat1, mat2), input)


@addmm.adjoint("input")
def _(xp: Xp, ct: Array) -> Array:
    return ct


@addmm.vjp("mat1")
def _(xp: Xp, ct: Array, mat2: Array) -> Array:
    return xp.matmul(ct, _adjoint(xp, mat2))


@addmm.vjp("mat2")
def _(xp: Xp, ct: Array, mat1: Array) -> Array:
    return xp.matmul(_adjoint(xp, mat1), ct)


def _check_matmul(input: Any, other: Any, **_: Any) -> None:
    a, b = tuple(input.shape), tuple(other.shape)
    if not a or not b:
        raise fault("shape-mismatch", "matmul takes no 0-d tensors")
    if a[-1] != b[-2 if len(b) > 1 else -1]:
        raise fault("shape-mismatch", f"shapes {list(a)} and {list(b)} cannot be multiplied")
    broadcast_shapes((a[:-2], b[:-2]))
    if input.dtype != other.dtype:
        raise fault(
            "dtype-mismatch", f"matmul needs operands of one dtype, not {input.dtype} and {other.dtype}"
        )


@composite(
    check=_check_matmul,
    samples=(
        sample(input=uniform(3), other=uniform(3)),
        sample(input=uniform(2, 3), other=uniform(3)),
        sample(input=uniform(2), other=uniform(2, 3)),
        sample(input=uniform(2, 3), other=uniform(3, 4)),
        sample(input=uniform(2, 3, 4), other=uniform(4)),
        sample(input=uniform(2), other=uniform(3, 2, 4)),
        sample(input=uniform(2, 3, 4), other=uniform(4, 2)),
        sample(input=uniform(3, 4), other=uniform(2, 4, 2)),
        sample(input=uniform(2, 3, 4), other=uniform(2, 4, 2)),
        sample(input=uniform(2, 1, 3, 4), other=uniform(2, 4, 2)),
        sample(input=uniform(0, 3), other=uniform(3, 2)),
        sample(input=uniform(2, 0), other=uniform(0, 3)),
        sample(input=uniform(1, 2, 3), other=uniform(4, 3, 2)),
        sample(input=uniform(4, 2, 3), other=uniform(1, 3, 2)),
    ),
)
def matmul(F: Any, input: Tensor, other: Tensor) -> Tensor:
    """The matrix product; a vector is a row on the left, a column on the right; batches broadcast.

    Shapes: [n], [n] → []; [..., n, k], [..., k, m] → [..., n, m]; [k] adds no axis to the result.

    Source: bilinear. A matrix beside a batch is multiplied once with the batch folded into rows.
    """
    a, b = len(input.shape), len(other.shape)
    if a <= 2 and b <= 2:
        if a == 1 and b == 1:
            return F.dot(input, other)
        if a == 1:
            return F.squeeze_last(F.mm(F.unsqueeze(input, 0), other), 0)
        return F.mv(input, other) if b == 1 else F.mm(input, other)
    if _folds(input, other):
        return _folded(F, input, other)
    return _batched(F, input, other)


def _folds(input: Any, other: Any) -> bool:
    """Whether the batch of one operand is folded into rows of one product with the other; torch's choice."""
    a, b = len(input.shape), len(other.shape)
    larger, smaller = (input, other) if a >= b else (other, input)
    if len(larger.shape) < 3 or len(smaller.shape) > 2:
        return False
    if smaller.requires_grad:
        return True
    if a == 2:
        return False
    # without a gradient to save, only where the folded batch is a view
    return not prod(larger.shape) or _rows_are_one_axis(larger if a >= b else _Turned(larger))


class _Turned:
    """The shape and strides of a batch with its matrices transposed."""

    def __init__(self, batch: Any) -> None:
        self.shape = (*batch.shape[:-2], batch.shape[-1], batch.shape[-2])
        self.strides = (*batch.strides[:-2], batch.strides[-1], batch.strides[-2])


def _rows_are_one_axis(batch: Any) -> bool:
    """Whether all axes of a batch but its last lie in memory as one axis would."""
    shape, strides = batch.shape, batch.strides
    return all(strides[k] == strides[k + 1] * shape[k + 1] for k in range(len(shape) - 2))


def _folded(F: Any, input: Any, other: Any) -> Any:
    transposed = len(other.shape) > len(input.shape)
    batch, single = (F.transpose(other, -2, -1), input) if transposed else (input, other)
    if transposed and len(input.shape) == 2:
        single = F.t(input)
    rows = batch.shape[:-1]
    flat = F.reshape(batch, [prod(rows), batch.shape[-1]])
    if len(single.shape) == 1:
        return F.unsafe_view(F.mv(flat, single), rows)
    y = F.unsafe_view(F.mm(flat, single), [*rows, single.shape[-1]])
    if not transposed:
        return y
    turned = F.transpose(y, -2, -1)
    return turned if 1 in y.shape[-2:] or not prod(y.shape) else F.contiguous_clone(turned)


def _batched(F: Any, input: Any, other: Any) -> Any:
    a, b = tuple(input.shape), tuple(other.shape)
    if len(a) == len(b) == 3 and a[0] != b[0]:
        if a[0] == 1 and input.requires_grad:
            return matmul.forward(F, F.squeeze(input, 0), other)
        if b[0] == 1 and other.requires_grad:
            return matmul.forward(F, input, F.squeeze(other, 0))
    lead = broadcast_shapes((a[:-2], b[:-2]))
    rows, inner = (a[-2] if len(a) > 1 else 1), a[-1]
    columns = b[-1] if len(b) > 1 else 1
    left = F.reshape(F.expand(input, [*lead, rows, inner]), [prod(lead), rows, inner])
    if len(b) == 1:
        right = F.unsqueeze(F.reshape(F.expand(other, [*lead, inner]), [prod(lead), inner]), 2)
    else:
        right = F.reshape(F.expand(other, [*lead, inner, columns]), [prod(lead), inner, columns])
    y = F.bmm(left, right)
    shape = [*lead, *([rows] if len(a) > 1 else []), *([columns] if len(b) > 1 else [])]
    return F.unsafe_view(F.squeeze(y, -1) if len(b) == 1 else y, shape)


def _check_linear(input: Any, weight: Any, bias: Any, **_: Any) -> None:
    if len(weight.shape) not in (1, 2) or not input.shape:
        raise fault(
            "shape-mismatch",
            f"linear takes no weight of shape {list(weight.shape)} for input {list(input.shape)}",
        )
    if input.shape[-1] != weight.shape[-1]:
        raise fault(
            "shape-mismatch", f"input {list(input.shape)} and weight {list(weight.shape)} end differently"
        )
    if input.dtype != weight.dtype:
        raise fault(
            "dtype-mismatch",
            f"linear needs input and weight of one dtype, not {input.dtype} and {weight.dtype}",
        )
    if bias is None or len(weight.shape) == 1:
        return
    out = [*input.shape[:-1], weight.shape[0]]
    if bias.dtype != weight.dtype:
        raise fault("dtype-mismatch", "linear needs input, weight and bias of one dtype")
    if broadcast_shapes((tuple(bias.shape), (out[-1],))) != (out[-1],):
        raise fault("shape-mismatch", f"a bias of shape {list(bias.shape)} does not fit output {out}")


@composite(
    name="linear",
    check=_check_linear,
    samples=(
        sample(input=uniform(2, 3), weight=uniform(4, 3), bias=uniform(4)),
        sample(input=uniform(2, 3), weight=uniform(4, 3)),
        sample(input=uniform(3), weight=uniform(4, 3), bias=uniform(4)),
        sample(input=uniform(3), weight=uniform(4, 3)),
        sample(input=uniform(2, 2, 3), weight=uniform(4, 3), bias=uniform(4)),
        sample(input=uniform(2, 3), weight=uniform(3)),
        sample(input=uniform(0, 3), weight=uniform(2, 3), bias=uniform(2)),
    ),
)
def linear_layer(F: Any, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x·Wᵀ + b. Shapes: [..., k], [m, k] or [k], [m] → [..., m].

    Source: bilinear in input and weight.
    """
    if bias is None:
        return F.matmul(input, F.t(weight))
    if len(weight.shape) == 1:
        return F.add(F.matmul(input, F.t(weight)), bias)
    out = [*input.shape[:-1], weight.shape[0]]
    if len(input.shape) == 2:
        return F.addmm(bias, input, F.t(weight))
    flat = F.reshape(input, [prod(input.shape[:-1]), input.shape[-1]])
    return F.view(F.addmm(bias, flat, F.t(weight)), out)
