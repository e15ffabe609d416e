"""Every triple that the article prints, token for token and in its order, on each backend."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradspec.plugins import load_backend
from gradspec.reports.trace import trace_lines
from gradspec.spec.load import load_file

SEED = Path(__file__).parents[2] / "specs" / "seed"
ONE = """\
(tensor(7., requires_grad=True), None, True)
(tensor(7., requires_grad=True), tensor(1.), True)
(tensor(7., requires_grad=True), tensor(2.), True)
(tensor(7., requires_grad=True), tensor(3.), True)
"""
THREE = """\
(tensor(7., requires_grad=True), None, True)
(tensor(7., requires_grad=True), tensor(1.), True)
(tensor(7., requires_grad=True), tensor(1.), True)
(tensor(28., grad_fn=<MulBackward0>), None, False)
(tensor(7., requires_grad=True), tensor(5.), True)
(tensor(28., grad_fn=<MulBackward0>), tensor(1.), False)
(tensor(7., requires_grad=True), tensor(5.), True)
(tensor(28., grad_fn=<MulBackward0>), tensor(1.), False)
(tensor(140., grad_fn=<MulBackward0>), None, False)
(tensor(7., requires_grad=True), tensor(25.), True)
(tensor(28., grad_fn=<MulBackward0>), tensor(6.), False)
(tensor(140., grad_fn=<MulBackward0>), tensor(1.), False)
"""


@pytest.mark.parametrize("backend", ["python", "numpy", "torch"])
@pytest.mark.parametrize(("program", "printed"), [("one-tensor", ONE), ("three-tensors", THREE)])
def test_trace_prints_what_the_article_prints(backend: str, program: str, printed: str) -> None:
    if backend == "torch":
        pytest.importorskip("torch")
    (spec,) = load_file(str(SEED / f"{program}.gradspec.yaml"))
    lines = [line for line in trace_lines(spec, load_backend(backend)) if line.startswith("(")]
    assert lines == printed.splitlines()
