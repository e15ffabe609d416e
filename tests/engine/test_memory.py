"""Memory: long programs need little of it, and leave none behind while the garbage collector stands still."""

from __future__ import annotations

import gc
import math
import sys
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gradspec.backends.base import Backend, Observations
from gradspec.backends.numpy import NumpyBackend
from gradspec.backends.python import PythonBackend
from gradspec.dense import Dense
from gradspec.fuzz.draft import program_of
from gradspec.fuzz.generate import draw
from gradspec.spec.load import load_text
from gradspec.spec.model import Apply, Backward, Call, Leaf, Look, Program, Slot, Watch
from tests.backends.builder import Builder, T

BACKENDS = {"python": PythonBackend, "numpy": NumpyBackend}
SPECS = Path(__file__).parents[2] / "specs"
CROWD = 100  # objects; what a program leaves behind in caches does not grow with it


@pytest.fixture(params=BACKENDS)
def backend(request: Any) -> Backend:
    made: Backend = BACKENDS[request.param]()
    return made


@contextmanager
def alone() -> Iterator[None]:
    """The collector stands still and knows nothing of what was there before."""
    gc.collect()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()


def circles(generation: int = 2) -> list[Any]:
    """What was dropped and waits for the collector all the same; 0: of what was made since the last look."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect(generation)
        return [(type(found).__name__, repr(found)[:200]) for found in gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()


def leaves_nothing(backend: Backend, programs: Sequence[tuple[str, Program]]) -> None:
    with alone():
        for name, program in programs:
            backend.run(program)
            assert not (found := circles(0)), f"{name}: {found[:10]}"
        assert not circles()


def grown(backend: Backend, short: Program, long: Program) -> tuple[int, Observations]:
    """The memory blocks that are left when a program has run, apart from what was observed.

    `short` has run before: what is prepared for its calls is kept, and is there for `long` too.
    """
    backend.run(short)
    with alone():
        before = sys.getallocatedblocks()
        observations = backend.run(long)
        assert not circles()
        gc.collect()  # empties the lists in which Python keeps small objects to use them again
        return sys.getallocatedblocks() - before, observations


def chain(n: int, dtype: str = "float64") -> Program:
    """y ← y·w, y ← y + x, … : n ops, one backward, both gradients seen."""
    calls = tuple(Call(op, (("input", Slot(0)), ("other", Slot(1)))) for op in ("mul", "add"))
    steps: list[Any] = [Apply(i % 2, (i + 1 if i else 0, 1 - i % 2), (i + 2,), i) for i in range(n)]
    steps.append(Backward((n + 1,), (None,), None, False, None, n))
    steps.append(Watch((Look(0, "", ("grad",)), Look(1, "", ("grad",))), n + 1))
    leaves = (Leaf(0, Dense(dtype, (), [0.001]), True), Leaf(1, Dense(dtype, (), [0.999]), True))
    names = tuple(f"v{b}" for b in range(n + 2))
    return Program("chain", dtype, names, {}, calls, leaves, tuple(steps), n + 2)


def test_a_long_chain_needs_no_recursion_and_leaves_nothing(backend: Backend) -> None:
    """`make bench BENCH=million` does the same with 1,000,000 ops."""
    left, observations = grown(backend, chain(100), chain(200_000))
    assert left < CROWD
    assert not observations.outcomes
    (looks,) = observations.seen.values()
    # y = x(1 + w + w² + …): dy/dx = 1/(1 − w) as the chain grows
    assert math.isclose(looks[0]["grad"].item(), 1000.0, rel_tol=1e-9)


def test_memory_is_linear_and_small() -> None:
    program, backend = chain(50_000), PythonBackend()
    backend.run(chain(100))
    tracemalloc.start()
    backend.run(program)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak / 50_000 < 500


def squares() -> Builder:
    b = Builder("float64")
    b.leaf("x", [1.0, 2.0])
    b.op("y", "mul", input=T("x"), other=T("x"))
    return b


def backwards(n: int) -> Program:
    b = squares()
    for _ in range(n):
        b.backward("y", [1.0, 0.5], retain_graph=True)
    b.watch("x", "grad")
    return b.program()


def test_ten_thousand_backwards_leave_nothing(backend: Backend) -> None:
    left, observations = grown(backend, backwards(2), backwards(10_000))
    assert left < CROWD
    assert observations.seen[10_001][0]["grad"].flat() == [20_000.0, 20_000.0]


def hooked(n: int) -> Program:
    b = squares()
    for k in range(n):
        with b.hook("y", f"h{k}"):
            pass
    b.backward("y", [1.0, 0.5])
    b.watch("x", "grad")
    return b.program()


def test_a_hundred_thousand_hooks_leave_nothing(backend: Backend) -> None:
    left, observations = grown(backend, hooked(2), hooked(100_000))
    assert left < CROWD
    assert observations.seen[100_002][0]["grad"].flat() == [2.0, 2.0]


def test_views_hooks_and_second_derivatives_leave_nothing(backend: Backend) -> None:
    text = """
gradspec: 1
specs:
  - id: everything
    tensors: {x: {data: [1.0, 2.0], requires_grad: true}}
    steps:
      - op: y = x * 2
      - retain_grad: y
      - hook: {of: y, name: h, do: [{op: grad = grad * 2}]}
      - hook: {of: x, name: after, after: accumulate}
      - op: v = y[0]
      - op: v *= 3
      - op: z = y * y
      - backward: {of: z, gradient: [1.0, 2.0], create_graph: true}
      - op: a, b = split(y, 1)
      - op: s = exp(a) * b
      - backward: s
      - expect: {x: {requires_grad: true}}
  - id: forward
    tensors: {x: {data: [1.0, 2.0], requires_grad: true}}
    steps:
      - op: y = prod(x * x, 0)
      - jvp: {of: y, tangents: {x: [1.0, 0.5]}, out: t}
      - grad: {of: y, wrt: x, out: g, create_graph: true}
      - backward: {of: g, gradient: [1.0, 2.0]}
  - id: failing
    tensors: {x: {data: [1.0, 2.0], requires_grad: true}, w: {data: [1.0, 2.0], requires_grad: true}}
    steps:
      - op: y = x * x
      - backward: {of: y, gradient: [1.0, 2.0]}
      - {backward: {of: y, gradient: [1.0, 2.0]}, raises: graph-freed}
      - op: z = exp(w)
      - op: z += 1
      - {backward: {of: z, gradient: [1.0, 2.0]}, raises: modified-in-place}
      - hook: {of: w, name: h, do: [{op: grad = sum(grad)}]}
      - op: u = w * 3
      - {backward: {of: u, gradient: [1.0, 2.0]}, raises: hook-shape}
"""
    specs = load_text(text, "memory.gradspec.yaml")
    leaves_nothing(backend, [(spec.id, spec.program) for spec in specs])
    statuses = [[o.status for o in backend.run(spec.program).outcomes.values()] for spec in specs]
    assert [status.count("error") for status in statuses] == [0, 0, 3]


def test_no_spec_of_the_suite_leaves_anything(backend: Backend) -> None:
    paths = sorted(SPECS.rglob("*.gradspec.yaml"))
    specs = [spec for path in paths for spec in load_text(path.read_text("utf-8"), str(path))]
    assert len(specs) > 1000
    leaves_nothing(backend, [(spec.id, spec.program) for spec in specs])


def test_no_random_program_leaves_anything(backend: Backend) -> None:
    drawn = [(f"fuzz 7:{number}", program_of(draw(7, number))) for number in range(100)]
    leaves_nothing(backend, drawn)
