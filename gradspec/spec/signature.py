"""What a statement may call: the ops of the registry, and the forms of the language that are no op.

The language has forms (`x[0] = 3.0`, `x.T`, `x // 2`, `detach_(x)`) whose signatures stand here for
as long as the registry has no op of that name, so that every form can be parsed; a backend says
itself which of them it can run.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gradspec.errors import did_you_mean
from gradspec.ops import Op, registry
from gradspec.ops.registry import Param
from gradspec.records import NamedTuple

__all__ = ["PREFIXES", "Signature", "explain_unknown", "find", "names"]

PREFIXES = ("linalg", "fft", "special")  # the dotted families of torch
_REDUNDANT = ("torch.nn.functional.", "nn.functional.", "torch.Tensor.", "torch.", "Tensor.", "F.")


class Signature(NamedTuple):
    """An op as a statement sees it."""

    name: str
    params: tuple[Param, ...]
    in_place: bool
    variadic: str = ""  # the Tensors parameter that takes all further positional arguments, or ''
    op: Op | None = None  # None for a form of the language that is no op

    @property
    def settled(self) -> bool:
        """Whether all calls give as many results."""
        return self.op is None or not (self.op.chooses or callable(self.op.outputs))

    def results(self, arguments: dict[str, Any]) -> Any:
        """What a call with these arguments gives, see `Op.results`; what is left out has its default."""
        if self.op is None:
            return "one"
        if self.settled:
            return self.op.outputs
        return self.op.results({p.name: arguments.get(p.name, p.default) for p in self.params})

    def instead(self, name: str) -> str:
        """The parameter that a tensor in the place of another one means, or ''."""
        return self.op.instead.get(name, "") if self.op is not None else ""


def _params(text: str) -> tuple[Param, ...]:
    """Parameters from "input: Tensor, value: Operand, requires_grad: bool = True"."""
    made = []
    for part in text.split(", "):
        name, rest = part.split(": ")
        kind, _, default = rest.partition(" = ")
        made.append(Param(name, kind, False, not default, {"True": True}.get(default), False))
    return tuple(made)


_UNARY, _BINARY = "input: Tensor", "input: Tensor, other: Operand"
_FORMS = {
    "T": _UNARY, "mT": _UNARY, "H": _UNARY, "real": _UNARY, "imag": _UNARY,
    "detach": _UNARY, "detach_": _UNARY, "neg": _UNARY, "positive": _UNARY, "bitwise_not": _UNARY,
    "requires_grad_": "input: Tensor, requires_grad: bool = True",
    "__getitem__": "input: Tensor, index: Index",
    "__setitem__": "input: Tensor, index: Index, value: Operand",
    "matmul": "input: Tensor, other: Tensor",
    "pow": "input: Tensor, exponent: Operand", "pow_": "input: Tensor, exponent: Operand",
    **dict.fromkeys(("add", "sub", "mul", "div", "floor_divide", "remainder"), _BINARY),
    **dict.fromkeys(("add_", "sub_", "mul_", "div_", "floor_divide_", "remainder_"), _BINARY),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_and_", "bitwise_or_"), _BINARY),
    **dict.fromkeys(("eq", "ne", "lt", "le", "gt", "ge"), _BINARY),
}  # fmt: skip


@lru_cache(maxsize=4096)
def find(name: str) -> Signature | None:
    """The signature behind an op's name (`mul_` is mul in place), or None."""
    in_place = (name.endswith("_") and not name.endswith("__")) or name == "__setitem__"
    op = registry.base_of(name)
    if op is not None and not op.internal:
        return Signature(name, op.params, in_place, op.variadic, op)
    if name in _FORMS:
        return Signature(name, _params(_FORMS[name]), in_place)
    return None


def names() -> list[str]:
    """Every op name a statement may write as a call."""
    inplace = [f"{name}_" for name, op in registry.items() if op.inplace]
    known = {name for name, op in registry.items() if not op.internal}
    return [name for name in {*known, *inplace, *_FORMS, "tensor"} if not name.startswith("_")]


def explain_unknown(name: str) -> str:
    """A next step for someone who wrote an op that is not there."""
    for prefix in _REDUNDANT:
        if name.startswith(prefix) and find(name[len(prefix) :]):
            return f"ops are written without {prefix[:-1]}: {name[len(prefix) :]}"
    if name.endswith("_") and find(name[:-1]):
        return f"{name[:-1]} has no in-place form"
    near = did_you_mean(name, names())
    return f"{near} `gradspec ops` lists all" if near else "`gradspec ops` lists all"
