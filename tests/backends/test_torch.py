"""The torch backend against what torch itself does."""
# ruff: noqa: ARG005, C408, E501

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from gradspec.backends.torch import TorchBackend  # noqa: E402
from gradspec.dense import Dense  # noqa: E402
from gradspec.errors import ERROR_CODES  # noqa: E402
from gradspec.spec.model import IndexSlice  # noqa: E402
from tests.architecture.tree import python  # noqa: E402
from tests.backends.builder import Builder, T, Written, dense  # noqa: E402

pytestmark = pytest.mark.torch
TRIPLE = ("repr", "grad", "is_leaf")


@pytest.fixture(scope="module")
def backend() -> TorchBackend:
    return TorchBackend()


def triples(seen: list[dict[str, Any]]) -> list[tuple[str, Any, bool]]:
    return [(one["repr"], one["grad"] and one["grad"].item(), one["is_leaf"]) for one in seen]


def test_seed_one_tensor(backend: TorchBackend) -> None:
    b = Builder()
    b.leaf("my_tensor", 7.0)
    watches = [b.watch("my_tensor", *TRIPLE)]
    for _ in range(3):
        b.backward("my_tensor")
        watches.append(b.watch("my_tensor", *TRIPLE))
    seen = b.run(backend)
    assert seen.outcomes == {}
    expected = [None, 1.0, 2.0, 3.0]
    shown = "tensor(7., requires_grad=True)"
    assert [triples(seen.seen[at]) for at in watches] == [[(shown, grad, True)] for grad in expected]


def test_seed_three_tensors(backend: TorchBackend) -> None:
    b = Builder()
    b.leaf("tensor1", 7.0)
    watches = [b.watch("tensor1", *TRIPLE)]
    b.backward("tensor1")
    watches.append(b.watch("tensor1", *TRIPLE))
    b.op("tensor2", "mul", input=T("tensor1"), other=4)
    b.retain_grad("tensor2")
    watches.append(b.watch("tensor1 tensor2", *TRIPLE, "grad_fn"))
    b.backward("tensor2", retain_graph=True)
    watches.append(b.watch("tensor1 tensor2", *TRIPLE))
    b.op("tensor3", "mul", input=T("tensor2"), other=5)
    b.retain_grad("tensor3")
    watches.append(b.watch("tensor1 tensor2 tensor3", *TRIPLE))
    b.backward("tensor3")
    watches.append(b.watch("tensor1 tensor2 tensor3", *TRIPLE))
    seen = b.run(backend)
    assert seen.outcomes == {}
    one, two, three = (
        "tensor(7., requires_grad=True)", "tensor(28., grad_fn=<MulBackward0>)",
        "tensor(140., grad_fn=<MulBackward0>)",
    )  # fmt: skip
    assert [triples(seen.seen[at]) for at in watches] == [
        [(one, None, True)],
        [(one, 1.0, True)],
        [(one, 1.0, True), (two, None, False)],
        [(one, 5.0, True), (two, 1.0, False)],
        [(one, 5.0, True), (two, 1.0, False), (three, None, False)],
        [(one, 25.0, True), (two, 6.0, False), (three, 1.0, False)],
    ]
    assert [one["grad_fn"] for one in seen.seen[watches[2]]] == [None, "MulBackward0"]


