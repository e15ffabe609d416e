"""The tape: every value that a program makes, in flat lists by slot, and the node that made it.

A *slot* is a number counted upwards as values are made, so that a slot is also a time: what was
made later stands higher, and walking the slots downwards is the order in which backward runs.
There are no node objects: the node of a slot is its `Plan` and the slots it was applied to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, final

from gradspec.dtypes import category
from gradspec.engine.inplace import current
from gradspec.engine.kind import Kind, Kinds
from gradspec.engine.memory import Memory, View
from gradspec.engine.plan import Part, Plan, dtype_pairs, fill, holes
from gradspec.errors import ProgramError
from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from gradspec.arrays.contract import ArrayLibrary
    from gradspec.engine.rule import OpLike

__all__ = ["Engine", "Expansion", "Hole", "OpCalls", "Table", "Tape", "Task", "Traced"]


class Hole(NamedTuple):
    """In an argument template: the place of input k."""

    k: int


@final
class Expansion:
    """Takes a plan's place where a call is made of calls of other ops."""

    __slots__ = ("arguments", "body", "warns")

    def __init__(
        self, body: Callable[..., Any], arguments: dict[str, Any], warns: tuple[tuple[str, str], ...]
    ) -> None:
        self.body = body
        self.arguments = arguments
        self.warns = warns


class Task:
    """One run of backward: what a checkpoint makes again is made once for each."""

    __slots__ = ("__weakref__",)


class Table(dict[tuple[Kind, ...], Any]):
    """The plans of one call: kinds of its inputs → Plan or Expansion.

    `plain` has those that are one value in, one value out, always of one kind: kinds (the kind itself
    for one input) → (forward, kind of the output, its node). A run of such ops needs nothing else.
    """

    def __init__(
        self, engine: Engine, op: OpLike, args: tuple[tuple[str, Any], ...], recording: bool, in_place: bool
    ) -> None:
        super().__init__()
        given = dict(args)
        self.engine = engine
        self.op = op
        self.args = args
        self.arguments = {p.name: given.get(p.name, p.default) for p in op.params}
        self.recording = recording
        self.default = engine.default
        self.in_place = in_place
        self.plain: dict[Any, tuple[Callable[..., Any], Kind, Plan | None]] = {}

    def make(self, kinds: tuple[Kind, ...], values: list[Any]) -> Plan | Expansion:
        """The plan for inputs of these kinds, kept if nothing in it depends on `values`, the inputs.

        Raises:
            ProgramError: what the op's checks raise.
        """
        op = self.op
        seen = {name: fill(value, kinds.__getitem__) for name, value in self.arguments.items()}
        shown = {
            name: fill(value, lambda k: values[k] if kinds[k].weak else kinds[k])
            for name, value in self.arguments.items()
        }
        if op.check is not None:
            op.check(**shown)
        if self.in_place and op.check_in_place is not None:
            op.check_in_place(**shown)
        if self.recording:
            self._may_be_recorded(kinds)
        warns = () if op.warns is None else tuple(op.warns(**shown))
        body = op.forward if op.kind == "composite" else None
        if body is None and op.expand is not None:
            body = op.expand(**dtype_pairs(op, seen))
        if body is not None:
            self[kinds] = expansion = Expansion(body, self.arguments, warns if body is op.forward else ())
            return expansion
        plan = Plan(
            op, self.arguments, kinds, self.engine.library, self.recording, self.default, self.in_place
        )
        if self.recording and not self.in_place:
            self._may_give(plan)
        plan.warns = warns
        # checks of integers look at their values (2 ** -1), those of floats do not
        if op.check is None or category(plan.out_dtype) >= 2 or not any(kind.weak for kind in kinds):
            self[kinds] = plan
        return plan

    def _may_be_recorded(self, kinds: tuple[Kind, ...]) -> None:
        """Raises no-derivative and dtype-unsupported for an argument that requires grad and may not."""
        op = self.op
        if any(fill(self.arguments[name], lambda k: kinds[k].grad) for name in op.fixed):
            raise ProgramError("no-derivative", f"{op.name} takes {' and '.join(op.fixed)} as constants")
        if not (op.tracks_complex or self.in_place) and any(k.grad and category(k.dtype) == 3 for k in kinds):
            raise ProgramError("dtype-unsupported", f"{op.name} of complex tensors is not differentiated")

    def _may_give(self, plan: Plan) -> None:
        """Raises dtype-not-differentiable for a result of integers that would need a node."""
        op = self.op
        if category(plan.out_dtype) >= 2 or op.casts or op.kind == "constant":
            return
        if any(plan.inputs[k].grad for name in plan.rule_of for k in holes(self.arguments[name])):
            text = f"{op.name} of tensors that require grad is of {plan.out_dtype} here"
            raise ProgramError("dtype-not-differentiable", text)

    def prepare(self, kinds: tuple[Kind, ...], values: list[Any]) -> Plan:
        """The plan of a call that is no expansion."""
        plan = self.get(kinds)
        if plan is None:
            plan = self.make(kinds, values)
        if isinstance(plan, Expansion):
            raise ProgramError("invalid-argument", f"{self.op.name} has no in-place form for these operands")
        made: Plan = plan
        return made


