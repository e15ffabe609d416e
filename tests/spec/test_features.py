"""What a program needs is read off its steps."""

from __future__ import annotations

import pytest

from gradspec.spec.features import FEATURES, features_of_field, features_of_program, features_of_step
from gradspec.spec.model import Block, Hook
from tests.spec.spectext import built

HEAD = "tensors: {x: {data: [1.0, 2.0], requires_grad: true}, w: 3.0}\nsteps:\n"


def needed(*lines: str) -> set[str]:
    """The features of the last line's step, or of the last in its block or hook."""
    program = built(HEAD + "".join(f"- {line}\n" for line in lines))[0].program
    step = program.steps[-1]
    return set(features_of_step(program, step))


@pytest.mark.parametrize(
    ("line", "features"),
    [
        ("op: y = exp(x)", {"op:exp"}),
        ("op: y = x * 2", {"op:mul"}),
        ("op: y = x * 2j", {"op:mul", "complex"}),
        ("op: y = sum(x, dtype='float64')", {"op:sum", "dtype:float64"}),
        ("op: mul_(x, 2)", {"op:mul", "in-place"}),
        ("op: x[0] = 2.0", {"op:__setitem__", "in-place"}),
        ("op: detach_(x)", {"op:detach_", "detach"}),
        ("op: y = detach(x)", {"op:detach", "detach"}),
        ("op: requires_grad_(x)", {"op:requires_grad_", "requires-grad-switch"}),
        ("op: x.requires_grad = False", {"requires-grad-switch"}),
        ("op: g = x.grad", {"grad-attribute"}),
        ("op: x.grad = None", {"set-grad"}),
        ("op: d = x.data", {"data-attribute"}),
        ("op: y = tensor(1, dtype='complex64')", {"leaf-in-program", "dtype:complex64", "complex"}),
        ("backward: x", set()),
        ("backward: {of: x, retain_graph: true, create_graph: true}", {"retain-graph", "double-backward"}),
        ("backward: {of: [x, w], inputs: x}", {"several-roots", "backward-inputs"}),
        ("backward: {of: x, gradient: [1.0, 2.0]}", {"dtype:float32"}),
        ("grad: {of: w, wrt: x, out: g}", {"grad-call"}),
        ("jvp: {of: x, tangents: {x: {tensor: x}}, out: t}", {"forward-mode"}),
        ("retain_grad: x", {"retain-grad"}),
        ("zero_grad: x", {"zero-grad"}),
        ("no_grad: [{op: y = exp(x)}]", {"no-grad"}),
        ("enable_grad: []", {"enable-grad"}),
        ("inference_mode: []", {"inference-mode"}),
        ("detect_anomaly: []", {"anomaly"}),
        ("hook: {of: x, name: h}", {"hooks"}),
        ("hook: {of: x, name: h, after: accumulate}", {"hooks", "post-accumulate-hooks"}),
        ("expect: {x: {repr: r}}", set()),
    ],
)
def test_of_a_step(line: str, features: set[str]) -> None:
    if line.endswith(": []"):
        line = line.replace("[]", "[{op: y = exp(x)}]")
    assert needed(line) == features


def test_views_matter_where_something_is_changed_in_place() -> None:
    assert "views" not in needed("op: y = x[0]")
    assert "views" not in needed("op: y = x * 2", "op: y += 1")
    assert "views" not in needed("op: y = x[[0, 1]]", "op: y += 1"), "a list of indices copies"
    assert "views" in needed("op: y = x[0]", "op: y += 1")
    assert "views" in needed("op: y = x[0]", "op: w = mul_(x, 2)")
    assert "views" in needed("op: x += 1", "op: y = x[0]", "op: x += 1")
    assert "views" in needed("op: y = x[0]", "op: z = reshape(y, [1])", "op: z += 1")


def test_of_leaves() -> None:
    program = built("tensors: {x: 1.0, c: {data: 1.0, dtype: complex64}}\nsteps: []\n")[0].program
    assert [set(features_of_step(program, leaf)) for leaf in program.leaves] == [
        {"dtype:float32"},
        {"dtype:complex64", "complex"},
    ]


def test_of_fields() -> None:
    assert features_of_field("grad_fn") == {"grad-fn"}
    assert features_of_field("nodes") == features_of_field("next_functions") == {"graph"}
    assert features_of_field("same_as") == {"identity"}
    assert features_of_field("warns") == {"warnings"}
    assert features_of_field("value") == features_of_field("raises") == frozenset()


def test_every_word_is_in_the_table() -> None:
    text = (
        HEAD
        + """
- op: y = x[0]
- op: y += 1j
- op: y = detach(tensor(1.0))
- op: x.data = y.data
- op: x.grad = y.grad
- op: requires_grad_(x)
- retain_grad: x
- zero_grad: x
- backward: {of: [x, w], inputs: x, retain_graph: true, create_graph: true}
- grad: {of: w, wrt: x, out: g, is_grads_batched: true}
- jvp: {of: x, tangents: {x: {tensor: x}}, out: t}
- no_grad: [{enable_grad: [{inference_mode: [{detect_anomaly: [{op: y = exp(x)}]}]}]}]
- hook: {of: x, name: h, after: accumulate, do: [{op: grad = grad * 2}]}
- checkpoint:
  - custom: {name: F, of: x, out: d, forward: [{op: d = x * 2}], backward: [{op: dx = grad}], returns: dx}
- hook: {of: x, name: n, before: node}
- expect: {x: {repr: r, version: 1, grad_fn: f, nodes: [f], same_as: x, shares_memory_with: x}}
"""
    )
    program = built(text)[0].program
    words = {word for word in features_of_program(program) if ":" not in word}
    assert words | {"warnings"} == set(FEATURES)
    assert any(isinstance(step, Block) for step in program.steps) and any(
        isinstance(s, Hook) for s in program.steps
    )
