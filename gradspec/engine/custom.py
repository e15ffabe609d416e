"""Custom functions: a node whose backward is given with it, as torch.autograd.Function has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from gradspec.dtypes import category, is_differentiable
from gradspec.engine.inplace import CopySlices, check_target, restride
from gradspec.engine.memory import View
from gradspec.engine.plan import Part, sum_to
from gradspec.engine.tape import Traced
from gradspec.engine.undefined import UNDEFINED, Cotangents
from gradspec.errors import ProgramError, UnsupportedFeature

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradspec.engine.kind import Kind
    from gradspec.engine.machine import Machine

__all__ = ["CustomNode", "FunctionLike", "Recomputed", "apply_custom"]


class Recomputed(dict[int, Any]):
    """What one node of a checkpoint saved, made again, by slot; other slots are looked up in `others`, and
    an input of the node may be named from the end, by a negative number. `saved`: likewise for a custom
    function, tensors in their order."""

    def __init__(self, others: Any, ins: Sequence[int]) -> None:
        super().__init__()
        self.others = others
        self.ins = ins
        self.saved: list[int] = []

    def __missing__(self, slot: int) -> Any:
        return self[self.ins[slot]] if slot < 0 else self.others[slot]


class FunctionLike(Protocol):
    """What the engine needs to know of a function. `dirty`: the places of the inputs that forward changes
    in place; `once`: its backward cannot be differentiated."""

    name: str
    dirty: tuple[int, ...]
    once: bool

    def forward(self, inputs: Sequence[Any]) -> tuple[list[Any], list[Any]]: ...
    def backward(self, cotangents: Sequence[Any], saved: Sequence[Any]) -> list[Any]: ...


def apply_custom(machine: Machine, function: FunctionLike, tensors: Sequence[int]) -> tuple[int, ...]:
    """Run forward without recording; its outputs, with the function as their node.

    Raises:
        ProgramError: what forward raises, leaf-in-place and the other in-place errors for a dirty input,
            inference-tensor, invalid-argument for an output that is None.
    """
    tape = machine.tape
    ins = [machine.memory.slot(tensor) for tensor in tensors]
    if tape.recording and any(tape.kinds[slot].grad for slot in ins):
        ins = [machine.slot(tensor) for tensor in tensors]
    recording, tape.recording = tape.recording, False
    try:
        outputs, saved = function.forward(tensors)
    finally:
        tape.recording = recording
    if None in outputs or None in saved:
        raise ProgramError("invalid-argument", f"a result of {function.name} is None")
    for place in function.dirty:
        machine.memory.write(
            tensors[place], machine.value(tensors[place])
        )  # a change of its own, as in torch
    call = _Call(machine, function, tensors, ins)
    flows = [is_differentiable(machine.kind(output).dtype) for output in outputs]
    if not (recording and any(flows) and any(tape.kinds[slot].grad for slot in ins)):
        return tuple([call.without_node(output) for output in outputs])
    if any(machine.memory.slot(tensor) in tape.inferred for tensor in saved):
        raise ProgramError("inference-tensor", "an inference tensor cannot be saved for backward")
    return call.with_node(outputs, flows, saved)


class _Call:
    """One application of a function: what becomes of its outputs."""

    def __init__(
        self, machine: Machine, function: FunctionLike, tensors: Sequence[int], ins: list[int]
    ) -> None:
        self.machine = machine
        self.tape = machine.tape
        self.memory = machine.memory
        self.function = function
        self.tensors = tensors
        self.ins = ins
        self.dirty = {tensors[place] for place in function.dirty}

    def without_node(self, output: int) -> int:
        """An output that no gradient flows through: itself, or another name of the input that it is."""
        memory, kind = self.memory, self.machine.kind(output)
        if output in self.dirty and not kind.grad:
            return output
        if output in self.tensors:
            alias = self.tape.push(self.machine.value(output), self.tape.engine.kinds.with_grad(kind, False))
            return self._alias(alias, output, "detach" if kind.grad else "view", several=False)
        view = memory.views.get(output)
        if view is not None and view.how == "view":
            memory.views[output] = view._replace(custom=True)
        elif kind.grad:
            self.machine.detach_in_place(output)
        return output

    def _alias(self, alias: int, output: int, how: str, *, several: bool) -> int:
        """A new name for the memory of an input."""
        memory = self.memory
        memory.add(alias, View(output, how, None, (), 0, several, True, how == "view" and not several))
        memory.lay(alias, memory.layout(memory.slot(output)))
        return alias

    def with_node(self, outputs: list[int], flows: list[bool], saved: list[int]) -> tuple[int, ...]:
        """The outputs, each with its place in the function's node."""
        kinds = [self.machine.kind(output) for output in outputs]
        order = list(range(len(self.ins)))
        for output in outputs:
            if output in self.dirty:
                check_target(self.tape, output)
                if output in self.memory.views and self.memory.base(output) != output:
                    if len(outputs) > 1:
                        text = "a function that changes a view in place can give back only that"
                        raise ProgramError("custom-view-in-place", text)
                    order.sort(key=lambda place: self.tensors[place] != output)  # as CopySlices has it
        node = CustomNode(self.machine, self.function, kinds, order, len(self.tape.values))
        ins = tuple([self.ins[place] for place in order])
        node.inputs = ins
        flags = [self.tape.kinds[slot] for slot in ins]
        node.edges = tuple([k if kind.grad and not kind.lent else None for k, kind in enumerate(flags)])
        self.tape.special = self.tape.passes_on = True
        placed: dict[int, int] = {}
        if len(outputs) == 1:
            placed[outputs[0]] = self._place(outputs[0], node, ins, several=False)
        else:
            base = self.tape.push(None, None, node, ins)
            last = {output: j for j, output in enumerate(outputs)}
            for output, j in last.items():  # one that is given back twice has the last of its places
                part = Part(node.name, j, len(outputs))
                placed[output] = (
                    self._place(output, part, (base,), several=sum(flows) > 1)
                    if flows[j]
                    else self.without_node(output)
                )
        node.saved = tuple([placed[s] if s in placed and s not in self.tensors else s for s in saved])
        node.slots = tuple([self.memory.slot(s) for s in node.saved])
        return tuple([placed[output] for output in outputs])

    def _place(self, output: int, node: Any, ins: tuple[int, ...], *, several: bool) -> int:
        """The tensor that an output is from here on, its history this node."""
        tape, memory = self.tape, self.memory
        kind = tape.engine.kinds.with_grad(self.machine.kind(output), True)
        if output in self.dirty:
            return self._rebase(output, kind, node, ins)
        value = self.machine.value(output)
        if output in self.tensors:
            return self._alias(tape.push(value, kind, node, ins), output, "view", several=several)
        view = memory.views.get(output)
        if view is not None and view.how == "view":
            memory.views[output] = view._replace(several=several, recorded=True, custom=not several)
        elif not (view or output in memory.now or output in memory.laid or memory.version(output)):
            return tape.push(value, kind, node, ins)
        memory.move(output, tape.push(value, kind, node, ins))
        memory.known[output] = memory.version(output)
        return output

    def _rebase(self, tensor: int, kind: Kind, node: Any, ins: tuple[int, ...]) -> int:
        """Give an input that was changed in place the function as its history."""
        tape, memory = self.tape, self.memory
        base = memory.base(tensor)
        if base == tensor:
            memory.move(tensor, tape.push(self.machine.value(tensor), kind, node, ins))
        else:
            under = memory.slot(base)
            copy = CopySlices(tape, node, memory.places(tensor, base), ins, under)
            above = tape.engine.kinds.with_grad(tape.kinds[under], True)
            memory.move(base, tape.push(tape.values[under], above, copy, (under, *ins[1:])))
            copy.slot = restride(tape, tensor)
        memory.lend(base)
        return tensor


