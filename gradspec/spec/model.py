"""A spec in memory: the `Program` that a backend runs, and the expectations that stay with the runner.

A program is flat and its names are numbers.  Every value that a name can mean has a *binding*, a
number counted upwards in the order of the text; `Program.names[b]` is what the author called it.
A name bound again is a new binding, a second name of the same tensor is the same one.  What one op
call looks like apart from its tensors is a `Call`, stored once however often it is made, so that a
backend can prepare it once.

A backend receives the `Program` alone.  It says what to look at and when (`Watch`), never what
should be seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradspec.errors import Place

__all__ = [
    "Apply", "Backward", "Block", "Call", "Check", "Custom", "Expectation", "GetAttr", "Grad", "Gradcheck",
    "HookLog", "Hook", "IndexSlice", "Jvp", "Leaf", "Look", "Make", "Operand", "Program", "Ref", "RemoveHook",
    "Repeat", "RetainGrad", "SCOPES", "SetAttr", "Slot", "Spec", "Step", "StepExpectation", "Tolerance",
    "Watch", "ZeroGrad", "bodies", "with_bodies",
]  # fmt: skip

SCOPES = ("core", "state", "convention", "text")  # what a spec holds a framework to


class Slot(NamedTuple):
    """In a `Call`: the place of its k-th input."""

    k: int


class IndexSlice(NamedTuple):
    """In a `Call`: a slice of an index; each part a number, None or a Slot."""

    start: Any = None
    stop: Any = None
    step: Any = None


class Call(NamedTuple):
    """An op with every argument bound to its name; tensors are `Slot`s.

    `args` holds (parameter name, value) in the order of the op's signature, defaults left out.
    A value is None, a bool, a number, a str, `Ellipsis`, an `IndexSlice`, a `Slot`, or a tuple of
    these.  A number in the place of a tensor (`x * 4`) is a Slot too: its binding is a constant.
    """

    op: str
    args: tuple[tuple[str, Any], ...]


class Ref(NamedTuple):
    """An array that is a tensor of the program."""

    binding: int


Operand = "Dense | Ref"


class Leaf(NamedTuple):
    """A tensor made before the first step."""

    binding: int
    data: Any  # Dense | Ref: `{tensor: v}` copies v
    requires_grad: bool


# Steps. `at` is the number of the author's step it came from (one statement may be several ops);
# blocks and what stands in them are numbered in the order of the text.


class Apply(NamedTuple):
    """Run `Program.calls[call]` on the bindings `inputs`; bind its outputs.

    An in-place op (its name ends in `_`, or is `__setitem__`) has one output: the changed tensor,
    the very object that went in.
    """

    call: int
    inputs: tuple[int, ...]
    out: tuple[int, ...]
    at: int


class Make(NamedTuple):
    """`y = tensor(...)` in a statement: a new leaf."""

    data: Any  # Dense
    requires_grad: bool
    out: int
    at: int


class GetAttr(NamedTuple):
    """`g = x.grad`, `d = x.data`: attributes that are no op. Reading grad may warn; it may give None."""

    of: int
    name: str
    out: int
    at: int


class SetAttr(NamedTuple):
    """`x.grad = g`, `x.data = y`, `x.requires_grad = False`; `value` is a Ref, None, a bool or a number."""

    of: int
    name: str
    value: Any
    at: int


class RetainGrad(NamedTuple):
    of: tuple[int, ...]
    at: int


class Backward(NamedTuple):
    """torch.autograd.backward. `gradient` has one entry a root: Dense, Ref or None."""

    of: tuple[int, ...]
    gradient: tuple[Any, ...]
    retain_graph: bool | None
    create_graph: bool
    inputs: tuple[int, ...] | None
    at: int


class Grad(NamedTuple):
    """torch.autograd.grad; an output may become None."""

    of: tuple[int, ...]
    wrt: tuple[int, ...]
    out: tuple[int, ...]
    gradient: tuple[Any, ...]
    retain_graph: bool | None
    create_graph: bool
    allow_unused: bool | None
    materialize_grads: bool
    at: int
    is_grads_batched: bool = False


class Jvp(NamedTuple):
    """Forward mode: the derivative of `of` along `tangents` (binding, Dense | Ref)."""

    of: int
    tangents: tuple[tuple[int, Any], ...]
    out: int
    at: int


class ZeroGrad(NamedTuple):
    of: tuple[int, ...]
    set_to_none: bool
    at: int


class Block(NamedTuple):
    """Steps under a mode: no_grad, enable_grad, inference_mode, detect_anomaly or checkpoint."""

    mode: str
    steps: tuple[Any, ...]
    at: int


class Hook(NamedTuple):
    """A hook on `of`. `grad` is the binding of the gradient it is given, `result` that of what the
    name `grad` means after `steps` (the same where nothing replaced it); for after="accumulate" the
    hook is torch's post-accumulate hook, `grad` the tensor's .grad and the result is ignored."""

    of: int
    name: str
    grad: int
    steps: tuple[Any, ...]
    result: int
    after: str  # "", "accumulate" or "node"
    at: int
    before: str = ""  # or "node"

    @property
    def of_node(self) -> bool:
        """Whether it is a hook on the node that made `of`. It is given a list of gradients, those of the
        node's outputs or along its edges; nothing is bound to `grad`, and it has no result."""
        return self.before == "node" or self.after == "node"


