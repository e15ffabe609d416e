"""Which tensors share memory, and what writing into one does to the others.

Values on the tape are never changed by an op; so shared memory is kept as facts beside it.  A view
is known by the call that made it from its source.  Running that call on the *numbers* of the
elements instead of the elements tells where each element of the view lies in the memory of the
tensor at the root, whatever op it was.  That happens only when something is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import category
from gradspec.engine.graph import is_hidden_in
from gradspec.engine.places import Places, Spaces, numbered
from gradspec.engine.strides import Layout, contiguous, is_dense, may_overlap, of_elementwise
from gradspec.errors import UnsupportedFeature
from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from gradspec.engine.tape import Table, Tape

__all__ = ["Memory", "View"]


class View(NamedTuple):
    """How a tensor came out of its source.

    `how`: "view" (autograd knows it), "detach" (same memory and version counter, no history), "data" (same
    memory only) or "part" (a stand-in, see `Memory.stand_in`). `table` and `inputs` are the call that made it
    (None for an alias), `part` its place among several outputs; `recorded` whether gradients were recorded
    then, `custom` whether a custom function has given it back.
    """

    source: int
    how: str
    table: Table | None
    inputs: tuple[int, ...]
    part: int
    several: bool
    recorded: bool
    custom: bool = False


class Memory:
    """The sharing among one tape's tensors. Empty until there is a view or a write.

    now       tensor → slot of its present value, where that is not the slot it was made at
    owner     the inverse of now
    left      slot that a tensor stood at before → the slot it moved to
    views     tensor → how it came out of its source
    versions  tensor at the root of a version counter → its count
    written   the same → the time of the last write that autograd is to notice: the slot that it made, or
              half a slot after the last one
    taken     tensor that took over another memory, by `.data =` or from a stand-in → the tensor whose memory
              that is
    renewed   slot of a view → the slot where the same value has its history again
    first     stand-in at the root of a memory → the tensor that the memory was made with
    laid      slot → how its tensor lies in memory, where it is not contiguous from the start
    bent      slot of a tensor whose shape was changed in place unrecorded → the shape that its node gave, or
              that a leaf had when it was first used
    known     view → the version at which its history was made, where that is not 0
    """

    __slots__ = (
        "_members",
        "bent",
        "first",
        "known",
        "laid",
        "left",
        "now",
        "owner",
        "renewed",
        "taken",
        "tape",
        "versions",
        "views",
        "written",
    )

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.now: dict[int, int] = {}
        self.owner: dict[int, int] = {}
        self.left: dict[int, int] = {}
        self.views: dict[int, View] = {}
        self.versions: dict[int, int] = {}
        self.written: dict[int, float] = {}
        self.taken: dict[int, int] = {}
        self.renewed: dict[int, int] = {}
        self.first: dict[int, int] = {}
        self.bent: dict[int, tuple[int, ...]] = {}
        self.known: dict[int, int] = {}
        self.laid: dict[int, Layout] = {}
        self._members: dict[int, list[int]] = {}

    def close(self) -> None:
        """Let go of the tape."""
        self.views.clear()
        self._members.clear()
        del self.tape

    def add(self, tensor: int, view: View) -> None:
        """Note that `tensor` shares memory with `view.source`."""
        source = self.owner.get(view.source, view.source)
        self.views[tensor] = view._replace(source=source)
        self._members.setdefault(self.root(source), [self.root(source)]).append(tensor)
        if self.versions:
            self.known[tensor] = self.version(tensor)

    def is_quiet(self) -> bool:
        """Whether every tensor is a memory of its own, at the slot it was made at."""
        return not self.now and not self.views and not self.taken

    def is_outdated(self, tensor: int) -> bool:
        """Whether a view was written, by whatever name, since its history was made."""
        view = self.views.get(tensor)
        if view is None or view.how != "view" or self.version(tensor) == self.known.get(tensor, 0):
            return False
        nodes, kinds = self.tape.nodes, self.tape.kinds
        return nodes[self.slot(tensor)] is not None or bool(kinds[self.slot(self.base(tensor))].grad)

    def views_of(self, base: int) -> list[int]:
        """The tensors whose history comes from that of `base`."""
        return [view for view in self.views if view != base and self.base(view) == base]

    def lend(self, base: int) -> None:
        """Views without a history of their own require grad exactly if their base does."""
        if not self.views:
            return
        tape = self.tape
        grad = bool(tape.kinds[self.slot(base)].grad)
        for view in self.views_of(base):
            slot = self.slot(view)
            kind = tape.kinds[slot]
            if tape.nodes[slot] is None and (kind.lent or not kind.grad):
                tape.kinds[slot] = tape.engine.kinds.with_grad(kind, grad, lent=grad)

    def forget(self, tensor: int) -> None:
        """Drop a tensor that nothing means any more."""
        if tensor in self.views:
            self._leave(tensor)
            del self.views[tensor]

    def _leave(self, tensor: int) -> None:
        root = self.root(tensor)
        members = self._members.get(root)
        if members is not None:
            members.remove(tensor)
            if len(members) == 1:
                del self._members[root]
        self.taken.pop(tensor, None)

    def move(self, tensor: int, slot: int) -> None:
        """From now on `tensor` means the value at `slot`."""
        before = self.slot(tensor)
        if before in self.laid and self.tape.kinds[before].shape == self.tape.kinds[slot].shape:
            self.laid[slot] = self.laid[before]
        self.now[tensor] = self.left[before] = slot
        self.owner[slot] = tensor

    def slot(self, tensor: int) -> int:
        return self.now.get(tensor, tensor)

    def _up(self, tensor: int, through: tuple[str, ...]) -> int:
        views = self.views
        while tensor in views and views[tensor].how in through:
            tensor = views[tensor].source
        return tensor

    def base(self, tensor: int) -> int:
        """The tensor whose history a view's history comes from."""
        return self._up(tensor, ("view",))

    def counter(self, tensor: int) -> int:
        """The tensor whose version counter this one shares."""
        return self._up(tensor, ("view", "detach"))

    def root(self, tensor: int) -> int:
        """The tensor whose memory this one shares."""
        while (source := self._under(tensor)) is not None:
            tensor = source
        return tensor

    def identity(self, tensor: int) -> int:
        """A number for the memory of a tensor, the same as long as there is one."""
        root = self.root(tensor)
        return self.first.get(root, root)

    def _under(self, tensor: int) -> int | None:
        """The tensor whose memory this one took over or was made of; None for one with its own."""
        if tensor in self.taken:
            return self.taken[tensor]
        view = self.views.get(tensor)
        return None if view is None else view.source

    def is_alias(self, tensor: int, of: int) -> bool:
        """Whether a tensor is the very memory of another under a second name (`detach`, `.data`)."""
        while tensor != of and (source := self._under(tensor)) is not None:
            if tensor not in self.taken and self.views[tensor].how in ("view", "part"):
                break
            tensor = source
        return tensor == of

    def take(self, tensor: int, source: int) -> None:
        """From now on `tensor` lies in the memory of `source`. What autograd knows of it stays."""
        self._leave(tensor)
        self.taken[tensor] = source
        root = self.root(source)
        self._members.setdefault(root, [root]).append(tensor)

    def stand_in(self, tensor: int) -> int:
        """A new tensor that lies as `tensor` does and is from now on what those are of that were made of it.
        `tensor` itself takes over its memory, so that it may leave it. What autograd knows stays."""
        stand_in = self._hidden(tensor)
        if self.root(tensor) == tensor:
            self.first[stand_in] = self.first.get(tensor, tensor)
            self._members[stand_in] = [stand_in, *self._members.pop(tensor, [tensor])]
        elif tensor in self.taken:
            self.taken[stand_in] = self.taken[tensor]
        else:
            self.views[stand_in] = self.views[tensor]._replace(how="part")
        for view, made in list(self.views.items()):
            if made.source == tensor and view not in self.taken and view != stand_in:
                self.place(view, made._replace(source=stand_in))
        for other, source in self.taken.items():
            if source == tensor:
                self.taken[other] = stand_in
        self.taken[tensor] = stand_in
        return stand_in

    def place(self, tensor: int, view: View) -> None:
        """From now on `tensor` lies where a view would lie that comes so out of its source."""
        part = self._hidden(tensor)
        self.views[part] = view._replace(how="part")
        self.taken[tensor] = part

    def _hidden(self, tensor: int) -> int:
        """A tensor that no name means, like `tensor`."""
        tape, slot = self.tape, self.slot(tensor)
        hidden = tape.push(tape.values[slot], tape.engine.kinds.with_grad(tape.kinds[slot], False))
        self.lay(hidden, self.layout(slot))
        return hidden

    def version(self, tensor: int) -> int:
        return self.versions.get(self.counter(tensor), 0)

    def relatives(self, tensor: int) -> Iterator[int]:
        """All other tensors of the same memory."""
        return (m for m in self._members.get(self.root(tensor), ()) if m != tensor)

    def last_write(self, slot: int) -> float:
        """The time of the last noticed write into the memory of a slot's tensor; −1 if there was none."""
        return self.written.get(self.counter(self.owner.get(slot, slot)), -1)

    # Places.

    def places(self, tensor: int, within: int) -> Places:
        """Where the elements of `tensor` lie in `within`, which has them.

        Raises:
            UnsupportedFeature: views, where it has not.
        """
        way = self._way(tensor, within)
        if way is None:
            root = self.root(tensor)
            return self.places(tensor, root).in_terms_of(self.places(within, root), self.tape.engine.library)
        tape, library = self.tape, self.tape.engine.library
        under = tape.kinds[self.slot(within)]
        numbers = numbered(library, under)
        dtype = _NUMBERS[category(under.dtype)]
        for view in way:
            if view.table is None:
                continue
            kinds = [tape.kinds[s] for s in view.inputs]
            kinds[0] = tape.engine.kinds.of(dtype, library.shape_of(numbers))
            table = tape.engine.silent(view.table)
            plan = table.prepare(tuple(kinds), [tape.values[s] for s in view.inputs])
            numbers = plan.forward(numbers, *[tape.values[s] for s in view.inputs[1:]])
            dtype = plan.out_dtype
            if view.several:
                numbers = numbers[view.part]
        kind = tape.engine.kinds.of(dtype, library.shape_of(numbers))
        return Places(library, numbers, kind, under)

    def _way(self, tensor: int, within: int) -> list[View] | None:
        """The views that lead from `within` to `tensor`, None where they only share what lies under both.

        Raises:
            UnsupportedFeature: views, where one of them has another memory since.
        """
        if self.root(tensor) != self.root(within):
            raise UnsupportedFeature("views", "the history of a view whose memory was replaced")
        way = []
        while tensor != within:
            if tensor in self.taken:
                tensor = self.taken[tensor]
            elif tensor in self.views:
                way.append(self.views[tensor])
                tensor = self.views[tensor].source
            else:
                return None
        return way[::-1]

    # Strides.

    def layout(self, slot: int) -> Layout:
        """How a slot's tensor lies in the memory that it shares."""
        found = self.laid.get(slot)
        return Layout(contiguous(self.tape.kinds[slot].shape)) if found is None else found

    def strides(self, slot: int) -> tuple[int, ...]:
        """How far neighbours along each axis of a slot's tensor lie apart in memory, in elements."""
        return self.layout(slot).strides

    def lay(self, slot: int, layout: Layout) -> None:
        """Note how a slot's tensor lies, unless it lies as any other."""
        if layout.offset or layout.strides != contiguous(self.tape.kinds[slot].shape):
            self.laid[slot] = layout

    def view_layout(self, table: Table, inputs: tuple[int, ...], shape: tuple[int, ...], part: int) -> Layout:
        """How a result of a view op lies; `part`: its place among several."""
        op, mine = table.op, self.layout(inputs[0])
        if op.strides is None:
            return Layout(contiguous(shape))
        statics = {name: value for name, value in table.arguments.items() if not op.by_name[name].is_tensor}
        have = self.tape.kinds[inputs[0]].shape
        strides, offset = op.strides(have, mine.strides, shape, part, **statics)
        return Layout(tuple(strides), int(mine.offset * op.unit) + offset)

    def lay_result(self, out: int, inputs: Sequence[int]) -> None:
        """Note how the result of an elementwise op lies: as its operands do."""
        laid, kinds = self.laid, self.tape.kinds
        if not kinds[out].shape:
            return
        if 0 in kinds[out].shape or not laid.keys().isdisjoint(inputs):
            operands = [(kinds[s].shape, self.strides(s)) for s in inputs]
            self.lay(out, Layout(of_elementwise(kinds[out].shape, operands)))

    def stretch(self, slot: int) -> tuple[int, int] | None:
        """The first and last number of a tensor in memory, where it fills everything between; else None."""
        kind, layout = self.tape.kinds[slot], self.layout(slot)
        wide = 2 if category(kind.dtype) == 3 else 1
        count = prod(kind.shape)
        if not count or not is_dense(kind.shape, layout.strides):
            return None
        return layout.offset * wide, (layout.offset + count) * wide - 1

    def overlaps(self, slot: int) -> bool:
        """Whether elements may share a place without being repeats of one."""
        return slot in self.laid and may_overlap(self.tape.kinds[slot].shape, self.strides(slot))

    def repeats(self, slot: int) -> bool:
        """Whether a tensor was expanded, so that elements of it are one in memory."""
        shape = self.tape.kinds[slot].shape
        return bool(
            slot in self.laid
            and prod(shape)
            and any(size > 1 and not step for size, step in zip(shape, self.strides(slot), strict=True))
        )

    def is_turned(self, tensor: int) -> bool:
        """Whether a tensor shows parts of its memory with the other sign (a conjugate)."""
        return tensor in self.views and self.places(tensor, self.root(tensor)).turned is not None

    def located(self, tensor: int) -> list[int]:
        """The numbers of the memory that a tensor shares, in which its elements lie."""
        places = self.places(tensor, self.root(tensor))
        numbers: list[int] = self.tape.engine.library.dump(places.numbers, "int64").flat()
        return numbers

    # Writing.

    def write(self, tensor: int, value: Any, *, time: int | None = None, where: Any = None) -> None:
        """Put `value` into the memory of `tensor`, at the slots that are there; relatives see it.

        where: which elements are written, an array of bool; None for all.
        time: the slot that the write made, for one that is recorded.

        Raises:
            UnsupportedFeature: views, where the write goes unnoticed (it is through `.data`) and a node has
                saved more than its operands.
        """
        tape, root = self.tape, self.root(tensor)
        values, counter = tape.values, self.counter(tensor)
        for other in self._members.get(root, ()):
            if self.counter(other) != counter and is_hidden_in(tape, self.slot(other)):
                raise UnsupportedFeature("views", "a write through .data of what an op was given")
        values[self.slot(tensor)] = value
        if root in self._members:
            spaces = Spaces(tape.engine.library)
            dtype = tape.kinds[self.slot(root)].dtype
            whole = values[self.slot(root)]
            if tensor != root:
                places = self.places(tensor, root)
                whole = values[self.slot(root)] = places.put(spaces, whole, value, dtype, where)
            for other in self._members[root]:
                if other != root and (other != tensor or where is not None):
                    values[self.slot(other)] = self.places(other, root).take(spaces, whole, dtype)
        self.versions[counter] = self.versions.get(counter, 0) + 1
        self.written[counter] = len(values) - 0.5 if time is None else time


# The dtype that numbers of elements have, by the category of the elements.
_NUMBERS = ("float64", "float64", "float64", "complex128")
