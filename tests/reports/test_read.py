"""Reports read again and merged."""

from __future__ import annotations

import json

import pytest

from gradspec.cli import main
from gradspec.errors import UsageError
from gradspec.reports.kinds import make
from gradspec.reports.read import merged, read
from tests.reports.samples import VERDICTS, events, verdict, wrong_grad

HALVES = tuple(enumerate((VERDICTS[:4], VERDICTS[4:])))


def report(path, verdicts, exit_code=0, kind="json"):
    reporter = make(f"{kind}={path}")
    for event in events(verdicts, exit_code):
        reporter(event)
    return str(path)


def test_shards_give_the_report_of_the_whole(tmp_path):
    whole = read(report(tmp_path / "whole.json", VERDICTS, 3))
    shards = [
        report(tmp_path / "1.json", VERDICTS[1::2], 3),
        report(tmp_path / "2.jsonl", VERDICTS[::2], 1, "jsonl"),
    ]
    document, twice = merged([read(path) for path in shards])
    assert twice == 0
    assert document["exit_code"] == 3

    assert document["totals"] == whole["totals"]

    def order(document):
        return sorted((one["id"], one["backend"], one["outcome"]) for one in document["results"])

    assert order(document) == order(whole)
    places = [(one["file"], one["line"], one["id"]) for one in document["results"]]
    assert places == sorted(places)


def test_the_order_does_not_depend_on_that_of_the_files(tmp_path):
    one, two = (read(report(tmp_path / f"{k}.json", half, 1)) for k, half in HALVES)
    assert merged([one, two])[0]["results"] == merged([two, one])[0]["results"]


def test_a_later_result_replaces_an_earlier_one(tmp_path):
    bad = report(tmp_path / "1.json", (verdict((wrong_grad(),), "failed"), verdict(id="ops.other")), 1)
    good = report(tmp_path / "2.json", (verdict(),))
    document, twice = merged([read(bad), read(good)])
    assert twice == 1
    assert [one["outcome"] for one in document["results"]] == ["passed", "passed"]
    assert document["exit_code"] == 1  # the runs are what they were


@pytest.mark.parametrize(
    ("codes", "code"),
    [((0, 0), 0), ((0, 5), 0), ((5, 5), 5), ((1, 0), 1), ((1, 4), 4), ((3, 4), 3), ((2, 1), 2)],
)
def test_the_worst_exit_code_is_that_of_the_whole(tmp_path, codes, code):
    paths = [report(tmp_path / f"{k}.json", (verdict(id=f"a{k}"),), one) for k, one in enumerate(codes)]
    assert merged([read(path) for path in paths])[0]["exit_code"] == code


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no report"),
        ("[1]", "is no report"),
        ("{}", "is no report"),
        ("not json", "line 1 is no JSON"),
        ('{"format": 2}', "has format 2"),
        ('{"format": 1}', "gradspec, backends, results"),
    ],
)
def test_what_is_no_report_is_said(tmp_path, capsys, text, told):
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=told):
        read(str(path))
    assert main(["report", "merge", str(path)]) == 2
    assert main(["summary", str(tmp_path / "nosuch.json")]) == 2
    assert "nosuch.json cannot be read" in capsys.readouterr().err


def test_merge_as_a_command(tmp_path, capsys):
    paths = [report(tmp_path / f"{k}.json", VERDICTS[k::2], 1) for k in (0, 1)]
    out, page, xml = (str(tmp_path / name) for name in ("all.json", "all.html", "all.xml"))
    code = main(
        ["report", "merge", *paths, "-o", out, "--report", f"html={page}", "--report", f"junit={xml}"]
    )
    assert (code, capsys.readouterr().out) == (0, "")
    assert len(read(out)["results"]) == len(VERDICTS)
    assert (tmp_path / "all.html").read_text("utf-8").startswith("<!doctype html>")
    assert (tmp_path / "all.xml").read_text("utf-8").startswith("<?xml")
    assert main(["report", "merge", *paths]) == 0
    assert len(json.loads(capsys.readouterr().out)["results"]) == len(VERDICTS)
    assert main(["report", "merge", *paths, "--report", "github"]) == 2
    assert main(["report", "merge", *paths, "-o", str(tmp_path / "no/dir/x.json")]) == 2


def test_merging_says_what_is_missing_or_stands_twice(tmp_path, capsys):
    path = report(tmp_path / "r.jsonl", VERDICTS, 1, "jsonl")
    lines = (tmp_path / "r.jsonl").read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "r.jsonl").write_text("".join(lines[:-2]), "utf-8")
    assert main(["report", "merge", path, path, "-o", str(tmp_path / "all.json")]) == 0
    err = capsys.readouterr().err
    assert "7 results stand in more than one report" in err
    assert "a run did not finish" in err


def test_summary_as_a_command(tmp_path, capsys):
    assert main(["summary", report(tmp_path / "r.json", VERDICTS, 3)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("### ❌ gradspec: 4 specs × 2 backends: 3 passed, 2 failed, 1 error,")
    assert "| | python | numpy |\n| --- | ---: | ---: |\n| passed | 2 | 1 |\n" in out
    assert "<details><summary><b>ops.wrong</b> on python: failed, 4 of 4 outside</summary>" in out
    assert "**gone is not available:**" in out
    assert main(["summary", report(tmp_path / "r.json", (verdict(),))]) == 0
    assert capsys.readouterr().out.startswith("### ✅ gradspec: 1 spec on python: 1 passed")
