"""The torch machine over a tape: tensors with a `.grad`, retaining, hooks, in-place ops, views.

A tensor is known by the slot it was made at.  What few tensors have stands in tables beside the
tape, so that a tensor without it costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import is_differentiable
from gradspec.engine import graph
from gradspec.engine.inplace import change, check_memory, check_target, current
from gradspec.engine.memory import View
from gradspec.engine.strides import spread_over
from gradspec.engine.tape import Tape
from gradspec.errors import ProgramError, UnsupportedFeature

if TYPE_CHECKING:
    from gradspec.engine.kind import Kind
    from gradspec.engine.tape import Engine, Table

__all__ = ["Machine"]

NON_LEAF_GRAD = "reading .grad of a non-leaf that does not retain it; call retain_grad() first"
Hook = Callable[["int | None"], "int | None"]  # of a gradient, None for an undefined one
AfterHook = Callable[[int], None]  # of a leaf
NodeHook = Callable[[list["int | None"]], None]  # of the gradients at a node


class Machine:
    """One program's tensors.

    grads     tensor → its .grad, a tensor or None
    retains   the non-leaves that keep their gradient → where: None for wherever the tensor is
    hooks     slot → hooks on its gradient, in the order they were put on: (number, function)
    hooked_at slot → where hooks go that are put on there: as in torch, where a tensor had some when its shape
              was changed in place, with those
    after     leaf → post-accumulate hooks
    nodes_before, nodes_after    node's slot → hooks on the node
    """

    def __init__(self, engine: Engine) -> None:
        self.tape = Tape(engine)
        self.memory = self.tape.memory
        self.grads: dict[int, int | None] = {}
        self.retains: dict[int, int | None] = {}
        self.hooks: dict[int, dict[int, Hook]] = {}
        self.hooked_at: dict[int, int] = {}
        self.after: dict[int, dict[int, AfterHook]] = {}
        self.nodes_before: dict[int, dict[int, NodeHook]] = {}
        self.nodes_after: dict[int, dict[int, NodeHook]] = {}
        self.shows_grads = False  # whether a .grad was read or assigned, so that it may be used elsewhere
        self._handles = 0
        self.inference = False  # whether inference_mode is on

    def close(self) -> None:
        """Let go of everything: hooks may refer back here, and nothing is to wait for the collector."""
        self.hooks.clear()
        self.after.clear()
        self.tape.close()

    # What a tensor is.

    def slot(self, tensor: int) -> int:
        """Where the tensor's present value and history are.

        Raises:
            ProgramError: multi-view-in-place, no-grad-view-in-place for a view of a changed base.
        """
        return current(self.tape, tensor)

    def value(self, tensor: int) -> Any:
        """The present value, without giving a view its history again."""
        return self.tape.values[self.memory.slot(tensor)]

    def kind(self, tensor: int) -> Kind:
        kind: Kind = self.tape.kinds[self.memory.slot(tensor)]
        return kind

    def is_leaf(self, tensor: int) -> bool:
        return self.tape.nodes[self.slot(tensor)] is None

    def requires_grad(self, tensor: int) -> bool:
        slot = self.slot(tensor)
        return bool(self.tape.kinds[slot].grad)

    def grad_fn(self, tensor: int) -> str | None:
        """The node's name; None for a leaf."""
        node = self.tape.nodes[self.slot(tensor)]
        return None if node is None else node.name

    def next_functions(self, tensor: int) -> tuple[Any, ...] | None:
        """The edges of the node: None, a name, or a name and the number of the output where that is not 0;
        None for a leaf."""
        slot = self.slot(tensor)
        if self.tape.nodes[slot] is None:
            return None
        found = graph.edges(self.tape, graph.node_of(self.tape, slot)[0])
        named = [edge and (graph.name_at(self.tape, edge[0]), edge[1]) for edge in found]
        return tuple(edge and (edge if edge[1] else edge[0]) for edge in named)

    def nodes(self, tensor: int) -> tuple[str, ...] | None:
        """The names of the node and all below it, breadth first; None for a leaf."""
        slot = self.slot(tensor)
        if self.tape.nodes[slot] is None:
            return None
        return graph.names_below(self.tape, graph.node_of(self.tape, slot)[0])

    def leaf(self, value: Any, dtype: str, requires_grad: bool) -> int:
        """A new leaf. Raises ProgramError dtype-not-differentiable."""
        if requires_grad:
            _differentiable(dtype)
        return self.tape.array(value, dtype, grad=requires_grad)

    def assign_requires_grad(self, tensor: int, wanted: bool) -> None:
        """`tensor.requires_grad = wanted`. Raises ProgramError as set_requires_grad, also where a non-leaf
        keeps its flag."""
        if self.tape.nodes[self.memory.slot(tensor)] is not None:
            raise ProgramError("non-leaf-requires-grad", "requires_grad of a non-leaf cannot be assigned")
        self.set_requires_grad(tensor, wanted)

    def set_requires_grad(self, tensor: int, wanted: bool) -> None:
        """requires_grad_(). Raises ProgramError non-leaf-requires-grad, dtype-not-differentiable."""
        kind = self.kind(tensor)
        if wanted and not self.inference and self.memory.slot(tensor) in self.tape.inferred:
            raise ProgramError("inference-tensor", "an inference tensor cannot require grad here")
        if self.tape.nodes[self.memory.slot(tensor)] is not None:
            if not wanted:
                raise ProgramError(
                    "non-leaf-requires-grad",
                    "requires_grad of a non-leaf cannot be switched off; use detach()",
                )
            return
        if wanted:
            _differentiable(kind.dtype)
        memory = self.memory
        if kind.lent and not wanted:
            return
        self._mark(tensor, wanted)
        memory.lend(memory.base(tensor))

    def _mark(self, tensor: int, grad: bool) -> None:
        slot = self.memory.slot(tensor)
        self.tape.kinds[slot] = self.tape.engine.kinds.with_grad(self.tape.kinds[slot], grad)

    @contextmanager
    def inference_mode(self) -> Iterator[None]:
        """No gradients are recorded, and what is made is an inference tensor, views of others excepted."""
        tape = self.tape
        before = tape.recording, self.inference
        tape.recording, self.inference = False, True
        start = len(tape.values)
        try:
            yield
        finally:
            tape.recording, self.inference = before
            tape.inferred.update(
                slot for slot in range(start, len(tape.values))
                if not (slot in self.memory.views and self.memory.root(slot) < start)
            )  # fmt: skip

    # Ops.

    def apply(self, table: Table, tensors: Sequence[int]) -> tuple[int, ...]:
        """Run one call; the tensors it gives."""
        memory, tape = self.memory, self.tape
        if memory.is_quiet():
            return tape.apply(table, tuple(tensors))
        outs = tape.apply(table, tuple([memory.slot(tensor) for tensor in tensors]))
        return tuple([memory.owner.get(out, out) for out in outs])

    def _records(self, slots: tuple[int, ...]) -> bool:
        kinds = self.tape.kinds
        return self.tape.recording and any(kinds[slot].grad for slot in slots)

    def change(
        self, table: Table, tensors: Sequence[int], *, overlap: str | Callable[[str], str] = "same"
    ) -> int:
        """Run a call in place on the first of `tensors`; that tensor. `overlap`: how operands may share its
        memory: "any", "same" (all of it, in the same arrangement) or "none"; "places": none either, but its
        own elements may share memory; "marked", "filled": these, and operands any; "ignored": neither
        matters. Or a function of the written dtype.

        Raises:
            ProgramError: what the op raises, leaf-in-place and the other in-place errors.
        """
        target, tape = tensors[0], self.tape
        if not self.inference and self.memory.slot(target) in tape.inferred:
            raise ProgramError("inference-tensor", "an inference tensor is changed outside inference_mode")
        slots = tuple([self.memory.slot(tensor) for tensor in tensors])
        if self._records(slots):
            check_target(tape, target)
            slots = tuple([self.slot(tensor) for tensor in tensors])
        if callable(overlap):
            overlap = overlap(tape.kinds[slots[0]].dtype)
        if not table.op.view:
            check_memory(tape, target, slots, overlap, spread=table.op.spreads)
        plan = table.prepare(tuple([tape.kinds[s] for s in slots]), [tape.values[s] for s in slots])
        if plan.op.view:
            self._reshape_in_place(target, table, plan, slots)
        else:
            change(tape, target, plan, slots, overlap=overlap)
        return target

    def _reshape_in_place(self, tensor: int, table: Table, plan: Any, slots: tuple[int, ...]) -> None:
        """transpose_ and its kind: another shape for the same memory."""
        memory, tape = self.memory, self.tape
        sharing = {memory.root(other) for other in (*memory.views, *memory.taken)}
        shares = memory.root(tensor) in sharing
        if shares and plan.records and memory.base(tensor) != tensor:
            raise UnsupportedFeature("views", "an in-place change of shape of a view, recorded")
        stand_in = memory.stand_in(tensor) if shares else None
        result = plan.forward(*[tape.values[s] for s in slots])
        grad = plan.records or bool(tape.kinds[slots[0]].grad)
        kind = tape.engine.kinds.of(plan.out_dtype, tape.engine.library.shape_of(result), grad=grad)
        layout = memory.view_layout(table, slots, kind.shape, 0)
        if stand_in is not None:
            memory.place(tensor, View(stand_in, "part", table, slots, 0, False, False))
        if not plan.records:
            if tape.nodes[slots[0]] is not None or any(slots[0] in ins for ins in tape.ins):
                memory.bent.setdefault(slots[0], tape.kinds[slots[0]].shape)
            tape.kinds[slots[0]] = kind
            memory.laid.pop(slots[0], None)
            memory.lay(slots[0], layout)
            memory.write(tensor, result)
            return
        plan.kind = kind
        if self.retains.get(tensor, 0) is None:
            self.retains[tensor] = self.memory.slot(tensor)  # as in torch, not moved along by such an op
        slot = tape.push(result, kind, plan.node, slots)
        tape.passes_on = True  # its cotangent is a view of that of the result
        if slots[0] in self.hooks:
            self.hooked_at[slot] = self.hooked_at.get(slots[0], slots[0])
        memory.move(tensor, slot)
        memory.lay(slot, layout)
        memory.write(tensor, result, time=slot)

    def assign(
        self, get: Table, copy: Table, fill: Table, tensors: Sequence[int], value: int, *, whole: bool
    ) -> None:
        """`x[index] = value`: a view is taken and written into, x itself where the index is all of it.

        `tensors`: x and index tensors; a 0-d value for more than that fills.
        """
        view = tensors[0] if whole else self.apply(get, tensors)[0]
        given, wanted = self.kind(value).shape, self.kind(view).shape
        fills = not given and wanted != given
        try:
            if given != wanted and not fills and self._records((self.memory.slot(value),)):
                self.slot(value)  # a view of it is taken first, which asks for its history
            overlap = "any" if fills else "ignored" if self._is_itself(view, value) else "same"
            self.change(fill if fills else copy, (view, value), overlap=overlap)
        finally:
            if not whole:
                self.memory.forget(view)

    def _is_itself(self, tensor: int, other: int) -> bool:
        """Whether writing one into the other would write the same numbers to the same places."""
        memory, mine, given = self.memory, self.kind(tensor), self.kind(other)
        if memory.root(tensor) != memory.root(other) or mine.dtype != given.dtype:
            return False
        target, source = memory.layout(memory.slot(tensor)), memory.layout(memory.slot(other))
        strides = source.strides
        if given.shape != mine.shape:
            strides = spread_over(given.shape, strides, mine.shape)
        return (target.strides, target.offset) == (strides, source.offset)

    def detach_in_place(self, tensor: int) -> None:
        """detach_(). Raises ProgramError view-detached-in-place."""
        view = self.memory.views.get(tensor)
        if view is not None and view.how == "view":
            raise ProgramError("view-detached-in-place", "a view cannot be detached in place; use detach()")
        old = self.slot(tensor)
        if self.tape.nodes[old] is not None or self.tape.kinds[old].grad:
            if self.tape.nodes[old] is None:
                self._mark(tensor, False)
                self.memory.lend(tensor)
                return
            self.tape.cut.add(old)
            if self.retains.get(tensor, 0) is None:
                self.retains[tensor] = old  # what is kept stays with the history that is cut off
            kind = self.tape.engine.kinds.with_grad(self.tape.kinds[old], False)
            self.memory.move(tensor, self.tape.push(self.tape.values[old], kind))
            self.memory.lend(tensor)

    def data(self, tensor: int) -> int:
        """`tensor.data`: the same memory, without history and with a version counter of its own."""
        kind = self.tape.engine.kinds.with_grad(self.kind(tensor), False)
        alias = self.tape.push(self.value(tensor), kind)
        self.memory.add(alias, View(tensor, "data", None, (), 0, False, True))
        self.memory.lay(alias, self.memory.layout(self.memory.slot(tensor)))
        return alias

    def set_data(self, tensor: int, source: int) -> None:
        """`tensor.data = source`: the tensor takes over the source's memory, history untouched.

        The version counter stays the tensor's own.

        Raises:
            ProgramError: dtype-not-differentiable where the tensor requires grad.
            UnsupportedFeature: views, where a node has saved more of the tensor than its value.
        """
        mine, theirs = self.kind(tensor), self.kind(source)
        if mine.grad:
            _differentiable(theirs.dtype)
        memory = self.memory
        if memory.is_alias(source, tensor):
            return
        slot = memory.slot(tensor)
        if getattr(self.tape.nodes[slot], "saves_output", False):
            raise UnsupportedFeature("views", ".data of a tensor that its own node saved")
        if mine.dtype != theirs.dtype and any(slot in ins for ins in self.tape.ins):
            raise UnsupportedFeature("views", ".data of another dtype for a tensor that was used")
        if graph.is_hidden_in(self.tape, slot):
            raise UnsupportedFeature("views", ".data of a tensor that a node inside an op may have saved")
        if any(view.source == tensor for view in memory.views.values()) or tensor in memory.taken.values():
            memory.stand_in(tensor)
        self.tape.values[slot] = self.value(source)
        kinds = self.tape.engine.kinds
        kind = kinds.of(theirs.dtype, theirs.shape)
        self.tape.kinds[slot] = kinds.with_grad(kind, mine.grad, lent=mine.lent)
        memory.take(tensor, source)
        memory.laid.pop(slot, None)
        memory.lay(slot, memory.layout(memory.slot(source)))

    # .grad

    def read_grad(self, tensor: int) -> int | None:
        """`tensor.grad` in a statement: warns where torch does."""
        grad = self.grads.get(tensor)
        leaf = self.tape.nodes[self.memory.slot(tensor)] is None
        if grad is None and not leaf and tensor not in self.retains:
            self.tape.warned.append(("non-leaf-grad", NON_LEAF_GRAD))
        self.shows_grads = self.shows_grads or grad is not None
        return grad

    def set_grad(self, tensor: int, grad: int | None) -> None:
        """`tensor.grad = grad`. Raises ProgramError gradient-is-self, gradient-shape, gradient-dtype."""
        if grad is not None:
            mine, given = self.kind(tensor), self.kind(grad)
            if grad == tensor:
                raise ProgramError("gradient-is-self", "a tensor cannot be its own grad")
            if given.dtype != mine.dtype:
                raise ProgramError(
                    "gradient-dtype", f"a {mine.dtype} tensor cannot have a {given.dtype} grad"
                )
            if given.shape != mine.shape:
                raise ProgramError(
                    "gradient-shape",
                    f"a tensor of shape {list(mine.shape)} cannot have a grad of {list(given.shape)}",
                )
            self.shows_grads = True
        self.grads[tensor] = grad

    def zero_grad(self, tensor: int, set_to_none: bool) -> None:
        """Remove a gradient, or set it to zero (in place) if there is one."""
        grad = self.grads.get(tensor)
        if grad is None:
            return
        if set_to_none:
            self.grads[tensor] = None
        else:
            if self.is_leaf(grad):
                self.set_requires_grad(grad, False)
            else:
                self.detach_in_place(grad)
            if self._records((self.memory.slot(grad),)):
                check_target(self.tape, grad)
            self.memory.write(grad, self.space(self.kind(grad)).zeros_like(self.value(grad)))

    def retain_grad(self, tensor: int) -> None:
        """Keep this tensor's gradient too. Raises ProgramError untracked."""
        slot = self.memory.slot(tensor)
        if not self.tape.kinds[slot].grad:
            raise ProgramError("untracked", "retain_grad() needs a tensor with requires_grad=True")
        if self.tape.nodes[slot] is None:
            return  # of a view that was written the history is not there before it is looked at
        if tensor not in self.retains and not self.is_leaf(tensor):
            self.retains[tensor] = None

    # Hooks.

    @property
    def is_hooked(self) -> bool:
        """Whether a hook is on any tensor or node."""
        kinds = (self.hooks, self.after, self.nodes_before, self.nodes_after)
        return any(any(hooks.values()) for hooks in kinds)

    def hook(self, tensor: int, function: Hook) -> Callable[[], None]:
        """Call `function` with the gradient (a tensor); it may give another back. → how to remove it.

        Raises:
            ProgramError: untracked.
        """
        if not self.requires_grad(tensor):
            raise ProgramError("untracked", "a hook needs a tensor with requires_grad=True")
        slot = self.slot(tensor)
        return self._put_on(self.hooks, self.hooked_at.get(slot, slot), function)

    def hook_after(self, leaf: int, function: AfterHook) -> Callable[[], None]:
        """Call `function` with the leaf once its .grad was updated.

        Raises:
            ProgramError: untracked, invalid-argument for a non-leaf.
        """
        if not self.requires_grad(leaf):
            raise ProgramError("untracked", "a post-accumulate hook needs a leaf with requires_grad=True")
        if not self.is_leaf(leaf):
            raise ProgramError("invalid-argument", "a post-accumulate hook is for leaves")
        return self._put_on(self.after, leaf, function)

    def hook_node(self, tensor: int, function: NodeHook, when: str) -> Callable[[], None]:
        """Call `function` "before" the node that made the tensor runs with the gradients of the node's
        outputs, or "after" it with what it gave along its edges; a leaf's node is the one that adds to its
        .grad, and has no edges.

        Raises:
            ProgramError: untracked.
            UnsupportedFeature: graph, where the edges are not known.
        """
        if not self.requires_grad(tensor):
            raise ProgramError("untracked", "a tensor that does not require grad has no node")
        slot, _ = graph.node_of(self.tape, self.slot(tensor))
        if when == "after":
            self._check_edges(slot)
        return self._put_on(self.nodes_before if when == "before" else self.nodes_after, slot, function)

    def _check_edges(self, slot: int) -> None:
        """Raises UnsupportedFeature where what a node gives along its edges is not what torch's gives."""
        found = graph.edges(self.tape, slot)
        for edge in found:
            if edge is not None:  # a node that stands for several may be given something else
                graph.edges(self.tape, edge[0])
        node = self.tape.nodes[slot]
        if None in found and graph.takes_a_list(node):
            raise UnsupportedFeature("node-hooks", f"{node.name} gives gradients also where no edge leads")

    def _put_on(self, hooks: dict[int, dict[int, Any]], key: int, function: Any) -> Callable[[], None]:
        self._handles += 1
        number = self._handles
        mine = hooks.setdefault(key, {})
        mine[number] = function

        def remove() -> None:
            mine.pop(number, None)  # a second removal does nothing

        return remove

    def space(self, kind: Kind) -> Any:
        """The array namespace for values of a kind."""
        return self.tape.engine.library.namespace(kind.dtype, zero_dim=not kind.shape)


def _differentiable(dtype: str) -> None:
    if not is_differentiable(dtype):
        raise ProgramError(
            "dtype-not-differentiable", f"only floating and complex tensors can require grad, not {dtype}"
        )
