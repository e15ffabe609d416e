"""Checkpoints: steps whose saved values are made again in backward, by running the steps again.

What the nodes of the steps save is counted in order.  The first of them that a backward comes to runs
the steps again; the n-th value saved then takes the place of the n-th saved before, and nothing but
its dtype and shape tells whether it is the same.  As in torch the steps stop when the last such value
is there, and each backward runs them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

from gradspec.engine.custom import CustomNode, Recomputed
from gradspec.engine.inplace import CopySlices, Narrowed
from gradspec.engine.plan import Plan, holes
from gradspec.engine.tape import Task, Traced
from gradspec.errors import ProgramError

if TYPE_CHECKING:
    from gradspec.engine.kind import Kind
    from gradspec.engine.machine import Machine
    from gradspec.engine.tape import Table, Tape

__all__ = ["RerunLike", "checkpoint"]


class RerunLike(Protocol):
    """The steps. `again` runs them up to where `enough()`."""

    def __call__(self) -> None: ...
    def again(self, enough: Callable[[], bool]) -> None: ...


class _Enough(Exception):
    """All that backward needs is there, and the step at hand must not be done."""


class _Saved:
    """One value that a node saved: of node k, as what the node finds it by (a slot, or the place among
    what a custom function saved; below 0 for a list of an index, which is the same each time), and where
    it is."""

    __slots__ = ("by_slot", "k", "key", "slot")

    def __init__(self, k: int, key: int, slot: int, by_slot: bool = False) -> None:
        self.k = k
        self.key = key
        self.slot = slot
        self.by_slot = by_slot  # an in-place op saves a copy of what it writes over


def checkpoint(machine: Machine, run: RerunLike) -> None:
    """Run steps; the nodes they make get what they saved from running them again."""
    tape = machine.tape
    start = len(tape.values)
    run()
    collector = _Collector(machine, start)
    collector.look()
    if collector.found:
        tape.special = True
        block = _Block(machine, run, collector.found)
        for k in block.places:
            tape.nodes[k] = _Checkpointed(block, tape.nodes[k])


class _Collector:
    """What the nodes from `start` on have saved, in order."""

    def __init__(self, machine: Machine, start: int) -> None:
        self.machine = machine
        self.next = start
        self.found: list[_Saved] = []

    def look(self) -> int:
        """Add what was saved since the last look; how many values there are."""
        tape = self.machine.tape
        for k in range(self.next, len(tape.values)):
            self.found += self._of(k, tape.nodes[k])
        self.next = len(tape.values)
        return len(self.found)

    def _of(self, k: int, node: Any) -> list[_Saved]:
        tape = self.machine.tape
        ins, out = tape.ins[k], k
        if isinstance(node, CopySlices):
            ins, out, node = node.inputs, node.slot, node.plan
        if isinstance(node, Narrowed):
            node = node.plan
        if isinstance(node, CustomNode):
            return [_Saved(k, j, slot) for j, slot in enumerate(node.slots)]
        return self.of_plan(node, k, ins, out) if isinstance(node, Plan) else []

    def of_plan(self, plan: Plan, k: int, ins: Sequence[int], out: int) -> list[_Saved]:
        """What a node of this plan saves, in the order of its rules as torch has it."""
        in_place = k in self.machine.tape.rewrites
        found: dict[int, _Saved] = {}
        for rule in plan.rules():
            for name in rule.names:
                for place in _lists(plan, name):
                    found.setdefault(-place, _Saved(k, -place, ins[0]))
                for position in holes(plan.arguments[name]) if name in plan.arguments else ():
                    if position in plan.saves:
                        slot = ins[position]
                        found.setdefault(slot, _Saved(k, slot, slot, in_place and position == 0))
                if name == "y" or name in plan.part_names:
                    found.setdefault(out, _Saved(k, out, out))
        return list(found.values())


class _Block:
    """One run of the steps: what their nodes saved, and what it is for each backward.

    places   slot of a node → which of the saved values are its own
    """

    def __init__(self, machine: Machine, run: RerunLike, saved: list[_Saved]) -> None:
        self.machine = machine
        self.run = run
        self.saved = saved
        self.kinds = [self._meta(one) for one in saved]
        self.places: dict[int, list[int]] = {}
        for place, one in enumerate(saved):
            self.places.setdefault(one.k, []).append(place)
        self.functions = {k for k in self.places if _is_function(machine.tape.nodes[k])}
        self.made: WeakKeyDictionary[Task, list[_Saved]] = WeakKeyDictionary()

    def _meta(self, saved: _Saved) -> Any:
        if saved.key < 0:
            return None
        kind = self.machine.tape.kinds[saved.slot]
        return None if kind is None else (kind.dtype, kind.shape)

    def values_of(self, k: int, values: Any, *, recorded: bool) -> Recomputed:
        """What node k saved, made again; Traced arrays where the backward is recorded.

        Raises:
            ProgramError: checkpoint-mismatch, and what the steps raise.
        """
        made = self.values()
        result = Recomputed(values, self.machine.tape.ins[k])
        for place in self.places[k]:
            old, new = self.saved[place], made[place]
            if old.key < 0:
                continue
            if k in self.functions:
                result.saved.append(self._tensor(old, new, recorded))
            elif recorded:
                result[old.key] = self._traced(old, new)
            else:
                result[old.key] = self._value(new)
        return result

    def values(self) -> list[_Saved]:
        """What was saved, made again once for the backward that is running."""
        task = self.machine.tape.task
        assert task is not None
        made = self.made.get(task)
        if made is None:
            made = self.made[task] = self._again()
        return made

    def _value(self, saved: _Saved) -> Any:
        """A value as it is now: what was saved shares the memory of its tensor."""
        memory = self.machine.memory
        slot = saved.slot if saved.by_slot else memory.slot(memory.owner.get(saved.slot, saved.slot))
        return self.machine.tape.values[slot]

    def _tensor(self, old: _Saved, new: _Saved, recorded: bool) -> int:
        owner = self.machine.memory.owner
        if recorded and self.machine.tape.kinds[old.slot].grad:
            return self._alias(old.slot, self._value(new))
        return owner.get(new.slot, new.slot)

    def _traced(self, old: _Saved, new: _Saved) -> Any:
        value, tape = self._value(new), self.machine.tape
        if not isinstance(value, tuple):
            return Traced(tape, self._alias(old.slot, value))
        return tuple(Traced(tape, self._alias(old.slot + 1 + j, part)) for j, part in enumerate(value))

    def _alias(self, slot: int, value: Any) -> int:
        """A new value with the history of the slot whose place it takes."""
        tape = self.machine.tape
        kind = tape.kinds[slot]
        return tape.push(value, kind, _Identity(tape, kind) if kind.grad else None, (slot,))

    def _again(self) -> list[_Saved]:
        machine, tape = self.machine, self.machine.tape
        needed = len(self.saved)
        collector = _Collector(machine, len(tape.values))
        change = machine.change

        def guarded(
            table: Table, tensors: Sequence[int], *, overlap: str | Callable[[str], str] = "same"
        ) -> int:
            """An op in place saves before it writes: where that is the last value, nothing is written."""
            slots = tuple([machine.slot(tensor) for tensor in tensors])
            plan = table.prepare(tuple([tape.kinds[s] for s in slots]), [tape.values[s] for s in slots])
            if plan.records and not plan.saves_output:
                collector.look()
                last = collector.of_plan(plan, -1, slots, -1)
                if last and len(collector.found) + len(last) >= needed:
                    collector.found += last
                    raise _Enough
            return change(table, tensors, overlap=overlap)

        recording, tape.recording = tape.recording, True
        vars(machine)["change"] = guarded
        try:
            self.run.again(lambda: collector.look() >= needed)
        except _Enough:
            pass
        finally:
            del vars(machine)["change"]
            tape.recording = recording
        found = collector.found[:needed]
        if len(found) < needed:
            raise ProgramError(
                "checkpoint-mismatch",
                f"the steps of a checkpoint saved {needed} values, and {len(found)} when they ran again",
            )
        for one, kind in zip(found, self.kinds, strict=True):
            if (now := self._meta(one)) != kind:
                raise ProgramError(
                    "checkpoint-mismatch",
                    f"a checkpoint saved {_shown(kind)}, and {_shown(now)} when it ran again",
                )
        return found


def _lists(plan: Plan, name: str) -> list[int]:
    """Numbers for the lists in an index, each of which torch saves as a tensor."""
    if name not in plan.arguments or plan.op.by_name[name].kind != "Index":
        return []
    index = plan.arguments[name]
    parts = index if type(index) is tuple else (index,)
    return [place for place, part in enumerate(parts, 1) if type(part) is tuple]


def _is_function(node: Any) -> bool:
    return isinstance(node.plan if isinstance(node, CopySlices) else node, CustomNode)


def _shown(kind: Any) -> str:
    return "several parts" if kind is None else f"{kind[0]}{list(kind[1])}"


class _Checkpointed:
    """A node of a checkpoint: runs on what the steps, run again, have saved."""

    saves: tuple[int, ...] = ()  # what is made again cannot be outdated
    saves_parts: tuple[int, ...] = ()
    saves_output = False
    saves_anything = True

    def __init__(self, block: _Block, node: Any) -> None:
        self.block = block
        self.node = node
        self.name: str = node.name
        self.compute = node.compute
        self.out_dtype = node.out_dtype
        self.materializes = getattr(node, "materializes", False)

    @property
    def freed(self) -> Any:
        return self.node if self.node.freed is None else self.node.freed

    @property
    def plan(self) -> Any:
        """The plan that the node runs."""
        return getattr(self.node, "plan", self.node)

    @property
    def edges(self) -> tuple[int | None, ...]:
        """As a Plan's."""
        edges: tuple[int | None, ...] = self.node.edges
        return edges

    @property
    def feeds(self) -> tuple[int, ...]:
        """As a Plan's."""
        feeds: tuple[int, ...] = self.node.feeds
        return feeds

    def reads(self) -> None:
        """Ask for what the node saved."""
        self.block.values()

    def back(self, ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
        self.node.back(ct, self.block.values_of(k, values, recorded=False), ins, k, grads)

    def write_back(self, xp: Any, *, recorded: bool) -> Callable[..., None]:
        inner = self.node.write_back(xp, recorded=recorded)

        def back(ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
            inner(ct, self.block.values_of(k, values, recorded=recorded), ins, k, grads)

        return back


class _Identity:
    """From a value that was made again to the one whose place it takes."""

    name = "Identity"
    stands_in = True  # torch has no node here
    saves: tuple[int, ...] = ()
    saves_parts: tuple[int, ...] = ()
    saves_output = False
    saves_anything = False
    compute: str | None = None

    def __init__(self, tape: Tape, kind: Kind) -> None:
        self.out_dtype = kind.dtype
        self.back = self.write_back(
            tape.engine.library.namespace(kind.dtype, zero_dim=not kind.shape), recorded=False
        )

    @property
    def freed(self) -> _Identity:
        return self

    def write_back(self, xp: Any, *, recorded: bool) -> Callable[..., None]:
        def back(ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
            grads[ins[0]] = xp.add(grads[ins[0]], ct) if ins[0] in grads else ct

        return back
