"""In-place ops: a new value for a tensor that keeps its name, its hooks' past and its relatives.

The old value stays at its slot; the tensor moves to a new one.  Where the tensor is a view, the
history is rewritten at its base, as torch does it: a CopySlices node makes the base's new value, and
each view gets a node of its own again (AsStridedBackward0) when it is next looked at.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from math import prod
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import can_cast
from gradspec.errors import ProgramError

if TYPE_CHECKING:
    from gradspec.engine.kind import Kind
    from gradspec.engine.plan import Plan
    from gradspec.engine.tape import Tape

__all__ = [
    "CopySlices",
    "FreedCopy",
    "Narrowed",
    "Restrided",
    "check_target",
    "check_view",
    "change",
    "restride",
]


def check_target(tape: Tape, tensor: int) -> None:
    """What forbids an in-place op on a tensor that needs a gradient, while gradients are recorded.

    Raises:
        ProgramError: leaf-in-place, no-grad-view-in-place, multi-view-in-place.
    """
    memory = tape.memory
    slot = memory.slot(tensor)
    if not (tape.recording and tape.kinds[slot].grad):
        return
    view = memory.views.get(tensor)
    if view is not None and view.how == "view":
        check_view(tape, tensor)
        base = memory.base(tensor)
        if tape.nodes[memory.slot(base)] is None and tape.kinds[memory.slot(base)].grad:
            raise ProgramError("leaf-in-place", "a view of a leaf that requires grad is changed in place")
    elif tape.nodes[slot] is None:
        raise ProgramError("leaf-in-place", "a leaf that requires grad is changed in place")


def check_view(tape: Tape, tensor: int) -> None:
    """What forbids giving a view a new history.

    Raises:
        ProgramError: no-grad-view-in-place, multi-view-in-place.
    """
    while (view := tape.memory.views.get(tensor)) is not None and view.how == "view":
        if not view.recorded:
            raise ProgramError(
                "no-grad-view-in-place", "a view made under no_grad is changed in place with grad enabled"
            )
        if view.several:
            raise ProgramError("multi-view-in-place", "this view is one of several outputs of one op")
        tensor = view.source


def change(
    tape: Tape, tensor: int, plan: Plan, inputs: tuple[int, ...], stale: set[int], *, overlap: str
) -> None:
    """Run an op on `inputs` (slots; the first is the tensor's own) and make its result the tensor.

    Raises:
        ProgramError: what the op raises, dtype-cast, shape-mismatch, overlapping-memory.
    """
    memory, values, kinds = tape.memory, tape.values, tape.kinds
    kind: Kind = kinds[inputs[0]]
    if not can_cast(plan.out_dtype, kind.dtype):
        raise ProgramError(
            "dtype-cast", f"a {plan.out_dtype} result cannot be written into a {kind.dtype} tensor"
        )
    if memory.overlaps(tensor):
        raise ProgramError(
            "overlapping-memory", "elements of the written tensor share memory; clone() it first"
        )
    library = tape.engine.library
    result = plan.forward(*[values[s] for s in inputs])
    if library.shape_of(result) != kind.shape:
        raise ProgramError(
            "shape-mismatch",
            f"a result of {list(library.shape_of(result))} does not fit into a tensor of {list(kind.shape)}",
        )
    if plan.out_dtype != kind.dtype:
        result = library.namespace(plan.out_dtype, zero_dim=not kind.shape).astype(result, kind.dtype)
    plan.kind = tape.engine.kinds.of(plan.out_dtype, kind.shape, grad=plan.records)
    if overlap != "any":
        _check_relations(tape, tensor, inputs, same=overlap == "same")
    if not plan.records:
        memory.write(tensor, result)
        stale.update(_outdated(tape, tensor))
        return
    node = plan if plan.out_dtype == kind.dtype else Narrowed(tape, plan, kind.dtype)
    base = memory.base(tensor)
    tape.rewrites.add(len(values))
    if base == tensor:
        slot = tape.push(result, tape.engine.kinds.with_grad(kind, True), node, inputs)
        memory.move(tensor, slot)
        memory.write(tensor, result, time=slot)
    else:
        under = memory.slot(base)
        copy = CopySlices(tape, node, memory.places(tensor, base), inputs, under)
        memory.write(tensor, result, time=len(values))
        memory.move(
            base,
            tape.push(
                values[under], tape.engine.kinds.with_grad(kinds[under], True), copy, (under, *inputs[1:])
            ),
        )
        copy.slot = restride(tape, tensor)
        values[inputs[0]] = copy.before
        stale.discard(tensor)
    for other in memory.relatives(tensor):
        if other != base and memory.base(other) == base:
            stale.add(other)
    stale.update(other for other in _outdated(tape, tensor) if other != tensor)


def _outdated(tape: Tape, tensor: int) -> Iterator[int]:
    """The views, a written tensor among them, that find the version counter of their base changed."""
    memory = tape.memory
    if not memory.views:
        return
    counter = memory.counter(tensor)
    for other in (tensor, *memory.relatives(tensor)):
        view = memory.views.get(other)
        if view is None or view.how != "view" or memory.counter(other) != counter:
            continue
        if tape.kinds[memory.slot(memory.base(other))].grad:
            yield other


def _check_relations(tape: Tape, tensor: int, inputs: tuple[int, ...], *, same: bool) -> None:
    """An operand that lies in part of the written memory, or in all of it otherwise arranged, has no
    defined value. As in torch, only stretches of memory without gaps are looked at."""
    memory = tape.memory
    for slot in inputs[1:]:
        other = memory.owner.get(slot, slot)
        if (other != tensor or not same) and tensor in (set(memory.relatives(other)) if memory.views else ()):
            root = memory.root(tensor)
            dump = tape.engine.library.dump
            mine = dump(memory.places(tensor, root), "int64")
            theirs = dump(memory.places(other, root), "int64")
            a, b = mine.flat(), theirs.flat()
            if not (_is_stretch(a) and _is_stretch(b)) or set(a).isdisjoint(b):
                continue
            if a != b or not same:
                raise ProgramError("overlapping-memory", "an operand overlaps the tensor that is written")


def _is_stretch(places: list[int]) -> bool:
    """Whether places follow each other without gaps or repeats, in whatever order."""
    return bool(places) and len(set(places)) == len(places) == max(places) - min(places) + 1


def restride(tape: Tape, view: int) -> int:
    """Give a view whose base changed its history again; its new slot."""
    memory = tape.memory
    base = memory.base(view)
    under = memory.slot(base)
    kind = tape.engine.kinds.with_grad(tape.kinds[memory.slot(view)], tape.kinds[under].grad)
    node = Restrided(tape, memory.places(view, base), tape.kinds[under]) if kind.grad else None
    slot = tape.push(tape.values[memory.slot(view)], kind, node, (under,))
    memory.move(view, slot)
    memory.borrowed.discard(view)
    return slot


class _Node(ABC):
    """A node that no op makes. Like a Plan where backward looks."""

    name = ""
    saves: tuple[int, ...] = ()
    saves_output = False
    saves_anything = False
    compute: str | None = None

    def __init__(self, tape: Tape, dtype: str) -> None:
        self.tape = tape
        self.out_dtype = dtype

    @property
    def freed(self) -> Any:
        """What takes the node's place once it was freed; a node that saves nothing stays."""
        return self

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

    name = "AsStridedBackward0"

    def __init__(self, tape: Tape, places: Any, base: Kind) -> None:
        super().__init__(tape, base.dtype)
        self.places = places
        self.shape = base.shape

    def write_back(self, xp: Any, *, recorded: bool) -> Callable[..., None]:
        def back(ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
            flat = xp.put_add((prod(self.shape),), (self.places,), ct)
            _add(grads, ins[0], xp.reshape(flat, self.shape), xp)

        return back


class CopySlices(_Node):
    """The base's new value after an in-place op on a view of it."""

    name = "CopySlices"
    saves_anything = True  # the op itself, as torch counts

    def __init__(self, tape: Tape, plan: Any, places: Any, inputs: tuple[int, ...], under: int) -> None:
        super().__init__(tape, tape.kinds[under].dtype)
        self.plan = plan
        self.places = places
        self.inputs = inputs
        self.before = tape.values[inputs[0]]  # the view's old value, which the op's rule may need
        self.slot = -1  # of the view's new value
        self.saves = plan.saves
        self.saves_output = plan.saves_output

    @property
    def freed(self) -> Any:
        return FreedCopy()

    def write_back(self, xp: Any, *, recorded: bool) -> Callable[..., None]:
        inner = self.plan.write_back(xp, recorded=True) if recorded else self.plan.back

        def back(ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
            shape = xp.shape(ct)
            flat = xp.reshape(ct, (prod(shape),))
            found: dict[int, Any] = {}
            # the op's own inputs, its first standing apart so that its part is not mixed with others'
            inner(xp.getitem(flat, (self.places,)), values, self.inputs, self.slot, found)
            own = found.pop(self.inputs[0], 0)
            if self.tape.kinds[ins[0]].grad:
                _add(grads, ins[0], xp.reshape(xp.put(flat, (self.places,), own), shape), xp)
            for slot, part in found.items():
                _add(grads, slot, part, xp)

        return back


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
    def freed(self) -> Any:
        return self.plan.freed if self.saves_anything else self

    def write_back(self, xp: Any, *, recorded: bool) -> Callable[..., None]:
        inner = self.plan.write_back(xp, recorded=True) if recorded else self.plan.back

        def back(ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
            inner(xp.astype(ct, self.plan.out_dtype), values, ins, k, grads)

        return back


class FreedCopy:
    """Takes the place of a CopySlices whose saved values were freed."""

    name = "CopySlices"
    saves: tuple[int, ...] = ()
    saves_output = False
    saves_anything = False

    @property
    def freed(self) -> FreedCopy:
        return self

    def back(self, ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
        raise ProgramError("graph-freed", "the saved values of CopySlices were freed by an earlier backward")


def _add(grads: dict[int, Any], slot: int, part: Any, xp: Any) -> None:
    grads[slot] = xp.add(grads[slot], part) if slot in grads else part
