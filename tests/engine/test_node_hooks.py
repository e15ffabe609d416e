"""Hooks on nodes run when torch runs them, and are given what torch gives them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gradspec.backends.base import Outcome
from gradspec.backends.numpy import NumpyBackend
from gradspec.dense import Dense
from gradspec.fuzz.draft import View, program_of
from gradspec.fuzz.generate import draw

pytest.importorskip("torch")

SEED = 20261127
PROGRAMS = 120


def hooked(steps: list[View], names: list[str]) -> list[View]:
    """The steps, with two hooks on the node of whatever an op makes, and a look at all hooks that ran after
    each backward."""
    more: list[View] = []
    for step in steps:
        more.append(step)
        target = str(step.get("op", "")).partition(" = ")[0]
        if " = " in str(step.get("op")) and target.isidentifier():
            for when in ("before", "after"):
                names.append(f"n{len(names)}")
                more.append({"hook": {"of": target, "name": names[-1], when: "node"}})
        elif "backward" in step or "grad" in step:
            more.append({"expect_hooks": []})
    return more


def near(a: Any, b: Any) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(near, a, b))
    if not (isinstance(a, Dense) and isinstance(b, Dense)):
        return a is b
    pairs = zip(a.flat(), b.flat(), strict=True)
    return a.shape == b.shape and all(
        x == y or x != x or not math.isfinite(abs(x)) or abs(x - y) <= 1e-3 * (1 + abs(x)) for x, y in pairs
    )


def test_random_programs() -> None:
    from gradspec.backends.torch import TorchBackend

    torch, ours, ran = TorchBackend(), NumpyBackend(), 0
    for number in range(PROGRAMS):
        view = draw(SEED, number)
        names: list[str] = []
        run = program_of({**view, "steps": hooked(view["steps"], names)})
        there, here = torch.run(run), ours.run(run)
        hooks = {step.at: step.name for step in run.steps if getattr(step, "of_node", False)}
        unknown = {at for at in hooks if here.outcomes.get(at, Outcome("ok")).status == "unsupported"}
        told = {name for at, name in hooks.items() if at not in unknown}
        for at in sorted(there.hooks):
            ends = [
                [(a, getattr(side.outcomes.get(a), "code", "")) for a in range(at) if a not in unknown]
                for side in (there, here)
            ]
            if ends[0] != ends[1]:
                break
            theirs, mine = ([one for one in side.hooks[at] if one[0] in told] for side in (there, here))
            assert [name for name, _ in mine] == [name for name, _ in theirs], f"program {number}, step {at}"
            for (name, a), (_, b) in zip(theirs, mine, strict=True):
                assert near(a, b), f"program {number}, step {at}: {name} was given {b}, in torch {a}"
            ran += len(mine)
    assert ran > 3 * PROGRAMS
