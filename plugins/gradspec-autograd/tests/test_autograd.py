"""HIPS autograd behind gradspec's door, by itself and beside torch."""
# ruff: noqa: E501, SIM905

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
from gradspec_autograd import AutogradBackend
from gradspec_autograd.known import gradspec_known_failures
from gradspec_autograd.operations import OPERATIONS, UNSUPPORTED_OPS

from gradspec.backends.base import EMULATED, NATIVE, UNSUPPORTED, Observations
from gradspec.dense import Dense
from gradspec.plugins import BackendRow, load_backend, plugin_manager
from gradspec.spec.features import FEATURES
from gradspec.spec.model import IndexSlice
from tests.backends.builder import Builder, T, dense

TIER_1 = (
    "log_softmax relu softmax eq ge gt le lt ne ones_like zeros_like clone detach to __getitem__ gather dot einsum "
    "matmul linear abs add clamp cos div exp log maximum minimum mul neg pow reciprocal sigmoid sign sin sqrt square "
    "sub tanh where amax amin argmax argmin logsumexp mean prod std sum var cumsum cat expand flatten flip pad permute "
    "reshape split squeeze stack transpose tril triu unsqueeze"
).split()


@pytest.fixture(scope="module")
def backend() -> AutogradBackend:
    return AutogradBackend()


def values(seen: list[dict[str, Any]], field: str = "grad") -> list[Any]:
    return [one[field] if one.get(field) is None else one[field].nested() for one in seen]


def test_its_entry_points_lead_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pip writes them from pyproject.toml, whether or not it is installed."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    lines = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("GRADSPEC_PLUGINS", "gradspec-autograd")
    assert type(load_backend("autograd")).__name__ == "AutogradBackend"
    broken: list[BackendRow] = []
    manager = plugin_manager(broken)
    assert manager is not None and not broken
    assert manager.hook.gradspec_known_failures(backend="torch") == [{}]


def test_every_tier_1_op_is_native_or_has_a_reason(backend: AutogradBackend) -> None:
    assert len(TIER_1) == 66
    assert {op for op in TIER_1 if backend.supports(f"op:{op}") != NATIVE} == set(UNSUPPORTED_OPS)
    assert all(backend.reason(f"op:{op}") for op in UNSUPPORTED_OPS)
    assert not set(OPERATIONS) & set(UNSUPPORTED_OPS)


def test_every_feature_that_is_not_native_has_a_reason(backend: AutogradBackend) -> None:
    support = {feature: backend.supports(feature) for feature in FEATURES}
    assert {"native", "emulated", "unsupported"} == set(support.values())
    assert all(backend.reason(feature) for feature, word in support.items() if word != NATIVE)
    assert support["retain-grad"] == EMULATED and support["hooks"] == UNSUPPORTED


def test_seed_three_tensors(backend: AutogradBackend) -> None:
    b = Builder()
    b.leaf("one", 7.0)
    b.backward("one")
    b.op("two", "mul", input=T("one"), other=4)
    b.retain_grad("two")
    first = b.watch("one two")
    b.backward("two", retain_graph=True)
    second = b.watch("one two")
    b.op("three", "mul", input=T("two"), other=5)
    b.retain_grad("three")
    b.backward("three")
    third = b.watch("one two three")
    freed = b.backward("two")
    seen = b.run(backend)
    assert values(seen.seen[first]) == [1.0, None]
    assert values(seen.seen[second]) == [5.0, 1.0]
    assert values(seen.seen[third]) == [25.0, 6.0, 1.0]
    assert {at: outcome[:2] for at, outcome in seen.outcomes.items()} == {freed: ("error", "graph-freed")}


def test_the_four_answers_about_a_gradient(backend: AutogradBackend) -> None:
    """A value, an exact zero, absent, an error: autograd itself answers 0.0 for an unreachable input."""
    b = Builder()
    b.leaf("x", 2.0)
    b.leaf("unreached", 2.0)
    b.leaf("n", 1, requires_grad=False, dtype="int64")
    b.op("s", "sign", input=T("x"))
    b.backward("s")
    error = b.backward("n")
    at = b.watch("x unreached", "grad")
    seen = b.run(backend)
    assert values(seen.seen[at]) == [0.0, None]
    assert seen.outcomes[error][:2] == ("error", "untracked")


