"""A project with its own layout, specs, backend and CI uses all of gradspec as a stranger would."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SAMPLE = Path(__file__).with_name("sample_project")
ENTRY_POINTS = "[gradspec.backends]\nheat = heat.backend:Heat\n"
GRADSPEC = (sys.executable, "-m", "gradspec")


class Project:
    """A copy of the sample project in a repository of its own, its backend installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "heat"
        shutil.copytree(SAMPLE, self.folder, ignore=shutil.ignore_patterns("__pycache__"))
        site = folder / "site" / "heat-1.0.dist-info"
        site.mkdir(parents=True)
        (site / "entry_points.txt").write_text(ENTRY_POINTS)
        (self.folder / ".gitignore").write_text(".gradspec/\n__pycache__/\n")
        dropped = ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "GRADSPEC_PLUGINS")
        self.env = {key: value for key, value in os.environ.items() if key not in dropped}
        self.env = {key: value for key, value in self.env.items() if not key.startswith(("GITHUB_", "GIT_"))}
        path = (ROOT, self.folder / "src", site.parent)
        self.env |= {
            "PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1",
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org", "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        self.git("init", "-q", "-b", "main")
        self.commit()

    def call(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            words, cwd=self.folder, env=self.env | more, capture_output=True, text=True, timeout=120,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr
        return done

    def gradspec(self, *words: str, code: int = 0, **more: str) -> str:
        """What `gradspec WORDS` says, on stdout and then on stderr; it ends with this code."""
        done = self.call(*GRADSPEC, *words, **more)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def git(self, *words: str) -> str:
        done = self.call("git", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "more")

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def ids(self, *words: str, code: int = 0) -> list[str]:
        """What ran with these words, as the report has it."""
        self.gradspec("run", *words, "--report", "json=ids.json", code=code)
        results = json.loads((self.folder / "ids.json").read_text())["results"]
        return sorted({result["id"] for result in results})


KNOWN = "gradients/known/heat.yaml"
FIXED = "gradients/boundary/fixed.gradspec.yaml"
ALL = [
    "boundary.fixed", "boundary.reflect@float64", "diffusion.accumulates", "diffusion.once", "diffusion.step",
]  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_it_runs_as_its_pyproject_says(project: Project) -> None:
    reports = [f"--report={kind}=out.{kind}" for kind in ("json", "junit", "html", "jsonl")]
    said = project.gradspec("run", *reports)
    assert re.search(r"^5 specs × 2 backends: 9 passed, 1 known to fail in \d", said, re.MULTILINE)
    assert "known-failure" in said
    document = json.loads((project.folder / "out.json").read_text())
    assert document["totals"]["heat"]["known-failure"] == 1
    (known,) = (result for result in document["results"] if result["outcome"] == "known-failure")
    assert (known["id"], known["backend"]) == ("boundary.reflect@float64", "heat")
    assert known["known"].endswith("issues/7")
    skipped = ET.parse(project.folder / "out.junit").findall(".//skipped")
    assert [one.get("message") for one in skipped] == [f"known failure: {known['known']}"]
    assert "known-failure" in (project.folder / "out.html").read_text()
    assert "| known-failure | · | 1 |" in project.gradspec("summary", "out.json")


def test_the_report_is_as_its_schema_says(project: Project) -> None:
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    project.edit(KNOWN, "boundary.reflect@float64", "boundary.gone")
    project.gradspec("run", "--report", "json=out.json", code=1)
    schema = json.loads(project.gradspec("schema", "--report"))
    document = json.loads((project.folder / "out.json").read_text())
    assert document["stale"][0]["line"] == 3
    jsonschema_rs.Draft202012Validator(schema).validate(document)


def test_from_a_folder_below_it_is_the_same(project: Project) -> None:
    done = subprocess.run(
        [*GRADSPEC, "run"], cwd=project.folder / "src", env=project.env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 passed, 1 known to fail" in done.stdout


# Known failures


def test_an_unexpected_pass_fails_and_an_update_takes_it_out(project: Project) -> None:
    project.edit("src/heat/backend.py", "value or 1.0", "value")
    said = project.gradspec("run", code=1)
    assert f"FAIL boundary.reflect@float64  heat  passes, though {KNOWN}:3 has it as a known failure" in said
    assert "9 passed, 1 failed" in said
    said = project.gradspec("run", "--update-known-failures")
    assert f"{KNOWN}: 1 no longer true" in said
    text = (project.folder / KNOWN).read_text()
    assert text == "# What our engine does otherwise, and where we work on it.\ngradspec: 1\n"
    assert "10 passed" in project.gradspec("run")


def test_an_entry_that_fits_nothing_fails_the_whole_run_alone(project: Project) -> None:
    with (project.folder / KNOWN).open("a") as stream:
        stream.write("boundary.old: gone long ago\n")
    said = project.gradspec("run", code=1)
    assert f"  boundary.old  {KNOWN}:4  (heat)" in said
    assert "1 stale known failures" in said
    project.gradspec("run", "--only", "boundary.*", code=1)
    project.gradspec("run", "gradients/boundary")
    project.gradspec("run", "--update-known-failures")
    assert "boundary.old" not in (project.folder / KNOWN).read_text()


def test_new_failures_are_added_with_a_reason(project: Project) -> None:
    project.edit(FIXED, "[0.1, 0.1]", "[0.1, 0.2]")
    project.gradspec("run", code=1)
    before = (project.folder / KNOWN).read_text()
    said = project.gradspec("run", "-b", "heat", "--update-known-failures")
    assert "1 added" in said
    added = 'boundary.fixed: grad of "inner", 1 of 2 outside\n'
    head, kept = before.split("boundary.reflect")
    assert (project.folder / KNOWN).read_text() == f"{head}{added}boundary.reflect{kept}"
    assert "2 known to fail" in project.gradspec("run", "-b", "heat")
    assert not (project.folder / "gradients/known/python.yaml").exists()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("gradspec: 2\n", f"{KNOWN}:1:11: error[needs-format]"),
        ("gradspec: 1\nboundary.reflect:\n", f"{KNOWN}:2:"),
        ("boundary.reflect: no head\n", f"{KNOWN}:1:1: error[missing-key]"),
    ],
)
def test_a_broken_list_stops_everything(project: Project, text: str, place: str) -> None:
    (project.folder / KNOWN).write_text(text)
    assert place in project.gradspec("run", code=2)
    assert (project.folder / KNOWN).read_text() == text


def test_an_unreadable_list_stops_everything(project: Project) -> None:
    (project.folder / KNOWN).unlink()
    (project.folder / KNOWN).mkdir()
    assert f"{KNOWN}:1:1: error[unreadable-file]" in project.gradspec("run", code=2)


# Choosing


def test_what_git_says_has_changed(project: Project) -> None:
    assert "none of 5 specs has changed since HEAD" in project.gradspec("run", "--changed")
    project.edit(FIXED, "0.1)", "0.2)")
    project.edit(FIXED, "[0.1, 0.1]", "[0.2, 0.2]")
    assert project.ids("--changed") == ["boundary.fixed"]
    assert project.ids("--changed", "gradients") == ["boundary.fixed"]
    project.commit()
    assert "none of 5 specs" in project.gradspec("run", "--changed")
    assert project.ids("--changed=HEAD~1") == ["boundary.fixed"]
    new = project.folder / "gradients/new.gradspec.yaml"
    new.write_text((project.folder / FIXED).read_text().replace("boundary.fixed", "new.one"))
    assert project.ids("--changed") == ["new.one"]
    (project.folder / "README.md").write_text("other")
    assert project.ids("--changed") == ["new.one"]


def test_changed_code_makes_all_of_them_run(project: Project) -> None:
    project.git("checkout", "-q", "-b", "work")
    project.edit("src/heat/backend.py", "a fault", "one fault")
    project.commit()
    said = project.gradspec("run", "--changed=main")
    assert "src/heat/backend.py has changed since main, so everything is run" in said
    assert "5 specs × 2 backends" in said


@pytest.mark.parametrize(
    ("reference", "reason"),
    [("nowhere", "no such commit"), ("-x", "No such option"), ("", "no such commit")],
)
def test_a_commit_that_is_none(project: Project, reference: str, reason: str) -> None:
    assert reason in project.gradspec("run", f"--changed={reference}", code=2)


def test_where_there_is_no_repository(project: Project) -> None:
    shutil.rmtree(project.folder / ".git")
    said = project.gradspec("run", "--changed", code=2, GIT_CEILING_DIRECTORIES=str(project.folder.parent))
    assert "--changed: not a git repository" in said


def test_shards_are_everything_once_and_merge_to_the_whole(project: Project) -> None:
    parts = [project.ids("--shard", f"{k}/3") for k in (1, 2, 3)]
    assert sorted(name for part in parts for name in part) == ALL
    for k in (1, 2, 3):
        project.gradspec("run", "--shard", f"{k}/3", "--report", f"json=shard{k}.json")
    project.gradspec("report", "merge", "shard1.json", "shard2.json", "shard3.json", "-o", "merged.json")
    project.gradspec("run", "--report", "json=whole.json")
    merged, whole = (
        json.loads((project.folder / f"{name}.json").read_text()) for name in ("merged", "whole")
    )
    assert merged["totals"] == whole["totals"]
    assert merged["exit_code"] == whole["exit_code"] == 0


def test_a_shard_is_taken_after_the_filters_and_may_be_empty(project: Project) -> None:
    assert project.ids("--only", "boundary.*", "--shard", "1/1") == ALL[:2]
    counts = [len(project.ids("--only", "boundary.fixed", "--shard", f"{k}/4")) for k in (1, 2, 3, 4)]
    assert sorted(counts) == [0, 0, 0, 1]


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "1/0", "1/2/3", "-1/2"])
def test_a_shard_that_is_none(project: Project, shard: str) -> None:
    assert "is no shard: write 2/4" in project.gradspec("run", f"--shard={shard}", code=2)


