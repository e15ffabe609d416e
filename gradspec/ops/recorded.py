"""Ops that only a recorded backward makes: contract functions that no public op is."""

from __future__ import annotations

from typing import Any

from gradspec.ops.registry import KEEP, Array, Index, Tensor, Xp, linear

__all__ = ["index_get", "index_put", "index_put_add", "scatter_onto"]


@linear(node="IndexBackward0", dtypes=KEEP, internal=True, dynamic=True)
def index_get(xp: Xp, input: Tensor, index: Index) -> Tensor:
    """input[index]. Source: a selection, whose transpose adds to zeros."""
    return xp.getitem(input, index)


@index_get.adjoint("input")
def _(xp: Xp, ct: Array, index: Any, input_meta: Any) -> Array:
    return xp.put_add(input_meta.shape, index, ct)


@linear(node="IndexPutBackward0", dtypes=KEEP, internal=True)
def index_put_add(xp: Xp, values: Tensor, index: Index, shape: Any) -> Tensor:
    """zeros(shape) with values added at index. Source: the transpose of a selection."""
    return xp.put_add(shape, index, values)


@index_put_add.adjoint("values")
def _(xp: Xp, ct: Array, index: Any) -> Array:
    return xp.getitem(ct, index)


@linear(node="IndexPutBackward0", dtypes=KEEP, internal=True)
def index_put(xp: Xp, input: Tensor, index: Index, values: Tensor) -> Tensor:
    """input with values written at index. Source: linear in both."""
    return xp.put(input, index, values)


@index_put.adjoint("input")
def _(xp: Xp, ct: Array, index: Any) -> Array:
    return xp.put(ct, index, 0)


@index_put.adjoint("values")
def _(xp: Xp, ct: Array, index: Any) -> Array:
    return xp.getitem(ct, index)


@linear(node="ScatterAddBackward0", dtypes=KEEP, internal=True)
def scatter_onto(xp: Xp, values: Tensor, indices: Tensor, axis: int, shape: Any) -> Tensor:
    """zeros(shape) with values added along axis at indices. Source: the transpose of gather."""
    return xp.scatter_add(shape, indices, values, axis)


@scatter_onto.adjoint("values")
def _(xp: Xp, ct: Array, indices: Array, axis: int) -> Array:
    return xp.take_along_axis(ct, indices, axis)
