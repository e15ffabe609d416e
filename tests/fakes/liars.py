"""Backends that lie, each in one way that real frameworks have lied.

A liar stands before an honest backend and either changes the program before it is run or what was
seen afterwards; the liars that need another derivative rule are made of torch. `load(name, inner)`
makes one.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from gradspec.backends.base import Backend, Observations
from gradspec.dense import Dense
from gradspec.spec.model import Backward, Block, Leaf, Program, RetainGrad, ZeroGrad

__all__ = ["LIARS", "TORCH_LIARS", "Liar", "load"]


class Liar(Backend):
    """Runs programs on `inner` and passes everything on as it is."""

    name = "liar"

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        self.version = inner.version

    def supports(self, feature: str) -> str:
        return self.inner.supports(feature)

    def reason(self, feature: str) -> str:
        return self.inner.reason(feature)

    def run(self, program: Program) -> Observations:
        return self.altered(program, self.inner.run(self.rewritten(program)))

    def rewritten(self, program: Program) -> Program:
        return program

    def altered(self, program: Program, seen: Observations) -> Observations:
        return seen


class GradientLiar(Liar):
    """Changes every gradient that is seen, by `lie`."""

    def lie(self, binding: int, gradient: Dense) -> Dense:
        raise NotImplementedError

    def altered(self, program: Program, seen: Observations) -> Observations:
        for watch in watches(program.steps):
            for look, fields in zip(watch.looks, seen.seen.get(watch.at, []), strict=False):
                for field in ("grad", "value") if look.path == "grad" else ("grad",):
                    if isinstance(fields.get(field), Dense):
                        fields[field] = self.lie(look.binding, fields[field])
        return seen


def watches(steps: tuple[Any, ...]) -> list[Any]:
    found: list[Any] = []
    for step in steps:
        if isinstance(step, Block):
            found += watches(step.steps)
        elif hasattr(step, "looks"):
            found.append(step)
    return found


def mapped(dense: Dense, function: Callable[[Any], Any]) -> Dense:
    return Dense(dense.dtype, dense.shape, [function(value) for value in dense.flat()])


class AlwaysZero(GradientLiar):
    """Every gradient is there, and zero."""

    name = "always-zero"

    def lie(self, binding: int, gradient: Dense) -> Dense:
        return mapped(gradient, lambda value: value * 0)


class OffByAFactor(GradientLiar):
    """Every gradient is 0.1 % too large."""

    name = "off-by-a-factor"

    def lie(self, binding: int, gradient: Dense) -> Dense:
        return mapped(gradient, lambda value: value * 1.001)


class MissesAConjugate(GradientLiar):
    """Complex gradients are those of the other convention; real ones are right."""

    name = "misses-a-conjugate"

    def lie(self, binding: int, gradient: Dense) -> Dense:
        return mapped(gradient, lambda value: value.conjugate()) if "complex" in gradient.dtype else gradient


class ReusesAStaleBuffer(GradientLiar):
    """A gradient once seen is what is seen ever after, of that shape."""

    name = "reuses-a-stale-buffer"

    def run(self, program: Program) -> Observations:
        self.buffers: dict[tuple[int, tuple[int, ...]], Dense] = {}
        return super().run(program)

    def lie(self, binding: int, gradient: Dense) -> Dense:
        return self.buffers.setdefault((binding, gradient.shape), gradient)


class Overwrites(Liar):
    """A backward overwrites .grad instead of adding to it: all gradients are removed before it."""

    name = "overwrites"

    def rewritten(self, program: Program) -> Program:
        known = [leaf.binding for leaf in program.leaves if isinstance(leaf, Leaf) and leaf.requires_grad]

        def rewrite(steps: tuple[Any, ...]) -> tuple[Any, ...]:
            found: list[Any] = []
            for step in steps:
                if isinstance(step, RetainGrad):
                    known.extend(step.of)
                if isinstance(step, Backward):
                    found.append(ZeroGrad(tuple(dict.fromkeys(known)), True, step.at))
                found.append(step._replace(steps=rewrite(step.steps)) if isinstance(step, Block) else step)
            return tuple(found)

        return program._replace(steps=rewrite(program.steps))


class Crashes(Liar):
    """Raises what no backend may raise."""

    name = "crashes"

    def run(self, program: Program) -> Observations:
        raise RuntimeError("the framework fell over\nin two lines")


class Dies(Liar):
    """Takes its process with it. Only for a process that may die."""

    name = "dies"
    isolate = True

    def run(self, program: Program) -> Observations:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


class Hangs(Liar):
    """Never comes back. Only for a process that may be ended."""

    name = "hangs"
    isolate = True

    def run(self, program: Program) -> Observations:
        while True:
            time.sleep(3600)


LIARS: dict[str, type[Liar]] = {
    liar.name: liar
    for liar in (
        AlwaysZero, OffByAFactor, MissesAConjugate, ReusesAStaleBuffer, Overwrites, Crashes, Dies, Hangs,
    )
}  # fmt: skip
# Rules of their own, see tests.fakes.torch_liars.
TORCH_LIARS = ("drops-the-broadcast-sum", "gathers")


def load(name: str, inner: Backend | None = None) -> Backend:
    """A liar by name, before the python backend unless told otherwise."""
    if name in TORCH_LIARS:
        from tests.fakes.torch_liars import Gathers, DropsTheBroadcastSum  # noqa: I001

        return {"gathers": Gathers, "drops-the-broadcast-sum": DropsTheBroadcastSum}[name]()
    if inner is None:
        from gradspec.plugins import load_backend

        inner = load_backend("python")
    return LIARS[name](inner)
