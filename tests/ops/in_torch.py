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
    return input / other if rounding_mode is None else torch.div(input, other, rounding_mode=rounding_mode)


def _sub(input: Any, other: Any, **alpha: Any) -> Any:
    return torch.sub(input, other, **alpha) if isinstance(input, torch.Tensor) else input - other


def _mul(input: Any, other: Any) -> Any:
    return input * other


def _pow(input: Any, exponent: Any) -> Any:
    return input**exponent


def _float_power(input: Any, exponent: Any) -> Any:
    return torch.float_power(input, exponent)


def _einsum(equation: str, operands: Any) -> Any:
    return torch.einsum(equation, *operands)


def _to(input: Any, dtype: Any) -> Any:
    return input.to(dtype)


def _expand(input: Any, size: Any) -> Any:
    return input.expand(size)


def _scatter(input: Any, dim: Any, index: Any, src: Any = None, value: Any = None) -> Any:
    return torch.scatter(input, dim, index, value if src is None else src)


def _repeat(input: Any, repeats: Any) -> Any:
    return input.repeat(repeats)


def _new_zeros(input: Any, size: Any, dtype: Any = None) -> Any:
    return input.new_zeros(size, dtype=dtype)


def _contiguous(input: Any) -> Any:
    return input.contiguous()


FUNCTIONS = {
    "scatter": _scatter, "repeat": _repeat, "new_zeros": _new_zeros, "contiguous": _contiguous,
    "embedding": F.embedding, "fft.fft": torch.fft.fft, "fft.ifft": torch.fft.ifft,
    "linalg.det": torch.linalg.det,
    "__getitem__": _getitem, "div": _div, "sub": _sub, "mul": _mul, "pow": _pow, "einsum": _einsum, "to": _to,
    "expand": _expand, "float_power": _float_power, "relu": F.relu, "linear": F.linear, "pad": F.pad,
}  # fmt: skip
FUNCTIONS |= {"linalg.vector_norm": torch.linalg.vector_norm}
ATTRIBUTES = ("T", "mT", "H", "real", "imag")


def call(op: str, args: dict[str, Any]) -> Any:
    """The op's result; a dtype is its name."""
    args = {k: getattr(torch, v) if k == "dtype" and v is not None else v for k, v in args.items()}
    if op in ATTRIBUTES:
        return getattr(args["input"], op)
    if op == "detach":
        return args["input"].detach()
    return FUNCTIONS.get(op, getattr(F, op, getattr(torch, op, None)))(**args)
