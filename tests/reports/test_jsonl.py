"""JSON lines: written as they come, read again as a document, and their schema."""

from __future__ import annotations

import json

import jsonschema_rs
import pytest

from gradspec.errors import UsageError
from gradspec.reports.jsonl import schema
from gradspec.reports.kinds import make
from gradspec.reports.read import read
from tests.reports.samples import LOST, VERDICTS, events


@pytest.fixture
def path(tmp_path):
    report = make(f"jsonl={tmp_path / 'r.jsonl'}")
    for event in events(VERDICTS + LOST):
        report(event)
    return tmp_path / "r.jsonl"


def test_every_line_is_as_the_schema_says(path):
    jsonschema_rs.meta.validate(schema())
    validator = jsonschema_rs.validator_for(schema())
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line["kind"] for line in lines] == ["start", *["backend"] * 3, *["result"] * 10, "end"]
    assert [list(validator.iter_errors(line)) for line in lines] == [[]] * len(lines)
    for line in lines:
        assert not validator.is_valid(line | {"surprise": 1})
        assert not validator.is_valid({k: v for k, v in line.items() if k != "kind"})


def test_lines_are_there_while_the_run_goes_on(tmp_path):
    report = make(f"jsonl={tmp_path / 'r.jsonl'}")
    for count, event in enumerate(events(), 1):
        report(event)
        assert len((tmp_path / "r.jsonl").read_text("utf-8").splitlines()) == count


def test_they_read_as_the_json_report_does(path, tmp_path):
    report = make(f"json={tmp_path / 'r.json'}")
    for event in events(VERDICTS + LOST):
        report(event)
    one, other = read(str(path)), read(str(tmp_path / "r.json"))
    assert one.pop("started")[:13] == other.pop("started")[:13]
    assert one == other


@pytest.mark.parametrize("cut", [1, 7, 300, 1500])
def test_a_run_that_was_killed_is_read_as_far_as_it_got(path, cut):
    text = path.read_text("utf-8")
    path.write_text(text[:-cut], "utf-8")
    document = read(str(path))
    whole = [line for line in text[:-cut].split("\n")[:-1] if '"kind": "result"' in line]
    if cut == 1:
        assert document["exit_code"] == 3
        assert "complete" not in document
    else:
        assert document["complete"] is False
        assert document["exit_code"] == 3
        assert len(document["results"]) == len(whole)


def test_a_damaged_line_in_the_middle_is_no_report(path):
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([*lines[:5], lines[5][:40], *lines[6:]]) + "\n", "utf-8")
    with pytest.raises(UsageError, match="line 6 is no JSON"):
        read(str(path))
