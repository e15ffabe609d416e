"""A call of an op as a functional framework runs it: torch's dtypes and saved tensors, its own arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gradspec.backends.dataflow import Saves, Variable
from gradspec.dtypes import of_number
from gradspec.ops import registry
from gradspec.records import NamedTuple
from gradspec.spec.features import gives_view
from gradspec.spec.model import IndexSlice, Slot

if TYPE_CHECKING:
    from gradspec.backends.functional import FunctionalBackend
    from gradspec.ops.registry import Op
    from gradspec.spec.model import Call

__all__ = ["Meta", "Operation"]

Array = Any
_LENDS_ITS_DTYPE = {"to": "other"}  # an argument of which no value is used
# By type and not by isinstance: scalars of array libraries are floats too.
_NUMBERS = frozenset((bool, int, float, complex))
# Composites whose parts keep tensors: what each input's cotangent needs. All others only rearrange.
_PARTNERS: dict[str, dict[str, tuple[str, ...]]] = {
    "matmul": {"input": ("other",), "other": ("input",)},
    "linear": {"input": ("weight",), "weight": ("input",)},
    "einsum": {"operands": ("operands",)},  # of a list: the others in it
    "norm": {"input": ("input", "y")},
    "linalg.det": {"A": ("A",)},
    "logdet": {"input": ("input",)},
}


class Meta(NamedTuple):
    """A tensor as the registry's checks see it."""

    dtype: str
    shape: tuple[int, ...]


