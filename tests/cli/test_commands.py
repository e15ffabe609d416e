"""Every command, through the door that the console script uses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gradspec import __version__
from gradspec.cli import main

ROOT = Path(__file__).parents[2]
GOOD = """\
gradspec: 1
id: good.one
title: x times itself
tags: [first]
tensors: {x: {data: [1.0, 2.0], requires_grad: true}}
steps:
  - op: y = sum(x * x)
  - backward: y
  - expect: {x: {grad: [2.0, 4.0]}}
"""
BAD = GOOD.replace("good.one", "bad.one").replace("[2.0, 4.0]", "[1.0, 2.0]")
BROKEN = (
    GOOD.replace("good.one", "broken.one")
    .replace("sum(x * x)", "smu(x * x)")
    .replace("backward: y", "backwards: y")
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "GRADSPEC_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def put(here: Path, name: str, text: str) -> str:
    path = here / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return name


@pytest.fixture
def gradspec(here, capsys):
    def call(*words: str) -> tuple[int, str, str]:
        code = main(words)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call


# run


def test_run_passes(here, gradspec):
    code, out, err = gradspec("run", put(here, "good.gradspec.yaml", GOOD), "-b", "python")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"1 spec on python: 1 passed in \d\.\d\d s\n", out)


def test_run_fails_with_the_way_to_see_it_again(here, gradspec):
    file = put(here, "my specs/bad.gradspec.yaml", BAD)
    code, out, _ = gradspec("run", file, "-b", "python")
    assert code == 1
    assert 'FAIL bad.one  python  grad of "x" [2] after backward 1 (line 8): 2 of 2 outside' in out
    assert "pattern: a factor of 2" in out
    again = next(line for line in out.splitlines() if "rerun:" in line)
    assert again == "  rerun: gradspec run 'my specs/bad.gradspec.yaml' --only bad.one -b python"


def test_run_of_a_directory_and_of_specs_here(here, gradspec):
    put(here, "specs/a/good.gradspec.yaml", GOOD)
    put(here, "specs/b/bad.gradspec.yml", BAD)
    put(here, "specs/b/other.yaml", "not: a spec")
    code, out, _ = gradspec("run", "specs/a")
    assert code == 0
    assert "1 spec × 2 backends: 2 passed" in out
    code, out, _ = gradspec("run")
    assert code == 1
    assert "2 specs × 2 backends: 2 passed, 2 failed" in out


def test_run_elsewhere_takes_the_bundled_suite(here, gradspec, monkeypatch):
    from gradspec.cli import options

    put(here, "bundled/good.gradspec.yaml", GOOD)
    monkeypatch.setattr(options, "suite_path", lambda: str(here / "bundled"))
    code, out, _ = gradspec("run", "-b", "python")
    assert code == 0
    assert "1 spec on python" in out


def test_the_suite_is_found_in_a_checkout():
    from gradspec.cli.options import suite_path

    assert suite_path() == str(ROOT / "specs")


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--only", "good.*"), 1),
        (("--tag", "first"), 2),
        (("--op", "sum"), 2),
        (("--op", "mul", "--only", "bad*"), 1),
    ],
)
def test_selection(here, gradspec, words, count):
    put(here, "specs/good.gradspec.yaml", GOOD)
    put(here, "specs/bad.gradspec.yaml", BAD)
    _, out, _ = gradspec("run", "-b", "python", *words)
    assert f"{count} spec" in out.splitlines()[-1]


def test_nothing_selected(here, gradspec):
    put(here, "specs/good.gradspec.yaml", GOOD)
    assert gradspec("run", "--only", "nope", "--tag", "x") == (
        5,
        "",
        "none of 1 specs fits --only nope --tag x\n",
    )
    (here / "empty").mkdir()
    code, _, err = gradspec("run", "empty")
    assert code == 5
    assert ".gradspec.yaml" in err


def test_an_invalid_spec_runs_nothing_and_tells_all_faults(here, gradspec):
    put(here, "specs/broken.gradspec.yaml", BROKEN)
    put(here, "specs/good.gradspec.yaml", GOOD)
    code, out, err = gradspec("run", "-b", "python")
    assert (code, out) == (2, "")
    assert "specs/broken.gradspec.yaml:8:5: error[unknown-key]" in err
    assert 'did you mean "backward"?' in err


def test_a_missing_file(gradspec):
    code, out, err = gradspec("run", "nosuch.gradspec.yaml")
    assert (code, out) == (2, "")
    assert "nosuch.gradspec.yaml" in err


def test_a_backend_that_nobody_has(here, gradspec):
    file = put(here, "good.gradspec.yaml", GOOD)
    code, out, _ = gradspec("run", file, "-b", "pyhton", "-b", "python")
    assert code == 4
    assert 'UNAVAILABLE no backend "pyhton": did you mean "python"?' in out
    assert "1 spec on python: 1 passed, pyhton unavailable" in out


def test_json_report(here, gradspec):
    file = put(here, "good.gradspec.yaml", GOOD)
    code, _, _ = gradspec("run", file, "-b", "python", "--report", "json=r.json")
    document = json.loads((here / "r.json").read_text("utf-8"))
    assert (code, document["exit_code"], len(document["results"])) == (0, 0, 1)


@pytest.mark.parametrize(
    "report", ["juint=r.xml", "github=x", "junit", "json", "json=", "json=no/dir/r.json"]
)
def test_reports_that_make_no_sense(here, gradspec, report):
    code, out, err = gradspec("run", put(here, "good.gradspec.yaml", GOOD), "--report", report)
    assert (code, out) == (2, "")
    assert err.startswith("gradspec: --report")


def test_colour(here, gradspec, monkeypatch):
    file = put(here, "good.gradspec.yaml", GOOD)
    assert "\033" not in gradspec("run", file, "-b", "python")[1]
    assert "\033[32m1 passed" in gradspec("run", file, "-b", "python", "--color", "always")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\033" in gradspec("run", file, "-b", "python")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033" not in gradspec("run", file, "-b", "python")[1]


# check, export, schema, ops, backends


def test_check(here, gradspec):
    put(here, "specs/good.gradspec.yaml", GOOD)
    assert gradspec("check") == (0, "1 spec in 1 file: no fault\n", "")
    put(here, "specs/broken.gradspec.yaml", BROKEN)
    code, out, _ = gradspec("check")
    assert code == 2
    assert out.count("error[") == int(out.splitlines()[-1].split()[0])
    assert out.endswith("in 1 of 2 files\n")


def test_export(here, gradspec):
    code, out, _ = gradspec("export", put(here, "good.gradspec.yaml", GOOD))
    (program,) = json.loads(out)
    assert (code, program["id"]) == (0, "good.one")
    assert "expect" not in out
    code, _, err = gradspec("export", "good.gradspec.yaml", "--only", "good.two")
    assert code == 2
    assert 'no spec "good.two" in good.gradspec.yaml; did you mean "good.one"?' in err


def test_schemas(gradspec):
    code, out, _ = gradspec("schema")
    assert code == 0
    assert "steps" in json.loads(out)["properties"]
    assert "results" in json.loads(gradspec("schema", "--report")[1])["properties"]


def test_ops(gradspec):
    code, out, _ = gradspec("ops")
    assert code == 0
    assert re.search(r"^sum\(input, dim=None, keepdim=False", out, re.MULTILINE)
    ops = {op["name"]: op for op in json.loads(gradspec("ops", "--json")[1])}
    assert ops["mul"]["differentiable"] == ["input", "other"]
    assert ops["eq"]["differentiable"] == []


def test_backends(gradspec):
    code, out, _ = gradspec("backends")
    assert code == 0
    assert re.search(r"^python +available +built in$", out, re.MULTILINE)
    rows = {row["name"]: row for row in json.loads(gradspec("backends", "--json")[1])}
    assert rows["python"]["status"] == "available"


# trace

THREE = """\
gradspec: 1
id: three
tensors: {tensor1: {data: 7.0, requires_grad: true}}
steps:
  - expect: {tensor1: {value: 1.0}}
  - backward: tensor1
  - op: tensor2 = tensor1 * 4
  - retain_grad: tensor2
  - expect: {tensor2: {value: 28.0}, tensor1: {value: 7.0, grad: 3.0}}
  - backward: tensor2
  - op: g = tensor2.grad
  - backward: tensor2
    raises: graph-freed
  - expect: {tensor1: {grad: 5.0}, tensor2: {grad: 2.0}, g: {value: 1.0}}
