"""Answers spliced into spec files: what is written, and that nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradspec.accept.accept import Changes, accept
from gradspec.accept.source import Source
from gradspec.plugins import load_backend
from gradspec.runner.run import run_one
from gradspec.runner.support import Support
from tests.accept.witness import Doubtful

HEAD = """\
# a comment
gradspec: 1
id: a.b
tensors:
  x: {data: [1.0, 2.0], requires_grad: true}   # odd  layout
steps:
  - op: y = sum(x * x)
  - backward: y
"""


@pytest.fixture(scope="module")
def python() -> Support:
    return Support(load_backend("python"))


def accepted(text: str, python: Support, *witnesses: Support) -> Changes:
    """What is accepted; the new text holds, and accepting it again changes nothing."""
    changes = accept(Source(text, "a.gradspec.yaml"), python, witnesses)
    if not changes.left:
        again = Source(changes.new, "a.gradspec.yaml")
        assert [run_one(spec, python.backend).outcome for spec in again.specs] == ["passed"] * len(
            again.specs
        )
        assert accept(again, python, witnesses) == Changes(again, changes.new, 0, (), 0)
    return changes


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("{x: {grad: ...}}", "{x: {grad: [2.0, 4.0]}}"),
        ("{x: {grad: [2.0, 3.0]}}", "{x: {grad: [2.0, 4.0]}}"),
        ("{x: {grad: ['1+1', 3]}}   # why", "{x: {grad: ['1+1', 4.0]}}   # why"),
        ("{x: {grad: null , is_leaf: false}}", "{x: {grad: [2.0, 4.0] , is_leaf: true}}"),
        ("{x: {grad: [[2.0, 4.0]], shape: [1]}}", "{x: {grad: [2.0, 4.0], shape: [2]}}"),
        ("{x: {grad: {zeros: [2]}}}", "{x: {grad: [2.0, 4.0]}}"),
        ("{y: {grad: 1.0}}", "{y: {grad: null}}"),
        ("{y: {grad_fn: ...}}", "{y: {grad_fn: SumBackward0}}"),
        ("{y: {repr: ...}}", '{y: {repr: "tensor(5., grad_fn=<SumBackward0>)"}}'),
        ("{y: {dtype: float64, version: 3}}", "{y: {dtype: float32, version: 0}}"),
    ],
)  # fmt: skip
def test_only_what_differs_is_written(python: Support, wrong: str, right: str) -> None:
    before = f"{HEAD}  - expect: {wrong}\n"
    changes = accepted(before, python)
    assert not changes.left
    assert changes.new == f"{HEAD}  - expect: {right}\n"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("\n        - 2.0\n        - 5.0   # here", "\n        - 2.0\n        - 4.0   # here"),
        ("\n        - 5.0\n      # after", "\n          [2.0, 4.0]\n      # after"),
        (" |\n          7.0", " [2.0, 4.0]"),
        ("\n          ...", "\n          [2.0, 4.0]"),
    ],
)
def test_values_in_block_style(python: Support, wrong: str, right: str) -> None:
    before, after = (
        f"{HEAD}  - expect:\n      x:\n        grad:{grad}\n      y: {{value: 5.0}}\n"
        for grad in (wrong, right)
    )
    assert accepted(before, python).new == after


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_line_ends_and_marks_stay(python: Support, newline: str, bom: str) -> None:
    before, after = (
        bom + f"{HEAD}  - expect: {{x: {{grad: {grad}}}}}  # end".replace("\n", newline)
        for grad in ("...", "[2.0, 4.0]")
    )
    assert accepted(before, python).new == after


def test_errors_and_warnings_of_steps(python: Support) -> None:
    before = HEAD + "  - backward: y\n    raises: ...\n  - op: g = y.grad\n    warns: ...\n"
    changes = accepted(before, python)
    assert changes.new == before.replace("raises: ...", "raises: graph-freed").replace(
        "warns: ...", "warns: [non-leaf-grad]"
    )
    assert changes.accepted == 2


def test_an_error_that_does_not_come(python: Support) -> None:
    before = HEAD + "  - op: z = y + 1\n    raises: shape-mismatch\n"
    assert accepted(before, python).new == before.replace("raises: shape-mismatch", "raises: null")


def test_gradients_that_hooks_were_given(python: Support) -> None:
    text = HEAD.replace("  - backward", "  - hook: {of: x, name: h}\n  - backward")
    before = text + "  - expect_hooks: [{h: [1.0, 4.0]}]\n"
    assert accepted(before, python).new == before.replace("[1.0, 4.0]", "[2.0, 4.0]")
    other = accepted(text + "  - expect_hooks: []\n", python)
    assert other.left == ("a.gradspec.yaml:10: hooks: expected the hooks none; ran h",)


def test_gradients_that_hooks_on_nodes_were_given(python: Support) -> None:
    text = HEAD.replace("gradspec: 1", 'gradspec: "1.1"').replace(
        "  - backward", "  - op: z = y * 3\n  - hook: {of: z, name: h, after: node}\n  - backward"
    )
    text = text.replace("backward: y", "backward: z") + "  - expect_hooks: [{h: OLD}]\n"
    for old in ("...", "[2.0, null]", "[null]"):
        changes = accepted(text.replace("OLD", old), python)
        assert changes.new == text.replace("OLD", "[3.0, null]")


def test_the_graph(python: Support) -> None:
    before = (
        HEAD.replace("gradspec: 1", 'gradspec: "1.1"')
        + """\
  - op: a, b = split(x, 1)
  - op: z = a * 3 + b
  - expect: {z: {nodes: ..., next_functions: [null]}, x: {nodes: []}}
