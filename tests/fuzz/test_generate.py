"""Programs are reproducible, valid, varied, and mostly work."""

from __future__ import annotations

from collections import Counter

import pytest

from gradspec.backends.numpy import NumpyBackend
from gradspec.fuzz.calls import CHANGES, OPS
from gradspec.fuzz.draft import bodies, faults_of, program_of
from gradspec.fuzz.generate import draw

SEED, COUNT = 4, 200


@pytest.fixture(scope="module")
def views():
    return [draw(SEED, number) for number in range(COUNT)]


def verbs(steps) -> Counter[str]:
    found: Counter[str] = Counter()
    for step in steps:
        found[next(iter(step))] += 1
        for body in bodies(step):
            found += verbs(body)
    return found


def test_a_program_follows_from_seed_and_number(views) -> None:
    assert draw(SEED, 17) == views[17]
    assert draw(SEED + 1, 17) != views[17]


def test_every_program_is_a_valid_spec(views) -> None:
    assert not [(view["id"], faults) for view in views if (faults := faults_of(view))]


def test_the_whole_language_comes_up(views) -> None:
    found = sum((verbs(view["steps"]) for view in views), Counter())
    wanted = {
        "op", "backward", "grad", "jvp", "retain_grad", "zero_grad", "no_grad", "enable_grad",
        "detect_anomaly", "hook", "remove_hook", "expect", "expect_hooks",
    }  # fmt: skip
    assert not wanted - set(found)


def test_most_ops_come_up(views) -> None:
    called = {call.op for view in views for call in program_of(view).calls}
    assert len(called & set(OPS)) >= 0.85 * len(OPS), sorted(set(OPS) - called)
    assert len({op.removesuffix("_") for op in called if op.endswith("_")} & set(CHANGES)) >= 0.5 * len(
        CHANGES
    )


def test_most_programs_work(views) -> None:
    backend = NumpyBackend()
    runs = [backend.run(program_of(view)) for view in views]
    failing = sum(any(one.status == "error" for one in run.outcomes.values()) for run in runs)
    assert 0.1 * COUNT <= failing <= 0.5 * COUNT, f"seed {SEED}: {failing} of {COUNT} have an error"
    codes = {one.code for run in runs for one in run.outcomes.values() if one.status == "error"}
    assert len(codes) >= 10, codes
