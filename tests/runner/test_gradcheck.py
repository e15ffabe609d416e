"""The numerical proof: it holds for true derivatives and fails for wrong ones."""

from __future__ import annotations

import pytest

from gradspec.backends.python import PythonBackend
from gradspec.runner.run import run_one
from gradspec.runner.verdict import CheckResult
from tests.runner.fakes import Lacking, spec

TENSORS = """
tensors:
  x: {data: [0.5, 1.25, -0.75], requires_grad: true}
  w: {data: [[0.25], [2.0]], requires_grad: true}
steps:
"""


def proof(steps: str, backend=None) -> CheckResult:
    verdict = run_one(spec(TENSORS + steps), backend or PythonBackend())
    assert verdict.outcome in ("passed", "failed", "unsupported"), verdict.message
    (result,) = [check for check in verdict.checks if check.field == "gradcheck"]
    return result


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("statement", ["y = exp(x) * w", "y = tanh(x * w) / (w + 1)", "y = sum(x * 3)"])
def test_true_derivatives(statement, order):
    result = proof(f"  - op: {statement}\n  - gradcheck: {{of: y, order: {order}}}\n")
    assert result.status == "passed", result.summary


def test_a_value_that_bypasses_the_graph_is_found():
    result = proof("  - op: d = detach(x)\n  - op: y = x * d\n  - gradcheck: {of: y, wrt: x}\n")
    assert result.status == "failed"
    assert result.summary == 'derivative by "x" against central differences: 3 of 3 outside'
    assert result.pattern == "a factor of 1/2"


def test_a_second_derivative_alone_may_be_wrong():
    # Both sides find 0 for the first derivative of (x - d)²; only the graph takes d to stand still.
    steps = "  - op: d = detach(x)\n  - op: y = (x - d) * (x - d)\n  - gradcheck: {of: y, wrt: x, order: 1}\n"
    assert proof(steps).status == "passed"
    result = proof(steps.replace("order: 1", "order: 2"))
    assert result.status == "failed"
    assert result.summary.startswith('second derivative by "x"')


def test_earlier_backwards_do_not_free_what_it_needs():
    steps = "  - op: y = exp(x)\n  - op: z = sum(y)\n  - backward: z\n  - gradcheck: z\n"
    assert proof(steps).status == "passed"


def test_inside_a_block_and_after_changed_modes():
    steps = "  - op: y = exp(x)\n  - no_grad:\n      - op: u = x * 2\n  - gradcheck: {of: y, wrt: x}\n"
    assert proof(steps).status == "passed"


def test_bounds_are_the_authors():
    steps = "  - op: y = exp(x)\n  - gradcheck: {of: y, wrt: x, eps: 0.1, rtol: 1e-6, atol: 1e-9}\n"
    result = proof(steps)
    assert result.status == "failed"  # differences this wide are no derivative
    assert proof(steps.replace("1e-6", "0.01")).status == "passed"


def test_complex_inputs_follow_torchs_convention():
    text = """
tensors: {z: {data: ["1+2j", "0.5-1j"], requires_grad: true}}
steps:
  - op: y = z * z
  - gradcheck: {of: y, wrt: z}
  - op: r = abs(z)
  - gradcheck: {of: r, wrt: z}
"""
    verdict = run_one(spec(text), PythonBackend())
    assert [check.status for check in verdict.checks] == ["passed", "passed"], verdict.checks


def test_a_backend_without_what_it_needs():
    steps = "  - op: y = exp(x)\n  - gradcheck: {of: y, wrt: x, order: 2}\n"
    result = proof(steps, Lacking(double_backward="unsupported"))
    assert (result.status, result.feature) == ("unsupported", "double-backward")
    assert proof(steps.replace("2}", "1}"), Lacking(double_backward="unsupported")).status == "passed"


def test_an_unexpected_error_before_it():
    text = TENSORS + "  - op: y = w @ w\n  - op: u = exp(x)\n  - gradcheck: {of: u, wrt: x}\n"
    verdict = run_one(spec(text), PythonBackend())
    assert verdict.outcome == "failed"
    assert "cannot be rerun in float64: shape-mismatch" in verdict.checks[-1].summary
