"""Backends and plugins: found without import, loaded when selected, broken without a crash."""
# ruff: noqa: E501

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from gradspec.backends.base import Backend
from gradspec.entry_points import entry_points
from gradspec.errors import BackendUnavailable, UsageError
from gradspec.plugins import BackendRow, known_failures, list_backends, load_backend, plugin_manager
from tests.architecture.tree import python

GOOD = """
from gradspec.backends.base import Backend, Observations
class Good(Backend):
    name = "good"
    version = "7.5"
    def supports(self, feature): return "native"
    def run(self, program): return Observations({}, {}, {})
"""


class Site:
    """A folder on sys.path that distributions are put into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, entry_points: str, **modules: str) -> None:
        info = self.folder / f"{name}.dist-info"
        info.mkdir()
        (info / "entry_points.txt").write_text(entry_points)
        (info / "METADATA").write_text("Name: {}\nVersion: {}\n".format(*name.split("-")))
        for module, text in modules.items():
            (self.folder / f"{module}.py").write_text(text)


@pytest.fixture
def site(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("GRADSPEC_PLUGINS", raising=False)
    yield Site(tmp_path)
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def row(rows: list[BackendRow], origin: str) -> BackendRow:
    [found] = [one for one in rows if one.origin == origin]
    return found


def test_the_built_in_ones_come_first_and_nothing_is_imported() -> None:
    code = (
        "import sys\nfrom gradspec.plugins import list_backends\nrows = list_backends()\n"
        "print([row.name for row in rows[:3]], [row.origin for row in rows[:3]])\n"
        "heavy = {'torch', 'numpy', 'pluggy', 'importlib.metadata', 'gradspec.backends.torch'} & set(sys.modules)\n"
        "print(heavy)"
    )
    done = python(code)
    assert done.stdout.splitlines() == [
        "['python', 'numpy', 'torch'] ['built in', 'built in', 'built in']", "set()",
    ], done.stderr  # fmt: skip


def test_a_plugin_is_listed_without_import_and_loaded_when_selected(site: Site) -> None:
    site.put("gradspec_good-1.2", "[console_scripts]\nx = y:z\n[gradspec.backends]\ngood = good_backend:Good\n",
             good_backend=GOOD)  # fmt: skip
    assert row(list_backends(), "gradspec-good 1.2") == ("good", "gradspec-good 1.2", "available", "")
    assert "good_backend" not in sys.modules
    assert row(list_backends(load=True), "gradspec-good 1.2").detail == "7.5"
    made = load_backend("good")
    assert isinstance(made, Backend) and made.name == "good"


BROKEN = {
    "a-1": ("b = raises_on_import:Good", "ImportError: no jax here", {"raises_on_import": "raise ImportError('no jax here')"}),
    "b-1": ("b = exits_on_import:Good", "SystemExit: 3", {"exits_on_import": "raise SystemExit(3)"}),
    "c-1": ("b = no_module_of_this_name:Good", "no module named no_module_of_this_name", {}),
    "d-1": ("b = no_attribute:Good", "AttributeError: module 'no_attribute' has no attribute 'Good'", {"no_attribute": ""}),
    "e-1": ("b = no_backend:Good", "is no subclass of gradspec.backends.base.Backend", {"no_backend": "class Good: pass"}),
    "f-1": ("b = fails_to_start:Good", "OSError: no device", {"fails_to_start": GOOD + "    def __init__(self): raise OSError('no device')"}),
    "g-1": ("b is wrong", '"b is wrong" is no entry point: write "name = module:Class"', {}),
    "h-1": ("b = syntax_error_inside:Good", "SyntaxError", {"syntax_error_inside": "def ("}),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_a_row(site: Site, name: str) -> None:
    entry, reason, modules = BROKEN[name]
    site.put(name, f"[gradspec.backends]\n{entry}\n", **modules)
    found = row(list_backends(load=True), name.replace("-", " "))
    assert found.status == "broken" and reason in found.detail
    with pytest.raises(BackendUnavailable) as raised:
        load_backend(found.name)
    assert f'backend "{found.name}" of {found.origin} cannot be loaded: ' in str(raised.value)


def test_a_name_is_taken_once(site: Site) -> None:
    site.put(
        "one-1",
        "[gradspec.backends]\ngood = good_backend:Good\nnumpy = good_backend:Good\n",
        good_backend=GOOD,
    )
    site.put("two-1", "[gradspec.backends]\ngood = other:Good\n", other=GOOD)
    rows = [one for one in list_backends() if one.origin in ("one 1", "two 1")]
    assert [(one.name, one.status, one.detail) for one in rows] == [
        ("good", "available", ""),
        ("numpy", "broken", 'the name "numpy" is taken (built in)'),
        ("good", "broken", 'the name "good" is taken (one 1)'),
    ]
    assert type(load_backend("good")).__module__ == "good_backend"


def test_the_variable_restricts(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.put("gradspec_one-1", "[gradspec.backends]\ngood = good_backend:Good\n", good_backend=GOOD)
    site.put("gradspec_two-1", "[gradspec.backends]\nother = good_backend:Good\n")

    def names() -> list[str]:
        return [one.name for one in list_backends() if one.origin != "built in"]

    for value, expected in {
        "": [],
        "gradspec-one": ["good"],
        "other": ["other"],
        "gradspec_one, other": ["good", "other"],
    }.items():
        monkeypatch.setenv("GRADSPEC_PLUGINS", value)
        assert names() == expected
    monkeypatch.setenv("GRADSPEC_PLUGINS", "")
    with pytest.raises(BackendUnavailable, match="left out by GRADSPEC_PLUGINS=''"):
        load_backend("good")


def test_unknown_names_get_a_hint(site: Site) -> None:
    site.put("gradspec_one-1", "[gradspec.backends]\ngood = good_backend:Good\n")
    for wrong, near in {"trch": "torch", "goood": "good"}.items():
        with pytest.raises(UsageError, match=f'no backend "{wrong}": did you mean "{near}"'):
            load_backend(wrong)
    with pytest.raises(UsageError, match="`gradspec backends` lists all"):
        load_backend("q")


def test_a_framework_that_is_not_installed_says_what_to_install() -> None:
    code = (
        "import sys\nsys.modules['torch'] = None\n"
        "from gradspec.plugins import load_backend\nfrom gradspec.errors import BackendUnavailable\n"
        "try: load_backend('torch')\nexcept BackendUnavailable as error: print(error)"
    )
    done = python(code)
    assert "pip install gradspec[torch]" in done.stdout, done.stderr


def test_metadata_is_asked_where_folders_do_not_do(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.put("gradspec_one-1", "[gradspec.backends]\ngood = good_backend:Good\n")
    quick = entry_points("gradspec.backends")
    zipfile.ZipFile(site.folder / "archive.zip", "w").close()
    monkeypatch.setattr(sys, "path", [*sys.path, str(site.folder / "archive.zip")])
    thorough = entry_points("gradspec.backends")
    assert sorted(quick) == sorted(thorough)
    assert "good" in [point.name for point in quick]


HOOKS = """
from gradspec.hookspecs import hookimpl
@hookimpl
def gradspec_known_failures(backend): return {"ops.*": "known on " + backend}
"""


def test_hooks(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADSPEC_PLUGINS", "gradspec-known, gradspec-typo, gradspec-bad")
    assert plugin_manager() is None and known_failures("jax") == {}
    site.put("gradspec_known-1", "[gradspec]\nknown = known_plugin\n", known_plugin=HOOKS)
    typo = "_reporter"
    site.put("gradspec_typo-1", "[gradspec]\ntypo = typo_plugin\n",
             typo_plugin=HOOKS.replace("_known_failures(backend)", typo + "()").replace("+ backend", ""))  # fmt: skip
    site.put("gradspec_bad-1", "[gradspec]\nbad = bad_plugin\n", bad_plugin="import nothing_like_this")
    broken: list[BackendRow] = []
    manager = plugin_manager(broken)
    assert manager is not None, broken
    assert known_failures("jax") == {"ops.*": "known on jax"}
    assert known_failures("numpy") == {}  # no plugin brings it
    assert sorted((one.name, one.status, one.detail) for one in broken) == [
        ("bad", "broken", "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("typo", "broken", 'no hook gradspec_reporter: did you mean "gradspec_reporters"?'),
    ]


def test_without_plugins_pluggy_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADSPEC_PLUGINS", "")
    done = python(
        "import sys\nfrom gradspec.plugins import plugin_manager\nprint(plugin_manager(), 'pluggy' in sys.modules)"
    )
    assert done.stdout.split() == ["None", "False"], done.stderr
