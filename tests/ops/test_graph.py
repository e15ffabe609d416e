"""The graph below a tensor is torch's: whichever operands need a gradient, whichever are numbers, and after
whatever changes in place."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gradspec.backends.base import Observations
from gradspec.dense import Dense
from gradspec.fuzz.draft import program_of
from gradspec.fuzz.generate import draw
from gradspec.ops import registry
from gradspec.runner.story import flat
from gradspec.spec.model import Apply, GetAttr, Grad, Hook, Jvp, Look, Program, Watch
from tests.ops.random_calls import MAKERS, REAL_ONLY, Dice
from tests.ops.session import _Writer, arrays_in, backend, outputs

pytest.importorskip("torch")

SEED = 20261126
FIELDS = ("grad_fn", "next_functions", "nodes")
OPS = sorted(name for name, op in registry.items() if not op.internal)
PROGRAMS = 200
UNTOLD = (
    "argsort",
    "contiguous",
    "detach",
    "einsum",
    "imag",
    "logdet",
    "positive",
    "real",
)  # or no node at all


@pytest.fixture(scope="module")
def torch() -> Any:
    from gradspec.backends.torch import TorchBackend

    return TorchBackend()


def sampled(op: str, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """The samples of an op, their tensors drawn; beside each, one with a number in a tensor's place."""

    def drawn(value: Any) -> Any:
        if isinstance(value, Dense):
            return np.array(value.flat(), dtype=value.dtype).reshape(value.shape)
        if isinstance(value, tuple) and len(value) == 3 and isinstance(value[0], tuple):
            return np.asarray(rng.uniform(value[1], value[2], value[0])).astype("float32")
        return [drawn(part) for part in value] if isinstance(value, list) else value

    for sample in registry[op].samples:
        args = {name: drawn(value) for name, value in sample.args.items()}
        yield args
        operands = [name for name in args if registry[op].by_name[name].kind == "Operand"]
        if operands:
            yield {**args, str(rng.choice(operands)): 2.0}


def program(op: str, args: dict[str, Any], wanted: set[int]) -> Program:
    """One call, and a look at what it gives; `wanted`: the arrays that require grad."""
    writer = _Writer(op, args, lambda k: k in wanted)
    outs = tuple(writer.bind() for _ in range(outputs(op, args)))
    steps = (
        Apply(0, tuple(writer.inputs), outs, 0), Watch(tuple(Look(out, "", FIELDS) for out in outs), 1),
    )  # fmt: skip
    return Program(
        "call", "float32", ("",) * writer.count, writer.constants, tuple(writer.calls), tuple(writer.leaves),
        steps, 2,
    )  # fmt: skip


@pytest.mark.parametrize("op", OPS)
def test_of_one_call(op: str, torch: Any) -> None:
    rng = np.random.default_rng([SEED, zlib.crc32(op.encode())])
    calls = [args for _ in range(3) for args in sampled(op, rng)]
    if op in MAKERS:
        dtypes = ("float32",) if op in REAL_ONLY else ("float32", "complex128")
        calls += [MAKERS[op](Dice(rng, dtype)).args for dtype in dtypes for _ in range(12)]
    told = 0
    for args in calls:
        able = [k for k, array in enumerate(arrays_in(args)) if array.dtype.kind in "fc"]
        wanted = {k for k in able if rng.random() < 0.6} or set(able[:1])
        run = program(op, args, wanted)
        theirs, ours = torch.run(run), backend("python").run(run)
        if theirs.outcomes or ours.outcomes:
            continue
        for their, our in zip(theirs.seen[1], ours.seen[1], strict=True):
            if "nodes" in our:
                assert our == their, f"{args} with gradients of {wanted}"
                told += our["nodes"] is not None
    assert told or registry[op].kind == "constant" or op in UNTOLD


def test_of_random_programs(torch: Any) -> None:
    told = 0
    for number in range(PROGRAMS):
        run = program_of(draw(SEED, number))
        run = run._replace(steps=_asking(run.steps))
        for what, their, our in _looks(run, torch.run(run), backend("numpy").run(run)):
            assert our == their, f"program {number}, {what}"
            told += our["nodes"] is not None
    assert told > 5 * PROGRAMS


def _looks(run: Program, theirs: Observations, ours: Observations) -> Iterator[tuple[str, Any, Any]]:
    """What both sides saw of a tensor's graph, up to where they differ in what other tests judge, or
    gradients have graphs: what those look like is an engine's own affair."""
    steps = list(flat(run.steps))
    watches = {step.at: step for step in steps if isinstance(step, Watch)}
    gradients = {step.grad for step in steps if isinstance(step, Hook)}
    gradients |= {step.out for step in steps if isinstance(step, (GetAttr, Jvp))}
    gradients |= {binding for step in steps if isinstance(step, Grad) for binding in step.out}
    for at in range(-1, run.count):
        if getattr(theirs.outcomes.get(at), "code", "") != getattr(ours.outcomes.get(at), "code", ""):
            return
        for look, their, our in zip(
            watches[at].looks if at in watches else (),
            theirs.seen.get(at, ()), ours.seen.get(at, ()), strict=False,
        ):  # fmt: skip
            made = look.path or look.binding in gradients
            if their.get("grad_fn") != our.get("grad_fn") or (
                made and (their.get("nodes") or our.get("nodes"))
            ):
                return
            if "nodes" in their and "nodes" in our and not made:
                yield f"{run.names[look.binding]} at step {at}", their, our


def _asking(steps: tuple[Any, ...]) -> tuple[Any, ...]:
    """The steps, every watch asking for the graph of all its tensors."""
    return tuple(
        step._replace(looks=tuple(look._replace(fields=FIELDS) for look in step.looks))
        if isinstance(step, Watch)
        else step._replace(steps=_asking(step.steps))
        if hasattr(step, "steps")
        else step
        for step in steps
    )
