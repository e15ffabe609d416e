"""Custom functions and checkpoints through the runner: what a backend lacks, and the numerical proof."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from gradspec.backends.numpy import NumpyBackend
from gradspec.reports.graph import graph_of
from gradspec.reports.trace import trace_lines
from gradspec.runner.run import observed, run_one
from gradspec.runner.support import Support
from gradspec.spec.features import features_of_program
from gradspec.spec.load import load_file, load_text
from gradspec.spec.model import Spec
from tests.runner.fakes import Lacking

SPECS = Path(__file__).parents[2] / "specs" / "functions"
CUBE = """\
gradspec: "1.1"
id: a.cube
tensors: {x: {data: [2.0, -1.0], requires_grad: true}, w: [3.0, 0.5]}
steps:
  - checkpoint:
      - op: s = x * w
      - custom:
          name: Cube
          of: s
          out: y
          forward: [{op: t = tanh(s)}, {expect: {t: {shape: [2]}}}, {op: y = s ** 3}]
          save: s
          backward: [{op: ds = grad * FACTOR * s ** 2}]
          returns: ds
  - op: z = w + 1
  - gradcheck: {of: y, wrt: x, order: 2}
  - backward: {of: y, gradient: [0.5, 2.0]}
  - expect: {x: {grad: [162.0, 0.75]}, z: {value: [4.0, 1.5]}}
"""


def cube(factor: str = "3") -> Spec:
    (only,) = load_text(CUBE.replace("FACTOR", factor), "a.gradspec.yaml")
    return only


def test_a_right_backward_passes_and_a_wrong_one_does_not() -> None:
    assert run_one(cube(), NumpyBackend()).outcome == "passed"
    verdict = run_one(cube("1.5"), NumpyBackend())
    failed = {check.field: check for check in verdict.checks if check.status == "failed"}
    assert set(failed) == {"gradcheck", "grad"}
    assert failed["gradcheck"].pattern == "a factor of 1/2"


@pytest.mark.parametrize(
    ("lacks", "left"),
    [
        ("custom_function", {"value"}),
        ("checkpoint", {"value"}),
        ("op:tanh", {"value"}),
        ("repr", {"shape", "gradcheck", "grad", "value"}),
    ],
)
def test_without_a_feature_what_hangs_on_it_is_left_out(lacks: str, left: set[str]) -> None:
    verdict = run_one(cube(), Lacking(**{lacks: "unsupported"}))
    assert verdict.outcome == "passed"
    assert {check.field for check in verdict.checks if check.status == "passed"} == left
    word = lacks.replace("_", "-")
    assert {check.feature for check in verdict.checks if check.status == "unsupported"} <= {word}


def test_features_of_the_bodies_are_asked_for() -> None:
    assert {"custom-function", "checkpoint", "op:tanh", "op:pow"} <= features_of_program(cube().program)


def test_a_function_is_one_node_of_the_drawn_graph() -> None:
    graph = graph_of(cube())
    made = {node.name: node.made for node in graph.nodes}
    assert made["y"] == "Cube" and "t" not in made


def test_a_trace_shows_the_bodies() -> None:
    text = "\n".join(trace_lines(cube(), NumpyBackend()))
    assert "custom: Cube, of s, out y" in text and "t = tanh(s)" in text


def test_nothing_waits_for_the_garbage_collector() -> None:
    backend = NumpyBackend()
    specs = [cube()]
    for name in ("custom", "checkpoint"):
        specs += load_file(str(SPECS / f"{name}.gradspec.yaml"))
    left_out = ("null-below", "double-backward")  # hooks on leaves and some powers leave something behind
    specs = [spec for spec in specs if not spec.id.endswith(left_out)]
    for spec in specs:
        observed(spec, Support(backend))
    gc.collect()
    gc.disable()
    try:
        for spec in specs:
            observed(spec, Support(backend))
            assert gc.collect() == 0, spec.id
    finally:
        gc.enable()
