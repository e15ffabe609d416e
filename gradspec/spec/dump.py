"""The canonical program as JSON: `program_to_json` and its inverse `program_from_json`.

Every op is a single call with every argument bound to its name.  Names, not numbers, say which tensor
is meant: the first binding of a name is called as the author called it, the second `x#2`, and so on
(no author's name holds a `#`); what has no name is `%1`, `%2`, … in the order of the program.  A name
is given to exactly one tensor, so nothing has to be known about rebinding to run the program.

In `args` a tensor is `{"tensor": name}` (several: a list of them), an index a list whose slices are
`{"slice": [start, stop, step]}` and whose `...` is `{"ellipsis": true}`.  Numbers, also in the place
of a tensor, are numbers; `{"number": "inf"}` and `{"number": [re, im]}` are those JSON does not have.
Arrays are `{dtype, shape, data}`, as `Dense.to_json` has them.  `format` is the oldest format that has
all the kinds of step in it: 1, or "1.N".
"""

from __future__ import annotations

from typing import Any

from gradspec.dense import Dense
from gradspec.spec.assemble import Assembler
from gradspec.spec.format import FIRST, NEWEST, Format, read_format, show_format
from gradspec.spec.model import (
    Apply,
    Backward,
    Block,
    Call,
    Custom,
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
)
from gradspec.spec.signature import find

__all__ = ["program_from_json", "program_to_json"]

_WRAPPED = "number"


def program_to_json(program: Program) -> dict[str, Any]:
    """The canonical form of a program, ready for `json.dumps`."""
    writer = _Writer(program)
    leaves = [writer.leaf(leaf) for leaf in program.leaves]
    steps = [writer.step(step) for step in program.steps]
    return {
        "format": 1 if writer.format == FIRST else show_format(writer.format),
        "id": program.id,
        "dtype": program.dtype,
        "leaves": leaves,
        "steps": steps,
        "count": program.count,
    }  # fmt: skip


def program_from_json(view: dict[str, Any]) -> Program:
    """The program that `program_to_json` wrote; bindings are numbered in the order of the text again.

    Raises ValueError for another format, KeyError for what is not there.
    """
    written = read_format(str(view.get("format")))
    if written is None or not FIRST <= written <= NEWEST:
        raise ValueError(
            f"a program in format {view.get('format')!r}; this gradspec reads 1.0 to {show_format(NEWEST)}"
        )
    reader = _Reader(view["id"], view["dtype"])
    for leaf in view["leaves"]:
        data = reader.array(leaf["data"])
        reader.assembler.leaves.append(Leaf(reader.bind(leaf["name"]), data, leaf["requires_grad"]))
    steps = tuple(reader.step(step) for step in view["steps"])
    return reader.assembler.program(steps, view["count"])


def _number_out(value: Any) -> Any:
    encoded = Dense("", (), [value]).to_json()["data"][0]
    return encoded if isinstance(encoded, (bool, int, float)) else {_WRAPPED: encoded}


def _number_in(value: Any) -> Any:
    wrapped = isinstance(value, dict) and _WRAPPED in value
    return (
        Dense.from_json({"dtype": "", "shape": [], "data": [value[_WRAPPED]]}).data[0] if wrapped else value
    )


