"""The graph of a spec as plain data: its tensors, what each was made by, and from what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from gradspec.dense import Dense
from gradspec.records import NamedTuple
from gradspec.spec.model import (
    Apply,
    Backward,
    Custom,
    GetAttr,
    Grad,
    IndexSlice,
    Jvp,
    Leaf,
    Make,
    Ref,
    RetainGrad,
    Slot,
    bodies,
)

if TYPE_CHECKING:
    from gradspec.spec.model import Call, Program, Spec

__all__ = ["MOST", "Graph", "Node", "graph_of"]

MOST = 150  # nodes; of a larger graph only what surrounds the tensors in question is shown
_LONGEST = 30  # letters of a label


class Node(NamedTuple):
    """A tensor. `made` is what made it; `kind`: leaf (requires grad), data or op; `marks` among wrong,
    retained and root."""

    id: int
    name: str
    made: str
    kind: str
    marks: tuple[str, ...] = ()


class Graph(NamedTuple):
    """`edges` go from a tensor to what was made of it. `left_out`: how many nodes are not in it."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]
    left_out: int = 0


def graph_of(spec: Spec, wrong: Iterable[str] = ()) -> Graph:
    """The graph of the program; the tensors called `wrong` are marked, the last of each name."""
    program = spec.program
    made: dict[int, tuple[str, str, tuple[int, ...]]] = {}  # binding → kind, label, inputs
    retained: set[int] = set()
    roots: set[int] = set()
    for step in (*program.leaves, *_outside(program.steps)):
        match step:
            case Leaf():
                source = (step.data.binding,) if isinstance(step.data, Ref) else ()
                made[step.binding] = (_leaf(step.requires_grad), _shape(step.data), source)
            case Make():
                made[step.out] = (_leaf(step.requires_grad), _shape(step.data), ())
            case Apply():
                label = _call(program, program.calls[step.call], step.inputs)
                inputs = tuple(b for b in step.inputs if b not in program.constants)
                made |= dict.fromkeys(step.out, ("op", label, inputs))
            case Custom():
                made |= dict.fromkeys(step.out, ("op", step.name, step.of))
            case GetAttr():
                made[step.out] = ("op", f".{step.name}", (step.of,))
            case Grad():
                made |= dict.fromkeys(step.out, ("op", "grad", step.of))
            case Jvp():
                made[step.out] = ("op", "jvp", (step.of,))
            case RetainGrad():
                retained.update(step.of)
            case Backward():
                roots.update(step.of)
    last = {program.names[b]: b for b in made}
    bad = {last[name] for name in (word.partition(".")[0] for word in wrong) if name in last}
    marks = (("wrong", bad), ("retained", retained), ("root", roots))
    kept = _around(made, bad)
    nodes = tuple(
        Node(b, program.names[b], label, kind, tuple(word for word, those in marks if b in those))
        for b, (kind, label, _) in made.items()
        if b in kept
    )
    edges = dict.fromkeys((i, b) for b in made if b in kept for i in made[b][2] if i in kept)
    return Graph(nodes, tuple(edges), len(made) - len(nodes))


def _outside(steps: tuple[Any, ...]) -> Iterator[Any]:
    """All steps but those inside a custom function, which is one node."""
    for step in steps:
        yield step
        for inner in () if isinstance(step, Custom) else bodies(step):
            yield from _outside(inner)


def _around(made: dict[int, tuple[str, str, tuple[int, ...]]], bad: set[int]) -> set[int]:
    """At most MOST bindings: all, or those nearest to the tensors in question."""
    if len(made) <= MOST:
        return set(made)
    near: dict[int, list[int]] = {b: [] for b in made}
    for b, (_, _, inputs) in made.items():
        for i in inputs:
            if i in made:
                near[b].append(i)
                near[i].append(b)
    queue = sorted(bad) or [max(made)]
    kept = set(queue)
    for b in queue:  # which grows while it is walked
        fresh = [other for other in near[b] if other not in kept][: MOST - len(kept)]
        kept.update(fresh)
        queue += fresh
    return kept


def _leaf(requires_grad: bool) -> str:
    return "leaf" if requires_grad else "data"


def _shape(data: Any) -> str:
    if not isinstance(data, Dense):
        return "copy"
    return f"{data.dtype} {list(data.shape)}" if data.shape else f"{data.dtype} {_value(data.flat()[0])}"


def _call(program: Program, call: Call, inputs: tuple[int, ...]) -> str:
    """The call as short text: `mul(x, 4)`."""

    def show(value: Any) -> str:
        if isinstance(value, Slot):
            b = inputs[value.k]
            return program.names[b] or (_value(program.constants[b]) if b in program.constants else "·")
        if isinstance(value, tuple):
            return f"[{', '.join(map(show, value))}]"
        if isinstance(value, IndexSlice):
            start, stop, step = (
                "" if part is None else show(part) for part in (value.start, value.stop, value.step)
            )
            return f"{start}:{stop}" + (f":{step}" if step else "")
        return "..." if value is Ellipsis else _value(value)

    def names_a_tensor(value: Any) -> bool:
        return isinstance(value, Slot) or (isinstance(value, tuple) and any(map(names_a_tensor, value)))

    shown = (show(value) if names_a_tensor(value) else f"{name}={show(value)}" for name, value in call.args)
    text = f"{call.op}({', '.join(shown)})"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
