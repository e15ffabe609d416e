"""Selecting by id, tag, op and scope."""

from __future__ import annotations

import pytest

from gradspec.runner.select import select
from gradspec.spec.load import load_text

SPECS = load_text(
    """
gradspec: "1.1"
specs:
  - id: ops.exp.basic
    dtypes: [float32, float64]
    tags: [unary, smooth]
    tensors: {x: 1.0}
    steps: [{op: y = exp(x)}]
  - id: ops.abs
    tags: [unary, kink]
    scope: state
    tensors: {x: 1.0}
    steps: [{op: y = abs(x)}, {op: "y *= 2"}]
""",
    "s.gradspec.yaml",
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["ops.exp.basic@float32", "ops.exp.basic@float64", "ops.abs"]),
        ({"only": ["ops.abs"]}, ["ops.abs"]),
        ({"only": ["ops.exp.basic"]}, ["ops.exp.basic@float32", "ops.exp.basic@float64"]),
        ({"only": ["ops.exp.basic@float64"]}, ["ops.exp.basic@float64"]),
        ({"only": ["*@float32", "ops.a*"]}, ["ops.exp.basic@float32", "ops.abs"]),
        ({"tags": ["kink"]}, ["ops.abs"]),
        ({"tags": ["kink", "smooth"], "only": ["*32"]}, ["ops.exp.basic@float32"]),
        ({"ops": ["mul"]}, ["ops.abs"]),
        ({"ops": ["exp"], "tags": ["kink"]}, []),
        ({"scopes": ["core"]}, ["ops.exp.basic@float32", "ops.exp.basic@float64"]),
        ({"scopes": ["state", "text"], "ops": ["mul"]}, ["ops.abs"]),
        ({"scopes": ["text"]}, []),
    ],
)
def test_select(wanted, found):
    assert [spec.id for spec in select(SPECS, **wanted)] == found
