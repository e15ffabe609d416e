"""Liars with a wrong derivative rule, made of torch's custom functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from gradspec.backends.torch import TorchBackend
from gradspec.spec.model import Call

__all__ = ["DropsTheBroadcastSum", "Gathers"]


class _FirstSlice(torch.autograd.Function):
    """Broadcasting whose backward takes the first slice instead of the sum."""

    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor, shape: torch.Size) -> torch.Tensor:
        ctx.shape = tensor.shape
        return tensor.expand(shape).clone()

    @staticmethod
    def backward(ctx: Any, ct: torch.Tensor) -> Any:  # type: ignore[override]
        while ct.dim() > len(ctx.shape):
            ct = ct[0]
        for dim, size in enumerate(ctx.shape):
            if size == 1:
                ct = ct.narrow(dim, 0, 1)
        return ct, None


class DropsTheBroadcastSum(TorchBackend):
    """What was broadcast gets the cotangent of its first copy alone."""

    name = "drops-the-broadcast-sum"

    def prepare(self, call: Call) -> Callable[[list[Any]], Sequence[Any]]:
        honest = super().prepare(call)
        if call.op not in ("add", "sub", "mul", "div", "pow", "maximum", "minimum"):
            return honest

        def run(inputs: list[Any]) -> Sequence[Any]:
            tensors = [one for one in inputs if isinstance(one, torch.Tensor)]
            shape = torch.broadcast_shapes(*(one.shape for one in tensors))
            spread = [
                _FirstSlice.apply(one, shape) if isinstance(one, torch.Tensor) and one.shape != shape else one
                for one in inputs
            ]
            return honest(spread)

        return run


class _Gathered(torch.autograd.Function):
    """Taking elements whose backward takes elements again, where it should add them back in place."""

    @staticmethod
    def forward(ctx: Any, source: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(index)
        ctx.shape = source.shape
        return source.take(index)

    @staticmethod
    def backward(ctx: Any, ct: torch.Tensor) -> Any:  # type: ignore[override]
        (index,) = ctx.saved_tensors
        if index.numel() != ctx.shape.numel():
            return torch.zeros(ctx.shape, dtype=ct.dtype).reshape(-1).index_add(
                0, index.reshape(-1), ct.reshape(-1)
            ).reshape(ctx.shape), None  # fmt: skip
        return ct.reshape(-1)[index.reshape(-1)].reshape(ctx.shape), None


class Gathers(TorchBackend):
    """Rearranging ops gather in their backward, too: right where the permutation is its own inverse, and
    wherever all cotangents are equal."""

    name = "gathers"

    def prepare(self, call: Call) -> Callable[[list[Any]], Sequence[Any]]:
        honest = super().prepare(call)
        if call.op not in ("gather", "__getitem__", "permute", "flip", "transpose"):
            return honest

        def run(inputs: list[Any]) -> Sequence[Any]:
            source = inputs[0]
            places = torch.arange(source.numel()).reshape(source.shape)
            [index] = honest([places, *inputs[1:]])
            return (_Gathered.apply(source, index),)

        return run
