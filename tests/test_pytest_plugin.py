"""Specs in pytest, as a project has them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gradspec.cli import main

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[1]
INSTALLED = any(one.name == "gradspec" for one in entry_points(group="pytest11"))
GOOD = """\
gradspec: 1
id: {id}
tags: [first]
tensors: {{x: {{data: [1.0, 2.0], requires_grad: true}}}}
steps:
  - op: y = sum(x * x)
  - backward: y
  - expect: {{x: {{grad: [2.0, {last}]}}}}
"""
MANY = """\
gradspec: 1
specs:
  - id: many.exp
    dtypes: [float32, float64]
    tensors: {x: {data: 0.0, requires_grad: true}}
    steps: [{op: y = exp(x)}, {backward: y}, {expect: {x: {grad: 1.0}}}]
  - id: many.unchecked
    tensors: {x: {data: 0.0, requires_grad: true}}
    steps: [{op: y = exp(x)}, {backward: y}]
"""


class Project:
    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.folder = pytester.path
        self.put("specs/good.gradspec.yaml", GOOD.format(id="good.one", last="4.0"))
        self.put("pytest.ini", "[pytest]\naddopts = --strict-markers\n")

    def put(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def pytest(self, *words: str, plugin: bool = True, process: bool = False) -> tuple[int, str]:
        """Exit code and output of pytest; where gradspec is not installed its plugin is named."""
        named = ["-p", "gradspec.pytest_plugin"] if plugin and not INSTALLED else []
        named += ["-p", "no:gradspec"] if not plugin else []
        run = self.pytester.runpytest_subprocess if process else self.pytester.runpytest_inprocess
        result = run("-p", "no:hypothesispytest", *named, *words)
        output = "\n".join(result.outlines + result.errlines)
        assert "INTERNALERROR" not in output, output
        return int(result.ret), output + "\n"

    def collected(self, *words: str) -> list[str]:
        _, out = self.pytest("--collect-only", "-q", *words)
        return [line for line in out.splitlines() if "::" in line]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> None:
    """Everything that a run imports: pytest in this process forgets what it imported itself, and neither
    NumPy nor libyaml can be imported twice."""
    path = tmp_path_factory.mktemp("first") / "first.gradspec.yaml"
    path.write_text(GOOD.format(id="first", last="4.5"), "utf-8")
    assert main(["run", str(path)]) == 1


@pytest.fixture
def project(pytester, monkeypatch, loaded) -> Project:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return Project(pytester)


def counts(output: str) -> dict[str, int]:
    last = next(line for line in reversed(output.splitlines()) if re.search(r" in \d+\.\d+s", line))
    found = re.findall(r"(\d+) (\w+)", last.partition(" in ")[0])
    return {
        word.rstrip("s"): int(n) for n, word in found if word not in ("deselected", "warning", "warnings")
    }


@pytest.fixture
def bad(project) -> Project:
    project.put("specs/bad.gradspec.yaml", GOOD.format(id="bad.one", last="5.0"))
    return project


def test_a_node_for_each_spec_and_backend(project):
    project.put("specs/many.gradspec.yml", MANY)
    assert project.collected() == [
        "specs/good.gradspec.yaml::good.one::python",
        "specs/good.gradspec.yaml::good.one::numpy",
        *(
            f"specs/many.gradspec.yml::many.{name}::{backend}"
            for name in ("exp@float32", "exp@float64", "unchecked")
            for backend in ("python", "numpy")
        ),
    ]
    code, out = project.pytest("-rs")
    assert code == 0
    assert counts(out) == {"passed": 6, "skipped": 2}
    assert "SKIPPED [2] specs/many.gradspec.yml:7: unchecked: nothing is expected in it" in out


@pytest.mark.parametrize("id", ["::many.exp@float64::numpy", "::many.exp@float64", "::many.unchecked", ""])
def test_node_ids_select(project, id):
    project.put("specs/many.gradspec.yml", MANY)
    found = project.collected(f"specs/many.gradspec.yml{id}")
    assert len(found) == {"": 6}.get(id, 1 if id.endswith("numpy") else 2)
    assert all(id in one for one in found)


def test_a_failure_is_the_block_of_the_command_line_and_no_traceback(bad):
    code, out = bad.pytest("specs/bad.gradspec.yaml::bad.one::numpy")
    assert code == 1
    told = """\
FAIL bad.one  numpy  grad of "x" [2] after backward 1 (line 7): 1 of 2 outside
  worst at (1): expected 5.0, got 4.0 (abs 1 > 1e-05 + 1.3e-06·|5.0|)
  specs/bad.gradspec.yaml:8:24
  rerun: gradspec run specs/bad.gradspec.yaml --only bad.one -b numpy