class Engine:
    """An array library and a set of ops, with everything prepared for them so far. Outlives its tapes."""

    def __init__(self, library: ArrayLibrary, find: Callable[[str], OpLike | None]) -> None:
        self.library = library
        self.find = find
        self.kinds = Kinds()
        self.default = "float32"  # what integers that must become floating become
        self._tables: dict[tuple[str, str, str], tuple[Table, Table]] = {}

    def tables(self, op: str, args: tuple[tuple[str, Any], ...]) -> tuple[Table, Table]:
        """The plans of a call, without recording and with it. `args` are (parameter, template) pairs,
        defaults left out; a name that is not the op's own is that of its in-place form."""
        # by text, since 1, 1.0 and True are equal and yet different arguments
        key = (op, repr(args), self.default)
        tables = self._tables.get(key)
        if tables is None:
            entry = self.find(op)
            if entry is None:
                raise ProgramError("invalid-argument", f"no op {op}")
            silent, recording = (
                Table(self, entry, args, records, op != entry.name) for records in (False, True)
            )
            tables = self._tables[key] = silent, recording
        return tables

    def table(self, op: str, args: tuple[tuple[str, Any], ...], recording: bool) -> Table:
        """One of the two."""
        return self.tables(op, args)[recording]

    def silent(self, table: Table) -> Table:
        """The same call without recording."""
        return self.table(table.op.name, table.args, recording=False)


class Traced:
    """A slot of a tape where a rule or a composite body expects an array."""

    __slots__ = ("slot", "tape")

    def __init__(self, tape: Tape, slot: int) -> None:
        self.tape = tape
        self.slot = slot

    @property
    def kind(self) -> Kind:
        kind: Kind = self.tape.kinds[self.slot]
        return kind

    @property
    def shape(self) -> tuple[int, ...]:
        return self.kind.shape

    @property
    def dtype(self) -> str:
        return self.kind.dtype

    def item(self) -> Any:
        """The Python number of a tensor with one element."""
        return self.tape.engine.library.dump(self.tape.values[self.slot], self.dtype).item()

    @property
    def strides(self) -> tuple[int, ...]:
        """How far neighbours along each axis lie apart in the memory it shares, in elements."""
        return self.tape.memory.strides(self.slot)

    @property
    def is_view(self) -> bool:
        """Whether it lies in memory that another tensor was made with."""
        memory = self.tape.memory
        tensor = memory.owner.get(self.slot, self.slot)
        return memory.root(tensor) != tensor

    @property
    def is_turned(self) -> bool:
        """Whether it shows parts of its memory with the other sign (a conjugate)."""
        memory = self.tape.memory
        return memory.is_turned(memory.owner.get(self.slot, self.slot))

    @property
    def offset(self) -> int:
        """Where its first element lies in the memory it shares, in elements."""
        return self.tape.memory.layout(self.slot).offset

    @property
    def requires_grad(self) -> bool:
        return self.tape.recording and self.tape.kinds[self.slot].grad