def test_retaining_keeps_the_sign_of_zero(backend: AutogradBackend) -> None:
    b = Builder()
    b.leaf("x", [-0.0, 2.0])
    b.op("y", "mul", input=T("x"), other=1.0)
    b.retain_grad("y")
    b.op("z", "reciprocal", input=T("y"))
    b.backward("z", [1.0, 1.0])
    at = b.watch("y z", "value", "grad")
    y, z = b.run(backend).seen[at]
    assert y["grad"].flat() == [-math.inf, -0.25]
    assert math.copysign(1, y["value"].flat()[0]) == -1 and z["value"].flat()[0] == -math.inf


def test_complex_gradients_are_in_torchs_convention(backend: AutogradBackend) -> None:
    b = Builder("float64")
    b.leaf("z", 1 + 2j, dtype="complex128")
    b.op("y", "square", input=T("z"))
    b.backward("y", dense(1.0 + 0j, "complex128"))
    at = b.watch("z", "grad")
    assert values(b.run(backend).seen[at]) == [2 - 4j]  # the conjugate of 2z


def test_dtypes_follow_torch(backend: AutogradBackend) -> None:
    b = Builder()
    b.leaf("x", [1.0, 2.0])
    b.leaf("d", 3.0, dtype="float64")  # 0-d: does not win over float32
    b.leaf("n", [1, 2], requires_grad=False, dtype="int64")
    b.op("y", "mul", input=T("x"), other=T("d"))
    b.op("h", "div", input=T("n"), other=2)
    b.op("c", "mul", input=T("x"), other=2j)
    b.backward("y", [1.0, 1.0])
    at = b.watch("y h c x.grad d.grad", "dtype")
    seen = b.run(backend)
    assert seen.outcomes == {}
    assert [one["dtype"] for one in seen.seen[at]] == [
        "float32",
        "float32",
        "complex64",
        "float32",
        "float64",
    ]


def test_what_a_function_cannot_see_is_left_out(backend: AutogradBackend) -> None:
    """y = exp(x), g = dy/dx = y: torch counts g as a use of y, which no function of x can show."""
    b = Builder("float64")
    b.leaf("x", 1.0)
    b.op("y", "exp", input=T("x"))
    b.retain_grad("y")
    b.grad("y", "x", "g", create_graph=True)
    b.zero_grad("y")
    b.backward("g")
    at = b.watch("x y", "grad")
    x, y = b.run(backend).seen[at]
    assert x["grad"].item() == pytest.approx(math.e) and y == {}


def test_unsupported_steps_have_reasons(backend: AutogradBackend) -> None:
    b = Builder()
    b.leaf("x", [1.0, 2.0])
    b.leaf("row", [[1.0, 2.0]])
    flip = b.op("y", "flip", input=T("x"), dims=(0,))
    reflect = b.op("z", "pad", input=T("row"), pad=(1, 0), mode="reflect")
    place = b.op("", "mul_", input=T("x"), other=2)
    b.leaf("h", 1.0, dtype="bfloat16")
    b.leaf("w", 1.0)
    with b.hook("w", "h") as hook:
        pass
    outcomes = b.run(backend).outcomes
    assert {at: (one.status, one.code) for at, one in outcomes.items()} == {
        -1: ("unsupported", "dtype:bfloat16"), flip: ("unsupported", "op:flip"),
        reflect: ("unsupported", "op:pad"), place: ("unsupported", "in-place"),
        hook: ("unsupported", "hooks"),
    }  # fmt: skip
    assert all(one.text for one in outcomes.values())


@pytest.mark.parametrize(
    ("code", "op", "args"),
    [
        ("shape-mismatch", "add", {"other": T("v")}), ("shape-mismatch", "matmul", {"other": T("v")}),
        ("shape-mismatch", "reshape", {"shape": (3,)}), ("shape-mismatch", "expand", {"size": (3, 3)}),
        ("dim-out-of-range", "sum", {"dim": 2}), ("dim-repeated", "sum", {"dim": (0, 0)}),
        ("index-out-of-range", "__getitem__", {"index": 2}),
        ("too-many-indices", "__getitem__", {"index": (0, 0, 0)}),
        ("invalid-argument", "reshape", {"shape": (-1, -1)}),
        ("invalid-argument", "div", {"other": T("v"), "rounding_mode": "up"}),
    ],
)  # fmt: skip
def test_errors_of_numpy_have_codes(
    backend: AutogradBackend, code: str, op: str, args: dict[str, Any]
) -> None:
    b = Builder()
    b.leaf("x", [[1.0, 2.0], [3.0, 4.0]])
    b.leaf("v", [1.0, 2.0, 3.0])
    if op == "div":
        b.leaf("v", [1.0, 2.0])
    at = b.op("y", op, input=T("x"), **args)
    outcomes = b.run(backend).outcomes
    assert {at: outcomes[at][:2]} == {at: ("error", code)}, outcomes


