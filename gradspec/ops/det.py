"""Determinants of square matrices, and of batches of them."""

from __future__ import annotations

from math import nan, prod
from typing import Any

from gradspec.dense import Dense
from gradspec.dtypes import category, real_of
from gradspec.ops.arguments import fault
from gradspec.ops.registry import KEEP, Array, Tensor, Xp, composite, general
from gradspec.ops.samples import sample, uniform

__all__ = ["det", "det_sign", "inverse", "linalg_det", "log_abs_det", "logdet"]

Shape = tuple[int, ...]
NUMBERS = ("float", "complex")
MATRICES = ((1, 1), (2, 2), (3, 3), (2, 2, 2), (0, 0), (0, 2, 2))
SAMPLES = tuple(sample(input=uniform(*shape)) for shape in MATRICES)


def _check_square(**given: Any) -> None:
    (matrix,) = given.values()
    shape = matrix.shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise fault("shape-mismatch", f"a determinant needs square matrices, not shape {list(shape)}")
    if category(matrix.dtype) < 2 or matrix.dtype in ("float16", "bfloat16"):
        raise fault("dtype-unsupported", f"a determinant is not computed in {matrix.dtype}")


def _adjoint(xp: Xp, x: Array, ndim: int) -> Array:
    """Each matrix transposed and conjugated."""
    return xp.conj(xp.permute_dims(x, (*range(ndim - 2), ndim - 1, ndim - 2)))


def _times_inverse(xp: Xp, factor: Array, input: Array, shape: Shape) -> Array:
    """factor·A⁻†, one factor a matrix."""
    if not prod(shape):
        return xp.zeros(shape)
    return xp.multiply(xp.reshape(factor, (*shape[:-2], 1, 1)), _adjoint(xp, xp.inv(input), len(shape)))


@general(node="LinalgInvExBackward0", dtypes=KEEP, accepts=NUMBERS, internal=True, check=_check_square)
def inverse(xp: Xp, input: Tensor) -> Tensor:
    """A⁻¹. Shape: [..., n, n] → same. NaN where A is singular.

    Source: dA⁻¹ = −A⁻¹·dA·A⁻¹.
    """
    return xp.inv(input)


@inverse.vjp("input")
def _(xp: Xp, ct: Array, y: Array, input_meta: Any) -> Array:
    turned = _adjoint(xp, y, len(input_meta.shape))
    return xp.negative(xp.matmul(xp.matmul(turned, ct), turned))


@general(
    node="LinalgDetBackward0",
    dtypes=KEEP,
    accepts=NUMBERS,
    check=_check_square,
    samples=SAMPLES,
    kinks={"det A = 0": {"torch": 0.0}},
)
def det(xp: Xp, input: Tensor) -> Tensor:
    """The determinant of each matrix. Shape: [..., n, n] → [...]; 1 of an empty matrix.

    Source: Jacobi's formula, d det A = det A·tr(A⁻¹·dA); where det A is 0 torch has 0, not the cofactors,
    save for one number, whose cofactor is 1.
    """
    return xp.det(input)


@det.vjp("input")
def _(xp: Xp, ct: Array, input: Array, y: Array, input_meta: Any) -> Array:
    shape = input_meta.shape
    if shape[-1] == 1:  # the number itself, singular or not
        return xp.reshape(ct, shape)
    found = _times_inverse(xp, xp.multiply(ct, xp.conj(y)), input, shape)
    return xp.where(xp.reshape(xp.equal(y, 0), (*shape[:-2], 1, 1)), 0.0, found)


def _real_result(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[str, str]:
    dtype = dtypes["input"][0]
    return dtype, real_of(dtype)


@general(
    node="LinalgSlogdetBackward0", hides=True, dtypes=_real_result, accepts=NUMBERS, internal=True,
    check=_check_square,
)  # fmt: skip
def log_abs_det(xp: Xp, input: Tensor) -> Tensor:
    """ln |det A|, real. Shape: [..., n, n] → [...]. −∞ where A is singular.

    Source: d ln |det A| = Re tr(A⁻¹·dA).
    """
    return xp.log_abs_det(input)


@log_abs_det.vjp("input")
def _(xp: Xp, ct: Array, input: Array, input_meta: Any) -> Array:
    return _times_inverse(xp, xp.astype(ct, input_meta.dtype), input, input_meta.shape)


@general(
    node="LinalgSlogdetBackward0", hides=True, dtypes=KEEP, accepts=NUMBERS, internal=True,
    check=_check_square,
)  # fmt: skip
def det_sign(xp: Xp, input: Tensor) -> Tensor:
    """s = det A/|det A|, 0 where A is singular. Shape: [..., n, n] → [...].

    Source: ds = i·s·Im tr(A⁻¹·dA); of real matrices it does not change.
    """
    return xp.det_sign(input)


@det_sign.vjp("input")
def _(xp: Xp, ct: Array, input: Array, y: Array, input_meta: Any) -> Array:
    shape, dtype = input_meta.shape, input_meta.dtype
    if category(dtype) < 3:
        return xp.zeros(shape)
    turn = xp.astype(xp.imag(xp.multiply(xp.conj(ct), y)), dtype)
    return _times_inverse(xp, xp.multiply(turn, -1j), input, shape)


@composite(
    name="linalg.det",
    check=_check_square,
    samples=tuple(sample(A=uniform(*shape)) for shape in MATRICES[:3]),
)
def linalg_det(F: Any, A: Tensor) -> Tensor:
    """The same as det.

    Source: as det.
    """
    return F.det(A)


@composite(
    check=_check_square,
    samples=(
        sample(input=uniform(1, 1, low=0.5)),
        sample(input=Dense("float64", (2, 2), [2.0, 0.5, -1.0, 1.5])),
        sample(input=Dense("float64", (2, 2, 2), [2.0, 0.5, -1.0, 1.5, -0.25, 1.0, -3.0, 0.5])),
        sample(input=Dense("float64", (3, 3), [1.0, 2.0, 0.5, -1.0, 1.5, 0.25, 3.0, -0.5, 1.25])),
        sample(input=uniform(0, 0)),
    ),
)
def logdet(F: Any, input: Tensor) -> Tensor:
    """ln det A of each matrix; −∞ where det A is 0, NaN where it is below. Shape: [..., n, n] → [...].

    Of complex matrices ln |det A| + i·arg det A.

    Source: the gradient is ct·A⁻ᵀ; 0 where the value is NaN, which comes out of no matrix.
    """
    sign, size = F.det_sign(input), F.log_abs_det(input)
    if category(input.dtype) == 3:
        return F.add(F.log(sign), size)
    return F.where(F.eq(sign, -1.0), nan, size)
