"""The door: `Backend.run(program) -> Observations`.

A backend is a class with a name, a table of features and `run`.  Two base classes live behind the
door: `StepwiseBackend` for engines that run a step at a time, `FunctionalBackend` for frameworks
that differentiate functions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from gradspec.spec.model import Program

__all__ = ["EMULATED", "NATIVE", "UNSUPPORTED", "Backend", "Observations", "Outcome", "Support", "Warned"]

Support = str  # one of the three words below
NATIVE: Support = "native"
EMULATED: Support = "emulated"
UNSUPPORTED: Support = "unsupported"


class Warned(NamedTuple):
    """A warning of a step: its code ("unclassified" where the backend knows none) and text."""

    code: str
    text: str


class Outcome(NamedTuple):
    """How an author's step ended, where it did not simply succeed.

    `status`: "ok" (only warnings), "error" (code and text are set; code "unclassified" where the
    backend's mapping knows none), "unsupported" (code is the feature) or "not-run" (it needed
    something that an earlier failure left unbound; text names it). `emulated`: the error was found
    by gradspec around the framework, not by the framework itself.
    """

    status: str
    code: str = ""
    text: str = ""
    warnings: tuple[Warned, ...] = ()
    emulated: bool = False


class Observations(NamedTuple):
    """What a run saw.

    `outcomes`: by the step's `at`; a step that is absent succeeded without a warning. Under -1
      stands what went wrong while the leaves were made.
    `seen`: by the watch's `at`, one dict a Look, field → what was seen:
      value, grad: a Dense (grad: None where absent); is_leaf, requires_grad, retains_grad: bool;
      grad_fn: the bare node name or None; next_functions: None, or a tuple with None, a bare name or
      (name, number of the output, not 0) for each edge; nodes: None, or the bare names of the node and
      all below it, breadth first, each node once; dtype: a word; shape: a tuple; version: int; repr: str;
      same_as, shares_memory_with: a token (int), equal for the same object / the same memory.
      A field the backend cannot see is absent from the dict. The dict is {"missing": True} where the
      binding was never bound (with "unsupported": the feature, where that is the reason), {"none":
      True} where the name holds None.
    `hooks`: by the HookLog's `at`, (hook name, Dense of the gradient it was given | None); for a hook on a
      node (hook name, a tuple of these).
    """

    outcomes: dict[int, Outcome]
    seen: dict[int, list[dict[str, Any]]]
    hooks: dict[int, list[tuple[str, Any]]]


class Backend(ABC):
    """A framework that can run programs. Instances are cheap; loading the framework happens in `__init__`."""

    name: str
    version: str = ""
    isolate: bool = False  # ask the runner for a process that may be lost

    @abstractmethod
    def supports(self, feature: str) -> Support:
        """native, emulated or unsupported for a feature word (see gradspec.spec.features)."""

    def reason(self, feature: str) -> str:
        """Why a feature is not native; "" where there is nothing to say."""
        return ""

    @abstractmethod
    def run(self, program: Program) -> Observations:
        """Run the whole program and report what was seen. Errors of steps are outcomes, never exceptions."""
