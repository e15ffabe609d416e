"""What is kept of runs."""

from __future__ import annotations

import re

import pytest

from gradspec.runner import store
from gradspec.runner.cases import NO_LIMITS, Case, Limits, Loaded
from gradspec.runner.store import Kept, last_failed
from gradspec.spec.load import load_paths
from tests.reports.samples import VERDICTS
from tests.runner.real import write_specs

PYTHON = Loaded("python", "python", "1.0", False)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cases(here, count=4):
    write_specs(here, count, files=2)
    specs, faults = load_paths(["specs"])
    assert not faults
    return [Case(number, spec, "python", "python") for number, spec in enumerate(specs)]


def verdict(case, outcome="passed"):
    return VERDICTS[0]._replace(
        id=case.spec.id, backend=case.backend, outcome=outcome, file=case.spec.file, title="π\ud800\n"
    )


def begun(some, outcomes, limits=NO_LIMITS, loaded=PYTHON):
    kept = Kept(limits)
    kept.open([loaded])
    for case, outcome in zip(some, outcomes, strict=False):
        kept.add(case, verdict(case, outcome))
    assert kept.fault == ""
    return kept


def resumed(some, limits=NO_LIMITS, loaded=PYTHON):
    kept = Kept(limits, resume=True)
    kept.open([loaded])
    return kept, [case.number for case in some if kept.has(case)]


def names(here):
    return sorted(path.suffix for path in (here / ".gradspec/runs").iterdir())


def test_a_run_that_was_ended_is_gone_on_from(here):
    some = cases(here)
    begun(some, ["passed", "failed"]).close(finished=False)
    kept, found = resumed(some)
    assert found == [0, 1]
    assert [kept.verdict(case) for case in some[:2]] == [verdict(some[0]), verdict(some[1], "failed")]
    assert kept.resumed == 2
    for case in some[2:]:
        kept.add(case, verdict(case))
    kept.close(finished=True)
    assert names(here) == [".jsonl"], "what was gone on from is superfluous"
    assert [spec.id for spec in last_failed([case.spec for case in some], ["python"])] == ["s001"]


def test_a_finished_run_is_not_gone_on_from(here):
    some = cases(here)
    begun(some, ["passed"] * 4).close(finished=True)
    assert resumed(some)[1] == []


def test_what_another_is_writing_is_left_alone(here):
    some = cases(here)
    kept = begun(some, ["passed"])
    path = kept._path
    assert path.endswith(".part")
    kept.close(finished=False)
    assert not store._in_use(path), "nobody writes it any more"


@pytest.mark.parametrize(
    ("loaded", "limits", "found"),
    [
        (PYTHON, NO_LIMITS, [0, 2]),
        (PYTHON, Limits(1.0, 0), [0, 1, 2]),
        (PYTHON._replace(version="1.1"), Limits(1.0, 0), []),
        (PYTHON._replace(name="numpy"), Limits(1.0, 0), []),
    ],
    ids=["other limits", "the same", "another version", "another backend"],
)
def test_what_would_be_the_same_again(here, loaded, limits, found):
    some = cases(here)
    begun(some, ["passed", "timeout", "failed"], Limits(1.0, 0)).close(finished=False)
    assert resumed(some, limits, loaded)[1] == found


def test_a_file_that_changed(here):
    some = cases(here)
    begun(some, ["passed"] * 4).close(finished=False)
    file = here / some[0].spec.file
    file.write_text(file.read_text() + "# a remark\n")
    assert resumed(some)[1] == [2, 3]
    file.unlink()
    assert resumed(some)[1] == [2, 3]


def test_it_may_be_torn_anywhere(here):
    some = cases(here, 2)
    kept = begun(some, ["passed", "passed"])
    kept.close(finished=False)
    with open(kept._path, "rb") as file:
        whole = file.read()
    lines = [line.end() for line in re.finditer(rb"\n", whole)]
    for length in range(len(whole) + 1):
        with open(kept._path, "wb") as file:
            file.write(whole[:length])
        _, results = store._contents(kept._path)
        done = sum(end - 1 <= length for end in lines[1:])
        assert len(list(results)) == (done if length >= lines[0] - 1 else 0)


@pytest.mark.parametrize(
    "text", ["", "[]\n", "{}\n", "null\n\0\n", '{"gradspec_run": 99}\n{"stamp": "", "verdict": {}}\n']
)
def test_files_of_another_kind(here, text):
    some = cases(here)
    runs = here / ".gradspec/runs"
    runs.mkdir(parents=True)
    (runs / "2020.part").write_text(text)
    (runs / "2020.jsonl").write_text(text)
    assert resumed(some)[1] == []
    assert len(last_failed([case.spec for case in some], ["python"])) == 4


def test_known_failures_are_wanted_to_fail(here):
    some = cases(here)
    begun(some, ["passed", "failed", "crash", "unsupported"]).close(finished=True)
    specs = [case.spec for case in some]

    def left(*known):
        return [spec.id for spec in last_failed(specs, ["python"], lambda one, _: one in known)]

    assert left() == ["s001", "s002"]
    assert left("s001", "s003") == ["s002"]
    assert left("s000", "s001", "s002") == ["s000"], "it should fail and does not"
    assert [spec.id for spec in last_failed(specs, ["python", "numpy"])] == [spec.id for spec in specs]


def test_it_does_not_grow_for_ever(here, monkeypatch):
    monkeypatch.setattr(store, "MOST", 3)
    some = cases(here)
    begun(some, ["passed", "failed"]).close(finished=True)  # of two specs, the second not run again
    for _ in range(8):
        begun(some[:1], ["passed"]).close(finished=True)
    assert len(names(here)) <= 4
    assert [spec.id for spec in last_failed([case.spec for case in some[:2]], ["python"])] == ["s001"]


def test_git_does_not_see_it(here):
    begun(cases(here), []).close(finished=True)
    assert (here / ".gradspec/.gitignore").read_text() == "*\n"
