"""The embedded engine through its door: programs in, observations out."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gradspec.backends.numpy import NumpyBackend
from gradspec.backends.python import PythonBackend
from gradspec.dense import Dense
from gradspec.spec.model import Apply, Backward, Call, Leaf, Look, Program, Slot, Watch

BACKENDS = {"python": PythonBackend, "numpy": NumpyBackend}
UNARY = ("sin", "tanh", "exp", "sigmoid", "square", "neg")
BINARY = ("add", "sub", "mul")


@st.composite
def expressions(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """Ops over earlier values; values 0 and 1 are the leaves."""
    ops = []
    for k in range(draw(st.integers(1, 8))):
        name = draw(st.sampled_from(UNARY + BINARY))
        ops.append((name, draw(st.integers(0, k + 1)), draw(st.integers(0, k + 1))))
    return ops


def _program(ops: list[tuple[str, int, int]], x: float, y: float) -> Program:
    calls = {name: i for i, name in enumerate(UNARY + BINARY)}
    table = tuple(
        Call(name, (("input", Slot(0)), ("other", Slot(1))) if name in BINARY else (("input", Slot(0)),))
        for name in calls
    )
    steps: list[Any] = [
        Apply(calls[name], (a, b) if name in BINARY else (a,), (k + 2,), k)
        for k, (name, a, b) in enumerate(ops)
    ]
    last = len(ops) + 1
    steps += [
        Backward((last,), (None,), None, False, None, len(ops)),
        Watch((Look(0, "", ("grad",)), Look(1, "", ("grad",)), Look(last, "", ("value",))), len(ops) + 1),
    ]
    leaves = tuple(Leaf(b, Dense("float64", (), [v]), True) for b, v in ((0, x), (1, y)))
    return Program("p", "float64", ("",) * (last + 1), {}, table, leaves, tuple(steps), len(steps))


def _value(ops: list[tuple[str, int, int]], x: float, y: float) -> float:
    """The same expression by Python's math alone: what the engine's gradient is differenced against."""
    meaning: dict[str, Any] = {
        "sin": math.sin, "tanh": math.tanh, "exp": math.exp, "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
        "square": lambda v: v * v, "neg": lambda v: -v, "add": lambda v, w: v + w, "sub": lambda v, w: v - w,
        "mul": lambda v, w: v * w,
    }  # fmt: skip
    values = [x, y]
    for name, a, b in ops:
        values.append(meaning[name](values[a], values[b]) if name in BINARY else meaning[name](values[a]))
    return float(values[-1])


@settings(max_examples=150, deadline=None)
@given(expressions(), st.floats(-1, 1), st.floats(-1, 1))
def test_gradients_are_those_of_differences(ops: list[tuple[str, int, int]], x: float, y: float) -> None:
    h = 1e-5
    try:
        sides = [_value(ops, x + dx, y + dy) for dx, dy in ((h, 0), (-h, 0), (0, h), (0, -h))]
    except OverflowError:
        return
    if max(map(abs, sides)) > 1e3:
        return  # differences of large values lose what is compared
    numeric = ((sides[0] - sides[1]) / (2 * h), (sides[2] - sides[3]) / (2 * h))
    results = [BACKENDS[name]().run(_program(ops, x, y)) for name in BACKENDS]
    for observations in results:
        assert not observations.outcomes
        (looks,) = observations.seen.values()
        for look, expected in zip(looks, numeric, strict=False):
            got = 0.0 if look["grad"] is None else look["grad"].item()  # absent where nothing depends on it
            assert math.isclose(got, expected, rel_tol=1e-4, abs_tol=1e-4 * (1 + max(map(abs, sides))))


def test_the_python_engine_needs_no_numpy() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "from gradspec.backends.python import PythonBackend\n"
        "from gradspec.spec.load import load_text\n"
        "text = 'gradspec: 1\\nid: a\\ntensors: {x: {data: [1.0, 2.0], requires_grad: true}}\\n'\n"
        "text += 'steps: [{op: y = sum(x * x)}, {backward: y}, {expect: {x: {grad: [2.0, 4.0]}}}]'\n"
        "(spec,) = load_text(text, 'a')\n"
        "o = PythonBackend().run(spec.program)\n"
        "assert not o.outcomes and o.seen[2][0]['grad'].flat() == [2.0, 4.0], o"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
