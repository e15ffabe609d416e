"""What depends on certain steps of a program: the reach of a step that a backend cannot run or emulates.

The reach is drawn generously.  A step that is not run takes with it every value computed from it,
and a backward that is not run (or an in-place write) everything that hangs together with its
tensors; a check too many reported as unsupported is a smaller evil than one failed for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradspec.spec.model import (
    Apply,
    Backward,
    Block,
    Call,
    Custom,
    GetAttr,
    Grad,
    Hook,
    HookLog,
    Jvp,
    Leaf,
    Look,
    Make,
    Program,
    Ref,
    RemoveHook,
    RetainGrad,
    SetAttr,
    Watch,
    ZeroGrad,
    bodies,
)  # fmt: skip

__all__ = ["Reach", "look_reason", "reach", "writes"]

Reason = Callable[[Any], str]  # a step or leaf → why it starts a reach (a feature), or ""


class Reach:
    """`steps` and `leaves`: what the program keeps without everything reached; `cut`: the reached
    steps' `at` → the reason; `looks`: (at of the watch, index of the look) → (reason for the tensor
    itself, reason for its gradient)."""

    def __init__(self) -> None:
        self.leaves: list[Leaf] = []
        self.steps: tuple[Any, ...] = ()
        self.cut: dict[int, str] = {}
        self.looks: dict[tuple[int, int], tuple[str, str]] = {}
        self.hooks: dict[int, str] = {}


def reach(program: Program, reason_of: Reason) -> Reach:
    """The reach of all leaves and steps for which `reason_of` gives a reason."""
    walk = _Walk(reason_of, program)
    for leaf in program.leaves:
        walk.leaf(leaf)
    walk.found.steps = walk.steps(program.steps, "")
    return walk.found


class _Walk:
    def __init__(self, reason_of: Reason, program: Program) -> None:
        self.reason_of = reason_of
        self.in_place = [writes(call) for call in program.calls]
        self.found = Reach()
        self.values: dict[int, str] = {}  # bindings whose value is reached
        self.grads: dict[int, str] = {}  # bindings whose .grad is reached
        self.graphs: list[tuple[int, str]] = []  # the gradients of all that hangs together with this binding
        self.written: list[tuple[int, str]] = []  # the values likewise, after an in-place write
        self.hooks = ""
        self.read: list[tuple[int, int]] = []  # (a binding of a gradient that was read, its tensor)
        self.parent: dict[int, int] = {}
        self.same: dict[int, int] = {}  # a binding of a tensor changed in place → its first binding

    def leaf(self, leaf: Leaf) -> None:
        source = leaf.data.binding if isinstance(leaf.data, Ref) else None
        reason = self.reason_of(leaf) or (self.values.get(source, "") if source is not None else "")
        if reason:
            self.values[leaf.binding] = reason
        else:
            self.found.leaves.append(leaf)

    def steps(self, steps: tuple[Any, ...], outer: str) -> tuple[Any, ...]:
        kept: list[Any] = []
        for step in steps:
            if isinstance(step, Watch):
                self.watch(step, outer)
            elif isinstance(step, HookLog):
                if reason := outer or self.hooks or self.reason_of(step):
                    self.found.hooks[step.at] = reason
                    continue
            elif isinstance(step, Block):
                reason = outer or self.reason_of(step)
                step = step._replace(steps=self.steps(step.steps, reason))
                if reason:
                    self.found.cut.setdefault(step.at, reason)
                    continue
            elif reason := self.reached(step, outer):
                self.found.cut.setdefault(step.at, reason)
                continue
            kept.append(step)
        return tuple(kept)

    def reached(self, step: Any, outer: str) -> str:
        """Why a step is reached, or ""; from here on so is what depends on it."""
        reason = outer or self.reason_of(step) or self.needs(step)
        if isinstance(step, (Custom, Hook)):
            reason = self.inside(step, reason)
        self.effects(step, reason)
        return reason

    def needs(self, step: Any) -> str:
        """The reason for which something that the step needs is reached, or ""."""
        match step:
            case Apply():
                return self.of_values(step.inputs)
            case GetAttr(name="grad"):
                return self.of_gradient(step.of)
            case GetAttr() | Jvp():
                return self.of_values((step.of,))
            case SetAttr():
                return self.of_values((step.of, *_bindings(step.value)))
            case Backward() | Grad():
                roots = (*step.of, *(b for ct in step.gradient for b in _bindings(ct)))
                return self.of_values(roots) or self.of_graph(step.of)
            case RetainGrad() | ZeroGrad():
                return self.of_values(step.of)
            case Hook():
                return self.of_values((step.of,))
            case Custom():
                return self.of_values(step.of)
            case RemoveHook():
                return self.hooks
        return ""

    def effects(self, step: Any, reason: str) -> None:
        """Join what the step joins, and carry the reason to what it makes or changes."""
        match step:
            case Apply():
                for binding in step.out:
                    for source in step.inputs:
                        self.join(binding, source)
                if self.in_place[step.call]:
                    self.same[step.out[0]] = self.first(step.inputs[0])
                    if reason:
                        self.write(step.out[0], reason)
                self.mark(step.out, reason)
            case Make():
                self.mark((step.out,), reason)
            case GetAttr():
                if step.name == "data":
                    self.join(step.out, step.of)
                else:
                    self.read.append((step.out, step.of))
                self.mark((step.out,), reason)
            case SetAttr(name="grad"):
                self.grads.pop(self.first(step.of), None)
                if reason:
                    self.grads[self.first(step.of)] = reason
            case SetAttr():
                if reason:
                    self.write(step.of, reason)
            case Backward():
                for root in step.of[1:]:
                    self.join(root, step.of[0])
                if reason:
                    self.graphs.extend((root, reason) for root in step.of)
            case Grad():
                self.mark(step.out, reason)
                for binding in step.out:
                    for source in (*step.of, *step.wrt):
                        self.join(binding, source)
                if reason and not step.retain_graph:
                    self.graphs.extend((root, reason) for root in step.of)
            case Jvp():
                self.mark((step.out,), reason)
            case RetainGrad() | ZeroGrad():
                for binding in step.of:
                    if reason:
                        self.grads[self.first(binding)] = reason
            case Hook():
                if reason:
                    self.hooks = reason
                    self.graphs.append((step.of, reason))
                self.join(step.grad, step.of)
                self.join(step.result, step.of)
            case Custom():
                for binding, result in zip(step.out, step.results, strict=True):
                    self.same[binding] = self.first(result)
                    for source in (result, *step.of):
                        self.join(binding, source)
                if reason:
                    for k in step.dirty:
                        self.write(step.of[k], reason)
                self.mark(step.out, reason)
            case RemoveHook():
                self.hooks = self.hooks or reason

    def inside(self, step: Hook | Custom, reason: str) -> str:
        """The reason for a hook or function after its own steps: one that lacks one of them is not run."""
        if isinstance(step, Custom):
            for arg, of in zip(step.args, step.of, strict=True):
                self.same[arg] = self.first(of)
                self.join(arg, of)
        before = dict(self.found.cut)
        for steps in bodies(step):
            self.steps(steps, reason)
        if reason:
            return reason
        reason = next((why for at, why in self.found.cut.items() if at not in before), "")
        if reason:  # the expectations before that step are not looked at either
            for steps in bodies(step):
                self.steps(steps, reason)
        return reason

    def watch(self, step: Watch, outer: str) -> None:
        for k, look in enumerate(step.looks):
            value = outer or self.of_values((look.binding,))
            gradient = value or self.of_gradient(look.binding)
            if gradient:
                self.found.looks[step.at, k] = (value, gradient)

    def write(self, binding: int, reason: str) -> None:
        """A reached write: to all that hangs together with the tensor, and to the .grad that it is."""
        self.written.append((binding, reason))
        for gradient, tensor in self.read:
            if self.root(gradient) == self.root(binding):
                self.grads[self.first(tensor)] = reason

    def mark(self, bindings: tuple[int, ...], reason: str) -> None:
        for binding in bindings:
            if reason:
                self.values[binding] = reason

    def of_values(self, bindings: tuple[int, ...]) -> str:
        known = next((self.values[b] for b in bindings if b in self.values), "")
        return known or self.together(bindings, self.written)

    def of_gradient(self, binding: int) -> str:
        return self.of_values((binding,)) or self.grads.get(self.first(binding)) or self.of_graph((binding,))

    def of_graph(self, bindings: tuple[int, ...]) -> str:
        return self.together(bindings, self.graphs)

    def together(self, bindings: tuple[int, ...], reached: list[tuple[int, str]]) -> str:
        """The reason of a reached binding that hangs together with one of `bindings`, or ""."""
        if not reached:
            return ""
        roots = {self.root(b) for b in bindings}
        return next((reason for b, reason in reached if self.root(b) in roots), "")

    def first(self, binding: int) -> int:
        return self.same.get(binding, binding)

    def root(self, binding: int) -> int:
        while (up := self.parent.get(binding, binding)) != binding:
            self.parent[binding] = self.parent.get(up, up)
            binding = up
        return binding

    def join(self, a: int, b: int) -> None:
        self.parent[self.root(a)] = self.root(b)


def writes(call: Call) -> bool:
    """Whether a call changes its first input in place: its output is the very tensor that went in."""
    return call.op == "__setitem__" or (call.op.endswith("_") and not call.op.endswith("__"))


def _bindings(operand: Any) -> tuple[int, ...]:
    return (operand.binding,) if isinstance(operand, Ref) else ()


def look_reason(reasons: tuple[str, str], look: Look, field: str) -> str:
    """Why this field of a look is reached, or ""."""
    value, gradient = reasons
    return gradient if look.path == "grad" or field in ("grad", "retains_grad") else value
