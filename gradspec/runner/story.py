"""A spec as a story: what happened before a check, for messages that say where a wrong number came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gradspec.backends.base import Outcome
from gradspec.dense import Dense
from gradspec.runner.reach import writes
from gradspec.spec.model import (
    Apply,
    Backward,
    Custom,
    Grad,
    Jvp,
    Look,
    Make,
    SetAttr,
    Spec,
    Watch,
    ZeroGrad,
    bodies,
)  # fmt: skip

__all__ = ["Story", "flat"]


def flat(steps: tuple[Any, ...]) -> Iterator[Any]:
    """All steps in the order of the text, those inside a step (a block, a hook) after the step itself."""
    for step in steps:
        yield step
        for inner in bodies(step):
            yield from flat(inner)


class Story:
    """The steps of a spec, asked about by the messages of a failure."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.steps = list(flat(spec.program.steps))
        self._same: dict[int, int] | None = None
        self.watches = {step.at: step for step in self.steps if isinstance(step, Watch)}

    def line(self, at: int) -> str:
        """The line of a step in the file, in a repeat with its round."""
        repeats = self.spec.repeats
        rounds = [f"{k} of {repeat.times}" for repeat in repeats if (k := repeat.round_of(at))]
        told = f", round {', '.join(rounds)}" if rounds else ""
        return f"{self.spec.places[at].line}{told}"

    def step(self, at: int) -> str:
        """The step itself, as `backward: y`."""
        return f"at `{self.spec.texts[at]}` (line {self.spec.places[at].line})"

    def after(self, at: int, field: str, look: Look) -> str:
        """Which backward came last before a look at a gradient; else the line of the check's step."""
        if field == "grad" or look.path == "grad":
            backwards = [step.at for step in self.steps if isinstance(step, Backward) and step.at < at]
            if backwards:
                return f"after backward {len(backwards)} (line {self.line(backwards[-1])})"
            return "before any backward"
        return f"(line {self.line(at)})"

    def origin(self, binding: int) -> str:
        """What made a tensor, as "made by mul, line 12"; "" for a leaf."""
        for step in self.steps:
            if isinstance(step, Apply) and binding in step.out:
                return f"made by {self.spec.program.calls[step.call].op}, line {self.line(step.at)}"
            if isinstance(step, Grad) and binding in step.out:
                return f"made by grad, line {self.line(step.at)}"
            if isinstance(step, Custom) and binding in step.out:
                return f"made by {step.name}, line {self.line(step.at)}"
            if isinstance(step, Jvp) and binding == step.out:
                return f"made by jvp, line {self.line(step.at)}"
        return ""

    def unbound(self, binding: int, outcomes: dict[int, Outcome]) -> str:
        """Why a name has no value."""
        name = self.spec.program.names[binding]
        for step in self.steps:
            outs = step.out if isinstance(step, (Apply, Custom, Grad)) else (getattr(step, "out", None),)
            if binding in outs and not isinstance(step, Make):
                outcome = outcomes.get(step.at, Outcome("ok"))
                why = {"error": "failed", "not-run": "was not run"}.get(outcome.status, "gave it no value")
                told = f"{self.spec.texts[step.at]} (line {self.spec.places[step.at].line})"
                return f'"{name}" has no value: {told} {why}'
        return f'"{name}" has no value'

    def gradient_before(self, binding: int, at: int) -> Dense | None:
        """The gradient expected of a tensor at the last check before, unless it was reset since."""
        found: Dense | None = None
        binding = self.first(binding)
        for expectation in self.spec.expectations:
            if expectation.at >= at:
                break
            for check in expectation.checks:
                look = self.watches[expectation.at].looks[check.look]
                if (
                    check.field == "grad"
                    and self.first(look.binding) == binding
                    and isinstance(check.expected, Dense)
                ):
                    found, since = check.expected, expectation.at
        if found is None or any(self._resets(step, binding) for step in self.steps if since < step.at < at):
            return None
        return found

    def _resets(self, step: Any, binding: int) -> bool:
        """Whether a step clears or replaces the gradient of a tensor, known by its first binding."""
        if isinstance(step, ZeroGrad):
            return binding in map(self.first, step.of)
        return isinstance(step, SetAttr) and step.name == "grad" and self.first(step.of) == binding

    def first(self, binding: int) -> int:
        """The first binding of a tensor: writing in place gives the same tensor a new one."""
        if self._same is None:
            self._same = {}
            calls = self.spec.program.calls
            for step in self.steps:
                if isinstance(step, Apply) and writes(calls[step.call]):
                    self._same[step.out[0]] = self._same.get(step.inputs[0], step.inputs[0])
        return self._same.get(binding, binding)
