"""Programs by hand: names instead of bindings, one author's step a call."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

from gradspec.backends.base import Backend, Observations
from gradspec.dense import Dense
from gradspec.spec.load import load_text
from gradspec.spec.model import (
    Apply,
    Backward,
    Block,
    Call,
    GetAttr,
    Grad,
    Hook,
    HookLog,
    IndexSlice,
    Jvp,
    Leaf,
    Look,
    Make,
    Program,
    Ref,
    RemoveHook,
    RetainGrad,
    SetAttr,
    Slot,
    Watch,
    ZeroGrad,
)  # fmt: skip

ALL = ("value", "grad", "is_leaf", "requires_grad")


def dense(data: Any, dtype: str = "float32") -> Dense:
    """Nested lists as a Dense."""
    if isinstance(data, Dense):
        return data
    shape: list[int] = []
    inner = data
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    flat = [data]
    for _ in shape:
        flat = [entry for part in flat for entry in part]
    return Dense(dtype, shape, flat)


class T(str):
    """A tensor's name among the arguments of `op`; other strings stand for themselves."""


class Builder:
    """Each method is one author's step and returns its `at`."""

    def __init__(self, dtype: str = "float32", id: str = "by-hand") -> None:
        self.dtype, self.id = dtype, id
        self.names: list[str] = []
        self.scope: dict[str, int] = {}
        self.constants: dict[int, Any] = {}
        self.calls: list[Call] = []
        self.leaves: list[Leaf] = []
        self.steps: list[Any] = []
        self.count = 0

    def new(self, name: str = "") -> int:
        self.names.append(name)
        if name:
            self.scope[name] = len(self.names) - 1
        return len(self.names) - 1

    def at(self) -> int:
        self.count += 1
        return self.count - 1

    def array(self, data: Any, dtype: str | None = None) -> Any:
        if data is None:
            return None
        return Ref(self.scope[data]) if isinstance(data, T) else dense(data, dtype or self.dtype)

    def leaf(self, name: str, data: Any, requires_grad: bool = True, dtype: str | None = None) -> None:
        value = self.array(data, dtype)
        self.leaves.append(Leaf(self.new(name), value, requires_grad))

    def make(self, name: str, data: Any, requires_grad: bool = False, dtype: str | None = None) -> int:
        at = self.at()
        self.steps.append(Make(dense(data, dtype or self.dtype), requires_grad, self.new(name), at))
        return at

    def op(self, out: str, op: str, at: int | None = None, **args: Any) -> int:
        """`out` is one name or several with spaces between; T("x") is a tensor, numbers become
        constants where the name is that of an operand, everything else stands for itself."""
        at = self.at() if at is None else at
        inputs: list[int] = []

        def bind(value: Any, top: bool, name: str) -> Any:
            if isinstance(value, T):
                inputs.append(self.scope[value])
            elif top and name in ("input", "other", "exponent", "min", "max", "value", "self"):
                if isinstance(value, (bool, int, float, complex)):
                    inputs.append(self.new())
                    self.constants[inputs[-1]] = value
                else:
                    return value
            elif isinstance(value, IndexSlice):
                return IndexSlice(*[bind(v, False, "") for v in value])
            elif isinstance(value, tuple):
                return tuple(bind(v, False, "") for v in value)
            else:
                return value
            return Slot(len(inputs) - 1)

        call = Call(op, tuple((name, bind(value, True, name)) for name, value in args.items()))
        if call not in self.calls:
            self.calls.append(call)
        in_place = op == "__setitem__" or (op.endswith("_") and not op.endswith("__"))
        outs = (inputs[0],) if in_place else tuple(self.new(name) for name in out.split())
        self.steps.append(Apply(self.calls.index(call), tuple(inputs), outs, at))
        return at

    def add(self, make: Any) -> int:
        at = self.at()
        self.steps.append(make(at))
        return at

    def ids(self, names: str) -> tuple[int, ...]:
        return tuple(self.scope[name] for name in names.split())

    def backward(
        self, of: str, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
        inputs: str | None = None,
    ) -> int:  # fmt: skip
        roots = self.ids(of)
        given = gradient if isinstance(gradient, tuple) else (gradient,) * len(roots)
        arrays = tuple(self.array(entry) for entry in given)
        chosen = None if inputs is None else self.ids(inputs)
        return self.add(lambda at: Backward(roots, arrays, retain_graph, create_graph, chosen, at))

    def grad(
        self, of: str, wrt: str, out: str, gradient: Any = None, retain_graph: bool | None = None,
        create_graph: bool = False, allow_unused: bool | None = None, materialize_grads: bool = False,
    ) -> int:  # fmt: skip
        roots, inputs = self.ids(of), self.ids(wrt)
        arrays = tuple(self.array(gradient) for _ in roots)
        outs = tuple(self.new(name) for name in out.split())
        return self.add(
            lambda at: Grad(
                roots, inputs, outs, arrays, retain_graph, create_graph, allow_unused, materialize_grads, at
            )
        )

    def jvp(self, of: str, out: str, **tangents: Any) -> int:
        pairs = tuple((self.scope[name], self.array(value)) for name, value in tangents.items())
        return self.add(lambda at: Jvp(self.scope[of], pairs, self.new(out), at))

    def retain_grad(self, names: str) -> int:
        return self.add(lambda at: RetainGrad(self.ids(names), at))

    def zero_grad(self, names: str, set_to_none: bool = True) -> int:
        return self.add(lambda at: ZeroGrad(self.ids(names), set_to_none, at))

    def get(self, out: str, of: str, name: str) -> int:
        source = self.scope[of]
        return self.add(lambda at: GetAttr(source, name, self.new(out), at))

    def set(self, of: str, name: str, value: Any) -> int:
        given = Ref(self.scope[value]) if isinstance(value, T) else value
        return self.add(lambda at: SetAttr(self.scope[of], name, given, at))

    @contextmanager
    def block(self, mode: str) -> Any:
        at, outer, self.steps = self.at(), self.steps, []
        yield at
        inner, self.steps = self.steps, outer
        self.steps.append(Block(mode, tuple(inner), at))

    @contextmanager
    def hook(self, of: str, name: str, after: str = "") -> Any:
        """Write the body under `with`, on the name "grad"."""
        at, outer, self.steps = self.at(), self.steps, []
        source, before = self.scope[of], self.scope.get("grad")
        given = self.new("grad")
        yield at
        result = self.scope["grad"]
        inner, self.steps = self.steps, outer
        if before is not None:
            self.scope["grad"] = before
        self.steps.append(Hook(source, name, given, tuple(inner), result, after, at))

    def remove_hook(self, name: str) -> int:
        return self.add(lambda at: RemoveHook(name, at))

    def hook_log(self) -> int:
        return self.add(HookLog)

    def watch(self, names: str, *fields: str) -> int:
        """Names with spaces between; `x.grad` is the gradient itself."""
        looks = []
        for name in names.split():
            base, _, path = name.partition(".")
            looks.append(Look(self.scope[base], path, fields or ALL))
        return self.add(lambda at: Watch(tuple(looks), at))

    def program(self) -> Program:
        return Program(
            self.id, self.dtype, tuple(self.names), dict(self.constants), tuple(self.calls),
            tuple(self.leaves), tuple(self.steps), self.count,
        )  # fmt: skip

    def run(self, backend: Backend) -> Observations:
        return backend.run(self.program())


class Written:
    """A program of a spec's text, where a Builder is wanted."""

    def __init__(self, body: str) -> None:
        (spec,) = load_text(f'gradspec: "1.1"\nid: written\n{body}', "written.gradspec.yaml")
        self.program = spec.program
        self.count = spec.program.count

    def run(self, backend: Backend) -> Observations:
        return backend.run(self.program)
