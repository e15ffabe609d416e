"""A backend that sees wrong gradients, to be a witness against right ones."""

from __future__ import annotations

from gradspec.backends.base import Observations
from gradspec.backends.python import PythonBackend
from gradspec.dense import Dense
from gradspec.spec.model import Program


class Doubtful(PythonBackend):
    name = "doubtful"

    def run(self, program: Program) -> Observations:
        seen = super().run(program)
        for looks in seen.seen.values():
            for look in looks:
                if isinstance(grad := look.get("grad"), Dense):
                    look["grad"] = Dense(grad.dtype, grad.shape, [-value for value in grad.flat()])
        return seen
