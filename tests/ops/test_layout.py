"""How the results of ops on transposed operands lie in memory: as torch's do."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from gradspec.backends.numpy import NumpyBackend
from gradspec.dense import Dense
from gradspec.fuzz.calls import OPS, call
from gradspec.fuzz.draft import faults_of, program_of, watch
from gradspec.fuzz.scout import Known
from gradspec.ops import registry

pytestmark = pytest.mark.torch
pytest.importorskip("torch")
DTYPES = ("float64", "complex128", "int64", "bool")
SHAPES = ((2, 3), (3, 3))


@pytest.fixture(scope="module")
def torch() -> Any:
    from gradspec.backends.torch import TorchBackend

    return TorchBackend()


def number(dtype: str, place: int) -> Any:
    if dtype == "bool":
        return place % 3 == 0
    real = place * 5 % 7 + 1 if dtype == "int64" else 0.1 + 0.07 * place
    return complex(real, 0.3 - 0.05 * place) if dtype == "complex128" else real


def program(rng: Random, op: str, dtype: str, shape: tuple[int, int]) -> Any:
    """A random call on transposed matrices, its result flattened: that shares memory with it exactly if it
    lies in order. None where no such call was found."""
    rows, columns = shape
    data = [[number(dtype, row * columns + column) for column in range(columns)] for row in range(rows)]
    turned = Dense(
        dtype, (columns, rows), [data[row][column] for column in range(columns) for row in range(rows)]
    )
    expression = call(rng, {"a": Known(turned), "b": Known(turned)}, op)
    if expression is None:
        return None
    text = [[f"complex({x.real}, {x.imag})" if dtype == "complex128" else x for x in row] for row in data]
    statements = (
        "a = m.T",
        "b = n.T",
        f"y = {expression}",
        "flat = flatten(y)",
        "z = y * 1",
        "row = flatten(z)",
    )
    view = {
        "gradspec": 1,
        "id": op,
        "tensors": {"m": {"data": text, "dtype": dtype}, "n": {"data": text, "dtype": dtype}},
        "steps": [*({"op": statement} for statement in statements), watch(["y", "flat", "z", "row"])],
    }
    return None if faults_of(view) else program_of(view)


def lies_in_order(seen: Any) -> list[bool] | None:
    """Whether y lies in C order, and whether what an elementwise op makes of it does; None after an error."""
    if any(outcome.status != "ok" for outcome in seen.outcomes.values()):
        return None
    (looks,) = seen.seen.values()
    memory = [look["shares_memory_with"] for look in looks[:4]]
    return [memory[0] == memory[1], memory[2] == memory[3]]


@pytest.mark.parametrize("op", [op for op in OPS if registry[op].outputs == "one"])
def test_results_of_transposed_operands(op: str, torch: Any) -> None:
    rng = Random(f"layout/{op}")
    for _ in range(24):
        run = program(rng, op, rng.choice(DTYPES), rng.choice(SHAPES))
        if run is None:
            continue
        theirs, ours = torch.run(run), NumpyBackend().run(run)
        if any(outcome.status == "unsupported" for outcome in ours.outcomes.values()):
            continue
        assert lies_in_order(ours) == lies_in_order(theirs), [call.args for call in run.calls]
