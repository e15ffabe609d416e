"""The JSON report and its schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from gradspec.errors import UsageError
from gradspec.reports.json import schema_text
from gradspec.reports.kinds import make
from gradspec.runner.verdict import OUTCOMES
from tests.reports.samples import LOST, VERDICTS, events


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "report.json"
    report = make(f"json={path}")
    for event in events(VERDICTS + LOST):
        report(event)
    return json.loads(path.read_text("utf-8"))


def test_it_is_as_its_schema_says(document):
    schema = json.loads(schema_text())
    jsonschema_rs.meta.validate(schema)
    assert list(jsonschema_rs.validator_for(schema).iter_errors(document)) == []


@pytest.mark.parametrize("key", ["format", "results", "exit_code"])
def test_the_schema_can_fail(document, key):
    validator = jsonschema_rs.validator_for(json.loads(schema_text()))
    assert not validator.is_valid({k: v for k, v in document.items() if k != key})
    document["results"][0]["surprise"] = 1
    assert not validator.is_valid(document)


def test_an_entry_for_each_spec_and_backend(document):
    assert [(r["id"], r["backend"], r["outcome"]) for r in document["results"]] == [
        (v.id, v.backend, v.outcome) for v in VERDICTS + LOST
    ]
    assert document["format"] == 1
    assert document["exit_code"] == 3
    assert [b["available"] for b in document["backends"]] == [True, True, False]
    texts = [r["text"].split()[0] for r in document["results"] if "text" in r]
    assert texts == ["FAIL", "FAIL", "ERROR", "CRASH", "TIMEOUT"]


def test_counts_add_up(document):
    for result in document["results"]:
        counts = dict(result["checks"])
        assert counts.pop("total") == sum(counts.values())
    emulated = [r["id"] for r in document["results"] if r["emulated"]]
    assert emulated == ["seed.one"]


def test_a_failure_has_its_numbers(document):
    (failure,) = document["results"][2]["failures"]
    assert (failure["expected"], failure["got"], failure["index"], failure["abs"]) == (
        "3.0",
        "6.0",
        [1, 0],
        3.0,
    )
    assert (failure["line"], failure["column"], failure["pattern"]) == (17, 9, "a factor of 2")


def test_the_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("before")
    report = make(f"json={path}")
    for event in events()[:-1]:
        report(event)
    assert path.read_text() == "before"
    report(events()[-1])
    assert json.loads(path.read_text("utf-8"))["results"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("path", ["no/such/directory/r.json", "."])
def test_a_path_that_cannot_be_written_is_told_before_the_run(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="--report"):
        make(f"json={path}")


def test_the_schema_documents_every_outcome():
    text = (Path(__file__).parents[2] / "gradspec/reports/report.schema.json").read_text("utf-8")
    assert text == schema_text()
    for outcome in OUTCOMES:
        assert f"{outcome}: " in json.loads(text)["$defs"]["result"]["properties"]["outcome"]["description"]
