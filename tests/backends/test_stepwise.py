"""The bookkeeping that all stepwise backends share, with an engine of a few lines."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from gradspec.backends.base import NATIVE, Warned
from gradspec.backends.stepwise import StepwiseBackend
from gradspec.dense import Dense
from gradspec.errors import ProgramError, UnsupportedFeature
from gradspec.spec.model import Apply
from tests.backends.builder import Builder, T


class Cell:
    """A float that backward adds one to the gradient of."""

    def __init__(self, value: float) -> None:
        self.value, self.grad = value, None
        self.hooks: list[Any] = []


class Toy(StepwiseBackend):
    name = "toy"

    def __init__(self) -> None:
        super().__init__()
        self.prepared: list[str] = []

    def supports(self, feature: str) -> str:
        return NATIVE

    def prepare(self, call: Any) -> str:
        self.prepared.append(call.op)
        return call.op

    def leaf(self, data: Dense, requires_grad: bool) -> Cell:
        if data.dtype == "bfloat16":
            raise UnsupportedFeature("dtype:bfloat16")
        return Cell(data.item())

    def apply(self, call: str, inputs: list[Any]) -> list[Cell]:
        values = [one.value if isinstance(one, Cell) else one for one in inputs]
        match call:
            case "add":
                return [Cell(sum(values))]
            case "warn":
                self.pending.append(Warned("non-leaf-grad", f"{values[0]}"))
                return [Cell(values[0])]
            case "raise":
                raise ProgramError("shape-mismatch", "no")
            case "crash":
                raise KeyError("lost")
            case "exit":
                raise SystemExit(3)
            case "foreign_" | "foreign":
                raise UnsupportedFeature(f"op:{call}", "not here")
            case "stop":
                raise KeyboardInterrupt
        raise AssertionError(call)

    def classify(self, error: BaseException) -> str:
        return "index-out-of-range" if isinstance(error, KeyError) else "unclassified"

    def read(self, tensor: Cell) -> Dense:
        return Dense("float64", (), [tensor.value])

    def grad_of(self, tensor: Cell) -> Cell | None:
        return tensor.grad

    def backward(self, roots: Any, gradients: Any, retain_graph: Any, create_graph: Any, inputs: Any) -> None:
        if create_graph:
            raise UnsupportedFeature("double-backward")
        for root in roots:
            given = Cell(1.0)
            for hook in root.hooks:
                given = hook(given) or given
            root.grad = Cell((root.grad.value if root.grad else 0.0) + given.value)

    def zero_grad(self, tensor: Cell, set_to_none: bool) -> None:
        tensor.grad = None

    def hook(self, tensor: Cell, function: Any, after: str) -> Any:
        tensor.hooks.append(function)
        return tensor.hooks, function

    def block(self, mode: str) -> Any:
        if mode == "inference_mode":
            raise UnsupportedFeature("inference-mode")
        return nullcontext()

    def observe(self, tensor: Cell, field: str) -> Any:
        if field == "repr":
            raise ZeroDivisionError("no repr")
        if field == "version":
            raise UnsupportedFeature("version")
        return field


def value(seen: list[dict[str, Any]]) -> list[Any]:
    return [one["value"].item() if "value" in one else one for one in seen]


def test_a_call_is_prepared_once() -> None:
    backend, b = Toy(), Builder()
    b.leaf("x", 1.0)
    for _ in range(5):
        b.op("x", "add", input=T("x"), other=2)
    at = b.watch("x", "value")
    assert value(b.run(backend).seen[at]) == [11.0]
    assert backend.prepared == ["add"]


@pytest.mark.parametrize(
    ("op", "outcome"),
    [("raise", ("error", "shape-mismatch", "no")), ("crash", ("error", "index-out-of-range", "'lost'")),
     ("exit", ("error", "unclassified", "3")), ("foreign", ("unsupported", "op:foreign", "not here"))],
)  # fmt: skip
def test_whatever_is_thrown_becomes_the_outcome(op: str, outcome: tuple[str, str, str]) -> None:
    b = Builder()
    b.leaf("x", 1.0)
    bad = b.op("y", op, input=T("x"))
    b.op("y", "add", at=bad, input=T("x"), other=1)  # the rest of the same statement
    needs = b.op("z", "add", input=T("y"), other=1)
    b.op("w", "add", input=T("x"), other=1)
    at = b.watch("y z w", "value")
    seen = b.run(Toy())
    assert seen.outcomes[bad][:3] == outcome
    if outcome[0] == "error":
        assert seen.outcomes[needs][:2] == ("not-run", "")
        assert value(seen.seen[at]) == [{"missing": True}, {"missing": True}, 2.0]
    else:
        assert seen.outcomes[needs][:2] == ("unsupported", "op:foreign")
        assert value(seen.seen[at])[1] == {"missing": True, "unsupported": "op:foreign"}
    assert '"y"' in seen.outcomes[needs].text
    assert set(seen.outcomes) == {bad, needs}


def test_an_interrupt_goes_on() -> None:
    b = Builder()
    b.leaf("x", 1.0)
    b.op("y", "stop", input=T("x"))
    with pytest.raises(KeyboardInterrupt):
        b.run(Toy())


def test_warnings_belong_to_their_step() -> None:
    b = Builder()
    b.leaf("x", 1.0)
    first = b.op("y", "warn", input=T("x"))
    second = b.op("z", "add", input=T("x"), other=T("x"))
    b.op("z", "warn", at=second, input=T("z"))
    b.op("z", "warn", at=second, input=T("z"))
    b.op("z", "raise", at=second, input=T("z"))
    outcomes = b.run(Toy()).outcomes
    assert outcomes[first][:4] == ("ok", "", "", (Warned("non-leaf-grad", "1.0"),))
    assert outcomes[second][:4] == ("error", "shape-mismatch", "no", (Warned("non-leaf-grad", "2.0"),) * 2)


def test_the_rest_of_a_block_runs() -> None:
    b = Builder()
    b.leaf("x", 1.0)
    with b.block("no_grad"):
        bad = b.op("y", "raise", input=T("x"))
        b.op("z", "add", input=T("x"), other=1)
    at = b.watch("z", "value")
    seen = b.run(Toy())
    assert set(seen.outcomes) == {bad}
    assert value(seen.seen[at]) == [2.0]


def test_an_unsupported_block_takes_its_steps_with_it() -> None:
    b = Builder()
    b.leaf("x", 1.0)
    with b.block("inference_mode") as block:
        inner = b.op("y", "add", input=T("x"), other=1)
        look = b.watch("x", "value")
        with b.block("no_grad") as deeper:
            back = b.backward("x")
    needs = b.op("z", "add", input=T("y"), other=1)
    at = b.watch("x y z", "value", "grad")
    seen = b.run(Toy())
    cut = dict.fromkeys((block, inner, look, deeper, back, needs), ("unsupported", "inference-mode"))
    assert {key: outcome[:2] for key, outcome in seen.outcomes.items()} == cut
    x, y, z = seen.seen[at]
    assert set(x) == {"value"}, "what the backward would have added is not known"
    assert y == z == {"missing": True, "unsupported": "inference-mode"}
    assert look not in seen.seen


def test_after_an_unsupported_backward_gradients_are_unknown_until_removed() -> None:
    b = Builder()
    b.leaf("x", 1.0)
    b.leaf("y", 1.0)
    b.backward("x")
    before = b.watch("x", "grad")
    b.backward("x", create_graph=True, inputs="x")
    unknown = b.watch("x y", "grad")
    b.zero_grad("x")
    after = b.watch("x", "grad")
    b.backward("x", create_graph=True)
    all_unknown = b.watch("x y y.grad", "grad")
    seen = b.run(Toy()).seen
    assert seen[before][0]["grad"].item() == 1.0
    assert seen[unknown] == [{}, {"grad": None}]
    assert seen[after] == [{"grad": None}]
    assert seen[all_unknown] == [{}, {}, {}]


def test_an_unsupported_write_in_place_unbinds_its_tensor() -> None:
    b = Builder()
    b.leaf("x", 1.0)
    b.op("y", "add", input=T("x"), other=1)
    b.op("", "foreign_", input=T("y"))
    at = b.watch("x y", "value")
    assert value(b.run(Toy()).seen[at]) == [1.0, {"missing": True, "unsupported": "op:foreign_"}]


def test_leaves_that_cannot_be_made() -> None:
    b = Builder()
    b.leaf("x", 1.0, dtype="bfloat16")
    b.leaf("copy", T("x"))
    b.leaf("y", 1.0)
    at = b.watch("x copy y", "value")
    seen = b.run(Toy())
    assert seen.outcomes[-1][:2] == ("unsupported", "dtype:bfloat16")
    assert [set(one) for one in seen.seen[at]] == [{"missing", "unsupported"}] * 2 + [{"value"}]


def test_a_field_that_fails_leaves_the_others() -> None:
    b = Builder()
    b.leaf("x", 1.0)
    at = b.watch("x", "dtype", "repr", "version", "shape")
    seen = b.run(Toy())
    assert seen.seen[at] == [{"dtype": "dtype", "shape": "shape"}]
    assert seen.outcomes[at][:4] == ("error", "unclassified", "no repr", ())


def test_hooks_run_their_steps_on_grad() -> None:
    b = Builder()
    b.leaf("x", 1.0)
    with b.hook("x", "add"):
        b.op("grad", "add", input=T("grad"), other=2)
    with b.hook("x", "look"):
        look = b.watch("grad", "value")
    b.backward("x")
    b.backward("x")
    at, log = b.watch("x", "grad"), b.hook_log()
    empty = b.hook_log()
    with b.hook("x", "bad"):
        b.op("grad", "raise", input=T("grad"))
    back = b.backward("x")
    seen = b.run(Toy())
    assert value(seen.seen[look]) == [3.0]
    assert seen.seen[at][0]["grad"].item() == 6.0
    assert [(name, given.item()) for name, given in seen.hooks[log]] == [("add", 1.0), ("look", 3.0)] * 2
    assert seen.hooks[empty] == []
    assert {key: outcome[:2] for key, outcome in seen.outcomes.items()} == {back: ("error", "shape-mismatch")}


def test_a_hook_that_reads_what_was_never_made_is_not_run() -> None:
    b = Builder()
    b.leaf("x", 1.0)
    b.op("y", "raise", input=T("x"))
    with b.hook("x", "h") as hook:
        b.op("t", "add", input=T("grad"), other=T("y"))
        b.op("grad", "add", input=T("t"), other=1)
    removed = b.remove_hook("h")
    seen = b.run(Toy())
    assert [seen.outcomes[key].status for key in (hook, removed)] == ["not-run", "not-run"]


def test_a_subclass_may_take_over_runs_of_ops() -> None:
    class Fast(Toy):
        runs: list[int] = []  # noqa: RUF012

        def apply_run(self, run: Any, steps: Any, start: int) -> int:
            end = start
            while end < len(steps) and type(steps[end]) is Apply:
                end += 1
            self.runs.append(end - start)
            for step in steps[start:end]:
                run.values[step.out[0]] = Cell(sum(run.value(one).value for one in step.inputs))
            return end

    b = Builder()
    b.leaf("x", 1.0)
    b.op("x", "add", input=T("x"), other=T("x"))
    b.op("x", "add", input=T("x"), other=T("x"))
    b.backward("x")
    b.op("x", "add", input=T("x"), other=T("x"))
    at = b.watch("x", "value")
    backend = Fast()
    assert value(b.run(backend).seen[at]) == [8.0]
    assert backend.runs == [2, 1]