class Tape:
    """One program's values. See the module.

    values   by slot: the array (None for the slot of a node with several outputs)
    kinds    by slot: its Kind
    nodes    by slot: the Plan that made it (or a Freed or Part in its place), None for a leaf
    ins      by slot: the slots it was applied to
    """

    __slots__ = (
        "_numbers", "anomaly", "cut", "engine", "inferred", "ins", "kinds", "memory", "nodes", "ops",
        "passes_on", "recording", "rewrites", "special", "task", "twice", "urgent", "values", "warned",
    )  # fmt: skip

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.values: list[Any] = []
        self.kinds: list[Any] = []  # Kind; None where a slot holds a node only
        self.nodes: list[Any] = []
        self.ins: list[tuple[int, ...]] = []
        self.recording = True
        self.ops = OpCalls(self)
        self.memory = Memory(self)
        self.rewrites: set[int] = set()  # slots that in-place ops made
        self.cut: set[int] = set()  # slots of non-leaves that were detached in place
        self.inferred: set[int] = set()  # slots made under inference_mode
        self.anomaly = False
        self.passes_on = False  # whether a node may hand on its cotangent itself as a view
        self.twice = False  # whether a backward was recorded
        self.urgent = False  # whether a node that is there to raise may run before others
        self.special = False  # whether it has a custom function or a checkpoint
        self.task: Task | None = None  # the backward that is running
        self.warned: list[tuple[str, str]] = []  # (code, text), for whoever runs the tape to take
        self._numbers: dict[tuple[type, str], int] = {}

    def close(self) -> None:
        """Let go of everything, so that nothing waits for the garbage collector."""
        for held in (self.values, self.kinds, self.nodes, self.ins):
            held.clear()
        self.memory.close()
        vars(self.ops).clear()
        del self.ops, self.memory

    def push(self, value: Any, kind: Any, node: Any = None, ins: tuple[int, ...] = ()) -> int:
        """A new slot."""
        self.values.append(value)
        self.kinds.append(kind)
        self.nodes.append(node)
        self.ins.append(ins)
        return len(self.values) - 1

    def array(self, value: Any, dtype: str, *, grad: bool = False) -> int:
        """A slot for an array of the library that no node made."""
        return self.push(value, self.engine.kinds.of(dtype, self.engine.library.shape_of(value), grad=grad))

    def number(self, value: Any) -> int:
        """The slot of a Python number; one for each value."""
        key = (type(value), repr(value))
        slot = self._numbers.get(key)
        if slot is None:
            dtype = {bool: "bool", int: "int64", float: "float64"}.get(type(value), "complex128")
            slot = self._numbers[key] = self.push(value, self.engine.kinds.of(dtype, (), weak=True))
        return slot

    def apply(self, table: Table, slots: tuple[int, ...]) -> tuple[int, ...]:
        """Run one call; the slots of its outputs.

        Raises:
            ProgramError: what the op raises.
        """
        kinds = self.kinds
        values = self.values
        memory = self.memory
        if not memory.is_quiet() and self._makes_node(table, slots):
            fresh = {s: self._current(s) for s in dict.fromkeys(slots)}
            slots = tuple([fresh[s] for s in slots])
        key = tuple([kinds[s] for s in slots])
        made = table.get(key)
        if made is None:
            made = table.make(key, [values[s] for s in slots])
        if isinstance(made, Expansion):
            return self._expand(made, slots)
        plan: Plan = made
        if self.inferred and plan.records and not self.inferred.isdisjoint(slots[k] for k in plan.saves):
            raise ProgramError("inference-tensor", "an inference tensor cannot be saved for backward")
        if plan.warns:
            self.warned.extend(plan.warns)
        result = plan.forward(*[values[s] for s in slots])
        if plan.op.view:
            return self._view(table, plan, slots, result)
        if plan.single:
            kind = plan.kind
            if kind is None or plan.op.dynamic:
                kind = plan.kind = self._kind(plan, result)
                plan.hollow = bool(plan.follows) and 0 in kind.shape
                usual = not (plan.op.dynamic or plan.marks or plan.warns or plan.hollow)
                if usual and table.get(key) is plan:
                    table.plain[key if len(key) > 1 else key[0]] = (plan.forward, kind, plan.node)
            if plan.marks:
                self._mark(plan)
            out = self.push(result, kind, plan.node, slots)
            if plan.hollow or (memory.laid and plan.follows):
                memory.lay_result(out, [slots[k] for k in plan.follows])
            return (out,)
        return self._several(plan, slots, result)

    def _makes_node(self, table: Table, slots: tuple[int, ...]) -> bool:
        """Whether a call is one node over its operands, whose histories it asks for."""
        op = table.op
        if not table.recording or op.kind in ("constant", "composite"):
            return False
        if op.casts and category(table.arguments["dtype"]) < 2:
            return False
        return any(self.kinds[s].grad for s in slots)

    def _current(self, slot: int) -> int:
        """A slot that is a tensor's present value, with that tensor's history; another slot as it is."""
        slot = self.memory.renewed.get(slot, slot)  # a composite's own ops, where an earlier one asked for it
        tensor = self.memory.owner.get(slot, slot)
        return current(self, tensor) if self.memory.slot(tensor) == slot else slot

    def _mark(self, plan: Plan) -> None:
        """Note what is special about the next slot."""
        if plan.written:
            self.memory.versions[len(self.values)] = plan.written
        self.passes_on = self.passes_on or plan.passes_on
        self.urgent = self.urgent or plan.urgent

    def _several(self, plan: Plan, slots: tuple[int, ...], result: Any) -> tuple[int, ...]:
        """Slots for the outputs of one node: the node stands at a slot of its own before them."""
        count = len(result)
        dtypes = plan.parts or (plan.out_dtype,) * count
        shapes = [self.engine.library.shape_of(part) for part in result]
        outs: list[int] = []
        if plan.node is not None:
            node = self.push(result, None, plan.node, slots)
        for j, part in enumerate(result):
            # the indices beside sorted values are constants
            flows = plan.node is not None and category(dtypes[j]) >= 2
            kind = self.engine.kinds.of(dtypes[j], shapes[j], grad=flows)
            made = (Part(plan.name, j, count), (node,)) if flows else (None, ())
            outs.append(self.push(part, kind, *made))
        if plan.follows and self.memory.laid:
            for out in outs:
                self.memory.lay_result(out, [slots[k] for k in plan.follows])
        return tuple(outs)

    def _view(self, table: Table, plan: Plan, slots: tuple[int, ...], result: Any) -> tuple[int, ...]:
        """Slots for the outputs of an op that gives views, which the memory is told of."""
        if plan.single:
            plan.kind = self._kind(plan, result)
            outs: tuple[int, ...] = (self.push(result, plan.kind, plan.node, slots),)
        else:
            outs = self._several(plan, slots, result)
        tracked = plan.op.kind != "constant"
        for j, out in enumerate(outs):
            how = "view" if tracked else "detach"
            self.memory.add(out, View(slots[0], how, table, slots, j, not plan.single, self.recording))
            self.memory.lay(out, self.memory.view_layout(table, slots, self.kinds[out].shape, j))
            base = self.memory.slot(self.memory.base(out))
            if tracked and not plan.records and self.kinds[base].grad:
                # as in torch, a view needs a gradient where its base does, even under no_grad
                self.kinds[out] = self.engine.kinds.with_grad(self.kinds[out], True, lent=True)
        return outs

    def _kind(self, plan: Plan, result: Any) -> Kind:
        shape = self.engine.library.shape_of(result)
        return self.engine.kinds.of(plan.out_dtype, shape, grad=plan.records)

    def _expand(self, expansion: Expansion, slots: tuple[int, ...]) -> tuple[int, ...]:
        self.warned += expansion.warns

        def array(k: int) -> Any:
            slot = slots[k]
            return self.values[slot] if self.kinds[slot].weak else Traced(self, slot)

        arguments = {name: fill(value, array) for name, value in expansion.arguments.items()}
        result = expansion.body(self.ops, **arguments)
        return (result.slot,) if isinstance(result, Traced) else tuple([part.slot for part in result])


