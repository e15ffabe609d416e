"""In-place ops: a new value for a tensor that keeps its name, its hooks' past and its relatives.

The old value stays at its slot; the tensor moves to a new one.  Where the tensor is a view, the
history is rewritten at its base, as torch does it: a CopySlices node makes the base's new value, and
each view gets a node of its own again (AsStridedBackward0) when it is next looked at.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import can_cast, category
from gradspec.engine.places import Places, Spaces
from gradspec.engine.strides import spread_over
from gradspec.engine.undefined import UNDEFINED
from gradspec.errors import ProgramError, UnsupportedFeature

if TYPE_CHECKING:
    from gradspec.engine.kind import Kind
    from gradspec.engine.plan import Plan
    from gradspec.engine.tape import Tape

__all__ = [
    "CopySlices",
    "FreedCopy",
    "Narrowed",
    "Restrided",
    "current",
    "check_target",
    "check_view",
    "change",
    "check_memory",
    "restride",
]


def check_target(tape: Tape, tensor: int) -> None:
    """What forbids an in-place op on a tensor, one of whose operands needs a gradient that is recorded.

    Raises:
        ProgramError: leaf-in-place, no-grad-view-in-place, multi-view-in-place.
    """
    memory = tape.memory
    slot = memory.slot(tensor)
    grad = tape.kinds[slot].grad
    view = memory.views.get(tensor)
    if view is not None and view.how == "view":
        check_view(tape, tensor)
        if grad and tape.nodes[memory.slot(memory.base(tensor))] is None:
            raise ProgramError("leaf-in-place", "a view of a leaf that requires grad is changed in place")
    if grad and tape.nodes[slot] is None:
        raise ProgramError("leaf-in-place", "a leaf that requires grad is changed in place")


def check_view(tape: Tape, tensor: int) -> None:
    """What forbids giving a view a new history.

    Raises:
        ProgramError: no-grad-view-in-place, multi-view-in-place.
    """
    while (view := tape.memory.views.get(tensor)) is not None and view.how == "view":
        if view.custom:
            raise ProgramError("custom-view-in-place", "this view was given back by a custom function")
        if not view.recorded:
            raise ProgramError(
                "no-grad-view-in-place", "a view made under no_grad is changed in place with grad enabled"
            )
        if view.several:
            raise ProgramError("multi-view-in-place", "this view is one of several outputs of one op")
        tensor = view.source


def change(tape: Tape, tensor: int, plan: Plan, inputs: tuple[int, ...], *, overlap: str) -> None:
    """Run an op on `inputs` (slots; the first is the tensor's own) and make its result the tensor.

    Raises:
        ProgramError: what the op raises, overlapping-memory, shape-mismatch, dtype-cast.
    """
    memory, values, kinds = tape.memory, tape.values, tape.kinds
    kind: Kind = kinds[inputs[0]]
    where = None
    if memory.repeats(inputs[0]) and overlap in _AT_PLACES:
        tape.warned += [_EXPANDED] * _AT_PLACES[overlap]
        where = _written(tape, plan, inputs)
    library = tape.engine.library
    result = plan.forward(*[values[s] for s in inputs])
    if library.shape_of(result) != kind.shape:
        raise ProgramError(
            "shape-mismatch",
            f"a result of {list(library.shape_of(result))} does not fit into a tensor of {list(kind.shape)}",
        )
    if not can_cast(plan.out_dtype, kind.dtype):
        raise ProgramError(
            "dtype-cast", f"a {plan.out_dtype} result cannot be written into a {kind.dtype} tensor"
        )
    tape.warned += plan.warns
    if prod(kind.shape) and category(plan.compute or plan.out_dtype) == 3 > category(kind.dtype) > 0:
        tape.warned.append(
            ("complex-to-real", f"a {plan.compute} result is written into a {kind.dtype} tensor")
        )
    if plan.out_dtype != kind.dtype:
        result = library.namespace(plan.out_dtype, zero_dim=not kind.shape).astype(result, kind.dtype)
    plan.kind = tape.engine.kinds.of(plan.out_dtype, kind.shape, grad=plan.records)
    if not plan.records:
        memory.write(tensor, result, where=where)
        return
    node = plan if plan.out_dtype == kind.dtype else Narrowed(tape, plan, kind.dtype)
    base = memory.base(tensor)
    tape.rewrites.add(len(values))
    tape.urgent = tape.urgent or plan.urgent
    tape.passes_on = tape.passes_on or plan.passes_on
    if base == tensor:
        slot = tape.push(result, tape.engine.kinds.with_grad(kind, True), node, inputs)
        memory.move(tensor, slot)
        memory.write(tensor, result, time=slot, where=where)
    else:
        under = memory.slot(base)
        copy = CopySlices(tape, node, memory.places(tensor, base), inputs, under)
        memory.write(tensor, result, time=len(values), where=where)
        memory.move(
            base,
            tape.push(
                values[under], tape.engine.kinds.with_grad(kinds[under], True), copy, (under, *inputs[1:])
            ),
        )
        copy.slot = restride(tape, tensor)
        values[inputs[0]] = copy.before
    memory.lend(base)


def check_memory(tape: Tape, tensor: int, inputs: tuple[int, ...], overlap: str, *, spread: bool) -> None:
    """What the memory of an in-place op's operands forbids.

    Raises:
        ProgramError: overlapping-memory.
    """
    memory = tape.memory
    if memory.overlaps(inputs[0]):
        raise UnsupportedFeature("views", "writing elements that overlap: what is there depends on the order")
    if memory.repeats(inputs[0]):
        if overlap == "unchecked":
            raise UnsupportedFeature("views", "an op in place on an expanded tensor that torch lets pass")
        if overlap not in (*_AT_PLACES, "ignored"):
            raise ProgramError(
                "overlapping-memory", "elements of the written tensor share memory; clone() it first"
            )
    if overlap in ("marked", "filled"):  # the mask may be the tensor itself, but not part of it
        _check_relations(tape, tensor, inputs[:-1], same=True, spread=True)
    apart = overlap in ("none", "places")
    if apart or (memory.views and overlap == "same"):
        _check_relations(tape, tensor, inputs, same=overlap == "same", spread=spread)


# What torch lets pass where elements share memory, and how often it warns: a write of one number under a mask
# is first one at places, then one under a mask.
_AT_PLACES = {"places": 1, "marked": 1, "filled": 2}
_EXPANDED = ("expanded-write", "an expanded tensor is written at places; clone() it first")


def _written(tape: Tape, plan: Plan, inputs: tuple[int, ...]) -> Any:
    """Which elements a write at places is to; the last of `inputs` is what is written."""
    values, kind = tape.values, tape.kinds[inputs[0]]
    space = tape.engine.library.namespace(kind.dtype, zero_dim=False)
    given = [values[s] for s in inputs]
    marks = [space.zeros(kind.shape), *given[1:-1], space.ones_like(given[-1])]
    return space.not_equal(plan.forward(*marks), 0)


def _check_relations(tape: Tape, tensor: int, inputs: tuple[int, ...], *, same: bool, spread: bool) -> None:
    """An operand that lies in part of the written memory, or in all of it otherwise arranged, has no
    defined value. As in torch, only stretches of memory without gaps are looked at.

    spread: operands are broadcast to the written shape before they are looked at.
    """
    memory = tape.memory
    target = memory.slot(tensor)
    for slot in inputs[1:]:
        other = memory.owner.get(slot, slot)
        # a value is viewed without leading axes of size 1, and then another tensor
        if other == tensor and not same and tape.kinds[slot].shape[:1] != (1,):
            raise ProgramError("overlapping-memory", "the tensor that is written is its own operand")
        if (other == tensor and same) or memory.root(other) != memory.root(tensor):
            continue
        if not spread and (memory.is_turned(tensor) or memory.is_turned(other)):
            continue  # torch copies what shows its memory as conjugates before it goes on
        strides, have, wanted = memory.strides(slot), tape.kinds[slot].shape, tape.kinds[target].shape
        if spread and have != wanted:
            strides = spread_over(have, strides, wanted)
            if prod(have) != prod(wanted):  # it is expanded, and repeats its elements
                _check_order(tape, tensor, other, same=same)
                continue
        mine, theirs = memory.stretch(target), memory.stretch(slot)
        if mine is None or theirs is None:
            _check_order(tape, tensor, other, same=same)
            continue
        if mine[0] > theirs[1] or theirs[0] > mine[1]:
            continue
        if not same or mine != theirs or memory.strides(target) != strides:
            raise ProgramError("overlapping-memory", "an operand overlaps the tensor that is written")


def _check_order(tape: Tape, tensor: int, other: int, *, same: bool) -> None:
    """Raises UnsupportedFeature where an operand shares places with the tensor that is written and lies
    otherwise: torch does not look at such memory, and what is read depends on the order of writing."""
    memory = tape.memory
    mine, theirs = memory.slot(tensor), memory.slot(other)
    alike = memory.layout(mine) == memory.layout(theirs)
    if same and alike and tape.kinds[mine].shape == tape.kinds[theirs].shape:
        return
    if not set(memory.located(tensor)).isdisjoint(memory.located(other)):
        raise UnsupportedFeature("views", "an operand that shares places with the tensor that is written")


def current(tape: Tape, tensor: int) -> int:
    """The slot of a tensor's present value and history; a view that was written gets its history again.

    Raises:
        ProgramError: multi-view-in-place, no-grad-view-in-place for a view of a changed base.
    """
    memory = tape.memory
    if memory.views and memory.versions and memory.is_outdated(tensor):
        check_view(tape, tensor)
        before = memory.slot(tensor)
        memory.renewed[before] = renewed = restride(tape, tensor)
        return renewed
    return memory.now.get(tensor, tensor)


def restride(tape: Tape, view: int) -> int:
    """Give a view that was written its history again, out of its base's; its new slot."""
    memory = tape.memory
    base = memory.base(view)
    under = memory.slot(base)
    kind = tape.engine.kinds.with_grad(tape.kinds[memory.slot(view)], True)
    node = Restrided(tape, memory.places(view, base), tape.kinds[under], _way_name(tape, view))
    slot = tape.push(tape.values[memory.slot(view)], kind, node, (under,))
    memory.move(view, slot)
    memory.known[view] = memory.version(view)
    return slot


def _way_name(tape: Tape, view: int) -> str:
    """The name of the node that leads to a view again: strides alone say how, unless the view shows the
    numbers otherwise than its source does (as conjugates, or as pairs)."""
    memory = tape.memory
    how = memory.views[view]
    source = how.source
    same = tape.kinds[memory.slot(view)].dtype == tape.kinds[memory.slot(source)].dtype
    if how.table is None or (same and not how.table.op.turns):
        return "AsStridedBackward0"
    return str(how.table.op.node)


class _Node(ABC):
    """A node that no op makes. Like a Plan where backward looks."""

    name = ""
    saves: tuple[int, ...] = ()
    saves_output = False
    saves_parts: tuple[int, ...] = ()
    saves_anything = False
    compute: str | None = None

    def __init__(self, tape: Tape, dtype: str) -> None:
        self.tape = tape
        self.out_dtype = dtype

    @property
    @abstractmethod
    def edges(self) -> tuple[int | None, ...]:
        """As a Plan's."""

    @property
    def freed(self) -> Any:
        """What takes the node's place once its backward has run; None for a node that saves nothing."""
        return None

    @property
    def back(self) -> Callable[..., None]:
        return self.write_back(
            self.tape.engine.library.namespace(self.out_dtype, zero_dim=False), recorded=False
        )

    @abstractmethod
    def write_back(self, xp: Any, *, recorded: bool) -> Callable[..., None]:
        """`back` over the namespace xp, as a Plan's."""


class Restrided(_Node):
    """From a base to a view of it, by places."""

    def __init__(self, tape: Tape, places: Places, base: Kind, name: str) -> None:
        super().__init__(tape, base.dtype)
        self.places = places
        self.name = name
        self.feeds: tuple[int, ...] = (0,) if base.grad and not base.lent else ()

    @property
    def edges(self) -> tuple[int | None, ...]:
        if self.out_dtype.startswith("complex") or self.name != "AsStridedBackward0":
            raise UnsupportedFeature("graph", "the way to a view that is not strided may have several nodes")
        return self.feeds or (None,)

    def write_back(self, xp: Any, *, recorded: bool) -> Callable[..., None]:
        spaces = Spaces(self.tape.engine.library, xp if recorded else None)

        def back(ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
            if self.feeds:
                _add(grads, ins[0], self.places.add(spaces, ct, self.out_dtype), xp)

        return back


class CopySlices(_Node):
    """The base's new value after an in-place op on a view of it."""

    name = "CopySlices"
    saves_anything = True  # the op itself, as torch counts

    def __init__(self, tape: Tape, plan: Any, places: Places, inputs: tuple[int, ...], under: int) -> None:
        super().__init__(tape, tape.kinds[under].dtype)
        self.plan = plan
        self.places = places
        self.inputs = inputs
        self.before = tape.values[inputs[0]]  # the view's old value, which the op's rule may need
        self.slot = -1  # of the view's new value
        self.first = 0 if tape.kinds[under].grad else None  # where the first edge leads
        # whether elements of the view share memory, and whether elements of the base do
        self.repeats = tape.memory.repeats(inputs[0])
        self.repeats_below = tape.memory.repeats(under)
        self.saves = plan.saves
        self.saves_output = plan.saves_output

    @property
    def edges(self) -> tuple[int | None, ...]:
        return (self.first, *self.plan.edges[1:])

    def check_places(self, wanted: bool) -> None:
        """Raises overlapping-memory where the gradient of the base, or that of the view, which the base is to
        get if that is `wanted`, repeats places."""
        if self.repeats_below or (self.repeats and self.first is not None and wanted):
            raise ProgramError("overlapping-memory", "the gradient of an expanded tensor is written")

    @property
    def feeds(self) -> tuple[int, ...]:
        """As a Plan's."""
        own = () if self.first is None else (self.first,)
        return own + tuple(position for position in self.plan.feeds if position)

    @property
    def freed(self) -> Any:
        return FreedCopy(self)

    def write_back(self, xp: Any, *, recorded: bool) -> Callable[..., None]:
        inner = self.plan.write_back(xp, recorded=True) if recorded else self.plan.back
        spaces = Spaces(self.tape.engine.library, xp if recorded else None)
        places, dtype, view = self.places, self.out_dtype, self.tape.kinds[self.inputs[0]]

        def back(ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
            found: dict[int, Any] = grads.__class__()
            # the op's own inputs, its first standing apart so that its part is not mixed with others'
            first, seen = self.inputs[0], values
            if first in ins[1:]:
                first, seen = _FIRST, _Apart(values, first)
            inner(places.take(spaces, ct, dtype), seen, (first, *ins[1:]), self.slot, found)
            own = found.pop(first, None)
            if own is UNDEFINED:  # from a custom function: as in torch there is none for the base either
                grads.undefined(ins[0])
            elif self.first is not None:
                if own is None:
                    own = spaces.of(view.dtype).zeros(view.shape, view.dtype)
                _add(grads, ins[0], places.put(spaces, ct, own, dtype), xp)
            for slot, part in found.items():
                if part is UNDEFINED:
                    grads.undefined(slot)
                else:
                    _add(grads, slot, part, xp)

        return back


_FIRST = -1  # a slot that no tensor has


class _Apart:
    """Values by slot; the first input of an op, which is another input as well, is at `_FIRST`, too."""

    __slots__ = ("first", "saved", "values")

    def __init__(self, values: Any, first: int) -> None:
        self.values = values
        self.first = first
        self.saved = getattr(values, "saved", None)  # see gradspec.engine.custom.Recomputed

    def __getitem__(self, slot: int) -> Any:
        return self.values[self.first if slot == _FIRST else slot]


class Narrowed(_Node):
    """An op whose result was cast to the dtype of the tensor it was written into."""

    def __init__(self, tape: Tape, plan: Plan, dtype: str) -> None:
        super().__init__(tape, dtype)
        self.plan = plan
        self.name = plan.name
        self.saves = plan.saves
        self.saves_output = plan.saves_output
        self.saves_anything = plan.saves_anything

    @property
    def edges(self) -> tuple[int | None, ...]:
        return self.plan.edges

    @property
    def feeds(self) -> tuple[int, ...]:
        """As a Plan's."""
        return self.plan.feeds

    @property
    def freed(self) -> Any:
        return self.plan.freed

    def write_back(self, xp: Any, *, recorded: bool) -> Callable[..., None]:
        inner = self.plan.write_back(xp, recorded=True) if recorded else self.plan.back

        def back(ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
            inner(xp.astype(ct, self.plan.out_dtype), values, ins, k, grads)

        return back


class FreedCopy:
    """Takes the place of a CopySlices whose saved values were freed."""

    name = "CopySlices"
    gone = True
    saves: tuple[int, ...] = ()
    saves_output = False
    saves_anything = False
    freed = None

    def __init__(self, copy: CopySlices) -> None:
        self.copy = copy

    @property
    def edges(self) -> tuple[int | None, ...]:
        return self.copy.edges

    @property
    def feeds(self) -> tuple[int, ...]:
        return self.copy.feeds

    def back(self, ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
        raise ProgramError("graph-freed", "the saved values of CopySlices were freed by an earlier backward")


def _add(grads: dict[int, Any], slot: int, part: Any, xp: Any) -> None:
    grads[slot] = xp.add(grads[slot], part) if slot in grads else part