"""
    assert told in out
    assert "Traceback" not in out
    assert "pytest_plugin" not in out.partition("FAILURES")[2]


@pytest.mark.parametrize("style", ["short", "long", "native", "line", "no"])
def test_no_traceback_in_any_style(bad, style):
    code, out = bad.pytest(f"--tb={style}")
    assert (code, counts(out)) == (1, {"failed": 2, "passed": 2})
    assert "pytest_plugin" not in out.partition("FAILURES")[2]


@pytest.mark.parametrize("broken", ["gradspec.spec.load.load_file", "gradspec.runner.run.run_one"])
def test_not_even_a_bug_of_ours_is_told_by_a_traceback(bad, monkeypatch, broken):
    def raising(*_):
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(broken, raising)
    code, out = bad.pytest()
    assert code in (1, 2)
    assert "gradspec: internal error: RuntimeError: two lines\nThis is a bug in gradspec: --full-trace" in out
    assert "raising" not in out
    assert "raise RuntimeError" in bad.pytest("--full-trace")[1]


def test_a_broken_file_is_an_error_of_collection_with_its_caret(project):
    project.put("specs/broken.gradspec.yaml", GOOD.format(id="b", last="4").replace("sum(", "smu("))
    code, out = project.pytest()
    assert code == 2
    assert '6:13: error[unknown-op]: no op "smu"' in out
    assert "6 |   - op: y = smu(x * x)\n  |             ^^^" in out
    assert "Traceback" not in out
    code, out = project.pytest("--continue-on-collection-errors")
    assert counts(out) == {"passed": 2, "error": 1}


def test_one_id_in_two_files_is_an_error(project):
    project.put("specs/more.gradspec.yaml", GOOD.format(id="good.one", last="4.0"))
    code, out = project.pytest()
    assert code == 2
    assert "error[duplicate-id]: the id good.one is already used at specs/good.gradspec.yaml:2" in out


def test_marks_keywords_and_backends(project):
    project.put(
        "specs/other.gradspec.yaml", GOOD.format(id="other.one", last="4.0").replace("first", "second")
    )
    assert [one.split("::", 1)[1] for one in project.collected("-m", "numpy")] == [
        "good.one::numpy",
        "other.one::numpy",
    ]
    assert len(project.collected("-m", "gradspec")) == 4
    assert len(project.collected("-m", "gradspec and not python")) == 2
    assert len(project.collected("-k", "second")) == 2
    assert len(project.collected("-k", "other and numpy")) == 1
    assert len(project.collected("--gradspec-backend", "python")) == 2


def test_marks_of_scopes(project):
    text = GOOD.format(id="other.one", last="4.0").replace("gradspec: 1\n", 'gradspec: "1.1"\nscope: state\n')
    project.put("specs/other.gradspec.yaml", text)
    ids = [one.split("::", 1)[1] for one in project.collected("-m", "gradspec_state and python")]
    assert ids == ["other.one::python"]
    ids = [one.split("::", 1)[1] for one in project.collected("--strict-markers", "-m", "gradspec_core")]
    assert ids == ["good.one::python", "good.one::numpy"]


@pytest.mark.parametrize(
    ("name", "told"),
    [("pyhton", 'no backend "pyhton"; did you mean "python"?'), ("xyz", "there are python,")],
)
def test_a_backend_that_nobody_has(project, name, told):
    code, out = project.pytest("--gradspec-backend", name)
    assert code == 4
    assert told in out


def test_an_unavailable_backend_skips_unless_it_was_named(project):
    project.put("conftest.py", "import sys; sys.path.insert(0, 'fake')\n")
    project.put("fake/numpy/__init__.py", "raise ImportError('numpy is broken')\n")
    code, out = project.pytest("-rs", process=True)
    assert (code, counts(out)) == (0, {"passed": 1, "skipped": 1})
    assert 'SKIPPED [1] specs/good.gradspec.yaml:2: backend "numpy" needs what is not here' in out
    code, out = project.pytest("--gradspec-backend", "numpy", "--gradspec-backend", "python", process=True)
    assert (code, counts(out)) == (1, {"passed": 1, "error": 1})
    assert 'backend "numpy" needs what is not here (numpy is broken): pip install numpy' in out
    assert "Traceback" not in out


def test_the_project_may_say_its_backends_and_tolerance(project):
    project.put("pyproject.toml", '[tool.gradspec]\nbackends = ["python"]\n')
    assert len(project.collected()) == 1
    project.put("specs/good.gradspec.yaml", GOOD.format(id="good.one", last="4.01"))
    assert project.pytest()[0] == 1
    project.put("pyproject.toml", "[tool.gradspec]\ntolerance = {rtol = 0.0, atol = 0.1}\n")
    assert project.pytest()[0] == 0
    project.put("pyproject.toml", '[tool.gradspec]\nbackend = ["python"]\n')
    code, out = project.pytest()
    assert code == 2
    assert 'did you mean "backends"?' in out


def test_known_failures_are_strict_both_ways(bad):
    bad.put(
        "gradspec-known-failures/python.yaml", "gradspec: 1\nbad.*: https://example.org/12 wrong on purpose\n"
    )
    code, out = bad.pytest("-rx", "--gradspec-backend", "python")
    assert (code, counts(out)) == (0, {"passed": 1, "xfailed": 1})
    assert "known failure: https://example.org/12 wrong on purpose" in out
    bad.put("specs/bad.gradspec.yaml", GOOD.format(id="bad.one", last="4.0"))
    code, out = bad.pytest("--gradspec-backend", "python")
    assert (code, counts(out)) == (1, {"passed": 1, "failed": 1})
    assert "[XPASS(strict)] known failure:" in out
    bad.put("gradspec-known-failures/python.yaml", "bad.*: [\n")
    code, out = bad.pytest("--gradspec-backend", "python")
    assert code == 2
    assert "python.yaml:" in out


def test_last_failed_and_stepwise(bad):
    assert counts(bad.pytest()[1]) == {"passed": 2, "failed": 2}
    code, out = bad.pytest("--lf")
    assert (code, counts(out)) == (1, {"failed": 2})
    assert counts(bad.pytest("--sw")[1])["failed"] == 1
    bad.put("specs/bad.gradspec.yaml", GOOD.format(id="bad.one", last="4.0"))
    assert counts(bad.pytest("--lf")[1]) == {"passed": 2}
    assert counts(bad.pytest("--lf")[1]) == {"passed": 4}


def test_beside_xdist(bad):
    pytest.importorskip("xdist")
    bad.put("specs/many.gradspec.yml", MANY)
    code, out = bad.pytest("-n", "2", process=True)
    assert (code, counts(out)) == (1, {"passed": 6, "failed": 2, "skipped": 2})
    assert 'FAIL bad.one  numpy  grad of "x" [2]' in out
    code, out = bad.pytest("-n", "2", "--lf", process=True)
    assert counts(out) == {"failed": 2}


def test_junit_of_pytest_has_the_line(bad):
    bad.pytest("--junit-xml", "r.xml")
    cases = ET.parse(bad.folder / "r.xml").getroot().iter("testcase")
    lines = {one.get("name"): one.find("properties/property[@name='line']").get("value") for one in cases}
    assert lines == {"python": "2", "numpy": "2"}


def test_from_a_directory_below(bad, monkeypatch):
    monkeypatch.chdir(bad.folder / "specs")
    code, out = bad.pytest("bad.gradspec.yaml")
    assert code == 1
    assert "  rerun: gradspec run bad.gradspec.yaml --only bad.one -b python" in out


CONFTEST = """\
import pytest, yaml

