"""Backward: the tape walked downwards, each node once, when everything above it has run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.errors import ProgramError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gradspec.engine.tape import Tape

__all__ = ["Arrivals", "leads_to", "walk"]


class Arrivals(dict[int, Any]):
    """Leaf slot → the total of its cotangents, in the order in which the totals were complete."""

    error: ProgramError | None = None  # what ended the walk early


def walk(
    tape: Tape,
    seeds: dict[int, Any],
    *,
    retain_graph: bool,
    recorder: Any = None,
    within: set[int] | None = None,
    visit: dict[int, Callable[[Any], Any]] | None = None,
) -> Arrivals:
    """Run backward from `seeds` (slot → first cotangent) and give back what arrived at leaves.

    Latest node first: slots are times, and a node's users stand above it, so the highest slot with a
    cotangent is always ready.  A node that fails ends the walk; what was complete by then has
    arrived, and the error is in `error`.  Executed nodes are freed unless `retain_graph`.

    recorder: a namespace that records; cotangents are then Traced arrays.
    within: only nodes of these slots are run (see `leads_to`).
    visit: slot → function that is given the complete cotangent there before the node runs, and
        gives back the one to go on with.
    """
    nodes, ins = tape.nodes, tape.ins
    values = tape.values if recorder is None else recorder.saved
    grads = dict(seeds)
    arrived = Arrivals()
    k = max(grads, default=-1)
    misses = 0
    while grads:
        ct = grads.pop(k, None)
        if ct is None:
            misses += 1
            if misses > len(grads) + 64:  # a wide gap: leap over it rather than look at every slot
                k, misses = max(grads), 0
            else:
                k -= 1
            continue
        if visit is not None and k in visit:
            try:
                ct = visit[k](ct)
            except ProgramError as error:
                return _broken_off(tape, arrived, grads, k, error)
        plan = nodes[k]
        if plan is None:
            arrived[k] = ct
        elif within is None or k in within:
            try:
                back = plan.back if recorder is None else recorder.back_of(plan)
                back(ct, values, ins[k], k, grads)
            except ProgramError as error:
                return _broken_off(tape, arrived, grads, k, error)
            if plan.saves_anything and not retain_graph:
                nodes[k] = plan.freed
        k -= 1
    return arrived


def _broken_off(tape: Tape, arrived: Arrivals, grads: dict[int, Any], k: int, error: ProgramError) -> Arrivals:
    """What had arrived when node k failed: the leaves that no node still to run leads to."""
    arrived.error = error
    waiting = [s for s in (k, *grads) if tape.nodes[s] is not None]
    short: set[int] = set()
    while waiting:
        slot = waiting.pop()
        if slot not in short:
            short.add(slot)
            waiting.extend(tape.ins[slot])
    arrived.update((s, ct) for s, ct in grads.items() if tape.nodes[s] is None and s not in short)
    return arrived


def leads_to(tape: Tape, targets: Iterable[int], top: int) -> set[int]:
    """The slots up to `top` whose nodes lead down to one of `targets`, the targets not included."""
    reached = set(targets)
    ins, nodes = tape.ins, tape.nodes
    within = set()
    for k in range(min(reached, default=top), top + 1):
        if nodes[k] is not None and not reached.isdisjoint(ins[k]):
            reached.add(k)
            within.add(k)
    return within