"""


def test_trace_prints_what_a_session_would(here, gradspec):
    code, out, _ = gradspec("trace", put(here, "three.gradspec.yaml", THREE), "-b", "python")
    assert code == 0
    assert [line for line in out.splitlines() if line.startswith("(")] == [
        "(tensor(7., requires_grad=True), None, True)",
        "(tensor(28., grad_fn=<MulBackward0>), None, False)",
        "(tensor(7., requires_grad=True), tensor(1.), True)",
        "(tensor(7., requires_grad=True), tensor(5.), True)",
        "(tensor(28., grad_fn=<MulBackward0>), tensor(2.), False)",
        "(tensor(1.), None, True)",
    ]
    assert "    7  tensor2 = tensor1 * 4\n    8  retain_grad: tensor2\n" in out
    assert "! error[graph-freed]: " in out


def test_trace_on_a_backend_that_nobody_has(here, gradspec):
    code, out, err = gradspec("trace", put(here, "three.gradspec.yaml", THREE), "-b", "nope")
    assert (code, out) == (4, "")
    assert err.startswith('gradspec: no backend "nope"')


# The whole


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("rnu",), 'no command "rnu"; did you mean "run"?'),
        (("frobnicate",), "commands are run, report"),
        (("run", "--onyl", "x"), "--only"),
        (("run", "--color", "pink"), "pink"),
        (("export",), "FILE"),
    ],
)
def test_usage_errors(gradspec, words, told):
    code, out, err = gradspec(*words)
    assert (code, out) == (2, "")
    assert told in err


def test_version_and_help(gradspec):
    assert gradspec("--version") == (0, f"gradspec {__version__}\n", "")
    code, out, _ = gradspec("--help")
    assert code == 0
    assert "Exit codes:" in out


@pytest.mark.parametrize("name", ["run", "check", "trace", "export", "schema", "ops", "backends"])
def test_every_command_has_help(gradspec, name):
    code, out, _ = gradspec(name, "--help")
    assert code == 0
    assert f"gradspec {name}" in out
    assert gradspec("--help")[1].count(f"\n  {name} ") == 1


def test_an_unexpected_exception_is_told_in_a_line(here, gradspec, monkeypatch):
    from gradspec.runner import select

    put(here, "specs/good.gradspec.yaml", GOOD)

    def broken(*_):
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(select, "select", broken)
    code, _, err = gradspec("run", "-b", "python")
    assert code == 3
    assert err.startswith("gradspec: internal error: RuntimeError: two lines\n")
    assert "GRADSPEC_DEBUG=1" in err


def process(*words: str, **options) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, "-m", "gradspec", *words], env=environment, text=True, encoding="utf-8",
        stdout=options.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def test_a_reader_that_goes_away_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    child = process("ops", stdout=writer)
    os.close(writer)
    _, err = child.communicate(timeout=60)
    assert err == ""
    assert child.returncode == 141


@pytest.mark.parametrize("words", [("ops",), ("schema",), ("run", "-b", "python", "-b", "numpy")])
def test_an_ascii_terminal_survives_every_letter(here, words):
    put(here, "specs/a.gradspec.yaml", GOOD.replace("first", "λ"))
    child = process(*words, cwd=here, env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, "")
    assert out.isascii()
    assert words[0] != "run" or "1 spec x 2 backends: 2 passed" in out


def test_interrupting_is_clean(here):
    wait = "import sys, gradspec.cli.ops as o; o.signature = lambda op: sys.stderr.write('x') and input()\n"
    code = wait + "from gradspec.cli import main; sys.exit(main(['ops']))"
    child = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stderr is not None
    assert child.stderr.read(1) == "x"
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert err.strip() == "interrupted"
    assert child.returncode == 130
