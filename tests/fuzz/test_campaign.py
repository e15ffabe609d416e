"""Random programs: engines agree, and a wrong engine is found."""

from __future__ import annotations

import pytest

from gradspec.backends.numpy import NumpyBackend
from gradspec.backends.python import PythonBackend
from gradspec.fuzz.run import campaign, report
from tests.fuzz.planted import PLANTED

SEED = 20


def told(came) -> str:
    return "\n".join(report(came))


def test_the_embedded_engines_see_the_same() -> None:
    came = campaign(SEED, 150, [PythonBackend()], NumpyBackend(), shrink_seconds=3)
    assert came.programs == 150
    assert not came.findings, told(came)
    assert came.asides <= 1


@pytest.mark.torch
@pytest.mark.slow
def test_the_embedded_engines_see_what_torch_sees() -> None:
    pytest.importorskip("torch")
    from gradspec.backends.torch import TorchBackend

    came = campaign(SEED, 300, [NumpyBackend(), PythonBackend()], TorchBackend(), shrink_seconds=5)
    assert came.programs == 300
    assert not came.findings, told(came)
    assert came.asides <= 3, f"seed {SEED}: set aside {came.asides}"


@pytest.mark.parametrize("field", PLANTED)
def test_a_planted_fault_is_found_and_cut_down(field: str) -> None:
    came = campaign(SEED, 100, [PLANTED[field]()], NumpyBackend(), shrinking=False)
    kinds = [finding.difference.field for finding in came.findings.values()]
    assert field in kinds, f"seed {SEED}: {kinds}"


def test_a_finding_is_a_short_spec_that_says_what_was_expected() -> None:
    number = next(
        finding.number
        for finding in campaign(
            SEED, 60, [PLANTED["value"]()], NumpyBackend(), shrinking=False
        ).findings.values()
        if finding.difference.field == "value"
    )
    came = campaign(SEED, 1, [PLANTED["value"]()], NumpyBackend(), start=number, shrink_seconds=5)
    (finding,) = came.findings.values()
    assert "sin" in finding.spec
    assert finding.spec.count("\n  - ") <= 5, finding.spec  # of 5 to 40 steps drawn
    from gradspec.spec.load import load_text

    (spec,) = load_text(finding.spec, "found.gradspec.yaml")
    assert spec.expectations[-1].checks


def test_what_is_drawn_is_printed_as_a_spec_that_loads() -> None:
    from gradspec.fuzz.generate import draw
    from gradspec.fuzz.text import spec_text
    from gradspec.spec.load import load_text

    for number in range(150):
        (spec,) = load_text(spec_text(draw(SEED, number)), "found.gradspec.yaml")
        assert spec.program.steps
