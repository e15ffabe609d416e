"""Specs from text and backends that answer as they are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradspec.backends.base import Backend, Observations
from gradspec.backends.python import PythonBackend
from gradspec.dense import Dense
from gradspec.spec.load import load_text
from gradspec.spec.model import Program, Spec


def spec(body: str, format: str = "1") -> Spec:
    """The one spec of a file that begins with its tensors."""
    (only,) = load_text(f"gradspec: {format}\nid: a.spec\n{body.lstrip()}", "a.gradspec.yaml")
    return only


class Scripted(Backend):
    """Gives the same observations for every program, and remembers the programs."""

    name = "scripted"

    def __init__(self, observations: Observations | Exception, **support: str) -> None:
        self.observations = observations
        self.support = {word.replace("_", "-"): how for word, how in support.items()}
        self.programs: list[Program] = []

    def supports(self, feature: str) -> str:
        return self.support.get(feature, "native")

    def run(self, program: Program) -> Observations:
        self.programs.append(program)
        if isinstance(self.observations, Exception):
            raise self.observations
        return self.observations


class Lacking(PythonBackend):
    """The python backend without some features, or emulating some."""

    def __init__(self, **support: str) -> None:
        super().__init__()
        self.support = {word.replace("_", "-"): how for word, how in support.items()}

    def supports(self, feature: str) -> str:
        return self.support.get(feature) or super().supports(feature)


class Lying(PythonBackend):
    """The python backend with every gradient it shows changed by a function."""

    def __init__(self, change: Callable[[list[Any]], list[Any]]) -> None:
        super().__init__()
        self.change = change

    def run(self, program: Program) -> Observations:
        seen = super().run(program)
        for looks in seen.seen.values():
            for look in looks:
                grad = look.get("grad")
                if isinstance(grad, Dense):
                    look["grad"] = Dense(grad.dtype, grad.shape, self.change(grad.flat()))
        return seen
