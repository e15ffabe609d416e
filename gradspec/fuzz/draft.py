"""A program as the plain view of a spec: written by the generator, cut by the shrinker, printed for people.

A view is what YAML of a spec would be read as.  Where it has an `expect`, everything that can be seen
of the names there is looked at, whatever the expectation says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.spec.build import build_document
from gradspec.spec.document import Document
from gradspec.spec.model import Block, Hook, Look, Watch

if TYPE_CHECKING:
    from gradspec.spec.model import Program, Spec

__all__ = ["BLOCKS", "FIELDS", "View", "bodies", "faults_of", "program_of", "watch"]

View = dict[str, Any]
BLOCKS = ("no_grad", "enable_grad", "inference_mode", "detect_anomaly")
FIELDS = (
    "value", "grad", "is_leaf", "requires_grad", "retains_grad", "grad_fn", "dtype", "shape", "version",
    "same_as", "shares_memory_with",
)  # fmt: skip
_OF_GRAD = (
    "value", "is_leaf", "requires_grad", "grad_fn", "dtype", "shape", "version", "same_as",
    "shares_memory_with",
)  # fmt: skip


def watch(names: list[str]) -> View:
    """A step that looks at everything of some names."""
    return {"expect": {name: {"is_leaf": True} for name in names}}


def bodies(step: View) -> list[list[View]]:
    """The lists of steps inside a step."""
    inner = [step[mode] for mode in BLOCKS if mode in step]
    if "hook" in step and step["hook"].get("do"):
        inner.append(step["hook"]["do"])
    return inner


def _spec(view: View) -> tuple[Spec | None, list[str]]:
    document = Document("", "fuzz")
    document.view = view
    specs = build_document(document)
    return (None if document.faults else specs[0]), [fault.message for fault in document.faults]


def faults_of(view: View) -> list[str]:
    """What is wrong with a view as a spec; empty where nothing is."""
    return _spec(view)[1]


def program_of(view: View) -> Program:
    """The program of a view, every watch asking for all that can be seen.

    Raises ValueError for a faulty view.
    """
    spec, faults = _spec(view)
    if spec is None:
        raise ValueError("; ".join(faults))
    return spec.program._replace(steps=_seeing(spec.program.steps))


def _seeing(steps: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        step._replace(looks=_looks(step)) if isinstance(step, Watch)
        else step._replace(steps=_seeing(step.steps)) if isinstance(step, (Block, Hook))
        else step
        for step in steps
    )  # fmt: skip


def _looks(step: Watch) -> tuple[Look, ...]:
    """First of every tensor itself, then of every grad: looking at one must not change the others."""
    bindings = list(dict.fromkeys(look.binding for look in step.looks))
    return (
        *(Look(binding, "", FIELDS) for binding in bindings),
        *(Look(binding, "grad", _OF_GRAD) for binding in bindings),
    )