def test_maxfail_ends_the_run_and_says_what_is_left(project: Project) -> None:
    project.edit(FIXED, "[0.1, 0.1]", "[0.1, 0.2]")
    said = project.gradspec("run", "--maxfail", "1", "--report", "json=out.json", code=1)
    assert re.search(r"1 failed, 9 not run", said)
    document = json.loads((project.folder / "out.json").read_text())
    assert (document["complete"], document["left"], document["exit_code"]) == (False, 9, 1)
    assert "10 not run" not in project.gradspec("run", "--maxfail", "1", "--jobs", "2", code=1)


def test_durations_lists_the_slowest(project: Project) -> None:
    said = project.gradspec("run", "--durations", "2")
    lines = said.splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("slowest 2 of 10"))
    assert all(
        re.match(r" +[\d.]+ m?s  [a-z.@0-9]+  (python|heat)$", line) for line in lines[at + 1 : at + 3]
    )
    assert lines[-1].startswith("5 specs × 2 backends")


# The project's own settings


@pytest.mark.parametrize(
    ("old", "new", "place", "hint"),
    [
        ("backends =", "backend =", "pyproject.toml:16:1: error[unknown-key]", 'did you mean "backends"?'),
        ('["gradients"]', "3", "pyproject.toml:15:1: error[bad-value]", "paths is a list"),
        ("rtol =", "rtoll =", "pyproject.toml:19:15: error[unknown-key]", 'did you mean "rtol"?'),
        ("1e-7 }", "1e-7, ulp = 3 }", "pyproject.toml:19:", "rtol and atol, or ulp"),
        ('"gradients/known"', '"known.yaml"', "pyproject.toml:17:1: error[bad-value]", "a directory"),
        ("code =", "jobs = 0\ncode =", "pyproject.toml:18:1: error[bad-value]", "jobs is"),
    ],
)
def test_faults_of_the_settings_have_a_place(
    project: Project, old: str, new: str, place: str, hint: str
) -> None:
    project.edit("pyproject.toml", old, new)
    said = project.gradspec("run", code=2)
    assert place in said
    assert hint in said


