"""The canonical program as JSON: its form, and the way back, exactly."""

from __future__ import annotations

import json
import random

import pytest

from gradspec.spec.dump import program_from_json, program_to_json
from tests.spec.spectext import built

EVERYTHING = """
tensors:
  x: {data: [[1.0, -0.0], [.inf, .nan]], requires_grad: true}
  c: {data: "1+2j", dtype: complex128}
  k: {tensor: x}
  m: {random: {dist: grid, seed: 3, shape: [2, 2]}, dtype: float64}
steps:
  - op: y = 2 - x * 4 + inf
  - op: y = y * 2j * True
  - op: z = x[0, ::2, None, ..., [1, 0]] + x[x > 0][:1]
  - op: a, b = split(x, [1, 1], dim=1)
  - op: s = einsum('ij,jk->ik', x, x)
  - op: t = tensor([1, 2.5], requires_grad=True, dtype='float64')
  - op: x.grad = t
  - op: g = x.grad
  - op: x.data = k
  - op: x.requires_grad = False
  - op: x[0] *= 3.0
  - op: u = sum(x, dim=[0, 1], dtype='float64')
  - retain_grad: [y, u]
  - {backward: {of: [y, u], gradient: [null, 1.0], retain_graph: true, inputs: [x]}, raises: not-scalar}
  - grad: {of: u, wrt: [x, t], out: [p, q], allow_unused: true}
  - jvp: {of: u, tangents: {x: {tensor: k}, t: [1.0, 0.0]}, out: r}
  - no_grad:
      - zero_grad: {of: x, set_to_none: false}
      - inference_mode: [{op: w = x + 1}]
  - hook: {of: y, name: h, do: [{op: grad = grad * 2 + x}]}
  - hook: {of: x, name: i, after: accumulate}
  - checkpoint:
      - custom:
          name: Mixed
          of: [x, u]
          out: [p, q]
          dirty: u
          forward: [{op: u += 1}, {op: t = x * u}, {op: p = t * 2}, {op: q = u}]
          save: [x, t]
          grads: [dp, dq]
          backward:
            - no_grad: [{op: dx = dp * x * 2}]
            - expect: {dx: {shape: [1]}}
          returns: [dx, null]
          once_differentiable: true
  - expect: {x: {value: 1.0, grad: null}, x.grad: {shape: [1]}, g: {same_as: t}}
  - expect_hooks: [{h: 1.0}]
  - remove_hook: h
"""


def test_one_step_reads_as_documented() -> None:
    view = program_to_json(
        built("tensors: {x: 1.0}\nsteps:\n- op: y = x * 4\n- op: y = y + x * 2\n")[0].program
    )
    assert view["leaves"] == [
        {"name": "x", "data": {"dtype": "float32", "shape": [], "data": [1.0]}, "requires_grad": False}
    ]
    assert view["steps"] == [
        {"op": "mul", "args": {"input": {"tensor": "x"}, "other": 4}, "out": ["y"], "at": 0},
        {"op": "mul", "args": {"input": {"tensor": "x"}, "other": 2}, "out": ["%1"], "at": 1},
        {"op": "add", "args": {"input": {"tensor": "y"}, "other": {"tensor": "%1"}}, "out": ["y#2"], "at": 1},
    ]


def test_there_and_back_through_text() -> None:
    program = built(EVERYTHING)[0].program
    text = json.dumps(program_to_json(program), allow_nan=False)
    back = program_from_json(json.loads(text))
    assert back == program
    assert [repr(call) for call in back.calls] == [repr(call) for call in program.calls]
    assert [repr(value) for value in back.constants.values()] == [repr(v) for v in program.constants.values()]


def test_an_object_s_keys_may_come_in_any_order() -> None:
    program = built(EVERYTHING)[0].program
    assert program_from_json(json.loads(json.dumps(program_to_json(program), sort_keys=True))) == program


