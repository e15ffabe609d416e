"""Scopes in every report: what is counted, what is shown, and what reports without them still give."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema_rs

from gradspec.cli import main
from gradspec.reports import jsonl
from gradspec.reports.console import Console
from gradspec.reports.html import render as html
from gradspec.reports.json import schema_text
from gradspec.reports.junit import render as junit
from gradspec.reports.kinds import make
from gradspec.reports.markdown import markdown
from gradspec.reports.read import merged, read
from gradspec.runner.verdict import Verdict
from tests.reports.samples import EMULATED, HELD, LEFT_OUT, events, verdict

SEED = "specs/seed/one.gradspec.yaml"
SCOPED = (
    verdict(),
    verdict(backend="numpy"),
    verdict((HELD, EMULATED), id="ops.kept", scope="state"),
    verdict((LEFT_OUT,), "unsupported", "numpy", "ops.kept", message="grad-fn", scope="state"),
    verdict(id="seed.text", file=SEED, scope="text"),
    verdict((), "error", "numpy", "seed.text", SEED, message="boom", scope="text"),
)


def shown(verdicts: tuple[Verdict, ...], width: int = 100) -> str:
    parts: list[str] = []
    console = Console(parts.append, width=width)
    for event in events(verdicts, 3):
        console(event)
    return "".join(parts)


def report(path: Any, verdicts: tuple[Verdict, ...], kind: str = "json") -> str:
    reporter = make(f"{kind}={path}")
    for event in events(verdicts, 3):
        reporter(event)
    return str(path)


def test_the_table_has_a_row_for_each_scope() -> None:
    table = """\
               python             numpy
        specs  passed  emulated   passed  error  unsupported
ops         2       1         1        1      .            1
seed        1       1         .        .      1            .
total       3       2         1        1      1            1

core        1       1         .        1      .            .
state       1       .         1        .      .            1
text        1       1         .        .      1            .
"""
    words = [line.split() for line in table.splitlines()]
    lines = [line.split() for line in shown(SCOPED).splitlines()]
    start = lines.index(["python", "numpy"])
    assert lines[start : start + len(words)] == words


def test_one_scope_needs_no_row_of_its_own() -> None:
    assert "core" not in shown(tuple(one._replace(scope="core") for one in SCOPED))


def test_one_directory_on_one_backend_shows_scopes_where_they_differ() -> None:
    fine = (verdict(), verdict(id="ops.kept", scope="state"))
    assert "state" not in shown(fine)
    text = shown((verdict(), verdict((HELD, EMULATED), id="ops.kept", scope="state")))
    rows = [line.split() for line in text.splitlines()]
    assert ["core", "1", "1", "."] in rows and ["state", "1", ".", "1"] in rows
    assert "ops " not in text and "total" not in text


def test_the_json_report_counts_them(tmp_path: Any) -> None:
    document = read(report(tmp_path / "r.json", SCOPED))
    assert jsonschema_rs.is_valid(json.loads(schema_text()), document)
    assert [one["scope"] for one in document["results"]] == ["core", "core", "state", "state", "text", "text"]
    found = {
        name: {scope: {kind: n for kind, n in counts.items() if n} for scope, counts in scopes.items()}
        for name, scopes in document["scopes"].items()
    }
    assert found == {
        "python": {"core": {"passed": 1}, "state": {"emulated": 1}, "text": {"passed": 1}},
        "numpy": {"core": {"passed": 1}, "state": {"unsupported": 1}, "text": {"error": 1}},
    }
    lines = read(report(tmp_path / "r.jsonl", SCOPED, "jsonl"))
    assert lines["scopes"] == document["scopes"]
    schema = jsonl.schema()
    for line in (tmp_path / "r.jsonl").read_text("utf-8").splitlines():
        assert jsonschema_rs.is_valid(schema, json.loads(line))


def test_merging_keeps_them(tmp_path: Any) -> None:
    whole = read(report(tmp_path / "r.json", SCOPED))
    halves = [read(report(tmp_path / f"{k}.json", SCOPED[k::2])) for k in (0, 1)]
    assert merged(halves)[0]["scopes"] == whole["scopes"]
    cut = (tmp_path / "r.jsonl", report(tmp_path / "r.jsonl", SCOPED, "jsonl"))[0]
    cut.write_text("".join(cut.read_text("utf-8").splitlines(keepends=True)[:-1]), "utf-8")
    assert read(str(cut))["scopes"] == whole["scopes"]


def test_reports_from_before_there_were_scopes(tmp_path: Any, capsys: Any) -> None:
    path = report(tmp_path / "new.json", SCOPED)
    old = read(path)
    del old["scopes"]
    for result in old["results"]:
        del result["scope"]
    assert jsonschema_rs.is_valid(json.loads(schema_text()), old)
    (tmp_path / "old.json").write_text(json.dumps(old), "utf-8")
    for render in (markdown, html, junit):
        assert render(old)
    assert "| scope |" not in markdown(old)
    assert main(["report", "merge", str(tmp_path / "old.json")]) == 0
    assert "scopes" not in json.loads(capsys.readouterr().out)
    assert main(["report", "merge", str(tmp_path / "old.json"), path]) == 0
    assert json.loads(capsys.readouterr().out)["scopes"] == read(path)["scopes"]


def test_markdown_has_a_table_of_them(tmp_path: Any, capsys: Any) -> None:
    table = """\
| scope | python | numpy |
| --- | ---: | ---: |
| core | 1 of 1 | 1 of 1 |
| state | 0 of 1, 1 emulated | 0 of 1 |
| text | 1 of 1 | 0 of 1 |
"""
    path = report(tmp_path / "r.json", SCOPED)
    assert table in markdown(read(path))
    assert main(["summary", path]) == 0
    assert table in capsys.readouterr().out


def test_the_page_shows_and_filters_them(tmp_path: Any) -> None:
    page = html(read(report(tmp_path / "r.json", SCOPED)))
    assert '<th scope="row">state</th><td>0 of 1, 1 emulated</td><td>0 of 1</td>' in page
    assert '<select name="scope"><option value="">all</option><option>core</option>' in page
    assert page.count('data-scope="text"') == 2


def test_junit_has_a_property_for_each_case(tmp_path: Any) -> None:
    root = ET.fromstring(junit(read(report(tmp_path / "r.json", SCOPED))))
    cases = {
        case.get("name"): prop.get("value")
        for case in root.iter("testcase")
        for prop in case.iter("property")
        if prop.get("name") == "scope"
    }
    assert cases["ops.kept::numpy"] == "state"
    assert len(cases) == len(SCOPED)


def test_a_run_of_one_scope(tmp_path: Any, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.gradspec.yaml").write_text(
        'gradspec: "1.1"\ndefaults: {tensors: {x: 1.0}}\nspecs:\n'
        "  - {id: a.core, steps: [{expect: {x: {value: 1.0}}}]}\n"
        "  - {id: a.state, scope: state, steps: [{expect: {x: {is_leaf: true}}}]}\n"
    )
    assert (
        main(["run", "s.gradspec.yaml", "-b", "python", "--scope", "state", "--report", "json=r.json"]) == 0
    )
    (result,) = read("r.json")["results"]
    assert (result["id"], result["scope"]) == ("a.state", "state")
    assert main(["run", "s.gradspec.yaml", "--scope", "text"]) == 5
    assert "none of 2 specs fits --scope text" in capsys.readouterr().err
    assert main(["run", "s.gradspec.yaml", "--scope", "cor"]) == 2
