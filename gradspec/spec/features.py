"""What a program asks of a backend, read off its steps: the words of `FEATURES`, `op:…` and `dtype:…`."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gradspec.dense import Dense
from gradspec.dtypes import DTYPES
from gradspec.ops import registry
from gradspec.spec.model import (
    Apply,
    Backward,
    Block,
    Custom,
    GetAttr,
    Grad,
    Hook,
    HookLog,
    Jvp,
    Leaf,
    Make,
    RemoveHook,
    RetainGrad,
    SetAttr,
    Slot,
    ZeroGrad,
    bodies,
)

if TYPE_CHECKING:
    from gradspec.spec.model import Call, Program

__all__ = ["FEATURES", "features_of_field", "features_of_program", "features_of_step", "gives_view"]

FEATURES = {
    "anomaly": "detect_anomaly blocks",
    "backward-inputs": "backward(inputs=…)",
    "batched-grads": "grad with a batch of gradients (is_grads_batched)",
    "checkpoint": "checkpoint blocks: steps that run again in backward",
    "complex": "complex tensors and numbers",
    "custom-function": "custom: functions with a backward of their own",
    "data-attribute": "reading and writing x.data",
    "detach": "detach and detach_",
    "double-backward": "create_graph: gradients that can be differentiated again",
    "enable-grad": "enable_grad blocks",
    "forward-mode": "jvp",
    "grad-attribute": "reading x.grad into a name",
    "grad-call": "grad: gradients returned instead of accumulated",
    "grad-fn": "the name of the node that made a tensor",
    "graph": "the nodes below a tensor, and the edges between them",
    "hooks": "hooks on tensors, and the order in which they run",
    "identity": "whether two names mean one tensor",
    "in-place": "ops that change a tensor",
    "inference-mode": "inference_mode blocks",
    "leaf-in-program": "tensor(…) in a statement: leaves made while the program runs",
    "memory": "whether two tensors share memory",
    "no-grad": "no_grad blocks",
    "node-hooks": "hooks on the nodes of the graph",
    "post-accumulate-hooks": "hooks that run after a gradient was accumulated",
    "repr": "how a tensor prints",
    "requires-grad-switch": "requires_grad_ and x.requires_grad = …",
    "retain-grad": "retain_grad: gradients kept on tensors that are no leaves",
    "retain-graph": "retain_graph given to backward or grad",
    "set-grad": "writing x.grad",
    "several-roots": "backward or grad from several tensors at once",
    "version": "the count of changes in place",
    "views": "changes in place of tensors that share memory with others",
    "warnings": "warnings, each time a step gives cause for one",
    "zero-grad": "zero_grad",
}
_FIELDS = {
    "grad_fn": "grad-fn", "next_functions": "graph", "nodes": "graph", "repr": "repr", "version": "version",
    "same_as": "identity", "shares_memory_with": "memory", "retains_grad": "retain-grad", "warns": "warnings",
    "hooks": "hooks",
}  # fmt: skip
_MODES = {
    "no_grad": "no-grad", "enable_grad": "enable-grad", "inference_mode": "inference-mode",
    "detect_anomaly": "anomaly", "checkpoint": "checkpoint",
}  # fmt: skip
_FORM_OPS = {"detach": "detach", "detach_": "detach", "requires_grad_": "requires-grad-switch"}
_NOT_A_CHANGE = ("requires_grad_", "detach_")  # a trailing _ that leaves the values alone
_VIEW_FORMS = ("T", "mT", "H", "real", "imag", "detach")
_NONE: frozenset[str] = frozenset()


def features_of_field(field: str) -> frozenset[str]:
    """What looking at a field of `expect` needs, or judging `warns`, `raises` or `hooks`."""
    word = _FIELDS.get(field)
    return frozenset((word,)) if word else _NONE


def features_of_step(program: Program, step: Any) -> frozenset[str]:
    """What one step, or one Leaf, needs. A Block needs its mode; the steps in it are asked for themselves."""
    read = _BY_TYPE.get(type(step))
    return frozenset(read(program, step)) if read else _NONE


def features_of_program(program: Program) -> frozenset[str]:
    """All that a program's leaves and steps need, and what it looks at."""
    found: set[str] = set()
    rest: list[Any] = [*program.leaves, *program.steps]
    while rest:
        step = rest.pop()
        found |= features_of_step(program, step)
        for inner in bodies(step):
            rest += inner
        for look in getattr(step, "looks", ()):
            for field in look.fields:
                found |= features_of_field(field)
    return frozenset(found)


def _data(*arrays: Any) -> set[str]:
    """The dtypes of arrays that are data."""
    found: set[str] = set()
    for array in arrays:
        if isinstance(array, Dense):
            found.add(f"dtype:{array.dtype}")
            if array.dtype.startswith("complex"):
                found.add("complex")
    return found


@lru_cache(maxsize=8192)
def _of_call(call: Call) -> frozenset[str]:
    found = {f"op:{_base(call.op)}"}
    if call.op in _FORM_OPS:
        found.add(_FORM_OPS[call.op])
    if _changes(call.op):
        found.add("in-place")
    for _, value in call.args:
        if isinstance(value, str) and value in DTYPES:
            found.add(f"dtype:{value}")
            if value.startswith("complex"):
                found.add("complex")
        elif isinstance(value, complex):
            found.add("complex")
    return frozenset(found)


