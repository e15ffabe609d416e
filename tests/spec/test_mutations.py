"""Random damage: whatever is done to a spec file, the answer is specs or a SpecError, and it comes soon."""

from __future__ import annotations

import random
import time

import pytest

from gradspec.errors import SpecError
from gradspec.spec.faults import FAULT_CODES
from gradspec.spec.load import load_text
from gradspec.spec.reader import decode

SEED = 20240611
ROUNDS = 400
SECONDS = 2.0

VERBS = """\
# every verb once
gradspec: 1
id: mutants.verbs
title: Every verb
tags: [a, b-c]
provenance: closed-form
tolerance: {rtol: 1e-5, atol: 1e-8}
tensors:
  x: {data: [1.0, -2.5e-1, .5], requires_grad: true}
  w: {random: {dist: uniform, seed: 7, shape: [2, 3], low: -1, high: 1}, requires_grad: true}
  n: {arange: [0, 6, 2], dtype: int64}
  c: {data: ["1/3", "sqrt(2)/2", .inf], dtype: float64}
steps:
  - op: y = tanh(x) * 2 + x[0, None]
    note: a note
  - op: z = sum(y * w, dim=[0, 1])
  - retain_grad: [y]
  - hook: {of: y, name: h1, do: [{op: grad = grad * 2}]}
  - backward: {of: z, gradient: 1.0, retain_graph: true}
  - expect_hooks: [h1]
  - grad: {of: [z], wrt: [x, w], out: [gx, gw], retain_graph: true}
  - no_grad:
      - op: x *= 2
        raises: null
  - jvp: {of: z, tangents: {x: {ones: [3]}}, out: t}
  - zero_grad: {of: [x, w], set_to_none: false}
  - remove_hook: h1
  - op: g = y.grad
    warns: []
  - expect:
      x: {is_leaf: true, version: 1, shape: [3], dtype: float32}
      x.grad: {value: {tensor: gx}, tolerance: {ulp: 4}}
      z: {grad_fn: SumBackward1, grad: {one_of: {zero: 0.0, "one": [1.0]}}}
"""
SEVERAL = """\
gradspec: "1.1"
defaults:
  scope: state
  dtypes: [float32, float64]
  tensors: {x: {data: &d [[1, 2], [3, 4.0]], requires_grad: true}, k: *d}
specs:
  - id: mutants.first
    doc: |
      Text: with # signs
      and "quotes".
    steps:
      - "op": 'y = x @ x'
      - {backward: {of: y, gradient: [[1.0, 0], [-0.0, 1e-3]]}}
      - {op: s = mean(y), note: in braces}
  - {id: mutants.second, steps: [{op: y = exp(x)}, {expect: {y: {requires_grad: true}}}]}
"""
SEED_PROGRAM = """\
gradspec: 1
id: mutants.seed
tensors:
  tensor1: {data: 7.0, requires_grad: true}
steps:
  - backward: tensor1
  - expect: {tensor1: {grad: 1.0, repr: "tensor(7., requires_grad=True)"}}
  - op: tensor2 = tensor1 * 4
  - retain_grad: tensor2
  - backward: {of: tensor2, retain_graph: true}
  - expect: {tensor1: {grad: 5.0}, tensor2: {grad: 1.0}}
  - backward: tensor2
    raises: graph-freed
"""
TEXTS = {"verbs": VERBS, "several": SEVERAL, "seed": SEED_PROGRAM}
TOKENS = [
    "", "-", "- ", ": ", ":", ",", "[", "]", "{", "}", "#", " #", "'", '"', "|", ">", "&a ", "*a", "*d",
    "!", "!!int ", "%", "@", "`", "\t", "\n", "\r", " ", "  ", "---\n", "...\n", "<<: ", "? ", "~",
    "null", "true", "yes", "on", ".nan", "-.inf", "nan", "1e400", "-0", "017", "1:30", "1_000", "0x1f",
    "9" * 400, "2.0", "-1", "[" * 70, "{a: " * 70, "(" * 90, "9**9**9", "\x00", "\x1b", "\x85", "\u2028",
    "\ufeff", "\U0001f600", "é", "ﬁ", "lambda", "pi", "x", "y", "op", "steps", "expect", "backward",
    "no_grad", "specs", "id", "tensor", "zeros", "file", "raises", "float64", "x.grad", "x[::2]", "(",
    ")", "=", "**", "@", "/0", "import os", "\\", "\\u", "a" * 5000, "e", ".", "+", "1.0", '"1.1"', '"1.2"',
    "scope: core\n",
]  # fmt: skip


def _mutant(text: str, rng: random.Random) -> str:
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        lines = text.splitlines(keepends=True) or [""]
        at, other = rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)
        line = rng.randrange(len(lines))
        kind = rng.randrange(10)
        if kind <= 2:
            text = text[:at] + rng.choice(TOKENS) + text[at:]
        elif kind == 3:
            text = text[:at] + text[at + rng.randrange(1, 6) :]
        elif kind == 4:
            text = text[:at] + rng.choice(TOKENS) + text[at + rng.randrange(1, 12) :]
        elif kind == 5:
            del lines[line]
            text = "".join(lines)
        elif kind == 6:
            lines.insert(rng.randrange(len(lines)), lines[line])
            text = "".join(lines)
        elif kind == 7:
            lines[line] = " " * rng.randrange(7) + lines[line].lstrip(" ")
            text = "".join(lines)
        elif kind == 8:
            text = text[:at]
        else:
            low, high = sorted((at, other))
            text = text[:low] + text[low : low + 40] + text[high:]
    return text


def _judge(text: str) -> None:
    """Specs or SpecError, soon; every fault has a known code and a place in the text."""
    started = time.process_time()
    try:
        load_text(text, "mutant.gradspec.yaml")
    except SpecError as error:
        lines = text.count("\n") + text.count("\r") + 1
        assert error.faults
        for fault in error.faults:
            assert fault.code in FAULT_CODES, fault.code
            assert 1 <= fault.place.line <= lines
            assert fault.place.column >= 1
        str(error).encode("utf-8")
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize("name", TEXTS)
def test_the_originals_are_valid(name: str) -> None:
    assert load_text(TEXTS[name], "original.gradspec.yaml")


@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("name", TEXTS)
def test_mutants(name: str, part: int) -> None:
    print(f"seed {SEED}")
    rng = random.Random(f"{SEED} {name} {part}")
    for number in range(ROUNDS):
        text = _mutant(TEXTS[name], rng)
        try:
            _judge(text)
        except BaseException:
            print(f"--- mutant {number} of {name}, part {part} ---\n{text!r}")
            raise


@pytest.mark.parametrize("name", TEXTS)
def test_mutants_in_bytes(name: str) -> None:
    print(f"seed {SEED}")
    rng = random.Random(f"{SEED} bytes {name}")
    for _ in range(ROUNDS):
        data = bytearray(TEXTS[name].encode())
        for _ in range(rng.choice((1, 1, 2, 20))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        document = decode(bytes(data), "mutant.gradspec.yaml")
        assert document.view is not None or document.faults
        if not document.faults:
            _judge(bytes(data).decode())
