"""What starting up may load, and what the engine must do without."""

from __future__ import annotations

import re

import pytest

from tests.architecture.tree import PACKAGE, ROOT, python, sources

HEAVY = (
    "numpy",
    "rich",
    "pytest",
    "torch",
    "scipy",
    "autograd",
    "importlib.metadata",
    "multiprocessing",
    "asyncio",
)
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('numpy', 'torch', 'scipy'):
            raise ImportError(f'{name} is blocked')
sys.meta_path.insert(0, Blocked())
"""
MAIN = "import sys; sys.argv = ['gradspec', *sys.argv[1:]]; from gradspec.cli import main; main()"
SPEC = """\
gradspec: 1
id: one
tensors: {x: {data: [1.0, 2.0], requires_grad: true}}
steps:
  - op: y = sum(x * x)
  - backward: y
  - expect: {x: {grad: [2.0, 4.0]}}
"""


def modules_of(floor: str) -> list[str]:
    return sorted(name for name in sources() if name == floor or name.startswith(floor + "."))


@pytest.mark.parametrize(
    "floor", ["gradspec.engine", "gradspec.arrays.python", "gradspec.spec", "gradspec.ops"]
)
def test_a_floor_stands_without_numpy(floor: str) -> None:
    lines = [BLOCKED, *(f"import {name}" for name in modules_of(floor)), "assert 'numpy' not in sys.modules"]
    done = python("\n".join(lines))
    assert done.returncode == 0, done.stderr


def test_python_backend_runs_without_numpy(tmp_path) -> None:
    spec = tmp_path / "one.gradspec.yaml"
    spec.write_text(SPEC)
    done = python(BLOCKED + MAIN, "run", str(spec), "-b", "python")
    assert done.returncode == 0, done.stdout + done.stderr


def imported(*arguments: str) -> set[str]:
    """Every module that `gradspec ARGUMENTS` imports, as CPython itself reports it."""
    done = python(MAIN, *arguments, options=("-X", "importtime"))
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    names = set(re.findall(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", done.stderr, re.MULTILINE))
    assert "gradspec.cli" in names, "the list of imports could not be read"
    return names


def heavy(names: set[str]) -> list[str]:
    return sorted(name for name in names if name in HEAVY or name.split(".")[0] in HEAVY)


def test_version_imports_next_to_nothing() -> None:
    names = imported("--version")
    assert not heavy(names)
    assert not {"click", "yaml", "pluggy", "jsonschema_rs"} & names, "answered before any of these"


def test_running_a_spec_on_python_imports_nothing_heavy(tmp_path) -> None:
    spec = tmp_path / "one.gradspec.yaml"
    spec.write_text(SPEC)
    names = imported("run", str(spec), "-b", "python")
    assert not heavy(names)
    assert not {
        name for name in names if name.startswith(("gradspec.arrays.numpy", "gradspec.backends.torch"))
    }


def test_checking_a_spec_loads_no_backend(tmp_path) -> None:
    spec = tmp_path / "one.gradspec.yaml"
    spec.write_text(SPEC)
    names = imported("check", str(spec))
    assert not heavy(names)
    loaded = {name for name in names if re.match(r"gradspec\.(engine|backends)\.\w", name)}
    assert not loaded - {"gradspec.backends.base"}


def test_the_checkout_is_what_runs() -> None:
    done = python("import gradspec; print(gradspec.__file__)")
    assert done.stdout.strip() == str(PACKAGE / "__init__.py"), ROOT
