"""Scalars on the python backend: chains and random graphs beside micrograd and torch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tests.benchmarks.measure import Broken, Row, interleaved, medians
from tests.benchmarks.programs import Plan, chain_plan, dag_plan, scalar_program

__all__ = ["chain", "dag"]

X, W = 0.001, 0.999


def chain(rounds: int) -> list[Row]:
    """A chain of 1,000 and 100,000 scalar ops, from a built Program to its Observations."""
    return _scalars("chain", chain_plan, (X, W), rounds)


def dag(rounds: int) -> list[Row]:
    """A random graph of 1,000 and 100,000 scalar ops, from a built Program to its Observations."""
    return _scalars("dag", dag_plan, (1.5, 0.5), rounds)


def _scalars(name: str, make: Callable[[int], Plan], leaves: tuple[float, float], rounds: int) -> list[Row]:
    rows = []
    for n in (1_000, 100_000):
        plan, repeat = make(n), max(1, 10_000 // n)
        contestants = _contestants(plan, leaves, repeat)
        _agree(contestants, name)
        spent = medians(interleaved(contestants, rounds))
        per_op = {who: 1e6 * value / repeat / n for who, value in spent.items()}
        for dtype, goal in (("float64", "≥ 2"), ("float32", "≥ 1.5")):
            case = f"{n:,} ops {dtype}"
            rows.append(
                Row(name, case, "python", per_op[dtype], "micrograd", per_op["micrograd"], "µs/op", goal)
            )
        if "torch" in per_op:
            case = f"{n:,} ops float64"
            rows.append(Row(name, case, "python", per_op["float64"], "torch", per_op["torch"], "µs/op"))
    return rows


def _contestants(plan: Plan, leaves: tuple[float, float], repeat: int) -> dict[str, Callable[[], list[Any]]]:
    """Each runs the plan `repeat` times. Our programs are new objects each time: nothing compiled is kept."""
    from gradspec.backends.python import PythonBackend

    backend, torch = PythonBackend(), _torch()

    def ours(dtype: str) -> Callable[[], list[Any]]:
        program = scalar_program(plan, dtype, *leaves)
        return lambda: [backend.run(program._replace(id=f"bench{i}")) for i in range(repeat)]

    contestants = {
        "float64": ours("float64"),
        "float32": ours("float32"),
        "micrograd": lambda: [_micrograd(plan, *leaves) for _ in range(repeat)],
    }
    if torch:
        contestants["torch"] = lambda: [_eager(torch, plan, *leaves) for _ in range(repeat)]
    return contestants


def _agree(contestants: dict[str, Callable[[], list[Any]]], name: str) -> None:
    """All compute the same gradients, or the figures mean nothing."""
    expected = contestants["micrograd"]()[0]
    for who, run in contestants.items():
        got = run()[0]
        if who.startswith("float"):
            ((seen,),) = [list(got.seen.values())]
            got = tuple(look["grad"].item() for look in seen)
        loose = 1e-3 if who == "float32" else 1e-9
        if any(abs(a - b) > loose * max(1.0, abs(b)) for a, b in zip(got, expected, strict=True)):
            raise Broken(f"{name}: {who} computes {got}, micrograd {expected}")


def _micrograd(plan: Plan, x: float, w: float) -> tuple[float, float]:
    from micrograd.engine import Value

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10**7)
    try:
        slots = [Value(x), Value(w)]
        for op, a, b in plan:
            if op == "mul":
                slots.append(slots[a] * slots[b])
            elif op == "add":
                slots.append(slots[a] + slots[b])
            else:
                slots.append(slots[a].relu())
        slots[-1].backward()
        return slots[0].grad, slots[1].grad
    finally:
        sys.setrecursionlimit(limit)


def _eager(torch: Any, plan: Plan, x: float, w: float) -> tuple[float, float]:
    slots = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (x, w)]
    for op, a, b in plan:
        if op == "mul":
            slots.append(slots[a] * slots[b])
        elif op == "add":
            slots.append(slots[a] + slots[b])
        else:
            slots.append(slots[a].relu())
    slots[-1].backward()
    return slots[0].grad.item(), slots[1].grad.item()


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    return torch