def test_who_found_an_error_is_said(backend: AutogradBackend) -> None:
    b = Builder()
    b.leaf("x", [[1.0, 2.0], [3.0, 4.0]])
    b.leaf("v", [1.0, 2.0, 3.0])
    refused = b.op("y", "matmul", input=T("x"), other=T("v"))
    out_of_range = b.op("z", "__getitem__", input=T("x"), index=(2,))
    outcomes = b.run(backend).outcomes
    assert outcomes[refused].emulated and not outcomes[out_of_range].emulated, outcomes


def test_an_index_is_taken_as_torch_takes_it(backend: AutogradBackend) -> None:
    """Integers first, so that an array after a slice stays where it stands; NumPy would put it in front."""
    b = Builder()
    b.leaf("x", [[[1.0, 2.0], [3.0, 4.0]]])
    b.op("y", "__getitem__", input=T("x"), index=(0, IndexSlice(), (1, 0, 1)))
    b.backward("y", [[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]])
    at = b.watch("y", "value")
    grad = b.watch("x", "grad")
    seen = b.run(backend)
    assert seen.outcomes == {}
    assert values(seen.seen[at], "value") == [[[2.0, 1.0, 2.0], [4.0, 3.0, 4.0]]]
    assert values(seen.seen[grad]) == [[[[2.0, 5.0], [16.0, 40.0]]]]


def test_a_switched_off_leaf_gets_no_gradient(backend: AutogradBackend) -> None:
    b = Builder()
    b.leaf("x", 7.0)
    b.op("y", "mul", input=T("x"), other=4)
    b.op("", "requires_grad_", input=T("x"), requires_grad=False)
    b.backward("y")
    at = b.watch("x", "grad")
    seen = b.run(backend)
    assert seen.outcomes == {} and seen.seen[at] == [{"grad": None}]


def test_known_differences_are_for_this_backend_alone() -> None:
    assert gradspec_known_failures(backend="torch") == {}
    assert all(reason for reason in gradspec_known_failures(backend="autograd").values())


# Beside torch.


def close(got: Any, expected: Any) -> bool:
    if not isinstance(got, Dense) or not isinstance(expected, Dense):
        return bool(got == expected)
    pairs = zip(got.flat(), expected.flat(), strict=True)
    same = (got.dtype, got.shape) == (expected.dtype, expected.shape)
    return same and all(
        a == b or abs(a - b) <= 1e-9 * max(1, abs(a), abs(b)) or (a != a and b != b) for a, b in pairs
    )


def difference(got: Observations, expected: Observations, count: int) -> str:
    """The first difference, up to the first step that is unsupported; fields not seen are passed over."""
    for at in range(count):
        a, b = got.outcomes.get(at), expected.outcomes.get(at)
        if a is not None and a.status == "unsupported":
            return ""
        kinds = [one and (one.status, one.code, [warned.code for warned in one.warnings]) for one in (a, b)]
        if kinds[0] != kinds[1]:
            return f"step {at}: {a} for {b}"
        for k, (one, two) in enumerate(zip(got.seen.get(at, []), expected.seen.get(at, []), strict=True)):
            if set(two) - set(one) - {"grad"} or not all(close(one[field], two[field]) for field in one):
                return f"watch {at}, {k}: {one} for {two}"
    return ""


@pytest.mark.torch
@pytest.mark.parametrize("block", range(4))
def test_random_programs_go_as_in_torch(backend: AutogradBackend, block: int) -> None:
    pytest.importorskip("torch")
    from gradspec.backends.torch import TorchBackend
    from tests.backends.random_programs import random_program

    torch = TorchBackend()
    for seed in range(block * 40, block * 40 + 40):
        program = random_program(seed).program()
        found = difference(backend.run(program), torch.run(program), program.count)
        assert not found, f"seed {seed}: {found}"
