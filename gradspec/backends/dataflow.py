"""The dataflow of a run, kept so that a function can be built of any part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gradspec.records import NamedTuple

__all__ = ["Node", "Saves", "Variable", "downstream", "evaluate", "executed", "saved_edges"]

Array = Any


class Variable:
    """A tensor: its values, its flags, the node that made it and its gradient (`grad_hidden` where a
    part of that cannot be known)."""

    __slots__ = ("array", "grad", "grad_hidden", "node", "requires_grad", "retains")

    def __init__(self, array: Array, requires_grad: bool) -> None:
        self.array = array
        self.requires_grad = requires_grad
        self.node: Node | None = None
        self.grad: Variable | None = None
        self.grad_hidden = False
        self.retains = False


class Saves(NamedTuple):
    """What a node keeps for its backward: whether anything, and the tracked tensors among it, by the
    input whose cotangent needs them."""

    any: bool
    by_input: dict[Variable, tuple[Variable, ...]]


class Node:
    """One op that was run. `number` counts in the order of running; `function(arrays, added)` runs it
    again, `added` being what is added to retained intermediates inside it; `edges` are the inputs that
    a gradient flows to; `inner` what is made inside the function, where it is a derivative;
    `underivable`: backward through it raises."""

    __slots__ = (
        "edges", "freed", "function", "inner", "inputs", "number", "outputs", "saves", "underivable",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        inputs: Sequence[Any],
        function: Callable[[list[Array], dict[Variable, Array]], Sequence[Array]],
        outputs: Sequence[Variable],
        saves: Saves,
    ) -> None:
        self.number = number
        self.inputs = tuple(inputs)
        self.function = function
        self.outputs = tuple(outputs)
        self.saves = saves
        self.freed = False
        self.underivable = False
        self.inner: frozenset[Variable] = frozenset()
        self.edges: tuple[Variable, ...] = tuple(
            dict.fromkeys(one for one in inputs if isinstance(one, Variable) and one.requires_grad)
        )

    def saves_own(self, output: Variable) -> bool:
        """Whether an output of the node is among what it saves."""
        return any(output in saved for saved in self.saves.by_input.values())

    @classmethod
    def of_gradient(
        cls,
        number: int,
        inputs: Sequence[Variable],
        function: Callable[[Sequence[Array], dict[Variable, Array]], Sequence[Array]],
        output: Variable,
        edges: Iterable[Variable],
        saves: bool,
    ) -> Node:
        """A gradient as a node: a gradient by it flows to `edges` alone."""
        reach = tuple(edges)
        node = cls(number, inputs, function, (output,), Saves(saves, dict.fromkeys(reach, reach)))
        node.edges = reach
        return node


def executed(
    roots: Iterable[Variable], towards: Iterable[Variable] | None
) -> tuple[list[Node], list[Variable]]:
    """The nodes that a backward from `roots` runs, in the order they were made, and the tensors it
    reaches; only those that lead to `towards` where that is given."""
    nodes: dict[Node, None] = {}
    reached: dict[Variable, None] = {}
    rest = [root for root in roots if root.requires_grad]
    while rest:
        variable = rest.pop()
        if variable in reached:
            continue
        reached[variable] = None
        node = variable.node
        if node is not None and node not in nodes:
            nodes[node] = None
            rest += node.edges
    ordered = sorted(nodes, key=lambda node: node.number)
    if towards is None:
        return ordered, list(reached)
    leads = {one for one in towards if one in reached}
    kept: list[Node] = []
    for node in ordered:
        if any(edge in leads for edge in node.edges):
            kept.append(node)
            leads.update(output for output in node.outputs if output in reached)
    return kept, [one for one in reached if one in leads]


def downstream(start: Variable, nodes: Iterable[Node]) -> list[Node]:
    """The nodes on the ways from `start` onwards, in order."""
    below = {start}
    found = []
    for node in nodes:
        if any(edge in below for edge in node.edges) and start not in node.outputs:
            found.append(node)
            below.update(node.outputs)
    return found


def evaluate(
    nodes: Iterable[Node],
    env: dict[Variable, Array],
    added: dict[Variable, Array],
    add: Callable[[Array, Array], Array],
) -> None:
    """Run nodes again on the values in `env`, writing theirs into it; `added` is added to outputs."""
    for node in nodes:
        inputs = [env.get(one, one.array) if isinstance(one, Variable) else one for one in node.inputs]
        for output, array in zip(node.outputs, node.function(inputs, added), strict=True):
            env[output] = add(array, added[output]) if output in added else array


def saved_edges(
    wanted: Variable, roots: Iterable[Variable], cotangents: Iterable[Variable], nodes: Iterable[Node]
) -> list[Variable]:
    """What the gradient by `wanted` depends on: the tracked tensors that were saved on the ways to it,
    and the tracked cotangents. Empty where it is a constant, as for a linear op."""
    carries: dict[Variable, dict[Variable, None]] = {}
    for root, cotangent in zip(roots, cotangents, strict=True):
        carried = carries.setdefault(root, {})
        if cotangent.requires_grad:
            carried[cotangent] = None
    for node in reversed(list(nodes)):
        incoming = {one: None for output in node.outputs for one in carries.get(output, ())}
        if not any(output in carries for output in node.outputs):
            continue
        for edge in node.edges:
            carried = carries.setdefault(edge, {})
            carried.update(incoming)
            carried.update(dict.fromkeys(node.saves.by_input.get(edge, ())))
    return list(carries.get(wanted, ()))
