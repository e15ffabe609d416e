"""The numpy engine with one thing wrong, each a backend of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradspec.backends.numpy import NumpyBackend
from gradspec.spec.model import Call

__all__ = ["PLANTED", "Forgets", "Overwrites", "WrongRule"]


class WrongRule(NumpyBackend):
    """sin has the derivative of -cos: its value is right, its slope is not."""

    def prepare(self, call: Call) -> Any:
        return super().prepare(Call("cos", call.args)) if call.op == "sin" else super().prepare(call)


class Overwrites(NumpyBackend):
    """A second backward replaces the gradients of the first."""

    def backward(self, roots: Sequence[Any], *arguments: Any) -> None:
        machine = self.machine
        for leaf, grad in list(machine.grads.items()):
            if grad is not None and machine.is_leaf(leaf):
                machine.grads[leaf] = None
        super().backward(roots, *arguments)


class Forgets(NumpyBackend):
    """Nothing is ever freed."""

    def backward(self, roots: Any, gradients: Any, retain_graph: Any, create_graph: Any, inputs: Any) -> None:
        super().backward(roots, gradients, True, create_graph, inputs)


PLANTED = {"value": WrongRule, "grad": Overwrites, "outcome": Forgets}
