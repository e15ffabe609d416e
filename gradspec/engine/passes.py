"""backward() and grad(): what is checked before a walk, and what is done with what arrives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import category, is_differentiable
from gradspec.engine.backward import Walk, leads_to, walk
from gradspec.engine.graph import edges, takes_a_list
from gradspec.engine.plan import Part
from gradspec.engine.strides import Layout, is_dense, obeys
from gradspec.engine.tape import Hole, Tape, Task, Traced
from gradspec.engine.undefined import UNDEFINED
from gradspec.errors import ProgramError, UnsupportedFeature

if TYPE_CHECKING:
    from gradspec.engine.kind import Kind
    from gradspec.engine.machine import Machine

__all__ = ["Passes"]

CYCLE = (
    "backward(create_graph=True) makes a reference cycle between a tensor and its gradient; grad() does not"
)
Visit = Callable[[Any], Any]


class Passes:
    """Runs the backward passes of one machine. `recorder(tape)` gives the namespace that records."""

    def __init__(self, machine: Machine, recorder: Callable[[Tape], Any]) -> None:
        self.machine = machine
        self.tape = machine.tape
        self._make_recorder = recorder
        self._recorder: Any = None
        self._start = 0  # the first slot that the present walk may make
        self._held: set[int] = set()  # slots of tensors that hooks gave
        self._how: Any = None  # the present walk
        self._outside: list[tuple[str, str]] = self.tape.warned  # where the warnings of what hooks do go

    def backward(
        self,
        roots: Sequence[int],
        gradients: Sequence[int | None],
        retain_graph: bool | None,
        create_graph: bool,
        inputs: Sequence[int] | None,
    ) -> None:
        """torch.autograd.backward.

        Raises:
            ProgramError: no-inputs, gradient-count, gradient-shape, gradient-dtype, not-scalar,
                complex-root, untracked, graph-freed, no-derivative, and what hooks raise.
        """
        machine = self.machine
        if inputs is not None and not inputs:
            raise ProgramError("no-inputs", "inputs= is empty: there is nothing to accumulate into")
        recorder = self._recording(create_graph or machine.is_hooked)
        seeds = self._seeds(roots, gradients, recorder, create_graph)
        chosen = None
        for tensor in inputs or ():
            if machine.kind(tensor).grad:
                machine.slot(tensor)  # torch asks for its history first
            machine.retain_grad(tensor)
            chosen = {*(chosen or ()), machine.slot(tensor)}

        def arrive(slot: int, ct: Any) -> None:
            if chosen is None or slot in chosen:
                tensor = machine.memory.owner.get(slot, slot)
                if slot in machine.memory.bent:
                    raise UnsupportedFeature("views", "the gradient of a leaf whose shape was changed since")
                now = machine.slot(tensor)
                if self.tape.nodes[now] is not None:
                    if machine.hooks.get(now):  # as in torch those of the tensor, wherever it is
                        self._hooked(slot, machine.hooks[now])(ct)
                    raise ProgramError("leaf-moved", "a leaf has become the result of an op since")
                before, after = machine.nodes_before.get(slot, {}), machine.nodes_after.get(slot, {})
                for function in list(before.values()):
                    self._call(
                        function, [None if ct is UNDEFINED else self._tensor(ct, machine.kind(tensor))]
                    )
                if machine.kind(tensor).grad:  # nothing goes to a leaf whose flag was taken since
                    self._accumulate(tensor, ct)
                for accumulated in list(machine.after.get(tensor, {}).values()):
                    self._call(accumulated, tensor)
                for function in list(after.values()):
                    self._call(function, [])

        within, reached = self._reach(seeds, chosen, single=len(roots) == 1)
        idle: set[int] = set()
        if within is not None and chosen is not None:
            idle = self._own_nodes(chosen) - within
            within |= idle
        visits = self._visits(reached)
        keep = create_graph if retain_graph is None else retain_graph
        self._walk(
            seeds,
            Walk(
                retain_graph=keep, arrive=arrive, recorder=recorder, within=within, reached=reached,
                visit=visits, ordered=self._shows_order, idle=idle, **self._node_hooks(reached),
            ),
            create_graph,
            warned=[("create-graph-cycle", CYCLE)] if create_graph else [],
        )  # fmt: skip

    def grad(
        self,
        roots: Sequence[int],
        wrt: Sequence[int],
        gradients: Sequence[int | None],
        retain_graph: bool | None,
        create_graph: bool,
        allow_unused: bool | None,
        materialize_grads: bool,
    ) -> list[int | None]:
        """torch.autograd.grad; None for an input that was not reached and may be.

        Raises:
            ProgramError: as backward, and unused-input, conflicting-arguments.
        """
        machine = self.machine
        if materialize_grads and allow_unused is False:
            raise ProgramError(
                "conflicting-arguments", "materialize_grads=True contradicts allow_unused=False"
            )
        allow_unused = materialize_grads if allow_unused is None else allow_unused
        recorder = self._recording(True)
        seeds = self._seeds(roots, gradients, recorder, create_graph)
        for tensor in wrt:
            if not machine.requires_grad(tensor):
                raise ProgramError("untracked", "grad() with respect to a tensor that does not require grad")
        targets = [machine.slot(tensor) for tensor in wrt]
        caught: dict[int, Any] = {}
        within, reached = self._reach(seeds, set(targets), single=len(roots) == 1)
        visits = self._visits(None)
        for tensor, slot in zip(wrt, targets, strict=True):
            if not machine.kind(tensor).lent:  # no edge leads there
                # what goes on through its own node is caught before the hooks there
                node, part = self._node_of(slot), self.tape.nodes[slot]
                catch = _catcher(caught, slot, part.part if isinstance(part, Part) else None)
                goes_on = within is not None and node in within
                known = visits.get(node)
                visits[node] = _then(catch, known) if goes_on and known else _then(known, catch)
        keep = create_graph if retain_graph is None else retain_graph
        how = Walk(
            retain_graph=keep, arrive=lambda *_: None, recorder=recorder, visit=visits,
            within=within, reached=reached, ordered=self._shows_order, **self._node_hooks(reached),
        )  # fmt: skip
        self._walk(seeds, how, create_graph)
        results: list[int | None] = []
        made: dict[int, int] = {}  # an input that is named twice has one gradient
        for slot in targets:
            kind = self.tape.kinds[slot]
            if slot in caught:
                if slot not in made:
                    made[slot] = self._tensor(caught[slot], kind)
                results.append(made[slot])
            elif materialize_grads:
                zeros = machine.space(kind).zeros(kind.shape)
                filled = self.tape.array(zeros, kind.dtype, grad=create_graph)
                strides = machine.memory.strides(slot)
                if is_dense(kind.shape, strides):
                    machine.memory.lay(filled, Layout(strides))
                results.append(filled)
            elif allow_unused:
                results.append(None)
            else:
                raise ProgramError(
                    "unused-input",
                    "the roots do not depend on one of the inputs; allow_unused=True gives None for it",
                )
        return results

    def grad_batched(
        self,
        roots: Sequence[int],
        wrt: Sequence[int],
        gradients: Sequence[int | None],
        retain_graph: bool | None,
        create_graph: bool,
        allow_unused: bool | None,
        materialize_grads: bool,
    ) -> list[int | None]:
        """grad() for each entry of a batch, which is the first dimension of the gradients and of the results.
        What was not reached has no batch.

        Raises:
            ProgramError: as grad, and gradient-shape for gradients that are no batches of one size.
            UnsupportedFeature: batched-grads, where hooks would see the batch.
        """
        if self.machine.is_hooked:
            raise UnsupportedFeature("batched-grads", "hooks on a batch of gradients")
        size = self._batch(roots, gradients)
        ops, machine = self.tape.ops, self.machine
        batches = [Traced(self.tape, machine.slot(g)) for g in gradients if g is not None]
        keep = create_graph if retain_graph is None else retain_graph
        rows: list[list[int | None]] = []
        mode, self.tape.recording = self.tape.recording, create_graph
        try:
            for entry in range(size):
                given = [ops.select(batch, 0, entry).slot for batch in batches]
                last = entry == size - 1
                rows.append(
                    self.grad(
                        roots, wrt, given, keep if last else True, create_graph,
                        True if materialize_grads else allow_unused, False,
                    )
                )  # fmt: skip
            results: list[int | None] = []
            for tensor, column in zip(wrt, zip(*rows, strict=True), strict=True):
                reached = [Traced(self.tape, machine.slot(one)) for one in column if one is not None]
                kind = machine.kind(tensor)
                if reached:
                    results.append(ops.stack(reached).slot)
                elif materialize_grads:
                    results.append(self.tape.array(machine.space(kind).zeros(kind.shape), kind.dtype))
                else:
                    results.append(None)
            return results
        finally:
            self.tape.recording = mode

    def _batch(self, roots: Sequence[int], gradients: Sequence[int | None]) -> int:
        """The size of a batch of gradients."""
        if len(gradients) != len(roots):
            raise ProgramError("gradient-count", f"{len(roots)} roots, but {len(gradients)} gradients")
        sizes: set[int] = set()
        for root, gradient in zip(roots, gradients, strict=True):
            given = () if gradient is None else self.machine.kind(gradient).shape
            wanted = self.machine.kind(root).shape
            if gradient is None and prod(wanted) != 1:
                raise ProgramError("not-scalar", f"a root of shape {list(wanted)} needs gradient=")
            if not given or given[1:] != wanted:
                message = f"a batch of gradients has shape {list(given)}, its root {list(wanted)}"
                raise ProgramError("gradient-shape", message)
            sizes.add(given[0])
        if len(sizes) > 1 or sizes == {0}:
            raise ProgramError(
                "gradient-shape", f"batches of {' and '.join(map(str, sorted(sizes)))} gradients"
            )
        return sizes.pop()

    def _recording(self, wanted: bool) -> Any:
        """A namespace whose arrays are tensors of the tape, where it shows which cotangents are one tensor or
        share memory: they are recorded, somebody is given them, or there are views, whose cotangents are
        views again. Else None: then cotangents are bare arrays."""
        if not wanted and not self.tape.memory.views and not self.tape.passes_on:
            return None
        if self._recorder is None:
            self._recorder = self._make_recorder(self.tape)
        return self._recorder

    @property
    def _shows_order(self) -> bool:
        """Whether it shows in which order leaves are served: to hooks, to a node that raises, and where a
        gradient that is added to may have been used."""
        return self.machine.is_hooked or self.machine.shows_grads or self.tape.urgent

    def close(self) -> None:
        """Let go of the tape."""
        if self._recorder is not None:
            self._recorder.close()

    def _walk(
        self, seeds: dict[int, Any], how: Walk, create_graph: bool, warned: Sequence[tuple[str, str]] = ()
    ) -> None:
        """As in torch, what a pass warns of, `warned` first, comes after what hooks warn of."""
        tape = self.tape
        tape.twice = tape.twice or create_graph
        mode, tape.recording = tape.recording, create_graph
        task, tape.task = tape.task, Task()
        before = self._start, self._held, self._how, self._outside
        self._start, self._held, self._how, self._outside = len(tape.values), set(), how, tape.warned
        tape.warned = list(warned)
        try:
            walk(tape, seeds, how)
        finally:
            self._outside.extend(tape.warned)
            tape.warned = self._outside
            tape.recording, tape.task = mode, task
            self._start, self._held, self._how, self._outside = before

    def _call(self, hook: Callable[[Any], Any], given: Any) -> Any:
        """Run a hook, which warns in its own name."""
        held, self.tape.warned = self.tape.warned, self._outside
        try:
            return hook(given)
        finally:
            self.tape.warned = held

    def _reach(
        self, seeds: dict[int, Any], chosen: set[int] | None, *, single: bool
    ) -> tuple[set[int] | None, set[int] | None]:
        """The slots whose nodes run for the chosen ones, and those whose hooks run: as in torch these are
        the same, the chosen ones, and a single root."""
        if chosen is None:
            return None, None
        wanted = chosen | {self._node_of(slot) for slot in chosen}
        within = leads_to(self.tape, wanted, max(seeds, default=-1))
        reached = within | chosen | (set(seeds) if single else set())
        return within, reached | {self._node_of(slot) for slot in reached}

    def _node_of(self, slot: int) -> int:
        """Where the node of a slot stands: below it where it is one of several outputs."""
        return self.tape.ins[slot][0] if isinstance(self.tape.nodes[slot], Part) else slot

    def _own_nodes(self, chosen: set[int]) -> set[int]:
        """The slots of the nodes that made the chosen tensors: as in torch, backward(inputs=) runs these."""
        nodes, kinds, ins = self.tape.nodes, self.tape.kinds, self.tape.ins
        own = {slot for slot in chosen if nodes[slot] is not None}
        return own | {below for slot in own for below in ins[slot] if kinds[below] is None}

    # The first cotangents.

    def _seeds(
        self, roots: Sequence[int], gradients: Sequence[int | None], recorder: Any, create_graph: bool
    ) -> dict[int, Any]:
        """The first cotangents by slot, checked as torch checks them."""
        if len(gradients) != len(roots):
            raise ProgramError("gradient-count", f"{len(roots)} roots, but {len(gradients)} gradients")
        cts = [self._seed(root, gradient, recorder) for root, gradient in zip(roots, gradients, strict=True)]
        for root in roots:
            if not self.machine.requires_grad(root) or self.machine.kind(root).lent:
                raise ProgramError(
                    "untracked", "backward from a tensor that does not require grad and has no grad_fn"
                )
        seeds: dict[int, Any] = {}
        mode, self.tape.recording = self.tape.recording, create_graph
        for root, ct in zip(roots, cts, strict=True):
            slot = self.machine.slot(root)
            add = (recorder or self.machine.space(self.machine.kind(root))).add
            seeds[slot] = add(seeds[slot], ct) if slot in seeds else ct
        self.tape.recording = mode
        return seeds

    def _seed(self, root: int, gradient: int | None, recorder: Any) -> Any:
        machine = self.machine
        kind = machine.kind(root)
        if gradient is None:
            return self._one(root, kind, recorder)
        given = machine.kind(gradient)
        if given.shape != kind.shape:
            raise ProgramError(
                "gradient-shape", f"the gradient has shape {list(given.shape)}, its root {list(kind.shape)}"
            )
        if (category(given.dtype) == 3) != (category(kind.dtype) == 3):
            raise ProgramError("gradient-dtype", f"a {given.dtype} gradient for a {kind.dtype} root")
        if recorder is not None:
            return recorder.astype(Traced(self.tape, machine.memory.slot(gradient)), kind.dtype)
        value = machine.value(gradient)
        return value if given.dtype == kind.dtype else machine.space(given).astype(value, kind.dtype)

    def _one(self, root: int, kind: Kind, recorder: Any) -> Any:
        """The gradient 1 of a root that was given none."""
        if not kind.grad:
            return None  # reported once the shapes of all roots are checked
        if prod(kind.shape) != 1:
            raise ProgramError(
                "not-scalar",
                f"a root of shape {list(kind.shape)} needs gradient=; only one element may go without",
            )
        if category(kind.dtype) == 3:
            raise ProgramError("complex-root", "a complex root needs gradient=")
        value = self.machine.space(kind).ones(kind.shape)
        return value if recorder is None else recorder.known(value, kind.dtype)

    # On the way.

    def _visits(self, reached: set[int] | None) -> dict[int, Visit]:
        """What happens to the gradient at single slots: hooks in their order, then retaining, where a slot
        is reached (None: all are)."""
        visits: dict[int, Visit] = {}
        nodes: dict[int, list[tuple[int, Visit]]] = {}  # node with several outputs → (output, visit)

        def put(slot: int, visit: Visit) -> None:
            part = self.tape.nodes[slot]
            if isinstance(part, Part):
                nodes.setdefault(self._node_of(slot), []).append((part.part, visit))
            else:
                visits[slot] = _then(visits.get(slot), visit)

        left, nodes_at = self.machine.memory.left, self.tape.nodes
        for slot, hooks in self.machine.hooks.items():
            if slot in left and nodes_at[slot] is None:
                continue  # as in torch a leaf that became the result of an op has lost them
            if hooks and not self.tape.kinds[slot].lent:
                put(slot, self._hooked(slot, hooks))
        for tensor, where in self.machine.retains.items():
            # where a view was written and not looked at since, it is still where its old history is
            slot = self.machine.memory.slot(tensor) if where is None else where
            if self.tape.nodes[slot] is not None and (reached is None or self._node_of(slot) in reached):
                put(slot, self._retainer(tensor))
        visits.update((node, _each(found)) for node, found in nodes.items())
        return visits

    def _node_hooks(self, reached: set[int] | None) -> dict[str, Any]:
        """What a walk is to call before and after single nodes."""
        before = {slot: self._before(slot, hooks) for slot, hooks in self.machine.nodes_before.items()}
        after = {slot: self._after(slot, hooks, reached) for slot, hooks in self.machine.nodes_after.items()}
        return {"before": before, "after": after}

    def _before(self, slot: int, hooks: dict[int, Any]) -> Callable[[Any], None]:
        # as in torch a custom function has a place for each output, an op for those with gradients
        every = getattr(self.tape.nodes[slot], "materializes", False)

        def run(ct: Any) -> None:
            kinds = self.tape.kinds
            several = kinds[slot] is None  # a node of several outputs, whose slots come after it
            cts = enumerate(ct, slot + 1) if several else [(slot, ct)]
            given = [
                None if part is None or part is UNDEFINED else self._tensor(part, kinds[at])
                for at, part in cts
                if every or is_differentiable(kinds[at].dtype)
            ]
            for function in list(hooks.values()):
                self._call(function, list(given))

        return run

    def _after(
        self, slot: int, hooks: dict[int, Any], reached: set[int] | None
    ) -> Callable[[dict[int, Any]], None]:
        if reached is not None and takes_a_list(self.tape.nodes[slot]):
            reached = None  # torch finds the gradients of a whole list at once

        def run(parts: dict[int, Any]) -> None:
            ins, kinds = self.tape.ins[slot], self.tape.kinds
            given: list[int | None] = []
            for position, edge in zip(self.tape.nodes[slot].edges, edges(self.tape, slot), strict=True):
                part = None if position is None or edge is None else parts.get(position)
                unwanted = reached is not None and position is not None and ins[position] not in reached
                if part is None or part is UNDEFINED or unwanted:
                    given.append(None)
                else:
                    given.append(self._tensor(part, kinds[ins[position]]))
            for function in list(hooks.values()):
                self._call(function, list(given))

        return run

    def _hooked(self, slot: int, hooks: dict[int, Any]) -> Visit:
        def run(ct: Any) -> Any:
            kind = self.tape.kinds[slot]
            for function in list(hooks.values()):
                if ct is None or ct is UNDEFINED:  # None: an output of several that was not used
                    if self._call(function, None) is not None:
                        raise ProgramError("hook-undefined", "a hook gave a gradient where there is none")
                    continue
                given = self._tensor(ct, kind)
                result = self._call(function, given)
                if result is not None and result != given:
                    ct = self._hook_result(result, kind, isinstance(ct, Traced))
                elif isinstance(ct, Traced):
                    find = self.machine.slot if self.tape.recording else self.machine.memory.slot
                    ct = Traced(self.tape, find(given))
                else:  # it may have been changed in place
                    ct = self.machine.value(given)
            return ct

        return run

    def _hook_result(self, result: int, kind: Kind, traced: bool) -> Any:
        given = self.machine.kind(result)
        if given.dtype != kind.dtype:
            raise ProgramError(
                "hook-dtype", f"a hook gave a {given.dtype} gradient for a {kind.dtype} tensor"
            )
        if given.shape != kind.shape:
            raise ProgramError(
                "hook-shape",
                f"a hook gave a gradient of shape {list(given.shape)} for one of {list(kind.shape)}",
            )
        if not traced:
            return self.machine.value(result)
        slot = self.machine.slot(result)
        self._held.add(slot)
        return Traced(self.tape, slot)

    def _retainer(self, tensor: int) -> Visit:
        machine = self.machine

        def retain(ct: Any) -> Any:
            if ct is None or ct is UNDEFINED:
                return ct
            old = machine.grads.get(tensor)
            if isinstance(ct, Traced):
                ops = self.tape.ops
                find = machine.slot if self.tape.recording else machine.memory.slot
                total = ops.clone(ct) if old is None else ops.add(Traced(self.tape, find(old)), ct)
                machine.grads[tensor] = total.slot
            else:
                kind = machine.kind(tensor)
                value = ct if old is None else machine.space(kind).add(machine.value(old), ct)
                machine.grads[tensor] = self.tape.array(value, kind.dtype)
            return ct

        return retain

    def _accumulate(self, leaf: int, ct: Any) -> None:
        """Add what arrived at a leaf to its .grad: in place, unless the sum itself is recorded."""
        machine, tape = self.machine, self.tape
        old, kind = machine.grads.get(leaf), machine.kind(leaf)
        if ct is UNDEFINED:
            pass
        elif old is None:
            machine.grads[leaf] = self._first(leaf, ct) if isinstance(ct, Traced) else self._tensor(ct, kind)
        elif not isinstance(ct, Traced):
            machine.memory.write(old, machine.space(kind).add(machine.value(old), ct))
        elif tape.recording:
            machine.grads[leaf] = tape.ops.add(Traced(tape, machine.slot(old)), ct).slot
        else:
            add = tape.engine.table("add_", (("input", Hole(0)), ("other", Hole(1))), recording=False)
            machine.change(add, (old, ct.slot))
        if old is not None and machine.memory.laid and not self._obeys(leaf):
            tape.warned.append(("gradient-layout", "a gradient does not lie in memory as its tensor does"))

    def _obeys(self, leaf: int) -> bool:
        memory, grad = self.machine.memory, self.machine.grads.get(leaf)
        if grad is None:
            return True
        mine, leafs = memory.strides(memory.slot(grad)), memory.strides(memory.slot(leaf))
        return obeys(self.machine.kind(leaf).shape, mine, leafs)

    def _first(self, leaf: int, ct: Traced) -> int:
        """The tensor that becomes a leaf's .grad: a copy of what arrived. As in torch, a view that lies in
        memory as the leaf does is not copied where nothing is recorded: nobody else seems to hold it."""
        tape, memory = self.tape, self.machine.memory
        mine, leafs = memory.strides(ct.slot), memory.strides(memory.slot(leaf))
        if tape.recording:
            copy = int(tape.ops.duplicate(ct).slot)
            if is_dense(ct.shape, leafs):
                memory.lay(copy, Layout(leafs))
            return copy
        waiting = [*self._how.left.values(), *self._how.leaves.values()]
        held = ct.slot < self._start or ct.slot in self._held
        held = held or any(isinstance(other, Traced) and other.slot == ct.slot for other in waiting)
        stolen = not held and obeys(ct.shape, mine, leafs)
        if stolen and ct.slot in memory.views:
            return int(tape.ops.detach(ct).slot)
        copy = tape.array(tape.values[ct.slot], ct.dtype)
        if is_dense(ct.shape, leafs):
            memory.lay(copy, Layout(mine if stolen else leafs))
        return copy

    def _tensor(self, ct: Any, kind: Kind) -> int:
        """A tensor for a cotangent."""
        if isinstance(ct, Traced):
            return self.machine.memory.owner.get(ct.slot, ct.slot)
        return self.tape.array(ct, kind.dtype)


def _each(visits: list[tuple[int, Visit]]) -> Visit:
    """The visit of a node with several outputs: of each that is to be visited, used or not."""

    def run(cts: list[Any]) -> list[Any]:
        for output, visit in visits:
            cts[output] = visit(cts[output])
        return cts

    return run


def _then(first: Visit | None, second: Visit) -> Visit:
    return second if first is None else lambda ct: second(first(ct))


def _catcher(caught: dict[int, Any], slot: int, part: int | None) -> Visit:
    """The visit that keeps what comes to a slot, or to one output of a node."""

    def keep(ct: Any) -> Any:
        found = ct if part is None else ct[part]
        if found is not None and found is not UNDEFINED:
            caught[slot] = found
        return ct

    return keep
