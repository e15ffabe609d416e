"""The embedded backends: gradspec's own engine over an array library."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gradspec.backends.base import NATIVE, UNSUPPORTED, Warned
from gradspec.backends.bookkeeping import UNBOUND
from gradspec.backends.stepwise import StepwiseBackend
from gradspec.engine.machine import Machine
from gradspec.engine.printing import tensor_text
from gradspec.engine.tape import Engine
from gradspec.errors import ProgramError, UnsupportedFeature
from gradspec.ops import registry
from gradspec.ops.recording import Recorder
from gradspec.spec.model import Apply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradspec.arrays.contract import ArrayLibrary
    from gradspec.backends.bookkeeping import Run
    from gradspec.dense import Dense
    from gradspec.spec.model import Call, Program

__all__ = ["TapeBackend"]


class TapeBackend(StepwiseBackend):
    """Runs programs on the tape engine. Tensors are numbers: the slots they were made at."""

    library: ArrayLibrary

    def __init__(self) -> None:
        super().__init__()
        self.engine = Engine(self.library, registry.base_of)
        self.machine = Machine(self.engine, Recorder)

    def supports(self, feature: str) -> str:
        if feature.startswith("op:"):
            return NATIVE if registry.base_of(feature[3:]) is not None else UNSUPPORTED
        return UNSUPPORTED if feature in self.missing else NATIVE

    missing: frozenset[str] = frozenset()

    # The session.

    @contextmanager
    def session(self, program: Program) -> Iterator[None]:
        self.machine = Machine(self.engine, Recorder)
        self.pending = self.machine.tape.warned
        with self.quiet():
            try:
                yield
            finally:
                self.machine = Machine(self.engine, Recorder)  # the tape goes with its run

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Keeps the array library from warning of floating-point events."""
        yield

    def warning(self, item: Any) -> Warned:
        return Warned(*item)

    @contextmanager
    def _recording(self, wanted: bool) -> Iterator[None]:
        tape = self.machine.tape
        before, tape.recording = tape.recording, wanted
        try:
            yield
        finally:
            tape.recording = before

    def block(self, mode: str) -> Any:
        if mode in ("no_grad", "enable_grad"):
            return self._recording(mode == "enable_grad")
        raise UnsupportedFeature(mode.replace("_", "-"))

    # Ops.

    def constant(self, number: Any) -> Any:
        return None if number is None else self.machine.tape.number(number)

    def prepare(self, call: Call) -> Any:
        """The plans of the call with and without recording; the in-place form of an op by its own name."""
        op = registry.base_of(call.op)
        if op is None:
            raise UnsupportedFeature(f"op:{call.op}", f"no op {call.op} here")
        if op.name != call.op:
            raise UnsupportedFeature("in-place", f"{call.op} changes a tensor in place")
        return (
            self.engine.table(call.op, call.args, recording=False),
            self.engine.table(call.op, call.args, recording=True),
        )

    def apply(self, call: Any, inputs: list[Any]) -> Sequence[int]:
        tape = self.machine.tape
        if None in inputs:
            raise ProgramError("invalid-argument", "an operand is None")
        return tape.apply(call[tape.recording], tuple(inputs))

    def apply_run(self, run: Run, steps: Sequence[Any], start: int) -> int:
        """Run consecutive ops. Those that need nothing but a plan that is there take the short path."""
        if run.recorded is not None:
            return run.apply_run(steps, start)
        tape = self.machine.tape
        values, kinds, nodes, ins = tape.values, tape.kinds, tape.nodes, tape.ins
        new_value, new_kind, new_node, new_ins = values.append, kinds.append, nodes.append, ins.append
        bound, failed, recording = run.values, run.failed, tape.recording
        tables = [None if call is None else call[recording] for call in run.calls]
        k, count, index = len(values), len(steps), start
        while index < count:
            try:
                for index in range(index, count):
                    step = steps[index]
                    if step.__class__ is not Apply:
                        return index
                    call, inputs, out, _ = step
                    if len(inputs) == 2:
                        a, b = inputs
                        pair = (bound[a], bound[b])
                        a, b = pair
                        plan = tables[call][kinds[a], kinds[b]]
                        if plan.plain:
                            new_value(plan.forward(values[a], values[b]))
                        else:
                            raise KeyError
                    else:
                        (a,) = inputs
                        pair = (bound[a],)
                        (a,) = pair
                        plan = tables[call][(kinds[a],)]
                        if plan.plain:
                            new_value(plan.forward(values[a]))
                        else:
                            raise KeyError
                    new_kind(plan.kind)
                    new_node(plan.node)
                    new_ins(pair)
                    bound[out[0]] = k
                    k += 1
                return count
            except (KeyError, TypeError, ValueError, ProgramError):
                # no plan yet, another number of operands, a name without a tensor, an error: the long path
                run.apply_run(steps[: index + 1], index)
                tables[steps[index].call] = None if run.calls[steps[index].call] is None else run.calls[steps[index].call][recording]
                k = len(values)
                index += 1
        return count

    # Tensors.

    def leaf(self, data: Dense, requires_grad: bool) -> int:
        return self.machine.leaf(self.library.load(data), data.dtype, requires_grad)

    def read(self, tensor: int) -> Dense:
        tape = self.machine.tape
        dense: Dense = self.library.dump(tape.values[tensor], tape.kinds[tensor].dtype)
        return dense

    def grad_of(self, tensor: int) -> int | None:
        return self.machine.grads.get(tensor)

    def retain_grad(self, tensor: int) -> None:
        self.machine.retain_grad(tensor)

    def zero_grad(self, tensor: int, set_to_none: bool) -> None:
        self.machine.zero_grad(tensor, set_to_none)

    def backward(self, *arguments: Any) -> None:
        self.machine.backward(*arguments)

    def grad(self, *arguments: Any) -> Sequence[int | None]:
        return self.machine.grad(*arguments)

    def get_attr(self, tensor: int, name: str) -> int | None:
        if name == "grad":
            return self.machine.read_grad(tensor)
        raise UnsupportedFeature("data-attribute")

    def set_attr(self, tensor: int, name: str, value: Any) -> None:
        if name == "grad":
            self.machine.set_grad(tensor, value)
        elif name == "requires_grad":
            self.machine.set_requires_grad(tensor, bool(value))
        else:
            raise UnsupportedFeature("data-attribute")

    # Observing.

    def observe(self, tensor: int, field: str) -> Any:
        machine = self.machine
        kind = machine.kind(tensor)
        if field == "is_leaf":
            return machine.is_leaf(tensor)
        if field == "requires_grad":
            return kind.grad
        if field == "retains_grad":
            return tensor in machine.retains
        if field == "grad_fn":
            return machine.grad_fn(tensor)
        if field == "dtype":
            return kind.dtype
        if field == "shape":
            return kind.shape
        if field == "repr":
            name = machine.grad_fn(tensor)
            return tensor_text(self.read(tensor), grad_fn=name, requires_grad=kind.grad)
        raise UnsupportedFeature(field)

    def identity(self, tensor: int) -> int:
        return tensor