class CustomNode:
    """The node of a custom function. Like a Plan where backward looks.

    kinds   of the outputs
    order   for each of the node's inputs its place among the function's
    inputs  the slots of the node's inputs
    edges   for each of the node's inputs its position, None where no gradient goes to it
    time    when the function was applied: what was written later is seen by backward as changed
    saved   the tensors that backward is given
    slots   where they were then
    """

    materializes = True  # an undefined cotangent becomes zeros
    saves: tuple[int, ...] = ()  # whether they were changed since is this node's own affair
    saves_parts: tuple[int, ...] = ()
    saves_output = False
    compute: str | None = None

    def __init__(
        self, machine: Machine, function: FunctionLike, kinds: list[Kind], order: list[int], time: int
    ) -> None:
        self.machine = machine
        self.function = function
        self.kinds = kinds
        self.order = order
        self.time = time
        self.inputs: tuple[int, ...] = ()
        self.edges: tuple[int | None, ...] = ()
        self.saved: tuple[int, ...] = ()
        self.slots: tuple[int, ...] = ()
        self.name = f"{function.name}Backward"
        self.out_dtype = kinds[0].dtype

    @property
    def saves_anything(self) -> bool:
        return bool(self.saved)

    @property
    def feeds(self) -> tuple[int, ...]:
        """The input positions that a gradient goes to."""
        return tuple(position for position in self.edges if position is not None)

    @property
    def freed(self) -> Any:
        """What takes the node's place once it was freed; a node that saves nothing stays."""
        return _FreedFunction(self) if self.saved else self

    def back(self, ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
        self._run(ct, values, ins, grads, None)

    def write_back(self, xp: Any, *, recorded: bool) -> Callable[..., None]:
        def back(ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
            self._run(ct, values, ins, grads, xp if recorded else None)

        return back

    def _run(self, ct: Any, values: Any, ins: Any, grads: Any, xp: Any) -> None:
        """Run backward and add what it gives to `grads`; xp is the namespace that records, or None."""
        machine, tape = self.machine, self.machine.tape
        parts = ct if len(self.kinds) > 1 else [ct]
        given = [self._tensor(part, kind) for part, kind in zip(parts, self.kinds, strict=True)]
        again = getattr(values, "saved", None)  # what a checkpoint has made again
        saved = self._unpacked() if again is None else again
        recording = tape.recording
        if self.function.once:
            tape.recording = False
        try:
            results = self.function.backward(given, saved)
        finally:
            tape.recording = recording
        closed = self.function.once and recording and any(machine.kind(g).grad for g in given)
        for position in self.feeds:
            slot, place = ins[position], self.order[position]
            kind, result = tape.kinds[self.inputs[position]], results[place]
            if result is None:
                if isinstance(grads, Cotangents):
                    grads.undefined(slot)
                continue
            self._check(result, kind, place)
            space = xp or machine.space(kind)
            if xp is None:
                part = machine.value(result)
            else:
                part = Traced(tape, self._closed(result) if closed else machine.slot(result))
            part = sum_to(space, part, kind.shape)
            mine = machine.kind(result).dtype
            if mine != kind.dtype:
                part = (xp or tape.engine.library.namespace(mine, zero_dim=not kind.shape)).astype(
                    part, kind.dtype
                )
            grads[slot] = space.add(grads[slot], part) if slot in grads else part

    def _tensor(self, ct: Any, kind: Kind) -> int:
        """A cotangent as a tensor; one that has not come is zeros."""
        tape = self.machine.tape
        if ct is None or ct is UNDEFINED:
            ct = self.machine.space(kind).zeros(kind.shape, kind.dtype)
        if isinstance(ct, Traced):
            return self.machine.memory.owner.get(ct.slot, ct.slot)
        return tape.array(ct, kind.dtype)

    def _unpacked(self) -> tuple[int, ...]:
        """What was saved. Raises modified-in-place where it was changed or detached since."""
        tape, memory = self.machine.tape, self.machine.memory
        for tensor in self.saved:
            if memory.last_write(memory.slot(tensor)) > self.time or memory.slot(tensor) in tape.cut:
                raise ProgramError(
                    "modified-in-place", f"a value that {self.name} saved was changed in place since"
                )
        return self.saved

    def _check(self, gradient: int, kind: Kind, place: int) -> None:
        """Raises gradient-shape and gradient-dtype, as torch does for what backward gives."""
        given = self.machine.kind(gradient)
        lead = len(given.shape) - len(kind.shape)
        fits = lead >= 0 and all(
            mine in (1, other) for mine, other in zip(kind.shape, given.shape[lead:], strict=True)
        )
        which = f"gradient {place + 1} that {self.name} gave"
        if not fits:
            raise ProgramError(
                "gradient-shape", f"{which} has shape {list(given.shape)}, its input {list(kind.shape)}"
            )
        if category(given.dtype) != 2 and (category(given.dtype) == 3) != (category(kind.dtype) == 3):
            raise ProgramError("gradient-dtype", f"{which} is {given.dtype}, its input {kind.dtype}")

    def _closed(self, gradient: int) -> int:
        """A gradient that depends on one that requires grad, and cannot be differentiated."""
        tape = self.machine.tape
        kind = tape.engine.kinds.with_grad(self.machine.kind(gradient), True)
        return tape.push(self.machine.value(gradient), kind, _Closed(kind.dtype))


class _Closed:
    """The node of a gradient that cannot be differentiated. It leads nowhere."""

    name = "Error"
    saves: tuple[int, ...] = ()
    saves_parts: tuple[int, ...] = ()
    saves_output = False
    saves_anything = False
    compute: str | None = None

    def __init__(self, dtype: str) -> None:
        self.out_dtype = dtype

    @property
    def edges(self) -> tuple[int | None, ...]:
        raise UnsupportedFeature("graph", "torch's node leads to leaves that no name means")

    @property
    def freed(self) -> _Closed:
        return self

    def back(self, ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
        raise ProgramError(
            "once-differentiable", "this gradient comes from a function that can be differentiated once"
        )


class _FreedFunction:
    """Takes the place of a CustomNode whose saved values were freed."""

    gone = True
    saves: tuple[int, ...] = ()
    saves_parts: tuple[int, ...] = ()
    saves_output = False
    saves_anything = False

    def __init__(self, node: CustomNode) -> None:
        self.name = node.name
        self.edges = node.edges
        self.feeds = node.feeds

    @property
    def freed(self) -> _FreedFunction:
        return self

    def back(self, ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
        raise ProgramError(
            "graph-freed", f"the saved values of {self.name} were freed by an earlier backward"
        )
