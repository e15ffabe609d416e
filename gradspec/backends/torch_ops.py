"""torch's function for an op name, and a `Call` as something that runs."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from gradspec.errors import UnsupportedFeature
from gradspec.spec.model import Call, IndexSlice, Slot

__all__ = ["bound", "function_of"]

# What Python's operators do where the left operand is a number and torch's function takes none there.
_REFLECTED: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "floor_divide": operator.floordiv, "remainder": operator.mod, "pow": operator.pow,
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt,
    "ge": operator.ge, "bitwise_and": operator.and_, "bitwise_or": operator.or_,
}  # fmt: skip
_METHODS = ("unfold",)  # nn.functional has another op of that name


def function_of(op: str) -> Callable[..., Any] | None:
    """torch's own function, looked up in nn.functional, torch and Tensor; None where there is none."""
    import torch

    if op == "__setitem__":
        return _setitem
    places: list[Any] = [torch.nn.functional, torch, torch.Tensor]
    for place in places[2:] if op in _METHODS else places:
        found: Any = place
        for part in op.split("."):
            found = getattr(found, part, None)
        if found is None or isinstance(found, (type, torch.dtype)):
            continue
        if callable(found):
            if op in ("scatter", "scatter_"):
                return _scattering(found)
            return _einsum if op == "einsum" else found
        if place is torch.Tensor and hasattr(found, "__get__"):  # an attribute: T, mT, H, real, imag
            return operator.attrgetter(op)
    return _in_place(getattr(torch.nn.functional, op.removesuffix("_"), None)) if op.endswith("_") else None


def _in_place(function: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """A function whose in-place form is an argument and has no name: silu(x, inplace=True)."""
    if function is None or "inplace" not in getattr(function, "__code__", _in_place.__code__).co_varnames:
        return None
    return partial(function, inplace=True)


def _setitem(tensor: Any, index: Any, value: Any) -> Any:
    tensor[index] = value
    return tensor


def _einsum(equation: str, operands: Sequence[Any]) -> Any:
    import torch

    return torch.einsum(equation, *operands)


def _scattering(function: Callable[..., Any]) -> Callable[..., Any]:
    """torch gives a number in the place of src the name value."""

    def scatter(input: Any, dim: int, index: Any, src: Any = None, value: Any = None) -> Any:
        return function(input, dim, index, value if src is None else src)

    return scatter


def bound(call: Call) -> Callable[[list[Any]], Sequence[Any]]:
    """A call as a function of its inputs that gives its outputs as a sequence.

    Raises `UnsupportedFeature` for an op that this torch does not have.
    """
    function = function_of(call.op)
    if function is None:
        raise UnsupportedFeature(f"op:{call.op}", f"this torch has no {call.op}")
    if call.op in ("__getitem__", "__setitem__"):
        return _indexing(function, call)
    names = [name for name, _ in call.args]
    parts = [_part(name, value) for name, value in call.args]
    reflected = _REFLECTED.get(call.op) if len(parts) == 2 else None
    # The first argument is called input, self or tensor; where() and to() have other names for the others.
    positional = len(parts) if call.op in ("einsum", "where", "to") else 1

    def run(inputs: list[Any]) -> Sequence[Any]:
        values = [part(inputs) for part in parts]
        if reflected is not None and isinstance(values[0], (int, float, complex)):
            return (reflected(values[0], values[1]),)
        keywords = dict(zip(names[positional:], values[positional:], strict=True))
        result = function(*values[:positional], **keywords)
        return result if isinstance(result, (tuple, list)) else (result,)

    return run


def _indexing(function: Callable[..., Any], call: Call) -> Callable[[list[Any]], Sequence[Any]]:
    """x[index] and x[index] = value: a tuple is several indices, a tuple inside one a list."""
    args = dict(call.args)
    index = args["index"]
    entries = index if type(index) is tuple else (index,)  # a Slot and an IndexSlice are tuples too
    # x[:] is not x[(slice(None),)] to torch, while x[[[0, 1], [2, 0]]] is x[[0, 1], [2, 0]]
    several = len(entries) != 1 or type(entries[0]) is tuple
    parts = [_part("", entry) for entry in entries]
    others = [_part(name, value) for name, value in call.args if name != "index"]

    def run(inputs: list[Any]) -> Sequence[Any]:
        indices = [_as_list(part(inputs)) for part in parts]
        tensor, *value = [part(inputs) for part in others]
        return (function(tensor, tuple(indices) if several else indices[0], *value),)

    return run


def _as_list(value: Any) -> Any:
    return [_as_list(entry) for entry in value] if type(value) is tuple else value


def _part(name: str, value: Any) -> Callable[[list[Any]], Any]:
    """One argument as a function of the call's inputs."""
    if isinstance(value, Slot):
        return operator.itemgetter(value.k)
    if isinstance(value, IndexSlice):
        ends = [_part("", end) for end in value]
        return lambda inputs: slice(*[end(inputs) for end in ends])
    if isinstance(value, tuple):
        entries = [_part("", entry) for entry in value]
        return lambda inputs: tuple([entry(inputs) for entry in entries])
    if name == "dtype" and isinstance(value, str):
        import torch

        value = getattr(torch, value)

    def fixed(inputs: list[Any]) -> Any:
        return value

    return fixed