@pytest.mark.parametrize("seed", range(40))
def test_random_programs_there_and_back(seed: int) -> None:
    print("seed", seed)
    rng = random.Random(seed)
    names, lines = ["x", "w"], []

    def operand() -> str:
        return rng.choice([*names, *names, "2", "0.5", "-0.0", "1j", "True", "nan", "(1/3)"])

    for _ in range(12):
        name, one = rng.choice(["a", "b", "c", "x"]), rng.choice(names)
        lines.append(
            rng.choice(
                [
                    f"op: {name} = {one} {rng.choice('+-*/')} {operand()}",
                    f"op: {name} = {operand()} ** {one}",
                    f"op: {name} = sum({one}, dim=[{rng.randrange(3)}], keepdim={rng.random() < 0.5})",
                    f"op: {name} = {one}[{rng.choice(['0', '1:', '...', ':, None', '[0, 1]', one])}]",
                    f"op: {name} = cat([{one}, {rng.choice(names)}], {rng.choice(['0', 'dim=1'])})",
                    f"op: {one} *= {operand()}",
                    f"no_grad: [{{op: {name} = exp({one})}}]",
                    f"backward: {{of: {one}, gradient: {rng.choice(['1.5', '[.inf, 1]'])}}}",
                    f"backward: {{of: {one}, gradient: {{tensor: {rng.choice(names)}}}}}",
                ]
            )
        )
        if (
            lines[-1].startswith(("op: ", "no_grad"))
            and f" {name} = " in f" {lines[-1]}"
            and name not in names
        ):
            names.append(name)
    text = "tensors: {x: [1.0, 2.0], w: 3.0}\nsteps:\n" + "".join(f"- {json_safe(line)}\n" for line in lines)
    program = built(text)[0].program
    back = program_from_json(json.loads(json.dumps(program_to_json(program), allow_nan=False)))
    assert repr(back) == repr(program), "by repr: NaN is not equal to itself"


def json_safe(line: str) -> str:
    """A statement in quotes where YAML would tear it."""
    verb, _, rest = line.partition(": ")
    return f"{verb}: '{rest}'" if verb == "op" else line


def test_hooks_on_nodes() -> None:
    text = "tensors: {x: {data: 1.0, requires_grad: true}}\nsteps:\n"
    text += "- hook: {of: x, name: a, before: node, do: [{op: y = exp(x)}]}\n"
    text += "- hook: {of: x, name: b, after: node}\n"
    program = built(text)[0].program
    view = program_to_json(program)
    assert (view["format"], view["steps"][0]["before"], view["steps"][1]["after"]) == ("1.1", "node", "node")
    assert program_from_json(json.loads(json.dumps(view))) == program


def test_no_roots_and_batches_of_gradients() -> None:
    text = "tensors: {x: 1.0}\nsteps:\n- backward: []\n"
    text += "- grad: {of: x, wrt: x, gradient: [1.0, 2.0], is_grads_batched: true}\n"
    program = built(text)[0].program
    assert (program.steps[0].of, program.steps[1].is_grads_batched) == ((), True)
    assert program_from_json(json.loads(json.dumps(program_to_json(program)))) == program


def test_the_format_is_the_oldest_that_has_it_all() -> None:
    def format_of(steps: str) -> object:
        return program_to_json(built(f"tensors: {{x: 1.0}}\nsteps:\n{steps}")[0].program)["format"]

    assert format_of("- repeat: {times: 2, do: [{op: y = exp(x)}]}") == 1, "rounds are written out"
    assert format_of("- expect: {x: {grad_fn: null}}") == 1
    assert format_of("- expect: {x: {nodes: null}}") == "1.1"
    assert (
        format_of("- backward: []") == format_of("- grad: {of: x, wrt: x, is_grads_batched: true}") == "1.1"
    )
    assert format_of("- grad: {of: x, wrt: x, is_grads_batched: false}") == 1
    assert format_of("- no_grad: [{expect: {x: {next_functions: null}}}]") == "1.1"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"format": 2}, ValueError),
        ({"steps": [{"fly": 1}]}, ValueError),
        ({"steps": [{"op": "nothing", "args": {}, "out": [], "at": 0}]}, ValueError),
        ({"steps": [{"op": "exp", "args": {"inptu": 1}, "out": [], "at": 0}]}, ValueError),
        ({"steps": [{"retain_grad": ["nowhere"], "at": 0}]}, KeyError),
    ],
)
def test_what_is_no_program(change: dict[str, object], error: type[Exception]) -> None:
    view = program_to_json(built("tensors: {x: 1.0}\nsteps: []\n")[0].program)
    with pytest.raises(error):
        program_from_json({**view, **change})
