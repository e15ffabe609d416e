"""Backward: the tape walked downwards, each node once, when everything above it has run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from gradspec.engine.inplace import CopySlices, check_view
from gradspec.engine.plan import Part, sum_to
from gradspec.engine.undefined import UNDEFINED, Cotangents, hand_down
from gradspec.errors import ProgramError, UnsupportedFeature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gradspec.engine.tape import Tape

__all__ = ["Walk", "leads_to", "walk"]


class Walk:
    """How a backward is to run.

    retain_graph: nodes that ran keep their saved values.
    recorder: a namespace that records; cotangents are then Traced arrays.
    idle: slots whose nodes count as run, though nobody wants what they give.
    within: only nodes of these slots run (see `leads_to`); None for all.
    reached: with `within`, the slots that are visited: those, and where gradients are wanted.
    visit: slot → function given the complete cotangent there before the node runs; it gives back the
        one to go on with.
    arrive: is given (leaf slot, total) as soon as the leaf's total is complete.
    before: node's slot → function given the cotangent there right before the node runs.
    after: node's slot → function given what it gave, by input position, right after.
    ordered: whether it shows when a leaf is served (hooks of any kind, a node that is there to raise);
        otherwise all are served at the end.
    """

    __slots__ = (
        "after", "arrive", "before", "idle", "leaves", "left", "ordered", "reached", "recorder",
        "retain_graph", "visit", "within",
    )  # fmt: skip

    def __init__(
        self,
        *,
        retain_graph: bool,
        arrive: Callable[[int, Any], None],
        recorder: Any = None,
        within: set[int] | None = None,
        reached: set[int] | None = None,
        visit: dict[int, Callable[[Any], Any]] | None = None,
        before: dict[int, Callable[[Any], None]] | None = None,
        after: dict[int, Callable[[dict[int, Any]], None]] | None = None,
        ordered: bool = False,
        idle: frozenset[int] | set[int] = frozenset(),
    ) -> None:
        self.retain_graph = retain_graph
        self.arrive = arrive
        self.recorder = recorder
        self.within = within
        self.reached = reached
        self.visit = visit
        self.before = before or {}
        self.after = after or {}
        self.ordered = ordered
        self.idle = idle
        self.left: dict[int, Any] = {}  # slot → cotangent that is still to be used
        self.leaves: dict[int, Any] = {}  # the same, of leaves that are to be served

    def is_plain(self, tape: Tape) -> bool:
        """Whether nodes just have to run, one after the other."""
        return (
            self.recorder is None and self.within is None and not self.visit and not self.ordered
            and not tape.anomaly and not tape.memory.written and not tape.cut and not tape.special
        )  # fmt: skip


def walk(tape: Tape, seeds: dict[int, Any], how: Walk) -> None:
    """Run backward from `seeds` (slot → first cotangent).

    Latest node first: slots are times, and a node's users stand above it, so the highest slot with a
    cotangent is always ready.  A node that fails ends the walk; leaves whose total was complete by
    then have been served.

    Raises:
        ProgramError: graph-freed, modified-in-place, no-derivative, nan-detected, and what `visit` and
            `arrive` raise.
    """
    nodes, ins, values = tape.nodes, tape.ins, tape.values
    free = not how.retain_graph
    grads = how.left = Cotangents(seeds) if tape.special else dict(seeds)
    leaves = how.leaves
    careful = None if how.is_plain(tape) else _Careful(tape, how, grads, leaves)
    k = max(grads, default=-1)
    misses = 0
    try:
        while grads:
            ct = grads.pop(k, None)
            if ct is None:
                misses += 1
                if misses > len(grads) + 64:  # a wide gap: leap over it rather than look at every slot
                    k, misses = max(grads), 0
                else:
                    k -= 1
                continue
            if careful is not None:
                careful.run(k, ct)
            else:
                plan = nodes[k]
                if plan is None:
                    leaves[k] = ct
                else:
                    plan.back(ct, values, ins[k], k, grads)
                    if free and (freed := plan.freed) is not None:
                        nodes[k] = freed
            k -= 1
    except Exception:
        if not how.ordered:
            _serve_complete(tape, how, leaves, grads, k)
        raise
    _serve_all(how, leaves)


class _Careful:
    """The visit of one slot where more is asked than a plain walk does."""

    def __init__(self, tape: Tape, how: Walk, grads: dict[int, Any], leaves: dict[int, Any]) -> None:
        self.tape = tape
        self.how = how
        self.grads = grads
        self.leaves = leaves
        self.visit = how.visit or {}
        self.values = tape.values if how.recorder is None else how.recorder.saved
        self.waits = _uses(tape, grads, how.within) if how.ordered else None
        if self.waits is not None:
            self._serve([slot for slot in grads if _comes_first(tape, slot)])

    def run(self, k: int, ct: Any) -> None:
        tape, how, grads = self.tape, self.how, self.grads
        plan = tape.nodes[k]
        if k in tape.memory.bent and plan is not None:
            ct = self._bent(k, ct)
        if k in self.visit and (how.reached is None or k in how.reached):
            ct = self.visit[k](ct)
        if plan is None:
            self.leaves[k] = ct
        elif how.within is None or k in how.within or type(plan) is Part:
            if k in how.before:
                how.before[k](ct)
            if (tape.memory.written or tape.cut) and plan.saves_anything:
                _check_saved(tape, plan, k)
            if type(plan) is CopySlices:
                plan.check_places(how.reached is None or tape.ins[k][0] in how.reached)
            idle = k in how.idle and not (getattr(plan, "gone", False) or type(plan) is Part)
            if idle and plan.name != "NotImplemented":
                back = _nothing
            else:
                back = plan.back if how.recorder is None else how.recorder.back_of(plan)
            parts: dict[int, Any] = {}
            freed = None if how.retain_graph else plan.freed
            if tape.special and _is_undefined(ct) and not getattr(plan, "materializes", False):
                hand_down(tape, k, grads)
            elif k in how.after:
                parts = _apart(tape, back, ct, self.values, k, grads, freed)
            elif tape.anomaly:
                _watched(tape, back, ct, self.values, k, grads, freed)
            else:
                back(ct, self.values, tape.ins[k], k, grads)
            if k in how.after:
                how.after[k](parts)
            if freed is not None:
                tape.nodes[k] = freed
            if self.waits is not None:
                self._serve(_fed(plan, tape.ins[k]))

    def _serve(self, slots: Iterable[int]) -> None:
        """A node over `slots` has run: serve the leaves among them that wait for no other. A node that is
        there to raise runs as soon."""
        how, grads, waits = self.how, self.grads, self.waits
        assert waits is not None
        for slot in slots:
            if slot in waits:
                waits[slot] -= 1
        for slot in dict.fromkeys(slots):
            ct = grads.pop(slot, None) if waits.get(slot, 1) <= 0 else None
            if ct is None:
                continue
            if self.tape.nodes[slot] is not None:
                self.run(slot, ct)
                continue
            if how.visit is not None and slot in how.visit and (how.reached is None or slot in how.reached):
                ct = how.visit[slot](ct)
            how.arrive(slot, ct)

    def _bent(self, k: int, ct: Any) -> Any:
        """A cotangent in the shape that a node gave, where the tensor's was changed in place unrecorded.

        Raises:
            ProgramError: gradient-shape where it is none that the other broadcasts to.
        """
        tape, kind = self.tape, self.tape.kinds[k]
        shape, library = tape.memory.bent[k], tape.engine.library
        have = ct.shape if self.how.recorder is not None else library.shape_of(ct)
        lead = len(have) - len(shape)
        pairs = zip(shape, have[max(lead, 0) :], strict=False)
        if lead < 0 or any(mine not in (1, given) for mine, given in pairs):
            name = tape.nodes[k].name
            raise ProgramError(
                "gradient-shape", f"{name} made shape {list(shape)}, which is {list(have)} now"
            )
        space = self.how.recorder or library.namespace(kind.dtype, zero_dim=not kind.shape)
        return sum_to(space if self.how.recorder is None else space.space(kind.dtype), ct, shape)


def _nothing(ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
    """The backward of a node that hands on nothing."""


def _uses(tape: Tape, seeds: dict[int, Any], within: set[int] | None) -> dict[int, int]:
    """Leaf, or node that comes first → how many times the nodes that will run use it; a seed counts as one
    use."""
    uses: dict[int, int] = {}
    seen: set[int] = set()
    waiting = list(seeds)
    for slot in seeds:
        if _comes_first(tape, slot):
            uses[slot] = 1
    while waiting:
        slot = waiting.pop()
        if slot in seen or tape.nodes[slot] is None or (within is not None and slot not in within):
            continue
        seen.add(slot)
        for below in _fed(tape.nodes[slot], tape.ins[slot]):
            if _comes_first(tape, below):
                uses[below] = uses.get(below, 0) + 1
            waiting.append(below)
    return uses


def _comes_first(tape: Tape, slot: int) -> bool:
    """Whether torch runs what stands at a slot before all else that is ready: a leaf, a node that raises."""
    node = tape.nodes[slot]
    return node is None or getattr(node, "urgent", False)


def _serve_complete(tape: Tape, how: Walk, leaves: dict[int, Any], grads: dict[int, Any], k: int) -> None:
    """Node k failed: serve the leaves that no node still to run leads to."""
    waiting = [s for s in (k, *grads) if tape.nodes[s] is not None]
    short: set[int] = set()
    while waiting:
        slot = waiting.pop()
        if slot not in short:
            short.add(slot)
            if tape.nodes[slot] is not None:  # a leaf may have been computed too, under no_grad
                waiting.extend(_fed(tape.nodes[slot], tape.ins[slot]))
    leaves.update((s, ct) for s, ct in grads.items() if tape.nodes[s] is None and s not in short)
    for leaf in leaves:
        grads.pop(leaf, None)
    _serve_all(how, leaves)


def _serve_all(how: Walk, leaves: dict[int, Any]) -> None:
    while leaves:
        leaf = next(iter(leaves))
        how.arrive(leaf, leaves.pop(leaf))


def _check_saved(tape: Tape, plan: Any, k: int) -> None:
    """Raises modified-in-place where a value that node k saved was written over or detached since."""
    memory = tape.memory
    in_place = k in tape.rewrites
    hides = getattr(getattr(plan, "op", None), "hides", False)  # then views were saved, whose history stays
    for position in plan.saves:
        if in_place and position == 0:
            continue  # an in-place op saves a copy of what it writes over
        slot = tape.ins[k][position]
        tensor = memory.owner.get(slot, slot)
        if memory.views and memory.slot(tensor) == slot and memory.is_outdated(tensor):
            check_view(tape, tensor)  # torch looks at the history of what it saved first
        if hides and slot in memory.laid and memory.last_write(slot) > k:
            raise UnsupportedFeature("views", f"whether {plan.name} saved a copy of what was changed since")
        itself = in_place and slot == tape.ins[k][0]
        # an in-place op writes at its own time
        if (
            itself
            or (slot in tape.cut and not hides)
            or memory.last_write(slot) > (k - 0.5 if in_place else k)
        ):
            _modified(plan)
    # of several outputs those that are saved stand in the slots after the node
    if any(
        memory.last_write(slot) > k
        for slot in ([k] if plan.saves_output else [k + 1 + part for part in plan.saves_parts])
    ):
        _modified(plan)


def _modified(plan: Any) -> NoReturn:
    raise ProgramError("modified-in-place", f"a value that {plan.name} saved was changed in place since")


def _is_undefined(ct: Any) -> bool:
    """Whether nothing has come to any output of a node."""
    return ct is UNDEFINED or (type(ct) is list and all(part is None for part in ct))


def _watched(tape: Tape, back: Any, ct: Any, values: Any, k: int, grads: Any, freed: Any) -> None:
    """Anomaly detection: raises nan-detected where a node gives a NaN. `freed`: what takes the node's place
    before that is looked at, if anything does."""
    found: dict[int, Any] = Cotangents() if tape.special else {}
    back(ct, values, tape.ins[k], k, found)
    tape.nodes[k] = freed or tape.nodes[k]
    for slot, part in found.items():
        _check_number(tape, k, slot, part)
        _give(tape, grads, slot, part)


def _check_number(tape: Tape, k: int, slot: int, part: Any) -> None:
    """Raises nan-detected where what node k gave to a slot has a NaN."""
    kind = tape.kinds[slot]
    if kind is not None and part is not UNDEFINED:
        value = tape.values[part.slot] if hasattr(part, "slot") else part
        flat = tape.engine.library.dump(value, kind.dtype).flat()
        if any(x != x for x in flat):
            raise ProgramError("nan-detected", f"{tape.nodes[k].name} gave a NaN in its backward")


def _give(tape: Tape, grads: Any, slot: int, part: Any) -> None:
    """Add a part to the cotangent of a slot."""
    kind = tape.kinds[slot]
    if part is UNDEFINED:
        grads.undefined(slot)
    elif kind is None:  # a node with several outputs, each of which brings its own
        cts = grads.setdefault(slot, [None] * len(part))
        cts[:] = [old if new is None else new for old, new in zip(cts, part, strict=True)]
    elif slot in grads:
        space = tape.engine.library.namespace(kind.dtype, zero_dim=not kind.shape)
        add = tape.ops.add if hasattr(part, "slot") else space.add
        grads[slot] = add(grads[slot], part)
    else:
        grads[slot] = part


class _Own:
    """Values by slot, and by the negative numbers that stand for a node's inputs."""

    __slots__ = ("ins", "values")

    def __init__(self, values: Any, ins: tuple[int, ...]) -> None:
        self.values = values
        self.ins = ins

    def __getitem__(self, slot: int) -> Any:
        return self.values[self.ins[slot] if slot < 0 else slot]


