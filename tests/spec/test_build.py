"""From a file's view to programs and expectations, and every fault with its place."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from gradspec.dense import Dense
from gradspec.spec.array import literal
from gradspec.spec.model import (
    Apply,
    Backward,
    Block,
    GetAttr,
    Grad,
    Hook,
    HookLog,
    Jvp,
    Leaf,
    Look,
    Make,
    Program,
    Ref,
    RemoveHook,
    RetainGrad,
    SetAttr,
    StepExpectation,
    Tolerance,
    Watch,
    ZeroGrad,
)
from gradspec.spec.npy import content_hash
from tests.spec.spectext import built, faults_of


def program(text: str) -> Program:
    (spec,) = built(text)
    return spec.program


def leaf_data(yaml: str, dtype: str = "float32") -> Dense:
    data = program(f"dtype: {dtype}\ntensors: {{x: {yaml}}}\nsteps: []\n").leaves[0].data
    assert isinstance(data, Dense)
    return data


SEED = """
title: A non-leaf keeps a gradient only after retain_grad()
tags: [seed, retain-grad]
tensors:
  tensor1: {data: 7.0, requires_grad: true}
steps:
  - expect: {tensor1: {value: 7.0, grad: null, is_leaf: true}}
  - backward: tensor1
  - op: tensor2 = tensor1 * 4
  - retain_grad: tensor2
  - backward: {of: tensor2, retain_graph: true}
  - expect: {tensor1: {grad: 5.0}, tensor2: {grad: 1.0, grad_fn: MulBackward0}}