def pytest_collect_file(file_path, parent):
    if file_path.suffix in (".yaml", ".yml"):
        return File.from_parent(parent, path=file_path)

class File(pytest.File):
    def collect(self):
        for name, value in yaml.safe_load(self.path.read_text()).items():
            yield Item.from_parent(self, name=str(name), value=value)

class Item(pytest.Item):
    def __init__(self, *, value, **kw):
        super().__init__(**kw)
        self.value = value

    def runtest(self):
        assert self.value is True or self.value == "1e-3", self.value
"""
TESTS = """\
import sys, yaml, pytest

def test_nothing_of_gradspec_is_loaded():
    loaded = {name for name in sys.modules if name.startswith("gradspec")}
    assert loaded <= {"gradspec", "gradspec.pytest_plugin", "gradspec.errors", "gradspec.records"}, loaded

def test_yaml_is_as_it_was():
    assert yaml.safe_load("a: 1e-3\\non: yes") == {"a": "1e-3", True: True}

@pytest.mark.numpy
def test_own_mark():
    pass
"""


def test_a_project_with_yaml_tests_of_its_own_is_not_disturbed(project):
    (project.folder / "specs/good.gradspec.yaml").unlink()
    project.put("conftest.py", CONFTEST)
    project.put("tests/test_a.py", TESTS)
    project.put("tests/test_settings.yaml", "on: yes\nb: 1e-3\n")
    project.put("tests/gradspec.yml", "a: on\n")
    project.put("tests/test_bad.yaml", "c: no\n")
    project.put("pytest.ini", "[pytest]\naddopts = --strict-markers\nmarkers =\n    numpy: our own\n")
    with_it, without = (project.pytest("-rA", "-q", plugin=plugin, process=True) for plugin in (True, False))
    assert with_it[0] == without[0] == 1

    def results(output: str) -> list[str]:
        return sorted(line for line in output.splitlines() if line.startswith(("PASSED", "FAILED", "ERROR")))

    assert len(results(with_it[1])) == 7
    assert results(with_it[1]) == results(without[1])


def test_being_imported_costs_next_to_nothing():
    code = (
        "import sys, json, pytest; before = set(sys.modules); import gradspec.pytest_plugin;"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert set(json.loads(done.stdout)) <= {
        "gradspec", "gradspec.errors", "gradspec.records", "gradspec.pytest_plugin",
    }  # fmt: skip


def test_collecting_loads_no_engine(project):
    project.put(
        "conftest.py",
        "import sys\ndef pytest_collection_finish(session):\n"
        "    heavy = {'numpy', 'torch', 'rich', 'gradspec.engine.machine', 'gradspec.backends.numpy'}\n"
        "    print('HEAVY', sorted(heavy & set(sys.modules)))\n",
    )
    assert "HEAVY []" in project.pytest("--collect-only", "-q", process=True)[1]