def _base(op: str) -> str:
    """The op's own name: `mul_` is mul in place, which is a feature of its own."""
    if op.endswith("_") and op not in registry and (base := registry.base_of(op)) is not None:
        return base.name
    return op


def _changes(op: str) -> bool:
    return op == "__setitem__" or (op.endswith("_") and not op.endswith("__") and op not in _NOT_A_CHANGE)


def _apply(program: Program, step: Apply) -> frozenset[str]:
    found = _of_call(program.calls[step.call])
    constants = program.constants
    for binding in step.inputs:
        if binding in constants and isinstance(constants[binding], complex):
            found |= {"complex"}
    if "in-place" in found and step.inputs[0] in _shared(program):
        found |= {"views"}
    return found


class _Shared:
    """The bindings of one program that are views or have views. The last answer is kept: a program is
    asked about all its steps in turn."""

    program: Any = None
    bindings: frozenset[int] = _NONE  # type: ignore[assignment]  # empty, of any kind


def _shared(program: Program) -> frozenset[int]:
    if _Shared.program is not program:
        _Shared.bindings = _find_shared(program)
        _Shared.program = program
    return _Shared.bindings


def _find_shared(program: Program) -> frozenset[int]:
    family: dict[int, int] = {}  # binding → the binding whose memory it is in
    same: dict[int, int] = {}  # the output of an in-place op is its input
    views: dict[int, set[int]] = {}
    rest = list(reversed(program.steps))
    while rest:
        step = rest.pop()
        for inner in reversed(bodies(step)):
            rest += reversed(inner)
        if isinstance(step, Custom):  # its arguments are the tensors that it was given
            same.update((arg, same.get(of, of)) for arg, of in zip(step.args, step.of, strict=True))
        if isinstance(step, GetAttr) and step.name == "data":
            source, out = step.of, [step.out]
        elif isinstance(step, Apply):
            name = program.calls[step.call].op
            if _changes(name) or name in _NOT_A_CHANGE:
                same[step.out[0]] = same.get(step.inputs[0], step.inputs[0])
                continue
            if not step.inputs or not gives_view(program.calls[step.call]):
                continue
            source, out = step.inputs[0], list(step.out)
        else:
            continue
        source = same.get(source, source)
        root = family.get(source, source)
        for binding in out:
            family[binding] = root
            views.setdefault(root, {root}).add(binding)
    members = {binding for group in views.values() for binding in group}
    members |= {binding for binding, original in same.items() if original in members}
    return frozenset(members)


def gives_view(call: Call) -> bool:
    """Whether an op's output shares its first input's memory."""
    if call.op == "__getitem__":
        index = dict(call.args)["index"]
        entries = index if type(index) is tuple else (index,)
        return not any(type(entry) in (Slot, tuple, bool) for entry in entries)  # those copy
    op = registry.get(call.op)
    return op.view if op is not None else call.op in _VIEW_FORMS


def _flags(step: Any) -> set[str]:
    found = _data(*step.gradient)
    if step.retain_graph is not None:
        found.add("retain-graph")
    if step.create_graph:
        found.add("double-backward")
    if len(step.of) > 1:
        found.add("several-roots")
    return found


def _leaf(program: Program, step: Leaf) -> set[str]:
    return _data(step.data)


def _make(program: Program, step: Make) -> set[str]:
    return {"leaf-in-program"} | _data(step.data)


def _get(program: Program, step: GetAttr) -> set[str]:
    return {"data-attribute" if step.name == "data" else "grad-attribute"}


def _set(program: Program, step: SetAttr) -> set[str]:
    words = {"grad": "set-grad", "data": "data-attribute", "requires_grad": "requires-grad-switch"}
    return {words[step.name]}


def _backward(program: Program, step: Backward) -> set[str]:
    return _flags(step) | ({"backward-inputs"} if step.inputs is not None else set())


def _grad(program: Program, step: Grad) -> set[str]:
    return _flags(step) | {"grad-call"} | ({"batched-grads"} if step.is_grads_batched else set())


def _jvp(program: Program, step: Jvp) -> set[str]:
    return {"forward-mode"} | _data(*(tangent for _, tangent in step.tangents))


def _block(program: Program, step: Block) -> set[str]:
    return {_MODES[step.mode]}


def _custom(program: Program, step: Custom) -> set[str]:
    return {"custom-function", "in-place"} if step.dirty else {"custom-function"}


def _hook(program: Program, step: Hook) -> set[str]:
    if step.of_node:
        return {"hooks", "node-hooks"}
    return {"hooks", "post-accumulate-hooks"} if step.after == "accumulate" else {"hooks"}


def _hooks(program: Program, step: Any) -> set[str]:
    return {"hooks"}


def _retain(program: Program, step: RetainGrad) -> set[str]:
    return {"retain-grad"}


def _zero(program: Program, step: ZeroGrad) -> set[str]:
    return {"zero-grad"}


_BY_TYPE: dict[type[Any], Any] = {
    Apply: _apply,
    Leaf: _leaf,
    Make: _make,
    GetAttr: _get,
    SetAttr: _set,
    RetainGrad: _retain,
    Backward: _backward,
    Grad: _grad,
    Jvp: _jvp,
    ZeroGrad: _zero,
    Block: _block,
    Hook: _hook,
    Custom: _custom,
    RemoveHook: _hooks,
    HookLog: _hooks,
}
