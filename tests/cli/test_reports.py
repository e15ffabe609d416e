"""`gradspec run --report`: several at once, and what becomes of one that cannot be written."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gradspec import plugins
from gradspec.cli import main
from tests.cli.test_commands import BAD, GOOD

ROOT = Path(__file__).parents[2]
CLOSING = re.compile(r"^2 specs on python: 1 passed, 1 failed in \d\.\d\d s$", re.MULTILINE)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/good.gradspec.yaml").write_text(GOOD)
    (tmp_path / "specs/bad.gradspec.yaml").write_text(BAD)
    return tmp_path


@pytest.fixture
def run(here, capsys):
    def call(*reports: str) -> tuple[int, str, str]:
        code = main(["run", "-b", "python", *(word for one in reports for word in ("--report", one))])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call


def test_several_at_once(here, run):
    code, out, err = run("json=r.json", "jsonl=r.jsonl", "junit=r.xml", "html=r.html", "github")
    assert (code, err) == (1, "")
    assert json.loads((here / "r.json").read_text("utf-8"))["exit_code"] == 1
    assert len((here / "r.jsonl").read_text("utf-8").splitlines()) == 5
    assert ET.parse(here / "r.xml").getroot().get("failures") == "1"
    assert "bad.one" in (here / "r.html").read_text("utf-8")
    assert out.splitlines()[-1].startswith("::error file=specs/bad.gradspec.yaml,line=9,")
    assert CLOSING.search(out)


@pytest.mark.parametrize("kind", ["json", "jsonl", "junit", "html"])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_costs_that_report_alone(here, run, kind):
    code, out, err = run(f"{kind}=/dev/full", "json=other.json")
    assert code == 2
    assert (
        err
        == f"gradspec: --report {kind}=/dev/full: the report could not be written: No space left on device\n"
    )
    assert CLOSING.search(out)
    assert "FAIL bad.one  python" in out
    assert len(json.loads((here / "other.json").read_text("utf-8"))["results"]) == 2


def test_what_was_there_stays_where_the_new_one_has_no_room(here):
    (here / "r.html").write_text("the last report")

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    done = subprocess.run(
        [sys.executable, "-B", "-m", "gradspec", "run", "-b", "python", "--report", "html=r.html"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, preexec_fn=small_disk, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "gradspec: --report html=r.html: the report could not be written: File too large\n" in done.stderr
    assert CLOSING.search(done.stdout)
    assert (here / "r.html").read_text() == "the last report"
    assert [one.name for one in here.iterdir() if one.name.startswith(".r.html")] == []


@pytest.mark.parametrize("path", ["no/dir/r.xml", "specs"])
def test_a_path_that_cannot_be_is_told_before_anything_runs(here, run, path):
    code, out, err = run(f"junit={path}")
    assert (code, out) == (2, "")
    assert err.startswith(f"gradspec: --report junit={path}: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written(here, run):
    (here / "locked").mkdir(mode=0o500)
    code, out, err = run("json=locked/r.json")
    assert (code, out) == (2, "")
    assert "no permission" in err


def test_a_report_of_a_plugin(here, run, monkeypatch):
    seen: list[str] = []

    def counting(path: str):
        return lambda event: seen.append(type(event).__name__)

    def raising(path: str):
        def report(event):
            raise RuntimeError("boom\nbang")

        return report

    monkeypatch.setattr(plugins, "reporters", lambda: {"count": counting, "bomb": raising})
    code, out, err = run("count=x", "bomb=y")
    assert (code, err) == (2, "gradspec: a report failed: RuntimeError: boom bang\n")
    assert (seen[0], seen[-1]) == ("RunStarted", "RunFinished")
    assert CLOSING.search(out)


def test_a_worse_exit_code_stays(here, monkeypatch, capsys):
    code = main(["run", "-b", "python", "-b", "nosuch", "--report", "json=/dev/full"])
    assert code == 4
    assert "could not be written" in capsys.readouterr().err


def test_in_github_actions_annotations_come_by_themselves(here, run, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(here / "summary.md"))
    assert run()[1].count("::error ") == 1
    assert run("github")[1].count("::error ") == 1
    assert "bad.one" in (here / "summary.md").read_text("utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(here / "no/such/summary.md"))
    code, out, err = run()
    assert code == 2
    assert "the job summary could not be written" in err
    assert CLOSING.search(out)


def test_schemas(capsys):
    assert main(["schema", "--lines"]) == 0
    assert len(json.loads(capsys.readouterr().out)["oneOf"]) == 4
