"""Which tensors share memory, and what writing into one does to the others.

Values on the tape are never changed by an op; so shared memory is kept as facts beside it.  A view
is known by the call that made it from its source.  Running that call on the *numbers* of the
elements instead of the elements tells where each element of the view lies in the memory of the
tensor at the root, whatever op it was.  That happens only when something is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any

from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from gradspec.engine.tape import Table, Tape

__all__ = ["Memory", "View"]


class View(NamedTuple):
    """How a tensor came out of its source.

    `how`: "view" (autograd knows it), "detach" (same memory and version counter, no history) or
    "data" (same memory only). `table` and `inputs` are the call that made it (None for an alias),
    `part` its place among several outputs; `recorded` whether gradients were recorded then.
    """

    source: int
    how: str
    table: Table | None
    inputs: tuple[int, ...]
    part: int
    several: bool
    recorded: bool


class Memory:
    """The sharing among one tape's tensors. Empty until there is a view or a write.

    now       tensor → slot of its present value, where that is not the slot it was made at
    owner     the inverse of now
    views     tensor → how it came out of its source
    versions  tensor at the root of a version counter → its count
    written   the same → the time (slot) of the last write that autograd is to notice
    borrowed  the views that require grad only because their base does: no gradient goes to them
    """

    __slots__ = ("_members", "borrowed", "now", "owner", "tape", "versions", "views", "written")

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.now: dict[int, int] = {}
        self.owner: dict[int, int] = {}
        self.views: dict[int, View] = {}
        self.versions: dict[int, int] = {}
        self.written: dict[int, int] = {}
        self.borrowed: set[int] = set()
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

    def forget(self, tensor: int) -> None:
        """Drop a tensor that nothing means any more."""
        if tensor in self.views:
            root = self.root(tensor)
            members = self._members[root]
            members.remove(tensor)
            if len(members) == 1:
                del self._members[root]
            del self.views[tensor]

    def move(self, tensor: int, slot: int) -> None:
        """From now on `tensor` means the value at `slot`."""
        self.now[tensor] = slot
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
        return self._up(tensor, ("view", "detach", "data"))

    def is_alias(self, tensor: int, of: int) -> bool:
        """Whether a tensor is the very memory of another under a second name (`detach`, `.data`)."""
        while tensor != of and tensor in self.views and self.views[tensor].how != "view":
            tensor = self.views[tensor].source
        return tensor == of

    def version(self, tensor: int) -> int:
        return self.versions.get(self.counter(tensor), 0)

    def relatives(self, tensor: int) -> Iterator[int]:
        """All other tensors of the same memory."""
        return (m for m in self._members.get(self.root(tensor), ()) if m != tensor)

    def last_write(self, slot: int) -> int:
        """The time of the last noticed write into the memory of a slot's tensor; −1 if there was none."""
        return self.written.get(self.counter(self.owner.get(slot, slot)), -1)

    # Places.

    def places(self, tensor: int, within: int) -> Any:
        """Where each element of `tensor` lies in `within`, a tensor it is a view of: an int64 array of
        numbers counted in C order, of the shape of `tensor`."""
        chain = []
        while tensor != within:
            chain.append(self.views[tensor])
            tensor = self.views[tensor].source
        tape = self.tape
        kind = tape.kinds[self.slot(within)]
        ints = tape.engine.library.namespace("int64", zero_dim=False)
        numbers = ints.reshape(ints.arange(prod(kind.shape)), kind.shape)
        shape = kind.shape
        for view in reversed(chain):
            if view.table is None:
                continue
            kinds = [tape.kinds[s] for s in view.inputs]
            kinds[0] = tape.engine.kinds.of("int64", shape)
            table = tape.engine.silent(view.table)
            plan = table.prepare(tuple(kinds), [tape.values[s] for s in view.inputs])
            numbers = plan.forward(numbers, *[tape.values[s] for s in view.inputs[1:]])
            if view.several:
                numbers = numbers[view.part]
            shape = tape.engine.library.shape_of(numbers)
        return numbers

    def strides(self, slot: int) -> tuple[int, ...]:
        """How far neighbours along each axis of a slot's tensor lie apart in memory, in elements. An axis
        of size 1 has the stride that it would have if the axes behind it were contiguous."""
        tensor, shape = self.owner.get(slot, slot), self.tape.kinds[slot].shape
        numbers = self.places(tensor, self.root(tensor)) if tensor in self.views and prod(shape) else None
        ints = self.tape.engine.library.namespace("int64", zero_dim=False)

        def place(index: tuple[int, ...]) -> int:
            found: int = self.tape.engine.library.dump(ints.getitem(numbers, index), "int64").item()
            return found

        strides: list[int] = []
        behind = 1
        for axis in reversed(range(len(shape))):
            if numbers is not None and shape[axis] > 1:
                step = tuple(int(k == axis) for k in range(len(shape)))
                behind = place(step) - place((0,) * len(shape))
            strides.insert(0, behind)
            behind *= shape[axis]
        return tuple(strides)

    def overlaps(self, tensor: int) -> bool:
        """Whether two elements of a tensor are one in memory (an expanded tensor)."""
        if tensor not in self.views:
            return False
        numbers = self.tape.engine.library.dump(self.places(tensor, self.root(tensor)), "int64").flat()
        return len(set(numbers)) < len(numbers)

    # Writing.

    def write(self, tensor: int, value: Any, *, noticed: bool = True, time: int | None = None) -> None:
        """Put `value` into the memory of `tensor`, at the slots that are there; relatives see it.

        noticed: whether the version counter goes up (not for writes through `.data`).
        time: the slot that the write made, for one that is recorded.
        """
        tape, root = self.tape, self.root(tensor)
        values = tape.values
        values[self.slot(tensor)] = value
        if root in self._members:
            kind = tape.kinds[self.slot(root)]
            space = tape.engine.library.namespace(kind.dtype, zero_dim=False)
            flat = space.reshape(values[self.slot(root)], (prod(kind.shape),))
            if tensor != root:
                flat = space.put(flat, (self.places(tensor, root),), value)
                values[self.slot(root)] = space.reshape(flat, kind.shape)
            else:
                flat = space.reshape(value, (prod(kind.shape),))
            for other in self._members[root]:
                if other not in (tensor, root):
                    values[self.slot(other)] = space.getitem(flat, (self.places(other, root),))
        if noticed:
            counter = self.counter(tensor)
            self.versions[counter] = self.versions.get(counter, 0) + 1
            self.written[counter] = len(values) if time is None else time
