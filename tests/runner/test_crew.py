"""Worker processes between their jobs, and jobs that make no sense."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from gradspec.errors import NoWorkers
from gradspec.runner.cases import NO_LIMITS, Case, batches
from gradspec.runner.crew import Crew
from gradspec.runner.jobs import Bench, job_of
from gradspec.spec.load import load_paths
from tests.runner.real import write_specs

LOADER = "gradspec.cli.options:load_backend"


@pytest.fixture
def cases(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_specs(tmp_path, 8, files=2)
    specs, _ = load_paths(["specs"])
    return [Case(number, spec, "python", "python") for number, spec in enumerate(specs)]


@pytest.fixture
def crew():
    crew = Crew(LOADER)
    yield crew
    crew.close()


def outcomes(crew, cases):
    return {case.number: verdict.outcome for case, verdict in crew.results(cases)}


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
def test_a_worker_that_dies_while_it_waits(crew, cases):
    assert set(outcomes(crew, cases[:4]).values()) == {"passed"}
    (hand,) = crew._hands
    os.kill(hand.process.pid, signal.SIGKILL)
    while hand.process.poll() is None:
        time.sleep(0.01)
    assert outcomes(crew, cases) == dict.fromkeys(range(8), "passed"), "no spec is blamed for it"


def test_workers_that_cannot_be_started(crew, cases, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(NoWorkers, match="worker processes cannot be started"):
        outcomes(crew, cases)


def test_a_file_that_changes_while_the_run_goes(crew, cases, tmp_path):
    write_specs(tmp_path, 2, files=1)
    found = outcomes(crew, cases)
    assert [found[number] for number in range(8)] == ["passed"] * 2 + ["error"] * 2 + ["passed"] * 4


def test_a_file_that_goes(cases):
    os.unlink(cases[0].spec.file)
    job = job_of(cases[:2], LOADER, NO_LIMITS)
    verdict = Bench().verdict(job, 1)
    assert (verdict.outcome, verdict.id) == ("error", cases[1].spec.id)
    assert "cannot be read any more: No such file" in verdict.message


def test_a_job_of_another_version(cases):
    job = job_of(cases[:1], LOADER, NO_LIMITS) | {"gradspec": "99.0"}
    assert "cannot do the jobs of gradspec 99.0" in Bench().verdict(job, 0).message


def test_a_backend_that_is_not_there(cases):
    job = job_of([cases[0]._replace(asked="nope")], LOADER, NO_LIMITS)
    verdict = Bench().verdict(job, 0)
    assert (verdict.outcome, 'no backend "nope"' in verdict.message) == ("error", True)


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_batches(cases, workers):
    many = [case._replace(number=number) for number, case in enumerate(cases[:4] * 50 + cases[4:] * 50)]
    made = list(batches(many, workers))
    assert [case for batch in made for case in batch] == many
    assert all(len({case.spec.file for case in batch}) == 1 for batch in made)
    sizes = [len(batch) for batch in made]
    assert max(sizes) <= 200
    assert sizes[-1] == 1, "nobody has much left when the others are done"
    assert list(batches([], workers)) == []