class _Writer:
    """Steps of one program as JSON."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.format = FIRST  # the oldest that has what was written so far
        self._names: list[str] = []
        seen: dict[str, int] = {}
        nameless = 0
        for binding, name in enumerate(program.names):
            if binding in program.constants:
                self._names.append("")
            elif not name:
                nameless += 1
                self._names.append(f"%{nameless}")
            else:
                seen[name] = count = seen.get(name, 0) + 1
                self._names.append(name if count == 1 else f"{name}#{count}")

    def name(self, binding: int) -> str:
        return self._names[binding]

    def names(self, bindings: tuple[int, ...]) -> list[str]:
        return [self._names[binding] for binding in bindings]

    def array(self, value: Any) -> Any:
        if value is None:
            return None
        return {"tensor": self.name(value.binding)} if isinstance(value, Ref) else value.to_json()

    def leaf(self, leaf: Leaf) -> dict[str, Any]:
        data = self.array(leaf.data)
        return {"name": self.name(leaf.binding), "data": data, "requires_grad": leaf.requires_grad}

    def step(self, step: Any) -> dict[str, Any]:
        self.format = max(self.format, _SINCE.get(type(step), FIRST))
        # the table maps each type to its writer
        return _WRITE[type(step)](self, step)  # type: ignore[no-any-return]

    def steps(self, steps: tuple[Any, ...]) -> list[dict[str, Any]]:
        return [self.step(step) for step in steps]

    def argument(self, value: Any, inputs: tuple[int, ...]) -> Any:
        if isinstance(value, Slot):
            binding = inputs[value.k]
            if binding in self.program.constants:
                return _number_out(self.program.constants[binding])
            return {"tensor": self.name(binding)}
        if isinstance(value, IndexSlice):
            return {"slice": [self.argument(part, inputs) for part in value]}
        if isinstance(value, tuple):
            return [self.argument(each, inputs) for each in value]
        if value is Ellipsis:
            return {"ellipsis": True}
        return value if value is None or isinstance(value, str) else _number_out(value)

    def apply(self, step: Apply) -> dict[str, Any]:
        call = self.program.calls[step.call]
        args = {name: self.argument(value, step.inputs) for name, value in call.args}
        return {"op": call.op, "args": args, "out": self.names(step.out), "at": step.at}

    def flags(self, step: Any) -> dict[str, Any]:
        gradient = [self.array(each) for each in step.gradient]
        return {"gradient": gradient, "retain_graph": step.retain_graph, "create_graph": step.create_graph}

    def watch(self, step: Watch) -> dict[str, Any]:
        if any(field in _FIELDS_SINCE for look in step.looks for field in look.fields):
            self.format = max(self.format, (1, 1))
        looks = [{"of": self.name(b), "path": path, "fields": list(fields)} for b, path, fields in step.looks]
        return {"watch": looks, "at": step.at}

    def set_attr(self, step: SetAttr) -> dict[str, Any]:
        value = {"tensor": self.name(step.value.binding)} if isinstance(step.value, Ref) else step.value
        return {"set": step.name, "of": self.name(step.of), "value": value, "at": step.at}

    def grad(self, s: Grad) -> dict[str, Any]:
        if s.is_grads_batched:
            self.format = max(self.format, (1, 1))
        batched = {"is_grads_batched": True} if s.is_grads_batched else {}
        return {
            "grad": self.names(s.of), "wrt": self.names(s.wrt), "out": self.names(s.out), **self.flags(s),
            "allow_unused": s.allow_unused, "materialize_grads": s.materialize_grads, **batched,
            "at": s.at,
        }  # fmt: skip

    def custom(self, s: Custom) -> dict[str, Any]:
        return {
            "custom": s.name, "of": self.names(s.of), "args": self.names(s.args),
            "forward": self.steps(s.forward), "results": self.names(s.results), "out": self.names(s.out),
            "save": self.names(s.save), "dirty": list(s.dirty),
            "grads": self.names(s.grads), "saved": self.names(s.saved), "backward": self.steps(s.backward),
            "returns": [None if b is None else self.name(b) for b in s.returns],
            "once_differentiable": s.once, "at": s.at,
        }  # fmt: skip

    def block(self, s: Block) -> dict[str, Any]:
        self.format = max(self.format, _SINCE_MODES.get(s.mode, FIRST))
        return {"block": s.mode, "steps": self.steps(s.steps), "at": s.at}

    def hook(self, s: Hook) -> dict[str, Any]:
        if s.of_node:
            self.format = max(self.format, (1, 1))
        before = {"before": s.before} if s.before else {}
        return {
            "hook": s.name, "of": self.name(s.of), "grad": self.name(s.grad), "steps": self.steps(s.steps),
            "result": self.name(s.result), "after": s.after, **before, "at": s.at,
        }  # fmt: skip


def _make(w: _Writer, s: Make) -> dict[str, Any]:
    return {"make": s.data.to_json(), "requires_grad": s.requires_grad, "out": w.name(s.out), "at": s.at}


def _backward(w: _Writer, s: Backward) -> dict[str, Any]:
    if not s.of:
        w.format = max(w.format, (1, 1))
    inputs = None if s.inputs is None else w.names(s.inputs)
    return {"backward": w.names(s.of), **w.flags(s), "inputs": inputs, "at": s.at}


def _jvp(w: _Writer, s: Jvp) -> dict[str, Any]:
    tangents = [[w.name(binding), w.array(tangent)] for binding, tangent in s.tangents]
    return {"jvp": w.name(s.of), "tangents": tangents, "out": w.name(s.out), "at": s.at}


_FIELDS_SINCE = ("next_functions", "nodes")  # fields of a look that came with format 1.1
_SINCE: dict[type[Any], Format] = {Custom: (1, 1)}  # kinds of step that are no part of format 1.0
_SINCE_MODES: dict[str, Format] = {"checkpoint": (1, 1)}  # likewise of block
_WRITE: dict[type[Any], Any] = {
    Apply: _Writer.apply,
    Make: _make,
    GetAttr: lambda w, s: {"get": s.name, "of": w.name(s.of), "out": w.name(s.out), "at": s.at},
    SetAttr: _Writer.set_attr,
    RetainGrad: lambda w, s: {"retain_grad": w.names(s.of), "at": s.at},
    Backward: _backward,
    Grad: _Writer.grad,
    Jvp: _jvp,
    ZeroGrad: lambda w, s: {"zero_grad": w.names(s.of), "set_to_none": s.set_to_none, "at": s.at},
    Block: _Writer.block,
    Hook: _Writer.hook,
    Custom: _Writer.custom,
    RemoveHook: lambda _, s: {"remove_hook": s.name, "at": s.at},
    Watch: _Writer.watch,
    HookLog: lambda _, s: {"hook_log": True, "at": s.at},
}


class _Reader:
    """Steps from JSON; names become bindings as they are made."""

    def __init__(self, id: str, dtype: str) -> None:
        self.assembler = Assembler(id, dtype)
        self.known: dict[str, int] = {}

    def bind(self, name: str) -> int:
        author = "" if name.startswith("%") else name.partition("#")[0]
        self.known[name] = binding = self.assembler.binding(author)
        return binding

    def binds(self, names: list[str]) -> tuple[int, ...]:
        return tuple(self.bind(name) for name in names)

    def of(self, names: list[str]) -> tuple[int, ...]:
        return tuple(self.known[name] for name in names)

    def array(self, view: Any) -> Any:
        if view is None:
            return None
        return Ref(self.known[view["tensor"]]) if "tensor" in view else Dense.from_json(view)

    def step(self, view: dict[str, Any]) -> Any:
        kind = next((key for key in _READ if key in view), None)
        if kind is None:
            raise ValueError(f"a step of an unknown kind: {', '.join(view)}")
        return _READ[kind](self, view)

    def steps(self, views: list[dict[str, Any]]) -> tuple[Any, ...]:
        return tuple(self.step(view) for view in views)

    def argument(self, value: Any, kind: str, inputs: list[int]) -> Any:
        """An argument of a call; `kind` is its parameter's, which tells a weak number from a static one."""
        if isinstance(value, dict):
            if "tensor" in value:
                return _slot(self.known[value["tensor"]], inputs)
            if "slice" in value:
                return IndexSlice(*(self.argument(part, "Index", inputs) for part in value["slice"]))
            if "ellipsis" in value:
                return Ellipsis
        if isinstance(value, list):
            return tuple(self.argument(each, kind, inputs) for each in value)
        number = _number_in(value)
        weak = kind in ("Tensor", "Operand") and isinstance(number, (bool, int, float, complex))
        return _slot(self.assembler.constant(number), inputs) if weak else number

    def apply(self, view: dict[str, Any]) -> Apply:
        signature = find(view["op"])
        if signature is None:
            raise ValueError(f"no op {view['op']!r}")
        given: dict[str, Any] = view["args"]
        if unknown := given.keys() - {param.name for param in signature.params}:
            raise ValueError(f"{view['op']} has no argument {', '.join(sorted(unknown))}")
        inputs: list[int] = []
        args = tuple(
            (param.name, self.argument(given[param.name], param.kind, inputs))
            for param in signature.params
            if param.name in given
        )
        call = self.assembler.call(Call(view["op"], args))
        return Apply(call, tuple(inputs), self.binds(view["out"]), view["at"])

    def gradient(self, view: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(self.array(each) for each in view["gradient"])

    def backward(self, v: dict[str, Any]) -> Backward:
        inputs = None if v["inputs"] is None else self.of(v["inputs"])
        return Backward(
            self.of(v["backward"]), self.gradient(v), v["retain_graph"], v["create_graph"], inputs, v["at"]
        )

    def grad(self, v: dict[str, Any]) -> Grad:
        of, wrt, gradient = self.of(v["grad"]), self.of(v["wrt"]), self.gradient(v)
        out = self.binds(v["out"])
        flags = v["retain_graph"], v["create_graph"], v["allow_unused"], v["materialize_grads"]
        return Grad(of, wrt, out, gradient, *flags, v["at"], v.get("is_grads_batched", False))

    def jvp(self, v: dict[str, Any]) -> Jvp:
        tangents = tuple((self.known[name], self.array(array)) for name, array in v["tangents"])
        return Jvp(self.known[v["jvp"]], tangents, self.bind(v["out"]), v["at"])

    def hook(self, v: dict[str, Any]) -> Hook:
        of, grad = self.known[v["of"]], self.bind(v["grad"])
        steps = self.steps(v["steps"])
        result, before = self.known[v["result"]], v.get("before", "")
        return Hook(of, v["hook"], grad, steps, result, v["after"], v["at"], before)

    def custom(self, v: dict[str, Any]) -> Custom:
        of, args = self.of(v["of"]), self.binds(v["args"])
        forward = self.steps(v["forward"])
        grads, saved = self.binds(v["grads"]), self.binds(v["saved"])
        backward = self.steps(v["backward"])
        returns = tuple(None if name is None else self.known[name] for name in v["returns"])
        return Custom(
            v["custom"], of, args, forward, self.of(v["results"]), self.binds(v["out"]), self.of(v["save"]),
            tuple(v["dirty"]), grads, saved, backward, returns, v["once_differentiable"], v["at"],
        )  # fmt: skip

    def set_attr(self, v: dict[str, Any]) -> SetAttr:
        value = Ref(self.known[v["value"]["tensor"]]) if isinstance(v["value"], dict) else v["value"]
        return SetAttr(self.known[v["of"]], v["set"], value, v["at"])

    def watch(self, v: dict[str, Any]) -> Watch:
        looks = (Look(self.known[look["of"]], look["path"], tuple(look["fields"])) for look in v["watch"])
        return Watch(tuple(looks), v["at"])


def _slot(binding: int, inputs: list[int]) -> Slot:
    inputs.append(binding)
    return Slot(len(inputs) - 1)


_READ: dict[str, Any] = {  # a step is of the first of these kinds that it has as a key
    "op": _Reader.apply,
    "custom": _Reader.custom,
    "make": lambda r, v: Make(Dense.from_json(v["make"]), v["requires_grad"], r.bind(v["out"]), v["at"]),
    "get": lambda r, v: GetAttr(r.known[v["of"]], v["get"], r.bind(v["out"]), v["at"]),
    "set": _Reader.set_attr,
    "retain_grad": lambda r, v: RetainGrad(r.of(v["retain_grad"]), v["at"]),
    "backward": _Reader.backward,
    "hook": _Reader.hook,
    "grad": _Reader.grad,
    "jvp": _Reader.jvp,
    "zero_grad": lambda r, v: ZeroGrad(r.of(v["zero_grad"]), v["set_to_none"], v["at"]),
    "block": lambda r, v: Block(v["block"], r.steps(v["steps"]), v["at"]),
    "remove_hook": lambda _, v: RemoveHook(v["remove_hook"], v["at"]),
    "watch": _Reader.watch,
    "hook_log": lambda _, v: HookLog(v["at"]),
}