def test_what_is_said_on_the_command_line_wins(project: Project) -> None:
    assert "5 specs on python" in project.gradspec("run", "-b", "python")
    project.edit("pyproject.toml", "code =", "jobs = 2\ntimeout = 60\ncode =")
    assert "9 passed, 1 known to fail" in project.gradspec("run")
    assert "9 passed, 1 known to fail" in project.gradspec("run", "--jobs", "1")


def test_the_project_s_tolerance_counts_where_a_spec_says_nothing(project: Project) -> None:
    project.edit(FIXED, "[0.1, 0.1]", "[0.1, 0.101]")
    project.gradspec("run", "gradients/boundary/fixed.gradspec.yaml", code=1)
    project.edit("pyproject.toml", "rtol = 1e-5", "rtol = 0.05")
    project.gradspec("run", "gradients/boundary/fixed.gradspec.yaml")
    project.edit(FIXED, "tensors:", "tolerance: {ulp: 1}\ntensors:")
    project.gradspec("run", "gradients/boundary/fixed.gradspec.yaml", code=1)


# Writing specs


def test_from_nothing_to_a_spec_that_holds(project: Project) -> None:
    said = project.gradspec("new", "gradients/sources/point.gradspec.yaml")
    assert "gradspec.schema.json for editors" in said
    file = project.folder / "gradients/sources/point.gradspec.yaml"
    lead = re.match(r"# yaml-language-server: \$schema=(\S+)\n", file.read_text())
    assert lead is not None and (file.parent / lead[1]).is_file()
    assert "id: sources.point" in file.read_text()
    project.gradspec("run", str(file))
    assert "is already there" in project.gradspec("new", "gradients/sources/point.gradspec.yaml", code=2)
    assert ".gradspec.yaml" in project.gradspec("new", "point.yaml", code=2)