class OpCalls:
    """The ops of a tape as functions: `ops.mul(x, 2)` on Traced arrays and Python values."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def __getattr__(self, name: str) -> Callable[..., Any]:
        op = self._tape.engine.find(name)
        if op is None:
            raise AttributeError(name)
        names = tuple(op.by_name)
        one = op.outputs == "one" and not op.chooses

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._call(op, dict(zip(names, args, strict=False)) | kwargs, one)

        setattr(self, name, call)
        return call

    def _call(self, op: OpLike, arguments: dict[str, Any], one: bool) -> Any:
        tape = self._tape
        slots: list[int] = []

        args = tuple(
            (name, _template(tape, slots, value, op.by_name[name].is_tensor))
            for name, value in arguments.items()
        )
        outs = tape.apply(tape.engine.table(op.name, args, tape.recording), tuple(slots))
        if not one:
            given = {param.name: arguments.get(param.name, param.default) for param in op.params}
            one = op.results(given) == "one"
        return Traced(tape, outs[0]) if one else tuple(Traced(tape, s) for s in outs)


def _template(tape: Tape, slots: list[int], value: Any, tensor: bool) -> Any:
    """An argument with a Hole for each array in it, whose slots are added to `slots`."""
    if isinstance(value, Traced):
        slots.append(value.slot)
        return Hole(len(slots) - 1)
    if isinstance(value, (tuple, list)):
        return tuple(_template(tape, slots, part, tensor) for part in value)
    if tensor and value is not None:
        slots.append(tape.number(value))
        return Hole(len(slots) - 1)
    return value