class Operation:
    """`run` gives the outputs for inputs in the order of the call's slots."""

    def __init__(self, backend: FunctionalBackend, call: Call, function: Callable[..., Any]) -> None:
        self.backend = backend
        self.call = self.args = call.args
        self.function = function
        self.op: Op | None = registry.get(call.op)
        self.checked = [self.op]
        if self.op is not None and self.op.chooses:
            self.op, chosen = self.op.chosen(_with_defaults(self.op, call.args))
            self.args = tuple((name, value) for name, value in call.args if name in chosen)
            self.checked.append(self.op)
        self.differentiable = self.op is None or self.op.kind != "constant"
        self.slots = {name: _slots(value) for name, value in self.args}
        results = "one" if self.op is None else self.op.results(_with_defaults(self.op, self.args))
        self.results: dict[str, str] | None = None if isinstance(results, str) else results
        self.lent = frozenset(self.slots.get(_LENDS_ITS_DTYPE.get(call.op, ""), ()))
        # A composite may give back the very tensor it was given (`to` its own dtype).
        self.may_return_input = self.op is not None and self.op.kind == "composite"
        # torch makes a node of such an op, through which backward raises.
        self.underivable = self.op is not None and self.op.underivable
        self.gives_view = self.differentiable and gives_view(call)

    def check(self, inputs: Sequence[Any]) -> None:
        """Raise the ProgramError of arguments that torch refuses, by the registry's check of the op."""
        shown = [self._shown(value) for value in inputs]
        for op in self.checked:
            if op is not None and op.check is not None:
                given = [(name, _filled(value, shown)) for name, value in self.call if name in op.by_name]
                op.check(**_with_defaults(op, given))

    def _shown(self, value: Any) -> Any:
        if value is None or type(value) in _NUMBERS:
            return value
        return Meta(self.backend.dtype_of(value), self.backend.shape_of(value))

    def run(self, inputs: Sequence[Any], default: str) -> Sequence[Array]:
        """The op on arrays, its tensor arguments cast first as torch promotes them."""
        values = list(inputs)
        out = None
        if self.op is not None and self.op.kind != "composite":
            compute, out = self._dtypes(self.op, values, default)
            if compute is not None:
                for name, slots in self.slots.items():
                    if self.op.by_name[name].is_tensor and name not in self.op.apart:
                        for k in slots:
                            values[k] = self._cast(values[k], compute)
        result = self.function(**{name: _filled(value, values) for name, value in self.args})
        outputs = result if isinstance(result, (tuple, list)) else [result]
        if out is None:
            return outputs
        dtypes = [out] * len(outputs) if self.results is None else [d or out for d in self.results.values()]
        return [self._cast(array, dtype) for array, dtype in zip(outputs, dtypes, strict=True)]

    def _cast(self, value: Any, dtype: str) -> Any:
        if value is None or type(value) in _NUMBERS:
            return value
        return value if self.backend.dtype_of(value) == dtype else self.backend.cast(value, dtype)

    def _dtypes(self, op: Op, values: list[Any], default: str) -> tuple[str | None, str]:
        pairs: dict[str, Any] = {}
        statics: dict[str, Any] = {param.name: param.default for param in op.params if not param.is_tensor}
        for name, value in self.args:
            if not op.by_name[name].is_tensor:
                statics[name] = value
            elif value is None:
                pairs[name] = None
            else:
                found = [self._pair(values[k], default) for k in self.slots[name]]
                pairs[name] = found if isinstance(value, tuple) and not isinstance(value, Slot) else found[0]
        for param in op.tensors:
            pairs.setdefault(param.name, None)
        return op.result_dtypes(pairs, statics, default)

    def _pair(self, value: Any, default: str) -> tuple[str, str]:
        if type(value) in _NUMBERS:
            return of_number(value, default), "weak"
        return self.backend.dtype_of(value), "dim" if self.backend.shape_of(value) else "zero"

    def saves(self, inputs: Sequence[Any], outputs: Sequence[Variable]) -> Saves:
        """What torch would keep of this call: the parameter names of the rules that will run."""
        given: dict[str, Sequence[Any]] = {n: [inputs[k] for k in slots] for n, slots in self.slots.items()}
        given |= {name: [one] for name, one in zip(self.results or (), outputs, strict=False)} | {
            "y": outputs
        }
        anything = self._keeps_index(inputs)
        found: dict[Variable, tuple[Variable, ...]] = {}
        for name in self.slots:
            values = given[name]
            needed = self._needed(name)
            several = self.op is not None and self.op.by_name[name].kind == "Tensors"
            for place, value in enumerate(values):
                if isinstance(value, Variable):
                    others = [*values[:place], *values[place + 1 :]] if several else values
                    saved = [
                        one for word in needed for one in (others if word == name else given.get(word, ()))
                    ]
                    anything = anything or bool(saved)
                    tracked = tuple(one for one in saved if isinstance(one, Variable))
                    found[value] = found.get(value, ()) + tracked
        return Saves(anything, found)

    def _keeps_index(self, inputs: Sequence[Any]) -> bool:
        """Whether an index picks by lists, masks or tensors, which are kept; integers and slices are not."""
        if self.op is None or self.op.name != "__getitem__":
            return False
        index = dict(self.args)["index"]
        for entry in index if type(index) is tuple else (index,):
            if isinstance(entry, Slot):
                picker = inputs[entry.k]
                picker = self._shown(picker.array if isinstance(picker, Variable) else picker)
                if picker.shape or picker.dtype == "bool":
                    return True
            elif type(entry) in (tuple, bool):
                return True
        return False

    def _needed(self, argument: str) -> Sequence[str]:
        """The arguments, or "y", that the cotangent of one argument needs."""
        op = self.op
        if op is None:  # nothing is known of it: everything
            return [*self.slots, "y"]
        if op.kind == "composite":
            return _PARTNERS.get(op.name, {}).get(argument, ())
        rule = op.rules.get(argument)
        return rule.names if rule else ()


def _with_defaults(op: Op, given: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {param.name: param.default for param in op.params} | dict(given)


def _slots(value: Any) -> list[int]:
    if isinstance(value, Slot):
        return [value.k]
    return [k for part in value for k in _slots(part)] if isinstance(value, tuple) else []


def _filled(value: Any, values: list[Any]) -> Any:
    """An argument with its slots filled; an IndexSlice becomes a slice."""
    if isinstance(value, Slot):
        return values[value.k]
    if isinstance(value, IndexSlice):
        return slice(*[_filled(end, values) for end in value])
    return tuple(_filled(part, values) for part in value) if isinstance(value, tuple) else value
