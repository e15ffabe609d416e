"""What every entry of the registry has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gradspec.ops
from gradspec.errors import ProgramError
from gradspec.ops import FAMILIES, registry
from gradspec.ops.registry import FLOAT, PROMOTE, SAME, Op, elementwise
from tests.architecture.tree import python

TIER_1 = [
    "log_softmax", "relu", "softmax", "eq", "ge", "gt", "le", "lt", "ne", "ones_like", "zeros_like",
    "clone", "detach", "to", "__getitem__", "gather", "dot", "einsum", "matmul", "linear", "abs", "add",
    "clamp", "cos", "div", "exp", "log", "maximum", "minimum", "mul", "neg", "pow", "reciprocal",
    "sigmoid", "sign", "sin", "sqrt", "square", "sub", "tanh", "where", "amax", "amin", "argmax",
    "argmin", "logsumexp", "mean", "prod", "std", "sum", "var", "cumsum", "cat", "expand", "flatten",
    "flip", "pad", "permute", "reshape", "split", "squeeze", "stack", "transpose", "tril", "triu",
    "unsqueeze",
]  # fmt: skip
PUBLIC = [op for op in registry.values() if not op.internal]


def test_tier_1_is_whole() -> None:
    assert len(TIER_1) == 66
    assert [name for name in TIER_1 if name not in registry or registry[name].internal] == []


def test_families_add_what_is_announced_for_them() -> None:
    announced = {f"gradspec.ops.{family}": names.split() for family, names in FAMILIES.items()}
    added: dict[str, list[str]] = {}
    for name, op in registry.items():
        assert name == op.name
        added.setdefault(op.forward.__module__, []).append(name)
    assert added == announced
    assert len(registry) == len({*registry}) == sum(map(len, added.values()))


def test_every_module_with_ops_is_announced() -> None:
    folder = Path(gradspec.ops.__file__).parent
    files = {
        path.stem
        for path in folder.glob("*.py")
        if re.search(r"^@(composite|linear|elementwise|general|constant)\(", path.read_text(), re.MULTILINE)
    }
    assert files == {*FAMILIES} - {"recording", "registry"}


def test_a_family_is_imported_when_it_is_asked_for() -> None:
    done = python(
        "import sys\n"
        "from gradspec.ops import registry\n"
        "assert 'mul' in registry and 'mull' not in registry\n"
        "assert registry.base_of('mul_').name == 'mul' and registry.get('mull') is None\n"
        "print(*[name for name in sys.modules if name.startswith('gradspec.ops.')])\n"
    )
    assert set(done.stdout.split()) <= {
        f"gradspec.ops.{name}" for name in ("registry", "binary", "arguments", "samples")
    }, done.stderr


def test_refuses_an_op_that_is_there_and_one_that_was_not_announced() -> None:
    def forward(xp: object) -> None:
        """Nothing."""

    with pytest.raises(TypeError, match="twice"):
        registry.add(Op("constant", forward, name="mul"))
    forward.__module__ = "gradspec.ops.unary"
    with pytest.raises(TypeError, match="announced"):
        registry.add(Op("constant", forward, name="mull"))


@pytest.mark.parametrize("op", PUBLIC, ids=lambda op: op.name)
def test_public_entries_are_complete(op: Op) -> None:
    assert "Source:" in op.doc, "a formula has a source"
    assert op.samples, "an op without samples is not tested"


@pytest.mark.parametrize("op", registry.values(), ids=lambda op: op.name)
def test_rules_fit_the_kind(op: Op) -> None:
    if op.kind in ("composite", "constant"):
        assert not op.rules
        return
    if op.name in ("floor_divide", "heaviside", "number_remainder", "unique"):
        assert op.underivable, "a node without a derivative has no rules"
        return
    assert op.rules, "a differentiable op has rules"
    assert op.node, "a node has a name"
    allowed = {"linear": {"adjoint"}, "elementwise": {"partial", "vjp"}, "general": {"vjp", "adjoint"}}[
        op.kind
    ]
    assert {rule.kind for rule in op.rules.values()} <= allowed
    assert op.internal or {*op.rules, *op.apart, *op.fixed} >= {param.name for param in op.tensors}


def test_every_tensor_argument_and_keyword_has_a_sample() -> None:
    missing = [
        f"{op.name}({param.name})"
        for op in PUBLIC
        for param in op.params
        if not any(param.name in sample.args for sample in op.samples) and param.name != "inplace"
    ]
    assert missing == []


def test_result_dtypes_by_word() -> None:
    def answer(policy: str, *pairs: tuple[str, str]) -> object:
        op = Op("constant", registry["mul"].forward, dtypes=policy)
        return op.result_dtypes({str(k): pair for k, pair in enumerate(pairs)}, {}, "float64")

    assert answer(PROMOTE, ("float32", "dim"), ("float64", "zero")) == ("float32", "float32")
    assert answer(FLOAT, ("int64", "dim")) == ("float64", "float64")
    with pytest.raises(ProgramError) as caught:
        answer(SAME, ("float32", "dim"), ("float64", "dim"))
    assert caught.value.code == "dtype-mismatch"


def test_a_name_is_taken_once_and_a_rule_knows_its_names() -> None:
    def mul(xp, input: Tensor):  # type: ignore[no-untyped-def]  # noqa: F821
        return input

    with pytest.raises(TypeError, match="registered twice"):
        elementwise()(mul)
    op = Op("elementwise", mul)
    with pytest.raises(TypeError, match="which it does not have"):
        op.partial("input")(lambda _, other: other)
    with pytest.raises(TypeError, match="no argument"):
        op.partial("other")(lambda _: 1)
    with pytest.raises(TypeError, match="unknown facts"):
        Op("elementwise", mul, colour="blue")


def test_one_name_may_mean_several_ops() -> None:
    largest = registry["max"]

    def given(**args: object) -> dict[str, object]:
        return {param.name: args.get(param.name, param.default) for param in largest.params}

    x, w = object(), object()
    op, args = largest.chosen(given(input=x))
    assert op.name == "max_all" and args == {"input": x}
    op, args = largest.chosen(given(input=x, dim=1))
    assert op.name == "max_dim" and args == {"input": x, "dim": 1, "keepdim": False}
    op, args = largest.chosen(given(input=x, other=w))
    assert op.name == "maximum" and args == {"input": x, "other": w}
    assert largest.results(given(input=x)) == "one"
    assert largest.results(given(input=x, dim=1)) == {"values": "", "indices": "int64"}
    assert registry["exp"].chosen({"input": x}) == (registry["exp"], {"input": x})


def test_results_may_follow_from_the_arguments() -> None:
    unique = registry["unique"]
    defaults = {param.name: param.default for param in unique.params}
    assert unique.results(defaults) == "one"
    both = unique.results(defaults | {"return_inverse": True, "return_counts": True})
    assert both == {"output": "", "inverse": "int64", "counts": "int64"}
    assert registry["split"].results({}) == "tuple"


def test_a_rule_names_the_results_it_needs() -> None:
    def cut(xp, input: Tensor):  # type: ignore[no-untyped-def]  # noqa: F821
        return input, input

    op = Op("general", cut, outputs={"values": "", "indices": "int64"})
    with pytest.raises(TypeError, match="which it does not have"):
        op.vjp("input")(lambda _, y: y)
    op.vjp("input")(lambda _, indices: indices)
    assert op.rules["input"].names == ("indices",)
