"""What counts as a difference, and what rounding explains."""

from __future__ import annotations

import pytest

from gradspec.backends.base import Observations, Outcome, Warned
from gradspec.backends.numpy import NumpyBackend
from gradspec.dense import Dense
from gradspec.fuzz.compare import judge
from gradspec.fuzz.draft import program_of, watch
from gradspec.fuzz.rerun import moved, precision, wide

VIEW = {
    "gradspec": 1,
    "id": "pair",
    "tensors": {"x": {"data": [1.5, -2.0], "dtype": "float32", "requires_grad": True}},
    "steps": [{"op": "y = sum(exp(x))"}, {"backward": "y"}, watch(["x", "y"])],
}
CANCELS = {
    "gradspec": 1,
    "id": "cancels",
    "tensors": {"x": {"data": 1.1, "dtype": "float32"}},
    "steps": [{"op": "y = x * 1000 - x * 999.9375"}, watch(["y"])],
}
BRANCHES = {
    "gradspec": 1,
    "id": "branches",
    "tensors": {"x": {"data": 0.3, "dtype": "float32"}},
    "steps": [{"op": "y = x * x"}, {"op": "z = gt(y, 0.09000000357627869)"}, watch(["x", "y", "z"])],
}


def run(view=VIEW):
    program = program_of(view)
    return program, NumpyBackend().run(program)


def with_look(seen: Observations, index: int, **changes) -> Observations:
    (at,) = seen.seen
    looks = [dict(look) for look in seen.seen[at]]
    looks[index] |= changes
    return seen._replace(seen={at: looks})


def judged(view, change):
    program, seen = run(view)
    return judge(program, seen, change(seen), NumpyBackend(), NumpyBackend())


def scaled(dense: Dense, factor: float) -> Dense:
    return Dense(dense.dtype, dense.shape, [value * factor for value in dense.flat()])


def test_a_run_equals_itself() -> None:
    assert judged(VIEW, lambda seen: seen).verdict == "same"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("grad", None),
        ("is_leaf", False),
        ("requires_grad", False),
        ("grad_fn", "X"),
        ("version", 3),
        ("shape", (2, 1)),
    ],
)
def test_every_flag_counts(field: str, value: object) -> None:
    found = judged(VIEW, lambda seen: with_look(seen, 0, **{field: value}))
    assert found.verdict == "different"
    assert found.difference.field == field


def test_none_is_not_zero() -> None:
    zero = Dense("float32", (), [0.0])
    found = judged(VIEW, lambda seen: with_look(seen, 1, grad=zero))
    assert found.difference.field == "grad"


def test_one_tensor_is_not_two() -> None:
    program, seen = run()
    (at,) = seen.seen
    first = seen.seen[at][0]["same_as"]
    found = judge(program, seen, with_look(seen, 1, same_as=first), NumpyBackend(), NumpyBackend())
    assert found.difference.field == "same_as"


@pytest.mark.parametrize(
    "outcome", [Outcome("error", "graph-freed"), Outcome("ok", warnings=(Warned("complex-half", ""),))]
)
def test_outcomes_count(outcome: Outcome) -> None:
    found = judged(VIEW, lambda seen: seen._replace(outcomes={1: outcome}))
    assert found.verdict == "different"
    assert found.difference.at == 1


def test_what_is_unsupported_ends_the_comparison() -> None:
    found = judged(VIEW, lambda seen: seen._replace(outcomes={1: Outcome("unsupported", "views")}, seen={}))
    assert (found.verdict, found.unsupported) == ("same", "views")


def test_an_ulp_is_rounding_and_a_thousandth_is_not() -> None:
    for factor, verdict in ((1 + 2**-22, "same"), (1.001, "different")):
        found = judged(
            VIEW, lambda seen, f=factor: with_look(seen, 0, grad=scaled(seen.seen[2][0]["grad"], f))
        )
        assert found.verdict == verdict, factor


def test_what_cancelled_may_differ_by_more() -> None:
    """y is about 0.07 of numbers of about 1100: their ulps are a ten-thousandth of it."""
    found = judged(CANCELS, lambda seen: with_look(seen, 0, value=scaled(seen.seen[1][0]["value"], 1.002)))
    assert found.verdict == "same"
    found = judged(CANCELS, lambda seen: with_look(seen, 0, value=scaled(seen.seen[1][0]["value"], 1.5)))
    assert found.verdict == "different"


def flipped(seen: Observations, rounded: bool) -> Observations:
    changed = with_look(seen, 2, value=Dense("bool", (), [not seen.seen[2][2]["value"].item()]))
    return with_look(changed, 1, value=scaled(seen.seen[2][1]["value"], 1 + 2**-23)) if rounded else changed


def test_a_branch_within_rounding_is_set_aside_and_any_other_is_not() -> None:
    assert judged(BRANCHES, lambda seen: flipped(seen, rounded=True)).verdict == "aside"
    assert judged(BRANCHES, lambda seen: flipped(seen, rounded=False)).verdict == "different"


def test_infinities_must_agree() -> None:
    infinite = Dense("float32", (), [float("inf")])
    assert judged(VIEW, lambda seen: with_look(seen, 1, value=infinite)).verdict == "different"


def test_reruns_are_wide_and_moved() -> None:
    program = program_of(VIEW)
    assert precision(program) == 2.0**-23
    widened = wide(program)
    assert widened.leaves[0].data.dtype == "float64"
    nudged = moved(widened, 1e-6, seed=1).leaves[0].data.flat()
    assert [abs(a / b - 1) for a, b in zip(nudged, [1.5, -2.0], strict=True)] == pytest.approx(
        [1e-6, 1e-6], rel=1e-3
    )