def _apart(
    tape: Tape, back: Any, ct: Any, values: Any, k: int, grads: dict[int, Any], freed: Any
) -> dict[int, Any]:
    """Run node k and add what it gives to `grads`; what it gave, by input position, kept apart also where
    two inputs are one tensor. `freed`: as for `_watched`."""
    ins = tape.ins[k]
    found: dict[int, Any] = Cotangents() if tape.special else {}
    back(ct, _Own(values, ins), tuple(range(-len(ins), 0)), k, found)
    tape.nodes[k] = freed or tape.nodes[k]
    parts = {place + len(ins): part for place, part in found.items()}
    for position, part in parts.items():
        if tape.anomaly:
            _check_number(tape, k, ins[position], part)
        _give(tape, grads, ins[position], part)
    return parts


def _fed(node: Any, ins: tuple[int, ...]) -> tuple[int, ...]:
    """The slots that a node hands gradients to; `feeds` are the input positions, where these are not all."""
    feeds = getattr(node, "feeds", None)
    return ins if feeds is None else tuple([ins[position] for position in feeds])


def leads_to(tape: Tape, targets: Iterable[int], top: int) -> set[int]:
    """The slots up to `top` whose nodes lead down to one of the slots `targets`."""
    reached = set(targets)
    ins, nodes = tape.ins, tape.nodes
    within = set()
    for k in range(min(reached, default=top), top + 1):
        if nodes[k] is not None and not reached.isdisjoint(_fed(nodes[k], ins[k])):
            reached.add(k)
            within.add(k)
    return within
