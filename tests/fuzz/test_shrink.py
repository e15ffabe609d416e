"""Cutting down: only what matters stays, and what is no program is never asked about."""

from __future__ import annotations

from gradspec.fuzz.draft import View, bodies, faults_of
from gradspec.fuzz.generate import draw
from gradspec.fuzz.shrink import shrink


def statements(steps: list[View]) -> list[str]:
    found: list[str] = []
    for step in steps:
        found += [step["op"]] if "op" in step else []
        for body in bodies(step):
            found += statements(body)
    return found


def test_one_statement_stays() -> None:
    number, wanted = next(
        (number, name)
        for number in range(50)
        for name in ("tanh(",)
        if any(name in text for text in statements(draw(3, number)["steps"]))
    )

    def still(view: View) -> bool:
        return not faults_of(view) and any(wanted in text for text in statements(view["steps"]))

    small = shrink(draw(3, number), still, seconds=10)
    assert still(small)
    assert len(small["steps"]) <= 4, small
    assert len(small["tensors"]) <= 2


def test_blocks_are_opened_and_data_is_shortened() -> None:
    view = {
        "gradspec": 1,
        "id": "nested",
        "tensors": {"x": {"data": [[1.25, 2.5], [3.0, 4.0]], "requires_grad": True}, "z": {"data": 1.0}},
        "steps": [
            {"no_grad": [{"enable_grad": [{"op": "y = exp(x)"}, {"op": "u = y * 2"}]}]},
            {"op": "v = z + 1"},
        ],
    }
    small = shrink(view, lambda one: not faults_of(one) and "y = exp(x)" in statements(one["steps"]))
    assert small["steps"] == [{"op": "y = exp(x)"}]
    assert small["tensors"] == {"x": {"data": 1.0}}


def test_nothing_smaller_leaves_it_as_it_is() -> None:
    view = draw(3, 1)
    assert shrink(view, lambda _: False) == view
