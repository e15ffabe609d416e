"""What GitHub Actions is told, within its limits: ten errors a step, 1 MiB of summary."""

from __future__ import annotations

import re

import pytest

from gradspec.reports import github
from gradspec.reports.document import Document
from gradspec.reports.github import command, commands
from gradspec.reports.kinds import make
from gradspec.reports.markdown import COMMENT, markdown
from tests.reports.samples import VERDICTS, events, verdict, wrong_grad

# A workflow command as the runner reads it: properties up to the next "::", the rest of the line is data.
COMMAND = re.compile(r"::error (?P<properties>[^\n]*?)::(?P<data>[^\r\n]*)")


def document_of(verdicts, exit_code=1):
    document = Document()
    stream = [one for one in events(verdicts, exit_code) if type(one).__name__ != "BackendUnavailable"]
    *_, made = map(document, stream)
    return made


def read_as_the_runner_does(line: str) -> tuple[dict[str, str], str]:
    found = COMMAND.fullmatch(line)
    assert found, line
    properties = dict(part.split("=", 1) for part in found["properties"].split(","))

    def plain(text):
        for code, letter in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            text = text.replace(code, letter)
        return text

    return {name: plain(value) for name, value in properties.items()}, plain(found["data"])


@pytest.fixture(autouse=True)
def outside(monkeypatch):
    for name in ("GITHUB_WORKSPACE", "GITHUB_BASE_REF", "GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


def bad(n: int):
    return tuple(
        verdict((wrong_grad(),), "failed", id=f"ops.n{k}", file=f"specs/n{k}.gradspec.yaml") for k in range(n)
    )


def test_what_is_written_is_what_the_runner_reads():
    text, title = "a: 50 %\r\nb::c, 100%25 %0A", "50% of x, y: z::w\nmore"
    assert read_as_the_runner_does(command(text, title=title, line=3)) == (
        {"title": title, "line": "3"},
        text,
    )


@pytest.mark.parametrize(("failures", "lines"), [(0, 0), (1, 1), (9, 9), (10, 10), (11, 10), (200, 10)])
def test_never_more_than_ten(failures, lines):
    made = commands(document_of(bad(failures)))
    assert len(made) == lines
    if failures > 10:
        assert read_as_the_runner_does(made[-1])[1] == f"and {failures - 9} more; the job summary has them"


def test_place_title_and_block():
    properties, text = read_as_the_runner_does(commands(document_of(bad(1)))[0])
    assert properties == {
        "file": "specs/n0.gradspec.yaml",
        "line": "17",
        "col": "9",
        "title": "ops.n0 on python: failed",
    }
    assert text.startswith('FAIL ops.n0  python  grad of "w"')


def test_one_place_on_two_backends_is_one_annotation():
    both = (verdict((wrong_grad(),), "failed"), verdict((wrong_grad(3.0),), "failed", "numpy"))
    (line,) = commands(document_of(both))
    assert read_as_the_runner_does(line)[0]["title"] == "ops.sqrt on python, numpy: failed"


def test_changed_files_come_first():
    made = commands(document_of(bad(30)), frozenset({"specs/n28.gradspec.yaml"}))
    assert read_as_the_runner_does(made[0])[0]["file"] == "specs/n28.gradspec.yaml"


def test_paths_are_from_the_root_of_the_checkout(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert "file=sub/specs/n0.gradspec.yaml" in commands(document_of(bad(1)))[0]


def test_the_run_as_a_whole(tmp_path, monkeypatch, capsys):
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    report = make("github")
    for event in events():
        report(event)
    lines = capsys.readouterr().out.splitlines()
    assert [read_as_the_runner_does(line)[0]["title"] for line in lines] == [
        "backend gone is not available",
        "ops.wrong on python: failed",
        "ops.wrong on numpy: failed",
        "seed.one on numpy: error",
    ]
    assert summary.read_text("utf-8").startswith("### ❌ gradspec: 4 specs × 2 backends")


def test_a_summary_stays_below_its_limit_together_with_what_is_there(tmp_path, monkeypatch):
    summary = tmp_path / "summary.md"
    summary.write_text("x" * 800_000)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    report = github.Github(lambda _: None)
    for event in events(bad(2000)):
        report(event)
    assert 890_000 < summary.stat().st_size <= github.SUMMARY_BYTES


@pytest.mark.parametrize("limit", [1000, 5000, COMMENT, 900_000])
def test_markdown_is_cut_between_failures(limit):
    text = markdown(document_of(bad(3000)), limit)
    assert len(text.encode()) <= limit
    assert text.count("<details>") == text.count("</details>")
    shown = text.count("<details>")
    assert f"… and {3000 - shown} more" in text


def test_letters_that_mean_something_in_markdown():
    noise = verdict((), "error", message="</details> ``` | <script>`````x")
    text = markdown(document_of((noise,)))
    assert "<script>" not in text.partition("``")[0]
    assert "\n``````text\n" in text
    assert text.count("</details>") == 2  # one of them inside the fence


def test_all_is_well():
    text = markdown(document_of(VERDICTS[:1], 0))
    assert text.startswith("### ✅ gradspec: 1 spec on python: 1 passed in")
    assert "| failed | · |" in text
