"""A chain of 1,000,000 ops at the default recursion limit: linear in time and memory, none of it kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.measure import Broken, Row

__all__ = ["million"]

ROOT = Path(__file__).parents[2]
LENGTHS = (250_000, 500_000, 1_000_000)


def million(rounds: int) -> list[Row]:
    """Chains of 250,000 to 1,000,000 scalar ops on both engines: µs and bytes an op above the Program."""
    rows: list[Row] = []
    for backend in ("python", "numpy"):
        for n in LENGTHS:
            spent = [_measure(backend, n) for _ in range(min(rounds, 3) if n == LENGTHS[-1] else 1)]
            case, goal = f"{n:,} ops", "≤ 500 bytes" if backend == "python" else ""
            seconds = min(one.seconds for one in spent)
            size_bytes, kept = max(one.size_bytes for one in spent), max(one.kept for one in spent)
            rows.append(Row("million", case, backend, seconds * 1e6 / n, "", None, "µs/op"))
            rows.append(Row("million", case, backend, size_bytes / n, "", None, "bytes/op", goal))
            rows.append(Row("million", case, backend, kept, "", None, "blocks kept", "≤ 100 blocks"))
    if _has("torch"):
        torch = _measure("torch-eager", 100_000)
        rows.append(Row("million", "100,000 ops", "(torch eager)", torch.seconds * 10, "", None, "µs/op"))
        rows.append(
            Row("million", "100,000 ops", "(torch eager)", torch.size_bytes / 1e5, "", None, "bytes/op")
        )
    return rows


def _has(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


class Spent(NamedTuple):
    """What a run took: its time, the growth of the process's peak memory, and what is left when it is over:
    blocks of memory, and objects that wait for the collector."""

    seconds: float
    size_bytes: float
    kept: float


def _measure(backend: str, n: int) -> Spent:
    """One run in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.million", backend, str(n)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise Broken(f"{backend} cannot do a chain of {n:,} ops:\n{done.stderr[-2000:]}")
    return Spent(*json.loads(done.stdout))


def _status_bytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise Broken(f"no {field} in /proc/self/status: memory is measured on Linux only")


def _child(backend: str, n: int) -> None:
    import gc
    import time

    from tests.benchmarks.programs import chain_plan, scalar_program

    plan = chain_plan(n)
    if backend == "torch-eager":
        run = _torch_chain(plan)
    else:
        module, name = {"python": ("python", "PythonBackend"), "numpy": ("numpy", "NumpyBackend")}[backend]
        engine = getattr(__import__(f"gradspec.backends.{module}", fromlist=[name]), name)()
        program = scalar_program(plan, "float64", 0.001, 0.999)
        engine.run(scalar_program(plan[:100], "float64", 0.001, 0.999))  # imports are not the tape's memory
        run = lambda: engine.run(program)  # noqa: E731
    gc.collect()
    gc.freeze()  # the Program is the reader's, not the engine's
    blocks = sys.getallocatedblocks()
    before = _status_bytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    start = time.perf_counter()
    seen = run()
    seconds = time.perf_counter() - start
    peak = _status_bytes("VmHWM")
    if getattr(seen, "outcomes", None):
        raise Broken(f"the program does not run: {seen.outcomes}")
    del seen
    waited = gc.collect()  # also empties the lists in which Python keeps small objects to use them again
    print(json.dumps([seconds, max(0, peak - before), waited + sys.getallocatedblocks() - blocks]))


def _torch_chain(plan):  # type: ignore[no-untyped-def]
    import torch

    torch.set_num_threads(1)

    def run() -> None:
        x, w = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.001, 0.999))
        y = x
        for op, _, _ in plan:
            y = y * w if op == "mul" else y + x
        y.backward()

    return run


if __name__ == "__main__":
    _child(sys.argv[1], int(sys.argv[2]))
