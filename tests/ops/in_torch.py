"""A call in torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

__all__ = ["call", "tensor"]


def tensor(array: Any, requires_grad: bool) -> Any:
    made = torch.from_numpy(np.array(array))
    return made.requires_grad_(requires_grad)


def _getitem(input: Any, index: tuple[Any, ...]) -> Any:
    return input[index if len(index) > 1 else index[0]]


def _div(input: Any, other: Any, rounding_mode: Any = None) -> Any:
    if rounding_mode is None:
        return input / other
    return torch.div(input, other, rounding_mode=rounding_mode)


OWN = {
    "__getitem__": _getitem, "div": _div, "detach": lambda input: input.detach(),
    "to": lambda input, dtype: input.to(dtype), "expand": lambda input, size: input.expand(size),
    "relu": F.relu, "linear": F.linear, "pad": F.pad, "T": lambda input: input.T, "mT": lambda input: input.mT,
    "H": lambda input: input.H, "real": lambda input: input.real, "imag": lambda input: input.imag,
    "sub": lambda input, other, **k: torch.sub(input, other, **k) if isinstance(input, torch.Tensor) else input - other,
    "mul": lambda input, other: input * other, "einsum": lambda equation, operands: torch.einsum(equation, *operands),
    "pow": lambda input, exponent: input ** exponent,
}  # fmt: skip


def call(op: str, args: dict[str, Any]) -> Any:
    """The op's result; a dtype is its name."""
    args = {k: getattr(torch, v) if k == "dtype" and v is not None else v for k, v in args.items()}
    if op in OWN:
        return OWN[op](**args)
    return getattr(torch, op)(**args)
