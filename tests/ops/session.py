"""One call of an op, with backward, as a program run through a backend's door."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradspec.dense import Dense
from gradspec.errors import ProgramError
from gradspec.ops import registry
from gradspec.spec.model import Apply, Backward, Call, Grad, Leaf, Look, Program, Ref, Slot, Watch

__all__ = [
    "LIBRARIES",
    "Result",
    "arrays_in",
    "backwards",
    "chain",
    "dense",
    "outputs",
    "run",
    "second_order",
]

LIBRARIES = ("python", "numpy")
_backends: dict[str, Any] = {}


class Result(NamedTuple):
    """What a call gave: by output and by tensor argument."""

    values: list[Any]
    requires_grad: list[bool]
    grad_fn: list[str | None]
    grads: list[Any]


def backend(name: str) -> Any:
    """The embedded backend over that array library."""
    if name not in _backends:
        if name == "python":
            from gradspec.backends.python import PythonBackend as Backend
        else:
            from gradspec.backends.numpy import NumpyBackend as Backend
        _backends[name] = Backend()
    return _backends[name]


def dense(array: Any) -> Dense:
    """A NumPy array as data."""
    data = np.asarray(array)
    return Dense(data.dtype.name, data.shape, data.ravel().tolist())


def array(data: Any) -> Any:
    """Data as a NumPy array; None stays None."""
    return None if data is None else np.array(data.flat(), dtype=data.dtype).reshape(data.shape)


def arrays_in(args: dict[str, Any]) -> list[Any]:
    """The NumPy arrays among arguments, in their order."""
    found: list[Any] = []

    def visit(value: Any) -> None:
        if isinstance(value, np.ndarray):
            found.append(value)
        elif isinstance(value, list | tuple):
            for part in value:
                visit(part)

    for value in args.values():
        visit(value)
    return found


class _Writer:
    """A program of one call, being written: its leaves are the arrays of the call, in order."""

    def __init__(self, op: str, args: dict[str, Any], wants: Any) -> None:
        self.constants: dict[int, Any] = {}
        self.leaves: list[Leaf] = []
        self.count = 0
        self.inputs: list[int] = []
        tensors = {name for name, param in registry[op].by_name.items() if param.is_tensor}
        self.calls = [Call(op, tuple((k, self._slots(v, wants, k in tensors)) for k, v in args.items()))]
        self.tensors = [leaf.binding for leaf in self.leaves]

    def bind(self) -> int:
        self.count += 1
        return self.count - 1

    def leaf(self, value: Any, requires_grad: bool = False) -> int:
        binding = self.bind()
        self.leaves.append(Leaf(binding, dense(value), requires_grad))
        return binding

    def _slots(self, value: Any, wants: Any, tensor: bool) -> Any:
        if isinstance(value, np.ndarray):
            self.inputs.append(self.leaf(value, wants(len(self.leaves))))
            return Slot(len(self.inputs) - 1)
        if isinstance(value, list | tuple):
            return tuple(self._slots(part, wants, tensor) for part in value)
        if tensor and value is not None:
            self.inputs.append(self.bind())
            self.constants[self.inputs[-1]] = value
            return Slot(len(self.inputs) - 1)
        return value

    def apply(self, op: str, *inputs: int, at: int, **statics: Any) -> Apply:
        """A step of its own: an op on bindings, its other arguments as they are."""
        names = [param.name for param in registry.base_of(op).params]
        given = {name: Slot(k) for k, name in enumerate(names[: len(inputs)])}
        self.calls.append(Call(op, tuple({**given, **statics}.items())))
        out = inputs[0] if op.endswith("_") and not op.endswith("__") else self.bind()
        return Apply(len(self.calls) - 1, inputs, (out,), at)

    def run(self, library: str, steps: list[Any]) -> Any:
        program = Program(
            id="call",
            dtype="float32",
            names=("",) * self.count,
            constants=self.constants,
            calls=tuple(self.calls),
            leaves=tuple(self.leaves),
            steps=tuple(steps),
            count=len(steps),
        )
        seen = backend(library).run(program)
        for outcome in seen.outcomes.values():
            if outcome.status == "error":
                raise ProgramError(outcome.code, outcome.text)
            assert outcome.status in ("ok", "not-run"), outcome
        return seen


def outputs(op: str, args: dict[str, Any]) -> int:
    """How many tensors a call gives."""
    entry = registry[op]
    results = entry.results({param.name: args.get(param.name, param.default) for param in entry.params})
    if results != "tuple":
        return 1 if results == "one" else len(results)
    if op == "unbind":
        return int(args["input"].shape[args.get("dim", 0)])
    if op == "chunk":
        size, chunks = args["input"].shape[args.get("dim", 0)], args["chunks"]
        return -(-size // -(-size // chunks)) if size else int(chunks)
    sections = args["split_size_or_sections"]
    if not isinstance(sections, int):
        return len(sections)
    return max(1, -(-args["tensor"].shape[args.get("dim", 0)] // sections))


FIELDS = ("value", "requires_grad", "grad_fn")


def run(library: str, op: str, args: dict[str, Any], wants: Any, cts: list[Any] | None = None) -> Result:
    """Call the op; with `cts`, one for each output, call backward on the outputs that require grad.

    `wants(k)`: whether the k-th array among the arguments requires grad.
    Raises ProgramError.
    """
    writer = _Writer(op, args, wants)
    outs = tuple(writer.bind() for _ in range(outputs(op, args)))
    steps: list[Any] = [
        Apply(0, tuple(writer.inputs), outs, 0), Watch(tuple(Look(out, "", FIELDS) for out in outs), 1),
    ]  # fmt: skip
    first = writer.run(library, steps)
    looks = first.seen[1]
    tracked = [look["requires_grad"] for look in looks]
    grads: list[Any] = [None] * len(writer.tensors)
    if cts is not None and any(tracked):
        roots = [(out, Ref(writer.leaf(ct))) for out, ct, t in zip(outs, cts, tracked, strict=True) if t]
        of, gradients = zip(*roots, strict=True)
        steps.append(Backward(of, gradients, None, False, None, 2))
        steps.append(Watch(tuple(Look(t, "", ("grad",)) for t in writer.tensors), 3))
        grads = [array(look["grad"]) for look in writer.run(library, steps).seen[3]]
    return Result(
        [array(look["value"]) for look in looks], tracked, [look["grad_fn"] for look in looks], grads
    )


def second_order(
    library: str, op: str, args: dict[str, Any], wants: Any, ct: Any, weights: list[Any]
) -> list[Any]:
    """The gradients of Σ weightsₖ·gradₖ, gradₖ being those of the call's first output for cotangent `ct`.

    All arrays among the arguments, then `ct`; None where there is none.
    """
    writer = _Writer(op, args, wants)
    wanted = [leaf.binding for leaf in writer.leaves if leaf.requires_grad]
    outs = tuple(writer.bind() for _ in range(outputs(op, args)))
    seed = writer.leaf(ct, requires_grad=True)
    firsts = tuple(writer.bind() for _ in wanted)
    steps: list[Any] = [
        Apply(0, tuple(writer.inputs), outs, 0),
        Grad(outs[:1], tuple(wanted), firsts, (Ref(seed),), None, True, True, True, 1),
        Watch(tuple(Look(first, "", ("requires_grad",)) for first in firsts), 2),
    ]
    tracked = [look["requires_grad"] for look in writer.run(library, steps).seen[2]]
    roots = [
        (first, Ref(writer.leaf(weight)))
        for first, weight, t in zip(firsts, weights, tracked, strict=True)
        if t
    ]
    if not roots:
        return [None] * (len(writer.tensors) + 1)
    of, gradients = zip(*roots, strict=True)
    steps.append(Backward(of, gradients, None, False, None, 3))
    steps.append(Watch(tuple(Look(t, "", ("grad",)) for t in (*writer.tensors, seed)), 4))
    return [array(look["grad"]) for look in writer.run(library, steps).seen[4]]


def backwards(
    library: str,
    op: str,
    args: dict[str, Any],
    wants: Any,
    cts: list[Any],
    times: int = 1,
    change: int | None = None,
) -> None:
    """Call the op on copies of its arguments, then backward several times.

    `change`: the copy to change in place before, by its number; outputs are counted from the end, as -1.
    Raises ProgramError.
    """
    writer = _Writer(op, args, wants)
    steps: list[Any] = []
    copies = {}
    for leaf in list(writer.leaves):
        steps.append(writer.apply("clone", leaf.binding, at=len(steps)))
        copies[leaf.binding] = steps[-1].out[0]
    outs = tuple(writer.bind() for _ in range(outputs(op, args)))
    steps.append(Apply(0, tuple(copies.get(k, k) for k in writer.inputs), outs, len(steps)))
    if change is not None:
        one = writer.bind()
        writer.constants[one] = 1
        target = outs[change] if change < 0 else copies[writer.tensors[change]]
        steps.append(writer.apply("add_", target, one, at=len(steps)))
    gradients = tuple(Ref(writer.leaf(ct)) for ct in cts)
    for _ in range(times):
        steps.append(Backward(outs[: len(cts)], gradients, False, False, None, len(steps)))
    writer.run(library, steps)


def chain(library: str, start: Any, links: list[tuple[str, dict[str, Any]]]) -> list[tuple[Any, str | None]]:
    """Ops one after the other on a tensor that requires grad; each one's value and grad_fn."""
    writer = _Writer("clone", {"input": start}, lambda _: True)
    steps: list[Any] = [Apply(0, tuple(writer.inputs), (writer.bind(),), 0)]
    for op, statics in links:
        steps.append(writer.apply(op, steps[-1].out[0], at=len(steps), **statics))
    steps.append(Watch(tuple(Look(step.out[0], "", ("value", "grad_fn")) for step in steps[1:]), len(steps)))
    looks = writer.run(library, steps).seen[len(steps) - 1]
    return [(array(look["value"]), look["grad_fn"]) for look in looks]
