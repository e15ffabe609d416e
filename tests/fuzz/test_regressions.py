"""What random programs once found holds on every engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradspec.plugins import load_backend
from gradspec.runner.run import run_one
from gradspec.spec.load import load_file

FOUND = sorted((Path(__file__).parent / "regressions").glob("*.gradspec.yaml"))
SPECS = [spec for file in FOUND for spec in load_file(str(file))]


@pytest.mark.parametrize("backend", ["python", "numpy", pytest.param("torch", marks=pytest.mark.torch)])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_found(spec, backend: str) -> None:
    if backend == "torch":
        pytest.importorskip("torch")
    verdict = run_one(spec, load_backend(backend))
    wrong = [check.summary for check in verdict.checks if check.status != "passed"]
    assert verdict.outcome == "passed", wrong