class Custom(NamedTuple):
    """A differentiable function with a backward of its own, applied to the tensors `of`: torch's
    autograd.Function. Its steps see the bindings that are named here and those they make themselves.

    `forward` runs without recording on the bindings `args`, which stand for `of`; what it made of them
    are `results`, and the function's outputs are bound to `out`. `save` are the bindings of forward that
    are kept; `backward` finds them under the bindings `saved`, and its cotangents, one for each output,
    under `grads`. `returns` has a gradient, or None, for each input. `dirty` are the inputs that
    forward changes in place, by their place in `of`; `once`: backward cannot be differentiated.
    """

    name: str
    of: tuple[int, ...]
    args: tuple[int, ...]
    forward: tuple[Any, ...]
    results: tuple[int, ...]
    out: tuple[int, ...]
    save: tuple[int, ...]
    dirty: tuple[int, ...]
    grads: tuple[int, ...]
    saved: tuple[int, ...]
    backward: tuple[Any, ...]
    returns: tuple[int | None, ...]
    once: bool
    at: int


class RemoveHook(NamedTuple):
    name: str
    at: int


class Look(NamedTuple):
    """What to observe of one tensor. `path` is "" or "grad" (silent); `fields` as in `expect`."""

    binding: int
    path: str
    fields: tuple[str, ...]


class Watch(NamedTuple):
    """Observe here. `looks` keeps the author's order."""

    looks: tuple[Look, ...]
    at: int


class HookLog(NamedTuple):
    """Observe the hooks that ran since the last HookLog."""

    at: int


Step = (
    Apply | Make | GetAttr | SetAttr | RetainGrad | Backward | Grad | Jvp | ZeroGrad | Block | Hook
    | RemoveHook | Custom | Watch | HookLog
)  # fmt: skip


def bodies(step: Any) -> tuple[tuple[Any, ...], ...]:
    """The lists of steps that a step holds: one of a block or a hook, two of a custom function."""
    if isinstance(step, (Block, Hook)):
        return (step.steps,)
    return (step.forward, step.backward) if isinstance(step, Custom) else ()


def with_bodies(step: Any, lists: Sequence[tuple[Any, ...]]) -> Any:
    """The step with other lists of steps, in the order of `bodies`."""
    if all(new is old for new, old in zip(lists, bodies(step), strict=True)):
        return step
    if isinstance(step, Custom):
        return step._replace(forward=lists[0], backward=lists[1])
    return step._replace(steps=lists[0])


class Program(NamedTuple):
    """What a backend runs.

    `names[b]` is the author's name of binding b ("" for what has none); `constants[b]` the Python
    number (or None) where binding b is a literal; `calls` the distinct op calls; `dtype` the
    default float dtype.
    """

    id: str
    dtype: str
    names: tuple[str, ...]
    constants: dict[int, Any]
    calls: tuple[Call, ...]
    leaves: tuple[Leaf, ...]
    steps: tuple[Any, ...]
    count: int  # type: ignore[assignment]  # the author's steps: `at` runs from 0 to count - 1


# What the runner keeps.


class Tolerance(NamedTuple):
    """Either rtol and atol, or ulp."""

    rtol: float | None = None
    atol: float | None = None
    ulp: int | None = None


class Check(NamedTuple):
    """One expected field of one watched tensor.

    `expected` is a Dense for `value` and `grad` (None for `grad: null`, and for the `value` of a name
    that holds None), or a Ref, whose tensor's `value` the same Watch looks at; a dict name → Dense or
    None for `one_of`; otherwise plain data. For same_as and shares_memory_with it is (binding,
    wanted: bool); of the two tensors, one that is a `.grad` is the one that carries the check.
    For next_functions it is a tuple of None, a name, or (name, number of the output).
    `floating` data without a dtype of its own has the spec's dtype there, marked by `bare`.
    """

    look: int  # index into Watch.looks
    field: str
    expected: Any
    place: Place
    one_of: bool = False
    bare: bool = True
    tolerance: Tolerance | None = None


class Expectation(NamedTuple):
    """The checks of one `expect` step (`at` is the Watch's), or an `expect_hooks`: the hooks' names, each
    with the Dense that it was given, None where that was none, `...` where it is not said; for a hook on a
    node a tuple of these."""

    at: int
    checks: tuple[Check, ...]
    hooks: tuple[tuple[str, Any], ...] | None = None


class StepExpectation(NamedTuple):
    """`raises` and `warns` of a step; `raises_given` tells `raises: null` from no `raises`."""

    raises_given: bool = False
    raises: str | None = None
    warns: tuple[str, ...] | None = None


class Gradcheck(NamedTuple):
    """A numerical proof at this point, made by the runner."""

    of: int
    wrt: tuple[int, ...]
    order: int
    eps: float | None
    rtol: float | None
    atol: float | None
    at: int


class Repeat(NamedTuple):
    """Where rounds stand in a program, which has them one after the other: `times` rounds of `length`
    author's steps each, from `at + 1` on; `at` is the repeat's own."""

    at: int
    times: int
    length: int

    def round_of(self, at: int) -> int:
        """The number of the round that a step stands in; 0 for a step outside."""
        inside = at - self.at - 1
        return inside // self.length + 1 if 0 <= inside < self.length * self.times else 0


class Spec(NamedTuple):
    """One spec for one dtype: the program and everything the runner judges it by."""

    id: str
    file: str
    line: int
    title: str
    doc: str
    tags: tuple[str, ...]
    refs: tuple[str, ...]
    provenance: str
    dtype: str
    dtypes: tuple[str, ...]  # every dtype declared: the spec's and those of its tensors
    tolerance: Tolerance | None
    program: Program
    expectations: tuple[Expectation, ...]
    judged: dict[int, StepExpectation]  # by `at`, where raises or warns was written
    gradchecks: tuple[Gradcheck, ...]
    places: tuple[Place, ...]  # by `at`
    texts: tuple[str, ...]  # by `at`: the step as one short line, for messages
    notes: dict[int, str]  # by `at`
    scope: str = "core"  # one of SCOPES
    repeats: tuple[Repeat, ...] = ()  # an outer one before those in it
