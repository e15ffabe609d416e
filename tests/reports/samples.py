"""Verdicts of every kind, made by hand."""

from __future__ import annotations

from typing import Any

from gradspec.dense import Dense
from gradspec.errors import Place
from gradspec.runner.compare import bound_for, compare
from gradspec.runner.events import (
    BackendReady,
    BackendUnavailable,
    Event,
    RunStarted,
    SpecFinished,
)
from gradspec.runner.tally import Tally
from gradspec.runner.verdict import CheckResult, Shown, Verdict, count

FILE = "specs/ops/sqrt.gradspec.yaml"
SEED = "specs/seed/one.gradspec.yaml"
HELD = CheckResult("passed", 1, "x", "value", Place(FILE, 3))
LEFT_OUT = CheckResult("unsupported", 2, "x", "grad_fn", Place(FILE, 4), feature="grad-fn")
EMULATED = HELD._replace(emulated=True)


def wrong_grad(scale: float = 2.0) -> CheckResult:
    want = Dense("float32", (2, 2), [1.0, 2.0, 3.0, 0.25])
    difference = compare(
        want, Dense("float32", (2, 2), [scale * v for v in want.data]), bound_for(["float32"], None)
    )
    assert difference is not None
    return CheckResult(
        "failed", 3, "w", "grad", Place(FILE, 17, 9), summary=difference.summary, difference=difference,
        pattern="a factor of 2", context="after backward 1 (line 16)", origin="made by mul, line 12",
    )  # fmt: skip


STEP = CheckResult(
    "failed", 4, "", "step", Place(FILE, 12, 5), summary="unexpected error graph-freed: again",
    context="at `backward: y` (line 12)",
)  # fmt: skip
NOT_RUN = CheckResult("not-run", 5, "z", "value", Place(FILE, 18, 9), summary='"z" has no value')


def verdict(
    checks: tuple[CheckResult, ...] = (HELD,),
    outcome: str = "passed",
    backend: str = "python",
    id: str = "ops.sqrt",
    file: str = FILE,
    **more: Any,
) -> Verdict:
    return Verdict(id, file, 2, "", backend, "float32", outcome, checks, count(checks), **more)


VERDICTS = (
    verdict(),
    verdict((HELD, LEFT_OUT), backend="numpy", follows=("zero",)),
    verdict((wrong_grad(), HELD), "failed", id="ops.wrong"),
    verdict((STEP, NOT_RUN), "failed", "numpy", "ops.wrong"),
    verdict((HELD, EMULATED), id="seed.one", file=SEED, warnings=(Shown(7, "complex-half", "hm"),)),
    verdict((), "error", "numpy", "seed.one", SEED, message="ValueError: boom (x.py:1)"),
    verdict((LEFT_OUT,), "unsupported", id="ops.un", message="grad-fn"),
    verdict((), "unchecked", "numpy", "ops.un"),
)  # fmt: skip

LOST = (
    verdict((), "crash", "numpy", "ops.dead", message="killed by SIGSEGV", output="oh\nno"),
    verdict((), "timeout", "python", "ops.slow", message="no answer within 5 s"),
)


def events(verdicts: tuple[Verdict, ...] = VERDICTS, exit_code: int = 3) -> list[Event]:
    names = tuple(dict.fromkeys(v.backend for v in verdicts))
    before: list[Event] = [
        RunStarted("0.1.0", len(verdicts), (*names, "gone")),
        *(BackendReady(name, "1.0") for name in names),
        BackendUnavailable("gone", 'backend "gone" needs what is not here: pip install gone'),
        *(SpecFinished(v) for v in verdicts),
    ]
    tally = Tally()
    for event in before:
        tally(event)
    return [*before, tally.finished(exit_code, 0.314)._replace(left=0)]