def test_accepting_changes_the_lines_it_is_about(project: Project) -> None:
    project.edit(FIXED, "[0.1, 0.1]", "...")
    said = project.gradspec("run", FIXED, code=2)
    assert f"{FIXED}:11:28: error[left-open]" in said
    before = (project.folder / FIXED).read_text()
    words = ("accept", FIXED, "-b", "heat", "--witness", "python")
    said = project.gradspec(*words, code=1)
    assert "--yes writes without asking" in said
    assert "+  - expect: {inner: {grad: [0.1, 0.1]}, end:" in said
    assert (project.folder / FIXED).read_text() == before
    assert "CI is set here" in project.gradspec(*words, code=2, CI="true")
    assert (project.folder / FIXED).read_text() == before
    said = project.gradspec(*words, "--yes", CI="true")
    assert "1 expectation from heat 1.0, 1 confirmed by python" in said
    assert project.git("diff", "--stat") == ""
    assert "nothing to accept" in project.gradspec(*words)


def test_a_witness_against_it_keeps_an_answer_out(project: Project) -> None:
    file = "gradients/boundary/reflect.gradspec.yaml"
    said = project.gradspec("accept", file, "-b", "heat", "--witness", "python", "--yes", code=1)
    assert f"not accepted: {file}:11: grad: python is a witness against it" in said
    assert project.git("diff", "--stat") == ""
    project.gradspec("accept", file, "-b", "heat", "--no-witness", "--yes")
    assert "[-1.0, 1.0, 1.0]" in project.git("diff")


def test_no_backend_is_a_witness_of_its_own_engine(project: Project) -> None:
    said = project.gradspec("accept", FIXED, "-b", "python", "--witness", "numpy", code=2)
    assert "no independent witness" in said


# Watching