X = [[0.5, -1.5, 2.0], [3.0, 0.25, -0.75]]
V = [0.5, 1.5, 2.5]
I = dense([[0, 2], [1, 0]], "int64")  # noqa: E741
# op, what torch computes, its arguments: "x" [2, 3] and "v" [3] are leaves, "i" an index, "c" a mask
OPS: list[tuple[str, Any, dict[str, Any]]] = [
    ("log_softmax", lambda x, v, i, c: torch.log_softmax(x, 1), dict(input=T("x"), dim=1)),
    ("relu", lambda x, v, i, c: torch.relu(x), dict(input=T("x"))),
    ("softmax", lambda x, v, i, c: x.softmax(0, dtype=torch.float64), dict(input=T("x"), dim=0, dtype="float64")),
    *[(name, lambda x, v, i, c, n=name: getattr(x, n)(v), dict(input=T("x"), other=T("v")))
      for name in ("eq", "ge", "gt", "le", "lt", "ne", "add", "sub", "mul", "div", "maximum", "minimum")],
    *[(name, lambda x, v, i, c, n=name: getattr(2 - x, n)(1), dict(input=T("w"), other=1))
      for name in ("eq", "ge", "gt", "le", "lt", "ne")],
    ("ones_like", lambda x, v, i, c: torch.ones_like(x), dict(input=T("x"))),
    ("zeros_like", lambda x, v, i, c: torch.zeros_like(x, dtype=torch.int64), dict(input=T("x"), dtype="int64")),
    ("clone", lambda x, v, i, c: x.clone(), dict(input=T("x"))),
    ("detach", lambda x, v, i, c: x.detach(), dict(input=T("x"))),
    ("to", lambda x, v, i, c: x.to(torch.float64), dict(input=T("x"), dtype="float64")),
    ("__getitem__", lambda x, v, i, c: x[0, ::2], dict(input=T("x"), index=(0, IndexSlice(None, None, 2)))),
    ("__getitem__", lambda x, v, i, c: x[None, ..., 1], dict(input=T("x"), index=(None, Ellipsis, 1))),
    ("__getitem__", lambda x, v, i, c: x[[1, 1, 0]], dict(input=T("x"), index=((1, 1, 0),))),
    ("__getitem__", lambda x, v, i, c: x[c], dict(input=T("x"), index=T("c"))),
    ("__getitem__", lambda x, v, i, c: x[-1], dict(input=T("x"), index=-1)),
    ("gather", lambda x, v, i, c: x.gather(1, i), dict(input=T("x"), dim=1, index=T("i"))),
    ("dot", lambda x, v, i, c: v.dot(v), dict(input=T("v"), tensor=T("v"))),
    ("einsum", lambda x, v, i, c: x @ v, dict(equation="ij,j->i", operands=(T("x"), T("v")))),
    ("matmul", lambda x, v, i, c: x @ v, dict(input=T("x"), other=T("v"))),
    ("linear", lambda x, v, i, c: x @ x.T, dict(input=T("x"), weight=T("x"), bias=None)),
    *[(name, lambda x, v, i, c, n=name: getattr(x, n)(), dict(input=T("x")))
      for name in ("abs", "cos", "exp", "neg", "reciprocal", "sigmoid", "sign", "sin", "square", "tanh")],
    ("log", lambda x, v, i, c: v.log(), dict(input=T("v"))),
    ("sqrt", lambda x, v, i, c: v.sqrt(), dict(input=T("v"))),
    ("add", lambda x, v, i, c: x + 3 * v, dict(input=T("x"), other=T("v"), alpha=3)),
    ("sub", lambda x, v, i, c: 2 - x, dict(input=2, other=T("x"))),
    ("div", lambda x, v, i, c: 2 / x, dict(input=2, other=T("x"))),
    ("div", lambda x, v, i, c: x.div(v, rounding_mode="floor"), dict(input=T("x"), other=T("v"), rounding_mode="floor")),
    ("mul", lambda x, v, i, c: 2.5 * x, dict(input=2.5, other=T("x"))),
    ("pow", lambda x, v, i, c: v**3, dict(input=T("v"), exponent=3)),
    ("pow", lambda x, v, i, c: 2**x, dict(input=2, exponent=T("x"))),
    ("lt", lambda x, v, i, c: x > 1, dict(input=1, other=T("x"))),
    ("clamp", lambda x, v, i, c: x.clamp(-1, 1), dict(input=T("x"), min=-1, max=1)),
    ("clamp", lambda x, v, i, c: x.clamp(max=v), dict(input=T("x"), max=T("v"))),
    ("where", lambda x, v, i, c: torch.where(c, x, 2.0), dict(condition=T("c"), input=T("x"), other=2.0)),
    ("where", lambda x, v, i, c: torch.where(c, 2.0, x), dict(condition=T("c"), input=2.0, other=T("x"))),
    ("amax", lambda x, v, i, c: x.amax((0, 1)), dict(input=T("x"), dim=(0, 1))),
    ("amin", lambda x, v, i, c: x.amin(1, True), dict(input=T("x"), dim=1, keepdim=True)),
    ("argmax", lambda x, v, i, c: x.argmax(), dict(input=T("x"))),
    ("argmin", lambda x, v, i, c: x.argmin(0), dict(input=T("x"), dim=0)),
    ("logsumexp", lambda x, v, i, c: x.logsumexp(1), dict(input=T("x"), dim=1)),
    ("mean", lambda x, v, i, c: x.mean(0), dict(input=T("x"), dim=0)),
    ("prod", lambda x, v, i, c: x.prod(), dict(input=T("x"))),
    ("std", lambda x, v, i, c: x.std(1, correction=0), dict(input=T("x"), dim=1, correction=0)),
    ("sum", lambda x, v, i, c: x.sum(dtype=torch.float64), dict(input=T("x"), dtype="float64")),
    ("var", lambda x, v, i, c: x.var(), dict(input=T("x"))),
    ("cumsum", lambda x, v, i, c: x.cumsum(1), dict(input=T("x"), dim=1)),
    ("cat", lambda x, v, i, c: torch.cat([x, x], 1), dict(tensors=(T("x"), T("x")), dim=1)),
    ("expand", lambda x, v, i, c: v.expand(2, -1), dict(input=T("v"), size=(2, -1))),
    ("flatten", lambda x, v, i, c: x.flatten(), dict(input=T("x"))),
    ("flip", lambda x, v, i, c: x.flip(1), dict(input=T("x"), dims=(1,))),
    ("pad", lambda x, v, i, c: torch.nn.functional.pad(x, (1, 0), value=2.0), dict(input=T("x"), pad=(1, 0), value=2.0)),
    ("permute", lambda x, v, i, c: x.permute(1, 0), dict(input=T("x"), dims=(1, 0))),
    ("reshape", lambda x, v, i, c: x.reshape(3, 2), dict(input=T("x"), shape=(3, 2))),
    ("squeeze", lambda x, v, i, c: x.squeeze(0), dict(input=T("x"), dim=0)),
    ("stack", lambda x, v, i, c: torch.stack([x, x], 1), dict(tensors=(T("x"), T("x")), dim=1)),
    ("transpose", lambda x, v, i, c: x.T, dict(input=T("x"), dim0=0, dim1=1)),
    ("tril", lambda x, v, i, c: x.tril(1), dict(input=T("x"), diagonal=1)),
    ("triu", lambda x, v, i, c: x.triu(), dict(input=T("x"))),
    ("unsqueeze", lambda x, v, i, c: x.unsqueeze(-1), dict(input=T("x"), dim=-1)),
    ("view", lambda x, v, i, c: x.view(6), dict(input=T("x"), size=(6,))),
    ("T", lambda x, v, i, c: x.T, dict(input=T("x"))),
    ("linalg.norm", lambda x, v, i, c: torch.linalg.norm(x), dict(input=T("x"))),
    ("floor_divide", lambda x, v, i, c: 2 // x, dict(input=2, other=T("x"))),
    ("remainder", lambda x, v, i, c: x % v, dict(input=T("x"), other=T("v"))),
]  # fmt: skip


@pytest.mark.parametrize(("op", "plain", "args"), OPS, ids=[f"{n}-{one[0]}" for n, one in enumerate(OPS)])
def test_op(backend: TorchBackend, op: str, plain: Any, args: dict[str, Any]) -> None:
    """Value, dtype, shape and gradients of every op are torch's own, to the bit."""
    b = Builder()
    b.leaf("x", X)
    b.leaf("v", V)
    b.leaf("i", I, requires_grad=False)
    b.leaf("c", dense([[True, False, True], [False, True, True]], "bool"), requires_grad=False)
    b.op("w", "sub", input=2, other=T("x"))
    b.op("y", op, **args)
    value = b.watch("y", "value", "requires_grad")
    x, v = torch.tensor(X, requires_grad=True), torch.tensor(V, requires_grad=True)
    mask = torch.tensor([[True, False, True], [False, True, True]])
    expected = plain(x, v, torch.tensor([[0, 2], [1, 0]]), mask)
    if expected.requires_grad and op != "floor_divide":
        ct = torch.arange(1.0, expected.numel() + 1, dtype=expected.dtype).reshape(expected.shape)
        b.backward("y", backend.read(ct))
        expected.backward(ct)
    end = b.watch("x v", "grad")
    seen = b.run(backend)
    assert seen.outcomes == {}
    assert seen.seen[value] == [{"value": backend.read(expected), "requires_grad": expected.requires_grad}]
    grads = [None if one.grad is None else backend.read(one.grad) for one in (x, v)]
    assert [one["grad"] for one in seen.seen[end]] == grads


def test_split_binds_all_its_results(backend: TorchBackend) -> None:
    b = Builder()
    b.leaf("x", V)
    b.op("p q", "split", tensor=T("x"), split_size_or_sections=(1, 2))
    wrong = b.op("one", "split", tensor=T("x"), split_size_or_sections=1)
    at = b.watch("p q one", "value", "grad_fn", "shares_memory_with")
    seen = b.run(backend)
    assert seen.outcomes[wrong].code == "invalid-argument"
    p, q, one = seen.seen[at]
    assert (p["value"].flat(), q["value"].flat(), one) == ([0.5], [1.5, 2.5], {"missing": True})
    assert p["grad_fn"] == "SplitWithSizesBackward0"
    assert p["shares_memory_with"] == q["shares_memory_with"]


def test_in_place(backend: TorchBackend) -> None:
    b = Builder()
    b.leaf("x", V)
    b.op("y", "mul", input=T("x"), other=1)
    b.op("", "mul_", input=T("y"), other=3)
    b.op("", "__setitem__", input=T("y"), index=0, value=5.0)
    at = b.watch("y", "value", "version", "grad_fn")
    b.backward("y", [1.0, 10.0, 100.0])
    end = b.watch("x", "grad")
    seen = b.run(backend)
    assert seen.outcomes == {}
    [y] = seen.seen[at]
    assert (y["value"].flat(), y["version"], y["grad_fn"]) == ([5.0, 4.5, 7.5], 2, "CopySlices")
    assert seen.seen[end][0]["grad"].flat() == [0.0, 30.0, 300.0]


def test_warnings_come_each_time_and_observing_is_silent(backend: TorchBackend) -> None:
    b = Builder()
    b.leaf("x", 2.0)
    b.op("y", "mul", input=T("x"), other=T("x"))
    b.backward("y", create_graph=True)
    b.watch("y", "grad")
    b.watch("y.grad", "value")
    first = b.get("g", "y", "grad")
    second = b.get("g", "y", "grad")
    at = b.watch("g", "value")
    seen = b.run(backend)
    codes = {key: [one.code for one in outcome.warnings] for key, outcome in seen.outcomes.items()}
    assert codes == {0 + 1: ["create-graph-cycle"], first: ["non-leaf-grad"], second: ["non-leaf-grad"]}
    assert seen.seen[at] == [{"none": True}]
    assert b.run(backend).outcomes == seen.outcomes, "torch warns once a process unless told otherwise"


def test_one_object_has_one_token(backend: TorchBackend) -> None:
    b = Builder()
    b.leaf("x", 2.0)
    b.op("y", "detach", input=T("x"))
    b.backward("x")
    b.get("g", "x", "grad")
    at = b.watch("x x y g x.grad", "same_as", "shares_memory_with")
    x, again, y, g, grad = b.run(backend).seen[at]
    assert x == again and g == grad
    assert x["same_as"] != y["same_as"] and x["shares_memory_with"] == y["shares_memory_with"]
    assert g["shares_memory_with"] != x["shares_memory_with"]


def test_hooks_in_the_order_they_ran(backend: TorchBackend) -> None:
    b = Builder()
    b.leaf("x", 2.0)
    b.op("y", "mul", input=T("x"), other=3)
    with b.hook("y", "double"):
        b.op("grad", "mul", input=T("grad"), other=2)
    with b.hook("x", "watch"):
        pass
    with b.hook("x", "accumulated", after="accumulate"):
        b.op("", "mul_", input=T("grad"), other=10)
    b.backward("y", retain_graph=True)
    first = b.hook_log()
    b.remove_hook("double")
    b.backward("y")
    second = b.hook_log()
    at = b.watch("x", "grad")
    seen = b.run(backend)
    assert seen.outcomes == {}
    log = {key: [(name, given.item()) for name, given in ran] for key, ran in seen.hooks.items()}
    assert log[first] == [("double", 1.0), ("watch", 6.0), ("accumulated", 6.0)]
    assert log[second] == [("watch", 3.0), ("accumulated", 63.0)]
    assert seen.seen[at][0]["grad"].item() == 630.0


def test_a_hook_on_a_view_written_under_no_grad() -> None:
    """torch 2.13 itself crashes there unless the view's node is asked for first; so in a process of its own."""
    code = (
        "import torch\nfrom gradspec.backends.torch import TorchBackend\n"
        "v = torch.tensor([1.0, 2.0], requires_grad=True)[:]\n"
        "with torch.no_grad():\n    v.sub_(1)\n    TorchBackend().hook(v, print, '')\n"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_an_error_in_a_hook_is_the_backwards(backend: TorchBackend) -> None:
    b = Builder()
    b.leaf("x", V)
    b.op("y", "mul", input=T("x"), other=3)
    with b.hook("x", "bad"):
        b.op("grad", "sum", input=T("grad"))
    at = b.backward("y", V)
    with b.hook("x", "worse"):
        b.op("grad", "reshape", input=T("grad"), shape=(2, 2))
    b.op("z", "mul", input=T("x"), other=3)
    other = b.backward("z", V)
    b.remove_hook("bad")
    seen = b.run(backend)
    assert seen.outcomes[at][:2] == ("error", "hook-shape")
    assert seen.outcomes[other][:2] == ("error", "hook-shape")
    assert set(seen.outcomes) == {at, other}


def test_grad_mode_blocks(backend: TorchBackend) -> None:
    b = Builder()
    b.leaf("x", V)
    with b.block("no_grad"):
        b.op("y", "mul", input=T("x"), other=2)
        bad = b.op("bad", "reshape", input=T("x"), shape=(2,))
        with b.block("enable_grad"):
            b.op("z", "mul", input=T("x"), other=2)
        b.op("", "mul_", input=T("x"), other=2)
    with b.block("inference_mode"):
        b.op("i", "mul", input=T("x"), other=2)
    at = b.watch("y z i", "requires_grad", "is_leaf")
    version = b.watch("i", "value", "version", "dtype")
    anomaly = None
    with b.block("detect_anomaly"):
        b.op("s", "sub", input=T("x"), other=T("x"))
        b.op("s", "sqrt", input=T("s"))
        b.op("s", "mul", input=T("s"), other=0)
        anomaly = b.backward("s", [1.0, 1.0, 1.0])
    seen = b.run(backend)
    assert [tuple(one.values()) for one in seen.seen[at]] == [(False, True), (True, False), (False, True)]
    assert seen.outcomes[bad][:2] == ("error", "shape-mismatch")
    assert seen.outcomes[version][:2] == ("error", "inference-tensor")
    assert set(seen.seen[version][0]) == {"value", "dtype"}
    assert seen.outcomes[anomaly][:2] == ("error", "nan-detected")
    assert seen.outcomes[anomaly].warnings == ()
    assert set(seen.outcomes) == {bad, version, anomaly}


def test_grad_and_double_backward(backend: TorchBackend) -> None:
    b = Builder("float64")
    b.leaf("x", 2.0)
    b.leaf("u", 1.0)
    b.op("y", "pow", input=T("x"), exponent=3)
    b.grad("y", "x", "g", create_graph=True)
    b.grad("y", "x u", "a n", retain_graph=True, allow_unused=True)
    b.grad("y", "x u", "a m", retain_graph=True, materialize_grads=True)
    unused = b.grad("y", "x u", "p q", retain_graph=True)
    b.backward("g")
    at = b.watch("x g n m", "value", "grad")
    seen = b.run(backend)
    assert seen.outcomes[unused][:2] == ("error", "unused-input")
    x, g, n, m = seen.seen[at]
    assert (x["grad"].item(), g["value"].item(), n, m["value"].item()) == (12.0, 12.0, {"none": True}, 0.0)


def test_jvp_replays_what_leads_there(backend: TorchBackend) -> None:
    b = Builder("float64")
    b.leaf("x", [1.0, 2.0])
    b.leaf("w", [3.0, 5.0])
    b.op("y", "mul", input=T("x"), other=T("w"))
    b.op("", "mul_", input=T("y"), other=T("x"))
    b.grad("y", "x", "g", gradient=[1.0, 1.0], create_graph=True)
    with b.block("no_grad"):
        b.op("", "mul_", input=T("w"), other=0)  # later changes do not reach back
    b.jvp("y", "dy", x=[1.0, 10.0])
    b.jvp("g", "dg", x=[1.0, 10.0], w=[1.0, 0.0])
    b.jvp("y", "cut", y=[7.0, 8.0])
    b.op("other", "exp", input=T("w"))
    b.jvp("other", "none", x=[1.0, 1.0])
    at = b.watch("dy dg cut none", "value")
    seen = b.run(backend)
    assert seen.outcomes == {}
    dy, dg, cut, none = seen.seen[at]
    assert dy["value"].flat() == [6.0, 200.0]  # 2 x w v
    assert dg["value"].flat() == [8.0, 100.0]  # 2 w v + 2 x ẇ
    assert cut["value"].flat() == [7.0, 16.0]  # the tangent is given to x*w, which is then multiplied by x
    assert none == {"none": True}


def test_zero_grad_and_attributes(backend: TorchBackend) -> None:
    b = Builder()
    b.leaf("x", 2.0)
    b.leaf("y", 3.0)
    b.op("z", "mul", input=T("x"), other=T("y"))
    b.backward("z")
    b.zero_grad("x", set_to_none=False)
    b.zero_grad("y")
    first = b.watch("x y", "grad")
    b.set("y", "grad", T("x"))
    b.set("x", "grad", None)
    bad = b.set("x", "grad", T("x"))
    b.set("x", "requires_grad", False)
    b.get("d", "y", "data")
    end = b.watch("x y d", "grad", "requires_grad")
    seen = b.run(backend)
    assert [one["grad"] and one["grad"].item() for one in seen.seen[first]] == [0.0, None]
    assert seen.outcomes == {bad: seen.outcomes[bad]} and seen.outcomes[bad].code == "gradient-is-self"
    x, y, d = seen.seen[end]
    assert (x["grad"], y["grad"].item(), x["requires_grad"], d["requires_grad"]) == (None, 2.0, False, False)


def test_a_failing_step_binds_nothing_and_the_rest_runs(backend: TorchBackend) -> None:
    b = Builder()
    b.leaf("x", V)
    b.leaf("n", [1, 2], dtype="int64")
    bad = b.op("y", "reshape", input=T("x"), shape=(2, 2))
    b.op("y", "mul", at=bad, input=T("x"), other=2)
    needs = b.op("z", "mul", input=T("y"), other=2)
    leaf = b.op("m", "mul", input=T("n"), other=2)
    unknown = b.op("u", "no_such_op", input=T("x"))
    after = b.op("u", "mul", input=T("u"), other=2)
    fine = b.op("w", "mul", input=T("x"), other=2)
    at = b.watch("y u w", "value")
    seen = b.run(backend)
    assert seen.outcomes[-1][:2] == ("error", "dtype-not-differentiable")
    assert seen.outcomes[bad][:2] == ("error", "shape-mismatch")
    assert seen.outcomes[needs].status == "not-run" and '"y"' in seen.outcomes[needs].text
    assert seen.outcomes[leaf].status == "not-run"
    assert seen.outcomes[unknown][:2] == ("unsupported", "op:no_such_op")
    assert seen.outcomes[after][:2] == ("unsupported", "op:no_such_op")
    assert fine not in seen.outcomes
    assert [set(one) for one in seen.seen[at]] == [{"missing"}, {"missing", "unsupported"}, {"value"}]


def test_dtypes_are_exact(backend: TorchBackend) -> None:
    for dtype, values in {
        "bfloat16": [1.0, -0.0, 3.140625], "float16": [65504.0, 6e-8], "float32": [0.1, float("inf")],
        "complex64": [1 + 2j, complex(-0.0, 3)], "complex128": [0.1 - 1e-300j], "bool": [True, False],
        "uint8": [255], "int64": [2**62 + 1],
    }.items():  # fmt: skip
        b = Builder()
        b.leaf("x", Dense(dtype, (len(values),), values), requires_grad=False)
        at = b.watch("x", "value", "dtype")
        expected = torch.tensor(values, dtype=getattr(torch, dtype)).tolist()
        [x] = b.run(backend).seen[at]
        assert (x["dtype"], repr(x["value"].flat())) == (dtype, repr(expected))


def test_the_session_is_put_back(backend: TorchBackend) -> None:
    before = torch.get_default_dtype(), torch.get_num_threads(), torch.is_warn_always_enabled()
    b = Builder("float64")
    b.leaf("x", [1, 2], requires_grad=False, dtype="int64")
    b.op("y", "div", input=T("x"), other=2)
    at = b.watch("y", "dtype")
    assert b.run(backend).seen[at] == [{"dtype": "float64"}]
    assert before == (torch.get_default_dtype(), torch.get_num_threads(), torch.is_warn_always_enabled())


WRITTEN = {
    "once-differentiable": """
steps:
  - custom: {name: F, of: x, out: y, once_differentiable: true, forward: [{op: y = x * x}], save: x,
             backward: [{op: dx = grad * x}], returns: dx}
  - op: z = y * y
  - grad: {of: z, wrt: x, out: g, create_graph: true}
  - backward: g
""",
    "custom-view-in-place": """
steps:
  - custom: {name: F, of: x, out: y, forward: [{op: "y = x[None]"}], backward: [], returns: null}
  - op: y *= 2
""",
    "hook-undefined": """
steps:
  - op: m = x * 3
  - hook: {of: m, name: h, do: [{op: grad = tensor(5.0)}]}
  - custom: {name: F, of: m, out: y, forward: [{op: y = m * 1}], backward: [], returns: null}
  - backward: y
""",
    "leaf-moved": """
steps:
  - op: a = tensor([1.0, 2.0])
  - op: y = a[0:1]
  - op: requires_grad_(y, True)
  - op: a[0] = sum(y)
  - backward: {of: y, gradient: [3.0]}
""",
    "checkpoint-mismatch": """
steps:
  - op: w = tensor(5.0, requires_grad=True)
  - checkpoint: [{op: y = x * w}]
  - op: w.requires_grad = False
  - backward: y
""",
    "gradient-shape": """
steps:
  - op: v = expand(x, [3])
  - custom: {name: F, of: v, out: y, forward: [{op: y = v * 1}],
             backward: [{op: "dv = tensor([1.0, 2.0])"}], returns: dv}
  - backward: {of: y, gradient: [0.5, 1.0, 2.0]}
""",
    "gradient-dtype": """
steps:
  - custom: {name: F, of: x, out: y, forward: [{op: y = x * 1}], backward: [{op: dx = grad * 1j}], returns: dx}
  - backward: y
""",
    "no-derivative": """
steps:
  - custom: {name: F, of: x, out: y, forward: [{op: y = x * 1}], backward: [{op: dx = grad}], returns: dx}
  - jvp: {of: y, tangents: {x: 1.0}, out: t}
""",
}  # fmt: skip


def error_programs() -> dict[str, list[Any]]:
    """Programs whose last step before the end must fail, by the code it must give."""

    def start(data: Any = V, **kwargs: Any) -> Builder:
        b = Builder()
        b.leaf("x", data, **kwargs)
        return b

    tensors = "tensors: {x: {data: 2.0, requires_grad: true}}"
    found: dict[str, list[Any]] = {code: [Written(tensors + body)] for code, body in WRITTEN.items()}

    def case(code: str, data: Any = V, **kwargs: Any) -> Builder:
        b = start(data, **kwargs)
        found.setdefault(code, []).append(b)
        return b

    b = case("graph-freed")
    b.op("y", "exp", input=T("x"))
    b.backward("y", V)
    b.backward("y", V)
    case("untracked", requires_grad=False).retain_grad("x")
    case("untracked", 1.0, requires_grad=False).backward("x")
    with case("untracked", 1.0, requires_grad=False).hook("x", "h"):
        pass
    case("not-scalar").backward("x")
    case("complex-root", 1 + 1j, dtype="complex64").backward("x")
    case("gradient-shape").backward("x", [1.0])
    case("gradient-dtype").backward("x", dense([1j, 1j, 1j], "complex64"))
    b = case("gradient-shape")
    b.make("g", [1.0])
    b.set("x", "grad", T("g"))
    b = case("gradient-dtype")
    b.make("g", V, dtype="float64")
    b.set("x", "grad", T("g"))
    case("gradient-is-self").set("x", "grad", T("x"))
    b = case("unused-input", 1.0)
    b.make("u", 1.0, requires_grad=True)
    b.grad("x", "u", "g")
    b = case("conflicting-arguments", 1.0)
    b.grad("x", "x", "g", allow_unused=False, materialize_grads=True)
    case("no-inputs", 1.0).backward("x", inputs="")
    b = case("gradient-count", 1.0)
    b.backward("x x", (1.0,))
    b = case("no-derivative", 3.0)
    b.op("y", "floor_divide", input=T("x"), other=2)
    b.backward("y")
    case("leaf-in-place").op("", "mul_", input=T("x"), other=2)
    case("leaf-in-place").op("", "__setitem__", input=T("x"), index=0, value=2.0)
    b = case("modified-in-place")
    b.op("y", "exp", input=T("x"))
    b.op("", "mul_", input=T("y"), other=2)
    b.backward("y", V)
    b = case("no-grad-view-in-place")
    b.op("y", "clone", input=T("x"))
    with b.block("no_grad"):
        b.op("v", "__getitem__", input=T("y"), index=IndexSlice(0, 1))
    b.op("", "mul_", input=T("v"), other=2)
    b = case("multi-view-in-place")
    b.op("y", "clone", input=T("x"))
    b.op("p q", "split", tensor=T("y"), split_size_or_sections=(1, 2))
    b.op("", "mul_", input=T("p"), other=2)
    b = case("view-detached-in-place")
    b.op("y", "clone", input=T("x"))
    b.op("v", "view", input=T("y"), size=(3, 1))
    b.op("", "detach_", input=T("v"))
    b = case("overlapping-memory", [1.0], requires_grad=False)
    b.op("y", "expand", input=T("x"), size=(3,))
    b.op("", "add_", input=T("y"), other=1)
    b = case("inference-tensor")
    with b.block("inference_mode"):
        b.op("i", "mul", input=T("x"), other=1)
    b.op("y", "mul", input=T("x"), other=T("i"))
    b = case("non-leaf-requires-grad")
    b.op("y", "mul", input=T("x"), other=1)
    b.set("y", "requires_grad", False)
    case("dtype-not-differentiable").make("n", [1], requires_grad=True, dtype="int64")
    b = case("dtype-not-differentiable")
    b.make("n", [1], dtype="int64")
    b.set("n", "requires_grad", True)
    for code, op, args in (("hook-shape", "sum", {}), ("hook-dtype", "to", {"dtype": "float64"})):
        b = case(code)
        with b.hook("x", "h"):
            b.op("grad", op, input=T("grad"), **args)
        b.backward("x", V)
    b = case("nan-detected", 0.0)
    b.op("y", "sqrt", input=T("x"))
    b.op("y", "mul", input=T("y"), other=0)
    with b.block("detect_anomaly"):
        b.backward("y")
    m = [[1.0, 2.0], [3.0, 4.0]]
    ops: list[tuple[str, Any, str, dict[str, Any]]] = [
        ("shape-mismatch", m, "add", dict(other=T("v"))), ("shape-mismatch", m, "matmul", dict(other=T("v"))),
        ("shape-mismatch", m, "reshape", dict(shape=(3,))), ("shape-mismatch", m, "expand", dict(size=(3, 3))),
        ("dtype-mismatch", m, "matmul", dict(other=T("d"))), ("dtype-cast", m, "div_", {}),
        ("dtype-unsupported", m, "__getitem__", dict(index=T("v"))),
        ("not-viewable", m, "view", dict(size=(4,))), ("index-out-of-range", m, "__getitem__", dict(index=2)),
        ("dim-out-of-range", m, "sum", dict(dim=2)), ("dim-repeated", m, "sum", dict(dim=(0, 0))),
        ("dim-repeated", m, "permute", dict(dims=(0, 0))),
        ("too-many-indices", m, "__getitem__", dict(index=(0, 0, 0))),
        ("negative-step", m, "__getitem__", dict(index=IndexSlice(None, None, -1))),
        ("empty-reduction", [[], []], "amax", dict(dim=1)),
        ("singular-matrix", [[1.0, 1.0], [1.0, 1.0]], "linalg.inv", {}),
        ("invalid-argument", m, "reshape", dict(shape=(-1, -1))),
        ("invalid-argument", m, "div", dict(other=T("v"), rounding_mode="up")),
    ]  # fmt: skip
    for code, data, op, args in ops:
        b = case(code, data, requires_grad=False)
        b.make("v", V)
        b.make("d", m, dtype="float64")
        b.make("n", [1, 2], dtype="int64")
        if op == "view":
            b.op("x", "transpose", input=T("x"), dim0=0, dim1=1)
        if op == "div_":
            b.op("", op, input=T("n"), other=2)
        else:
            b.op("y", op, input=T("x"), **args)
    b = case("negative-integer-power")
    b.make("n", [1, 2], dtype="int64")
    b.op("y", "pow", input=T("n"), exponent=-1)
    return found


def test_every_error_code_is_reached_and_mapped(backend: TorchBackend) -> None:
    programs = error_programs()
    assert set(programs) == set(ERROR_CODES)
    for code, builders in programs.items():
        for b in builders:
            outcomes = b.run(backend).outcomes
            assert list(outcomes) == [b.count - 1], (code, outcomes)
            assert outcomes[b.count - 1][:2] == ("error", code), outcomes
