"""The graph below a tensor as torch shows it: names of nodes, and the edges between them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from gradspec.engine.plan import Part

if TYPE_CHECKING:
    from gradspec.engine.tape import Tape

__all__ = ["LEAF", "edges", "is_hidden_in", "name_at", "names_below", "node_of", "takes_a_list"]

LEAF = "AccumulateGrad"  # the node that adds to a leaf's gradient


def node_of(tape: Tape, slot: int) -> tuple[int, int]:
    """The slot of the node that gives a slot its value, and which of its outputs that is. The node of a
    leaf stands at the leaf's own slot."""
    node = tape.nodes[slot]
    while getattr(node, "stands_in", False):  # it is there for the engine alone
        slot = tape.ins[slot][0]
        node = tape.nodes[slot]
    return (tape.ins[slot][0], node.part) if isinstance(node, Part) else (slot, 0)


def edges(tape: Tape, slot: int) -> tuple[tuple[int, int] | None, ...]:
    """Where the edges of the node at a slot lead, each as `node_of` has it; None for an operand to which
    no gradient goes."""
    node, ins = tape.nodes[slot], tape.ins[slot]
    if node is None:
        return ()
    return tuple(None if k is None else node_of(tape, ins[k]) for k in node.edges)


def name_at(tape: Tape, slot: int) -> str:
    """The name of the node at a slot."""
    node = tape.nodes[slot]
    return LEAF if node is None else node.name


def names_below(tape: Tape, slot: int) -> tuple[str, ...]:
    """The names of all nodes from the one at a slot down, each node once, those with fewer edges between
    first."""
    names: list[str] = []
    seen = {slot}
    waiting = deque([slot])
    while waiting:
        at = waiting.popleft()
        names.append(name_at(tape, at))
        for edge in edges(tape, at):
            if edge is not None and edge[0] not in seen:
                seen.add(edge[0])
                waiting.append(edge[0])
    return tuple(names)


def takes_a_list(node: Any) -> bool:
    """Whether a node is of an op on a list of tensors."""
    op = getattr(getattr(node, "plan", node), "op", None)
    return op is not None and any(param.kind == "Tensors" for param in op.params)


def is_hidden_in(tape: Tape, slot: int) -> bool:
    """Whether a node has saved a slot and more: torch has several nodes in its place, or what it made on the
    way is kept."""
    for node, ins in zip(tape.nodes, tape.ins, strict=True):
        op = getattr(node, "op", None) if slot in ins else None
        hidden = op is not None and (op.hides or op.keeps is True or (op.keeps == "recorded" and tape.twice))
        if hidden and slot in [ins[position] for position in node.saves]:
            return True
    return False