@pytest.fixture
def watching(project: Project) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*GRADSPEC, "run", "--watch", "-b", "python"], cwd=project.folder, env=project.env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    watchdog = threading.Timer(60, os.killpg, (process.pid, signal.SIGKILL))  # a pipe waits for ever
    watchdog.start()
    yield process
    watchdog.cancel()
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def heard(process: subprocess.Popen[str], pattern: str) -> str:
    """What it writes up to a line like this."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if re.search(pattern, line):
            break
    else:
        raise AssertionError(f"no {pattern}: {''.join(lines)}")
    return "".join(lines)


def test_watching_runs_again_and_says_why(project: Project, watching: subprocess.Popen[str]) -> None:
    first = heard(watching, "exit code 0; waiting")
    assert re.match(r"── \d\d:\d\d:\d\d watching\n", first)
    assert "5 passed" in first
    project.edit(FIXED, "[0.1, 0.1]", "[0.1, 0.2]")
    second = heard(watching, "exit code 1; waiting")
    assert re.match(rf"── \d\d:\d\d:\d\d {FIXED} has changed\n", second)
    for file in (project.folder / "gradients").rglob("*.gradspec.yaml"):
        file.unlink()
    third = heard(watching, "exit code 5; waiting")  # nothing is left, and it waits all the same
    assert " is gone and 2 more\n" in third.splitlines(keepends=True)[0]
    shutil.copy(SAMPLE / FIXED, project.folder / FIXED)
    assert f"{FIXED} is new" in heard(watching, "exit code 0; waiting")
    os.killpg(watching.pid, signal.SIGINT)
    assert watching.wait(20) == 130


# Shells, pytest and CI


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("gradspec ru", ["run"]),
        ("gradspec run -b he", ["heat"]),
        ("gradspec run --backend=n", ["numpy"]),
        ("gradspec run --only bound", ["boundary.fixed", "boundary.reflect"]),
        ("gradspec run --tag dif", ["diffusion"]),
        ("gradspec run --op sigm", ["sigmoid"]),
        ("gradspec run --upd", ["--update-known-failures"]),
        ("gradspec accept -b py", ["python"]),
    ],
)
def test_shells_complete(project: Project, words: str, found: list[str]) -> None:
    count = str(len(words.split(" ")) - 1)
    said = project.gradspec(_GRADSPEC_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=count)
    assert [line.partition(",")[2] for line in said.splitlines()] == found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_reads_is_a_script_of_it(project: Project, shell: str) -> None:
    script = project.gradspec("completion", shell)
    assert f"_GRADSPEC_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        file = project.folder / "completion"
        file.write_text(script)
        assert project.call(shell, "-n", str(file)).returncode == 0


def test_pytest_collects_the_same_specs(project: Project) -> None:
    installed = {point.name for point in entry_points(group="pytest11")}
    plugin = [] if "gradspec" in installed else ["-p", "gradspec.pytest_plugin"]
    done = project.call(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin)
    assert done.returncode == 0, done.stdout
    assert "10 passed, 1 xfailed" in done.stdout


def test_the_hook_for_pre_commit(project: Project) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    wanted = yaml.safe_load((project.folder / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [one["id"] for one in wanted] == [hook["id"]]
    files = [name for name in project.git("ls-files").splitlines() if re.search(hook["files"], name)]
    assert len(files) == 3
    program, *words = hook["entry"].split()
    assert program == "gradspec"
    assert "5 specs in 3 files: no fault" in project.gradspec(*words, *files)
    project.edit(FIXED, "sum(", "smu(")
    assert 'did you mean "sum"?' in project.gradspec(*words, *files, code=2)


def test_the_action_runs_as_the_workflow_calls_it(project: Project) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    workflow = yaml.safe_load((project.folder / ".github/workflows/gradients.yml").read_text())
    (call,) = (step for step in workflow["jobs"]["specs"]["steps"] if "/gradspec@" in step.get("uses", ""))
    assert set(call["with"]) <= set(action["inputs"])
    (step,) = (step for step in action["runs"]["steps"] if step.get("id") == "run")
    binaries = project.folder / "bin"
    binaries.mkdir()
    (binaries / "gradspec").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gradspec "$@"\n')
    (binaries / "gradspec").chmod(0o755)
    project.edit("gradients/diffusion/step.gradspec.yaml", "14.0", "15.0")
    outputs = project.folder / "outputs"
    for arguments, code in (("--only boundary.* --timeout 60", 0), ("-b python", 1)):
        done = project.call(
            "bash", "-e", "-c", step["run"], ARGS=arguments, REPORTS=str(project.folder / "out"),
            GITHUB_OUTPUT=str(outputs), GITHUB_ACTIONS="true",
            GITHUB_STEP_SUMMARY=str(project.folder / "summary.md"),
            PATH=f"{binaries}{os.pathsep}{os.environ['PATH']}",
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        assert outputs.read_text().splitlines()[-1] == f"exit-code={code}"
        assert sorted(file.name for file in (project.folder / "out").iterdir()) == [
            "junit.xml",
            "report.json",
        ]
    assert "::error file=gradients/diffusion/step.gradspec.yaml,line=" in done.stdout
    assert "diffusion.step" in (project.folder / "summary.md").read_text()
