"""Starting up: cold processes, beside `pytest --version` in the same environment without its plugins."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.measure import THREADS, Broken, Row, interleaved, medians

__all__ = ["startup"]

ROOT = Path(__file__).parents[2]
GRADSPEC = "import sys; from gradspec.cli import main; sys.exit(main())"
PYTEST = "import sys; from pytest import console_main; sys.exit(console_main())"
SPEC = """\
gradspec: 1
id: startup.one
tensors:
  x: {data: [1.0, 2.0, 3.0], requires_grad: true}
steps:
  - op: y = sum(x * x)
  - backward: y
  - expect: {x: {grad: [2.0, 4.0, 6.0]}, y: {value: 14.0}}
"""


def startup(rounds: int) -> list[Row]:
    """`gradspec --version` and `gradspec run` of one small spec, cold, beside `pytest --version`."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "one.gradspec.yaml").write_text(SPEC)
        commands: dict[str, list[str]] = {
            "pytest --version": ["-c", PYTEST, "--version", "-p", "no:cacheprovider"],
            "python -c pass": ["-c", "pass"],
            "gradspec --version": ["-c", GRADSPEC, "--version"],
            "gradspec check": ["-c", GRADSPEC, "check", "one.gradspec.yaml"],
            "gradspec run -b python": ["-c", GRADSPEC, "run", "one.gradspec.yaml", "-b", "python"],
            "gradspec run -b numpy": ["-c", GRADSPEC, "run", "one.gradspec.yaml", "-b", "numpy"],
        }
        contestants = {name: cold(arguments, folder) for name, arguments in commands.items()}
        spent = {name: 1e3 * s for name, s in medians(interleaved(contestants, max(rounds, 15))).items()}
    peer = spent.pop("pytest --version")
    goals = {"gradspec --version": "≤ 0.5", "gradspec run -b python": "≤ 1.0"}
    return [
        Row("startup", name, "cold", value, "pytest --version", peer, "ms", goals.get(name, ""), less=True)
        for name, value in spent.items()
    ]


def cold(arguments: list[str], folder: str) -> Callable[[], object]:
    """A fresh interpreter running `arguments` in `folder`; pytest loads no plugin it finds installed."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    for name in (
        "PYTHONDONTWRITEBYTECODE",
        *THREADS,
    ):  # as installed: compiled once, with threads as they come
        environment.pop(name, None)

    def run() -> None:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True
        )
        if done.returncode:
            raise Broken(f"{arguments}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")

    return run