"""


def test_the_seed() -> None:
    (spec,) = built(SEED)
    assert spec.program == Program(
        id="a.b",
        dtype="float32",
        names=("tensor1", "", "tensor2"),
        constants={1: 4},
        calls=spec.program.calls,
        leaves=(Leaf(0, Dense("float32", (), [7.0]), True),),
        steps=(
            Watch((Look(0, "", ("value", "grad", "is_leaf")),), 0),
            Backward((0,), (None,), None, False, None, 1),
            Apply(0, (0, 1), (2,), 2),
            RetainGrad((2,), 3),
            Backward((2,), (None,), True, False, None, 4),
            Watch((Look(0, "", ("grad",)), Look(2, "", ("grad", "grad_fn"))), 5),
        ),
        count=6,
    )
    assert [call.op for call in spec.program.calls] == ["mul"]
    assert [e.at for e in spec.expectations] == [0, 5]
    last = spec.expectations[1].checks
    assert [(c.look, c.field, c.expected) for c in last] == [
        (0, "grad", Dense("float32", (), [5.0])),
        (1, "grad", Dense("float32", (), [1.0])),
        (1, "grad_fn", "MulBackward0"),
    ]
    assert last[0].place.line == 13 and last[0].bare
    assert [place.line for place in spec.places] == list(range(8, 14))
    assert spec.texts[2] == "tensor2 = tensor1 * 4"
    assert spec.texts[4] == "backward: {of: tensor2, retain_graph: true}"
    assert (spec.title[:10], spec.tags, spec.line) == ("A non-leaf", ("seed", "retain-grad"), 2)


# Arrays


@pytest.mark.parametrize(
    ("yaml", "dtype", "shape", "data"),
    [
        ("7.0", "float32", (), [7.0]),
        ("7", "int64", (), [7]),
        ("true", "bool", (), [True]),
        ("[1, 2.5]", "float32", (2,), [1.0, 2.5]),
        ("[true, 2]", "int64", (2,), [1, 2]),
        ("[[1, 2], [3, 4]]", "int64", (2, 2), [1, 2, 3, 4]),
        ("[]", "float32", (0,), []),
        ("[[], []]", "float32", (2, 0), []),
        ("0.1", "float32", (), [0.10000000149011612]),
        ('"1/3"', "float32", (), [0.3333333432674408]),
        ('[1, "1/3"]', "float32", (2,), [1.0, 0.3333333432674408]),
        ('"1+2j"', "complex64", (), [1 + 2j]),
        ('["0.1j", 1]', "complex64", (2,), [0.10000000149011612j, 1 + 0j]),
        (".nan", "float32", (), [math.nan]),
        ("[.inf, -.inf]", "float32", (2,), [math.inf, -math.inf]),
        ("-0.0", "float32", (), [-0.0]),
        ("1e300", "float32", (), [math.inf]),
        ("{data: 1, dtype: float64}", "float64", (), [1.0]),
        ("{data: [1.5, 1], dtype: float16}", "float16", (2,), [1.5, 1.0]),
        ("{data: 65520.0, dtype: float16}", "float16", (), [math.inf]),
        ("{data: 1.01, dtype: bfloat16}", "bfloat16", (), [1.0078125]),
        ("{data: 2.0, dtype: int32}", "int32", (), [2]),
        ("{data: [1, 0], dtype: bool}", "bool", (2,), [True, False]),
        ("{data: 1, dtype: complex128}", "complex128", (), [1 + 0j]),
        ("{zeros: [2]}", "float32", (2,), [0.0, 0.0]),
        ("{zeros: [2], dtype: int64}", "int64", (2,), [0, 0]),
        ('{full: "1/3", shape: [1], dtype: float64}', "float64", (1,), [1 / 3]),
        ("{arange: [0, 3, 1]}", "int64", (3,), [0, 1, 2]),
        ('{linspace: [0, "2*pi", 2], dtype: float64}', "float64", (2,), [0.0, 2 * math.pi]),
    ],
)
def test_array_forms(yaml: str, dtype: str, shape: tuple[int, ...], data: list[Any]) -> None:
    assert leaf_data(yaml) == Dense(dtype, shape, data)


def test_the_spec_s_dtype() -> None:
    assert leaf_data("0.1", "float64") == Dense("float64", (), [0.1])
    assert leaf_data('"1j"', "float64").dtype == "complex128"
    assert leaf_data("0.5", "complex64") == Dense("complex64", (), [0.5 + 0j])


@pytest.mark.parametrize(
    ("yaml", "code", "about"),
    [
        ("[1, [2]]", "ragged-array", "["),
        ("[[1, 2], [3]]", "ragged-array", "["),
        ("[[1, 2], 3]", "ragged-array", "3"),
        ("[[[1], [2]], [[3], [4, 5]]]", "ragged-array", "["),
        ('[1, "1/0"]', "bad-constant", "1/0"),
        ('"2 + foo"', "bad-constant", "foo"),
        ('{full: "sqrtt(2)", shape: [1]}', "bad-constant", "sqrtt"),
        ("[1, null]", "bad-array", "null"),
        ("{data: 1.5, dtype: int64}", "bad-dtype", "1.5"),
        ("{data: [1, 300], dtype: uint8}", "bad-dtype", "300"),
        ('{data: "1j", dtype: float32}', "bad-dtype", '"1j"'),
        ("{data: [0, 2], dtype: bool}", "bad-dtype", "2"),
        ("{data: 1, requires_grad: true}", "bad-dtype", "true"),
        ("{zeros: [2], ones: [2]}", "bad-array", "{"),
        ("{zeros: [2], shape: [2]}", "bad-array", "shape"),
        ("{tensor: nowhere}", "unknown-name", "nowhere"),
        ("{arange: [0, 1, 0]}", "bad-generator", "["),
        ("{random: {dist: signs, seed: 1, shape: [1], low: 0}}", "bad-generator", "{"),
    ],
)
def test_array_faults(yaml: str, code: str, about: str) -> None:
    assert faults_of(f"tensors: {{x: {yaml}}}\nsteps: []\n") == [(code, about)]


def test_a_tensor_copied_from_another() -> None:
    leaves = program(
        "tensors: {x: 1.0, y: {tensor: x}, z: {tensor: y, requires_grad: true}}\nsteps: []\n"
    ).leaves
    assert [(leaf.data, leaf.requires_grad) for leaf in leaves[1:]] == [(Ref(0), False), (Ref(1), True)]


def test_data_from_a_file(tmp_path: Path) -> None:
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }".ljust(117) + "\n"
    body = b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header.encode()
    (tmp_path / "x.npy").write_bytes(body + bytes(16))
    array = Dense("float64", (2,), [0.0, 0.0])
    text = "tensors: {x: {file: x.npy, sha256: %s}}\nsteps: []\n"
    file = str(tmp_path / "t.gradspec.yaml")
    (spec,) = built(text % content_hash(array), file)
    assert spec.program.leaves[0].data == array
    wrong = "0" * 63 + "a"
    assert faults_of(text % wrong, file) == [("bad-file-data", wrong)]
    assert faults_of(text.replace("x.npy", "../x.npy") % wrong, file) == [("bad-file-data", "../x.npy")]


def test_many_floats_are_read_as_they_are_nested() -> None:
    rows = [[float(i + k) for i in range(1000)] for k in range(300)]
    dense = literal(rows, None, "float32")
    assert dense.shape == (300, 1000)


# Names and bindings


def test_a_name_bound_again_is_a_new_binding() -> None:
    made = program(
        "tensors: {x: 1.0}\nsteps:\n- op: x = x + 1\n- op: y = x\n- op: y = y * x\n- op: mul_(y, 2)\n"
    )
    assert made.names == ("x", "", "x", "y", "", "")
    assert [(s.inputs, s.out) for s in made.steps] == [((0, 1), (2,)), ((2, 2), (3,)), ((3, 4), (5,))]


def test_in_place_gives_a_name_a_new_binding_too() -> None:
    made = program("tensors: {x: 1.0}\nsteps:\n- op: x *= 2\n- op: x += 2\n")
    assert [(s.inputs, s.out) for s in made.steps] == [((0, 1), (2,)), ((2, 1), (3,))]


def test_constants_are_shared_where_they_are_the_same() -> None:
    made = program(
        "tensors: {x: 1.0}\nsteps:\n"
        + "".join(f"- op: y = x * {n}\n" for n in ("1", "1.0", "True", "1", "-0.0", "0.0"))
    )
    assert sorted(map(repr, made.constants.values())) == ["-0.0", "0.0", "1", "1.0", "True"]
    assert len(made.calls) == 1


def test_a_step_that_must_fail_binds_no_name() -> None:
    made = program(
        "tensors: {x: 1.0, y: 2.0}\nsteps:\n- {op: y = x + 1, raises: shape-mismatch}\n- op: z = y * 2\n"
    )
    assert made.steps[1].inputs[0] == 1
    text = "tensors: {x: 1.0}\nsteps:\n- {op: y = x + 1, raises: shape-mismatch}\n- op: z = y * 2\n"
    assert faults_of(text) == [("unknown-name", "y")]
    program("tensors: {x: 1.0}\nsteps:\n- {op: y = x + 1, raises: null}\n- op: z = y * 2\n")


def test_names_inside_blocks_outlive_them_and_those_of_hooks_do_not() -> None:
    made = program("tensors: {x: 1.0}\nsteps:\n- no_grad: [{op: y = x + 1}]\n- op: z = y * 2\n")
    assert isinstance(made.steps[0], Block)
    hook = "- hook: {of: x, name: h, do: [{op: k = grad * 2}, {op: grad = k}]}\n"
    text = "tensors: {x: {data: 1.0, requires_grad: true}}\nsteps:\n" + hook
    step = program(text).steps[0]
    assert isinstance(step, Hook) and step.result == step.steps[0].out[0] and step.grad != step.result
    assert faults_of(text + "- op: z = k * 2\n") == [("unknown-name", "k")]
    assert faults_of(text + "- op: z = grad * 2\n") == [("unknown-name", "grad")]


def test_steps_are_numbered_in_the_order_of_the_text() -> None:
    (spec,) = built("""
        tensors: {x: {data: 1.0, requires_grad: true}}
        steps:
          - no_grad:
            - op: y = x + 1
            - enable_grad:
              - op: z = x * 2 + 1
          - hook: {of: x, name: h, do: [{op: grad = grad * 2}]}
          - backward: z
    """)
    outer, hook, backward = spec.program.steps
    assert (outer.at, [s.at for s in outer.steps], [s.at for s in outer.steps[1].steps]) == (
        0,
        [1, 2],
        [3, 3],
    )
    assert (hook.at, [s.at for s in hook.steps], backward.at) == (4, [5], 6)
    assert spec.program.count == 7 == len(spec.places) == len(spec.texts)
    assert spec.texts[3] == "z = x * 2 + 1"


# Verbs


def steps(*lines: str) -> tuple[Any, ...]:
    head = (
        "tensors: {x: {data: [1.0, 2.0], requires_grad: true}, w: {data: 3.0, requires_grad: true}}\nsteps:\n"
    )
    return program(head + "".join(f"- {line}\n" for line in lines)).steps


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("retain_grad: [x, w]", RetainGrad((0, 1), 0)),
        ("backward: [x, w]", Backward((0, 1), (None, None), None, False, None, 0)),
        (
            "backward: {of: w, retain_graph: false, create_graph: true, inputs: x}",
            Backward((1,), (None,), False, True, (0,), 0),
        ),
        ("backward: {of: w, inputs: []}", Backward((1,), (None,), None, False, (), 0)),
        (
            "backward: {of: x, gradient: [1.0, 2.0]}",
            Backward((0,), (Dense("float32", (2,), [1.0, 2.0]),), None, False, None, 0),
        ),
        (
            "backward: {of: [x, w], gradient: [{tensor: x}, null]}",
            Backward((0, 1), (Ref(0), None), None, False, None, 0),
        ),
        (
            "backward: {of: [x, w], gradient: [1.0]}",
            Backward((0, 1), (Dense("float32", (), [1.0]),), None, False, None, 0),
        ),
        ("grad: {of: w, wrt: x, out: g}", Grad((1,), (0,), (2,), (None,), None, False, None, False, 0)),
        (
            "grad: {of: [w], wrt: [x, w], out: [g, h], allow_unused: true, materialize_grads: true}",
            Grad((1,), (0, 1), (2, 3), (None,), None, False, True, True, 0),
        ),
        (
            "jvp: {of: w, tangents: {x: [1.0, 0.0]}, out: t}",
            Jvp(1, ((0, Dense("float32", (2,), [1.0, 0.0])),), 2, 0),
        ),
        ("zero_grad: [x, w]", ZeroGrad((0, 1), True, 0)),
        ("zero_grad: {of: x, set_to_none: false}", ZeroGrad((0,), False, 0)),
        ("hook: {of: x, name: h}", Hook(0, "h", 2, (), 2, "", 0)),
        ("hook: {of: x, name: h, after: accumulate}", Hook(0, "h", 2, (), 2, "accumulate", 0)),
        ("op: g = x.grad", GetAttr(0, "grad", 2, 0)),
        ("op: x.grad = None", SetAttr(0, "grad", None, 0)),
        ("op: x.data = w", SetAttr(0, "data", Ref(1), 0)),
        ("op: x.requires_grad = False", SetAttr(0, "requires_grad", False, 0)),
        (
            "op: y = tensor([1, 2.5], requires_grad=True)",
            Make(Dense("float32", (2,), [1.0, 2.5]), True, 2, 0),
        ),
        ("op: y = tensor(1, dtype='float64')", Make(Dense("float64", (), [1.0]), False, 2, 0)),
        ("op: y = tensor(-3)", Make(Dense("int64", (), [-3]), False, 2, 0)),
    ],
)
def test_verb(line: str, step: Any) -> None:
    assert steps(line) == (step,)


def test_hooks_that_ran() -> None:
    text = """
        tensors: {x: {data: 1.0, requires_grad: true}}
        steps:
          - hook: {of: x, name: h}
          - expect_hooks: [{h: 3.0}, h, {h: null}]
          - remove_hook: h
    """
    (spec,) = built(text)
    assert spec.program.steps[1:] == (HookLog(1), RemoveHook("h", 2))
    assert spec.expectations[0].hooks == (("h", Dense("float32", (), [3.0])), ("h", ...), ("h", None))


def test_raises_and_warns() -> None:
    (spec,) = built("""
        tensors: {x: {data: 1.0, requires_grad: true}}
        steps:
          - {backward: x, raises: null}
          - {backward: x, raises: graph-freed, note: freed above}
          - {op: g = x.grad, warns: non-leaf-grad}
          - {op: g = x.grad, warns: []}
          - backward: x
    """)
    assert spec.judged == {
        0: StepExpectation(True, None, None),
        1: StepExpectation(True, "graph-freed", None),
        2: StepExpectation(False, None, ("non-leaf-grad",)),
        3: StepExpectation(False, None, ()),
    }
    assert spec.notes == {1: "freed above"}


def test_gradcheck() -> None:
    text = "tensors: {x: {data: 1.0, requires_grad: true}, c: 2.0}\nsteps:\n- op: y = x * c\n"
    (spec,) = built(text + "- gradcheck: {of: y, wrt: [x, c], order: 2, eps: 1e-4}\n- gradcheck: {of: y}\n")
    first, second = spec.gradchecks
    assert (first.wrt, first.order, first.eps, first.rtol, first.at) == ((0, 1), 2, 1e-4, None, 1)
    assert (second.wrt, second.order) == ((0,), 1)
    assert faults_of(text + "- gradcheck: {of: y, wrt: y}\n") == [("bad-expectation", "y")]
    assert [
        c for c, _ in faults_of(text + "- {op: z = y @ y, raises: shape-mismatch}\n- gradcheck: {of: y}\n")
    ] == ["bad-expectation"]
    assert [c for c, _ in faults_of(text + "- hook: {of: y, name: h}\n- gradcheck: {of: y}\n")] == [
        "bad-expectation"
    ]


# Expectations


def checks(expect: str) -> tuple[Watch, list[tuple[Any, ...]]]:
    head = "tensors: {x: {data: [1.0, 2.0], requires_grad: true}, w: 3.0}\nsteps:\n"
    (spec,) = built(head + "- op: g = x.grad\n- expect: " + expect + "\n")
    return spec.program.steps[-1], [(c.look, c.field, c.expected) for c in spec.expectations[0].checks]


def test_names_that_hold_none_and_gradients() -> None:
    watch, found = checks("{g: null, x.grad: null, x: {grad: null}}")
    assert watch.looks == (Look(2, "", ("value",)), Look(0, "grad", ("value",)), Look(0, "", ("grad",)))
    assert found == [(0, "value", None), (1, "value", None), (2, "grad", None)]


def test_plain_fields() -> None:
    _, found = checks(
        "{x: {shape: [2], dtype: float32, version: 0, repr: r, requires_grad: true, retains_grad: false}}"
    )
    assert found == [
        (0, "shape", (2,)),
        (0, "dtype", "float32"),
        (0, "version", 0),
        (0, "repr", "r"),
        (0, "requires_grad", True),
        (0, "retains_grad", False),
    ]


def test_edges_and_nodes() -> None:
    _, found = checks("{x: {next_functions: [null, AccumulateGrad, [SplitBackward0, 2]], nodes: [A, B]}}")
    assert found == [
        (0, "next_functions", (None, "AccumulateGrad", ("SplitBackward0", 2))),
        (0, "nodes", ("A", "B")),
    ]
    assert checks("{x: {next_functions: null, nodes: null}}")[1] == [
        (0, "next_functions", None),
        (0, "nodes", None),
    ]


def test_identity_looks_at_both() -> None:
    watch, found = checks("{x: {same_as: w, shares_memory_with: {not: g}}}")
    assert [look.binding for look in watch.looks] == [0, 1, 2]
    assert found == [(0, "same_as", (1, True)), (0, "shares_memory_with", (2, False))]
    watch, found = checks("{g: {same_as: x.grad}}")
    assert watch.looks == (Look(2, "", ("same_as",)), Look(0, "grad", ("same_as",)))
    assert found == [(1, "same_as", (2, True))], "the gradient carries the check"


def test_an_expected_tensor_is_looked_at_too() -> None:
    watch, found = checks("{x: {value: {tensor: w}}}")
    assert watch.looks == (Look(0, "", ("value",)), Look(1, "", ("value",)))
    assert found == [(0, "value", Ref(1))]


def test_alternatives() -> None:
    _, found = checks("{w: {grad: {one_of: {zero: 0.0, none: null}}}}")
    assert found == [(0, "grad", {"zero": Dense("float32", (), [0.0]), "none": None})]


def test_tolerance_of_a_spec_and_of_checks() -> None:
    (spec,) = built("""
        tolerance: {rtol: 1e-3, atol: 0}
        tensors: {x: 1.0, y: {data: 1.0, dtype: float64}}
        steps:
          - expect: {x: {value: 1.0, tolerance: {ulp: 4}}, y: {value: 1.0}}
    """)
    assert spec.tolerance == Tolerance(1e-3, 0, None)
    assert [check.tolerance for check in spec.expectations[0].checks] == [Tolerance(ulp=4), None]
    assert spec.dtypes == ("float32", "float64")


# Several specs


def test_several_specs_with_defaults_and_dtypes() -> None:
    specs = built("""
        gradspec: 1
        defaults:
          tags: [one]
          dtypes: [float32, float64]
          tensors: {x: 0.1}
        specs:
          - {id: a, steps: [{op: y = x * 2}]}
          - {id: b, tags: [two], dtype: float64, tensors: {z: 1.0}, steps: [{op: y = z * 2}]}
    """)
    assert [(s.id, s.dtype, s.tags, s.line) for s in specs] == [
        ("a@float32", "float32", ("one",), 7),
        ("a@float64", "float64", ("one",), 7),
        ("b", "float64", ("two",), 8),
    ]
    assert specs[0].program.leaves[0].data.data[0] == 0.10000000149011612
    assert specs[1].program.leaves[0].data.data[0] == 0.1
    assert specs[1].program.id == "a@float64"


def test_a_complex_dtype_is_that_of_the_data() -> None:
    (spec,) = built("dtype: complex64\ntensors: {x: 1.5}\nsteps:\n- expect: {x: {value: 1.5}}\n")
    assert (spec.dtype, spec.program.dtype, spec.program.leaves[0].data.dtype) == (
        "complex64",
        "float32",
        "complex64",
    )
    assert spec.expectations[0].checks[0].expected.dtype == "float32"


def test_a_fault_is_told_once_for_all_dtypes() -> None:
    text = "dtypes: [float32, float64]\ntensors: {x: 1.0}\nsteps:\n- op: y = sqrtt(x)\n"
    assert faults_of(text) == [("unknown-op", "sqrtt")]


# Faults


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("op: y = sqrtt(x)", [("unknown-op", "sqrtt")]),
        ("op: y = x * foo + bar", [("unknown-name", "foo"), ("unknown-name", "bar")]),
        ("op: y = y + 1", [("unknown-name", "y")]),
        ('op: "y = sum(x, dimm=0)"', [("unknown-argument", "dimm")]),
        ("op: y = tensor([1, [2]])", [("ragged-array", "tensor([1, [2]])")]),
        ("op: y = tensor(1.5, dtype='int64')", [("bad-dtype", "tensor(1.5, dtype='int64')")]),
        ("backward: foo", [("unknown-name", "foo")]),
        ("backward: {of: [x, foo]}", [("unknown-name", "foo")]),
        ("backward: {of: [x, w], gradient: 1.0}", [("wrong-type", "1.0")]),
        ("backward: {of: x, inputs: [x, foo]}", [("unknown-name", "foo")]),
        ("retain_grad: [foo]", [("unknown-name", "foo")]),
        ("grad: {of: x, wrt: [x, w], out: g}", [("bad-value", "g")]),
        ("grad: {of: x, wrt: x, out: pi}", [("bad-name", "pi")]),
        ("jvp: {of: x, tangents: {foo: 1.0}, out: t}", [("unknown-name", "foo")]),
        ("remove_hook: h", [("unknown-name", "h")]),
        ("expect_hooks: [h]", [("unknown-name", "h")]),
        ("expect: {foo: {value: 1.0}}", [("unknown-name", "foo")]),
        ("expect: {x.gard: {value: 1.0}}", [("unknown-name", "x.gard")]),
        ("expect: {x: {same_as: foo}}", [("unknown-name", "foo")]),
        ("expect: {x.grad: {same_as: w.grad}}", [("bad-expectation", "w.grad")]),
        ("expect: {x: {value: {one_of: {zero: 0.0}}}}", [("bad-expectation", "{")]),
        ("expect: {x: {value: [1, [2]]}}", [("ragged-array", "[")]),
        ("expect: {x: {value: {tensor: foo}}}", [("unknown-name", "foo")]),
        ("expect: {x: {dtype: float23}}", [("bad-dtype", "float23")]),
        ("{backward: x, raises: graph-free}", [("unknown-code", "graph-free")]),
        ("{backward: x, warns: [non-leaf]}", [("unknown-code", "non-leaf")]),
    ],
)
def test_fault(line: str, found: list[tuple[str, str]]) -> None:
    head = "tensors: {x: {data: [1.0, 2.0], requires_grad: true}, w: 3.0}\nsteps:\n"
    assert faults_of(head + f"- {line}\n") == found


def test_all_faults_at_once_and_none_because_of_another() -> None:
    assert faults_of("""
        tensors: {x: [1, [2]], pi: 1.0}
        steps:
          - op: y = sqrtt(x)
          - op: z = y + nope
          - op: u = z * x
          - expect: {u: {value: [[1], 2]}}
    """) == [
        ("ragged-array", "["),
        ("bad-name", "pi"),
        ("unknown-op", "sqrtt"),
        ("unknown-name", "nope"),
        ("ragged-array", "2"),
    ]


def test_a_thousand_small_specs_are_built() -> None:
    one = """
  - id: s{n}
    tensors: {{x: {{data: [1.0, 2.0], requires_grad: true}}}}
    steps:
      - op: y = sum(x * {n} + tanh(x))
      - backward: y
      - expect: {{x: {{grad: [1.0, 2.0]}}}}
"""
    text = "gradspec: 1\nspecs:\n" + "".join(one.format(n=n) for n in range(1000))
    from gradspec.spec.build import build_document
    from gradspec.spec.reader import read

    document = read(text, "t.yaml")
    specs = build_document(document)
    assert len(specs) == 1000 and not document.faults
