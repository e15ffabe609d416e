"""What can be told of a spec's scope from what it does and looks at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gradspec.spec.model import (
    Apply,
    Backward,
    Block,
    GetAttr,
    Hook,
    HookLog,
    Make,
    RemoveHook,
    RetainGrad,
    SetAttr,
    Spec,
    ZeroGrad,
)

__all__ = ["derived", "has_choice", "is_text", "looks_at_text", "machine_signs"]

TEXT = {"repr", "grad_fn", "next_functions", "nodes"}
MACHINE_FIELDS = {"version", "retains_grad", "same_as", "shares_memory_with"}
FLAGS = {"is_leaf", "requires_grad"}
MACHINE_STEPS = (RetainGrad, ZeroGrad, Hook, RemoveHook, HookLog, Block, SetAttr)
# What a program may ask that no mathematics forbids, and torch refuses all the same.
CHOSEN = {
    "dtype-mismatch", "dtype-cast", "dtype-unsupported", "negative-step", "negative-integer-power",
    "empty-reduction",
}  # fmt: skip
# Wrong in any framework.
WRONG = {
    "shape-mismatch", "index-out-of-range", "dim-out-of-range", "dim-repeated", "too-many-indices",
    "singular-matrix", "invalid-argument", "no-derivative",
}  # fmt: skip


def derived(spec: Spec) -> str:
    """The scope that a spec on one op has."""
    if has_choice(spec):
        return "convention"
    if is_text(spec):
        return "text"
    if machine_signs(spec):
        return "state"
    return "convention" if _refusals(spec) & CHOSEN or _warnings(spec) else "core"


def has_choice(spec: Spec) -> bool:
    """Whether alternatives are named."""
    return any(check.one_of for one in spec.expectations for check in one.checks)


def is_text(spec: Spec) -> bool:
    """Whether nothing is looked at but printed forms and the names of nodes."""
    fields = _fields(spec)
    return bool(fields) and fields <= TEXT and not spec.judged and not spec.gradchecks


def looks_at_text(spec: Spec) -> bool:
    """Whether a printed form or the name of a node is looked at."""
    return bool(_fields(spec) & TEXT)


def machine_signs(spec: Spec) -> set[str]:
    """What of torch's machine the spec uses or looks at, in words; empty where that is nothing."""
    steps = list(_steps(spec.program.steps))
    signs = {type(step).__name__ for step in steps if isinstance(step, MACHINE_STEPS)}
    signs |= {"data" for step in steps if isinstance(step, GetAttr) and step.name == "data"}
    signs |= {call.op for call in spec.program.calls if _is_in_place(call.op)}
    if _accumulates(spec, steps):
        signs.add("accumulation")
    fields = _fields(spec)
    signs |= fields & MACHINE_FIELDS
    if fields and fields <= FLAGS | TEXT and fields & FLAGS:
        signs.add("nothing but flags")
    return (
        signs | _refusals(spec) - CHOSEN - WRONG | _warnings(spec) & {"non-leaf-grad", "create-graph-cycle"}
    )


def _accumulates(spec: Spec, steps: list[Any]) -> bool:
    """Whether two backwards reach the same leaf."""
    reached = {leaf.binding: {leaf.binding} for leaf in spec.program.leaves if leaf.requires_grad}
    seen: set[int] = set()
    for step in steps:
        if isinstance(step, Make) and step.requires_grad:
            reached[step.out] = {step.out}
        elif isinstance(step, Apply):
            those = set[int]().union(*(reached.get(binding, ()) for binding in step.inputs))
            reached |= dict.fromkeys(step.out, those)
        elif isinstance(step, Backward):
            those = set[int]().union(*(reached.get(binding, ()) for binding in step.of))
            if those & seen:
                return True
            seen |= those
    return False


def _is_in_place(op: str) -> bool:
    return op == "__setitem__" or (op.endswith("_") and not op.endswith("__"))


def _fields(spec: Spec) -> set[str]:
    return {check.field for one in spec.expectations for check in one.checks}


def _refusals(spec: Spec) -> set[str]:
    return {one.raises for one in spec.judged.values() if one.raises}


def _warnings(spec: Spec) -> set[str]:
    return {code for one in spec.judged.values() for code in one.warns or ()}


def _steps(steps: tuple[Any, ...]) -> Iterator[Any]:
    for step in steps:
        yield step
        yield from _steps(getattr(step, "steps", ()))
