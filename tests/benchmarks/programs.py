"""Programs written by hand, as a loader would make them: what the engines are timed on."""

from __future__ import annotations

import random
from typing import Any

from gradspec.dense import Dense
from gradspec.ops import registry
from gradspec.spec.model import Apply, Backward, Call, Leaf, Look, Program, Slot, Watch

__all__ = ["Plan", "Writer", "chain_plan", "dag_plan", "scalar_program"]

Plan = list[tuple[str, int, int]]  # (op, slot, slot); slots 0 and 1 are leaves, each op makes the next slot


class Writer:
    """Writes one Program: leaves, then ops, then one backward and what to look at."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.count = 0  # bindings
        self.leaves: list[Leaf] = []
        self.steps: list[Any] = []
        self.calls: dict[Call, int] = {}

    def leaf(self, data: Dense, requires_grad: bool = True) -> int:
        self.leaves.append(Leaf(self._bind(), data, requires_grad))
        return self.count - 1

    def op(self, name: str, *inputs: int, **static: Any) -> int:
        """Call op `name` on bindings, in the order of its signature, with static arguments by name."""
        slots = iter(range(len(inputs)))
        given = dict(static)
        for param in registry[name].params:
            if param.is_tensor and param.name not in given and (k := next(slots, None)) is not None:
                given[param.name] = Slot(k)
        args = tuple(
            (param.name, given[param.name]) for param in registry[name].params if param.name in given
        )
        call = self.calls.setdefault(Call(name, args), len(self.calls))
        out = self._bind()
        self.steps.append(Apply(call, inputs, (out,), len(self.steps)))
        return out

    def backward(self, of: int, gradient: Dense | None = None) -> None:
        self.steps.append(Backward((of,), (gradient,), None, False, None, len(self.steps)))

    def watch(self, *bindings: int, fields: tuple[str, ...] = ("grad",)) -> None:
        looks = tuple(Look(binding, "", fields) for binding in bindings)
        self.steps.append(Watch(looks, len(self.steps)))

    def program(self) -> Program:
        return Program(
            id="bench",
            dtype=self.dtype,
            names=tuple(f"v{b}" for b in range(self.count)),
            constants={},
            calls=tuple(self.calls),
            leaves=tuple(self.leaves),
            steps=tuple(self.steps),
            count=len(self.steps),
        )

    def _bind(self) -> int:
        self.count += 1
        return self.count - 1


def chain_plan(n: int) -> Plan:
    """y ← y·w, y ← y + x, …: values stay near one, both leaves get a gradient from each second op."""
    return [("mul", i + 1 if i else 0, 1) if i % 2 else ("add", i + 1 if i else 0, 0) for i in range(n)]


def dag_plan(n: int, seed: int = 20) -> Plan:
    """Random averages: two earlier values (of the last 64), each times w = ½, added; some through relu."""
    draw = random.Random(seed)
    plan: Plan = []
    while len(plan) < n:
        top = len(plan) + 1  # the newest slot
        a, b = (draw.randint(max(2, top - 63), top) if top > 1 else 0 for _ in range(2))
        plan += [("mul", a, 1), ("mul", b, 1), ("add", top + 1, top + 2)]
        if draw.random() < 0.25:
            plan.append(("relu", top + 3, -1))
    return plan[:n]


def scalar_program(plan: Plan, dtype: str, x: float, w: float) -> Program:
    """The program of a plan: leaves x and w, the ops, backward from the last value, both gradients seen."""
    writer = Writer(dtype)
    leaves = [writer.leaf(Dense(dtype, (), [value])) for value in (x, w)]
    out = 0
    for name, a, b in plan:
        out = writer.op(name, a) if b < 0 else writer.op(name, a, b)
    writer.backward(out)
    writer.watch(*leaves)
    return writer.program()