"""
    )
    assert accepted(before, python).new == before.replace(
        "...", "[AddBackward0, MulBackward0, SplitBackward0, AccumulateGrad]"
    ).replace("[null]", "[MulBackward0, [SplitBackward0, 1]]").replace("nodes: []", "nodes: null")


def test_special_numbers_and_complex_ones_are_written_so_that_they_are_read_back(python: Support) -> None:
    before = """\
gradspec: 1
id: a.numbers
tensors:
  x: {data: [0.0, -1.0, 1.0e-30, -0.0, .inf]}
  z: {data: ["1+2j", "complex(inf, nan)"]}
steps:
  - op: y = 1 / x
  - op: w = z * 1
  - expect: {x: {value: ...}, y: {value: ...}, w: {value: ...}}
"""
    changes = accepted(before, python)
    assert "y: {value: [.inf, -1.0, 1e+30, -.inf, 0.0]}" in changes.new
    assert "x: {value: [0.0, -1.0, 1e-30, -0.0, .inf]}" in changes.new


def test_several_dtypes_share_the_answer_of_the_most_precise(python: Support) -> None:
    before = """\
gradspec: 1
id: a.third
dtypes: [float32, float64]
tensors: {x: {data: 3.0, requires_grad: true}}
steps:
  - op: y = 1 / x
  - expect: {y: {value: ...}}
"""
    assert "value: 0.3333333333333333}" in accepted(before, python).new


def test_what_dtypes_answer_differently_is_left(python: Support) -> None:
    before = """\
gradspec: 1
id: a.dtype
dtypes: [float32, float64]
tensors: {x: {data: 3.0}}
steps:
  - expect: {x: {dtype: ..., value: ...}}
"""
    changes = accept(Source(before, "a.gradspec.yaml"), python, [])
    assert changes.new == before.replace("value: ...", "value: 3.0")
    (left,) = changes.left
    assert left.startswith("a.gradspec.yaml:6: dtype: python answers otherwise (a.dtype@float32: ")


def test_steps_that_specs_share(python: Support) -> None:
    before = """\
gradspec: 1
defaults:
  steps:
    - op: y = x * 2
    - expect: {y: {value: ..., shape: ...}}
specs:
  - id: a.one
    tensors: {x: {data: 1.0}}
  - id: a.two
    tensors: {x: {data: 2.0}}
"""
    changes = accept(Source(before, "a.gradspec.yaml"), python, [])
    assert changes.new == before.replace("shape: ...", "shape: []")
    assert len(changes.left) == 1


def test_values_under_an_anchor_are_for_a_person(python: Support) -> None:
    before = HEAD + "  - expect: {x: {grad: &g [1.0, 1.0]}, x.grad: {value: *g}}\n"
    changes = accept(Source(before, "a.gradspec.yaml"), python, [])
    assert "[&g" not in changes.new
    assert len(changes.left) >= 1


def test_alternatives_are_for_a_person(python: Support) -> None:
    before = HEAD + "  - expect: {y: {value: {one_of: {a: 1.0, b: 2.0}}}}\n"
    changes = accept(Source(before, "a.gradspec.yaml"), python, [])
    assert changes.new == before
    assert changes.left == ("a.gradspec.yaml:9: value: it has alternatives, which a person chooses",)


def test_an_unexpected_error_is_left(python: Support) -> None:
    changes = accept(
        Source(HEAD + "  - backward: y\n  - expect: {x: {grad: ...}}\n", "a.gradspec.yaml"), python, []
    )
    assert changes.accepted == 1
    assert any("unexpected error graph-freed" in text for text in changes.left)


def test_a_witness_against_an_answer_keeps_it_out(python: Support) -> None:
    before = HEAD + "  - expect: {x: {grad: ...}, y: {value: ...}}\n"
    changes = accept(Source(before, "a.gradspec.yaml"), python, [Support(Doubtful())])
    assert changes.new == before.replace("{value: ...}", "{value: 5.0}")
    (left,) = changes.left
    assert "doubtful is a witness against it (a.b: 2 of 2 outside)" in left
    assert changes.alone == 0


def test_long_arrays_are_laid_out(python: Support) -> None:
    before = """\
gradspec: 1
id: a.long
tensors: {x: {linspace: [0.1, 7.3, 48]}}
steps:
  - op: y = reshape(x, [6, 8])
  - expect:
      y:
        value: ...
"""
    text = accepted(before, python).new
    assert max(map(len, text.splitlines())) <= 110
    assert text.splitlines()[8].startswith("                [")


@pytest.mark.torch
def test_the_whole_suite_stands_as_torch_answers() -> None:
    """Nothing of the seed's specs is touched when torch's answers are accepted."""
    pytest.importorskip("torch")
    torch = Support(load_backend("torch"))
    for file in sorted(Path("specs/seed").rglob("*.gradspec.yaml")):
        assert accept(Source.of(str(file)), torch, []).accepted == 0, file


def test_rounds_share_an_answer_or_have_none(python: Support) -> None:
    head = HEAD.replace("gradspec: 1", 'gradspec: "1.1"')
    before = f"""{head}\
  - op: z = x * 1
  - repeat:
      times: 3
      do:
        - op: z = z * 2
        - expect: {{z: {{grad_fn: ..., value: ...}}, x: {{grad: ...}}}}
"""
    changes = accept(Source(before, "a.gradspec.yaml"), python, ())
    assert changes.new == before.replace("grad_fn: ...", "grad_fn: MulBackward0").replace(
        "grad: ...", "grad: [2.0, 4.0]"
    )
    assert changes.left == ("a.gradspec.yaml:14: value: it differs from round to round",)
