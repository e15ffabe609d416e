"""Undefined gradients: what a custom function that returns null hands down.

An undefined gradient is not zero and not nothing: the nodes below run, their hooks are called with
None, what they saved is freed, and no leaf is given anything.  Only a custom function makes one, so
only a tape that has one (`Tape.special`) keeps its cotangents in `Cotangents`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gradspec.engine.plan import Part, Plan

if TYPE_CHECKING:
    from gradspec.engine.tape import Tape

__all__ = ["UNDEFINED", "Cotangents", "hand_down"]


class _Undefined:
    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = _Undefined()


class Cotangents(dict[int, Any]):
    """Slot → cotangent so far. A slot that is undefined counts as one that nothing has come to yet, so
    that undefined and defined is the defined one."""

    def __contains__(self, slot: object) -> bool:
        return self.get(slot, UNDEFINED) is not UNDEFINED  # type: ignore[call-overload]  # any key is asked for

    def setdefault(self, slot: int, default: Any = None) -> Any:
        if slot not in self:
            self[slot] = default
        return self[slot]

    def undefined(self, slot: int) -> None:
        """Note that an undefined cotangent has come to a slot."""
        super().setdefault(slot, UNDEFINED)


def hand_down(tape: Tape, k: int, grads: Any) -> None:
    """What a node does with an undefined cotangent: the same goes to all its inputs.

    Raises:
        ProgramError: graph-freed where the node was freed (as in torch not by a view changed in place),
            no-derivative, checkpoint-mismatch.
    """
    node, ins = tape.nodes[k], tape.ins[k]
    reads = getattr(node, "reads", None)
    if reads is not None:  # what a node saved is asked for, whether it is needed or not
        reads()
        node = node.node
    if isinstance(node, Plan):
        node.check_derivable()
    if isinstance(node, Part) or getattr(node, "gone", False):
        node.back(None, tape.values, ins, k, grads)
        return
    for slot in ins:
        kind = tape.kinds[slot]
        if kind is None or (kind.grad and not kind.lent):
            grads.undefined(slot)
