"""What a module offers is what its `__all__` says, and nobody reaches for more."""

from __future__ import annotations

import ast
import importlib
import inspect
from types import ModuleType

import pytest

from tests.architecture.tree import OPTIONAL, sources

MODULES = sorted(name for name in sources() if not name.endswith("__main__"))


def load(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in OPTIONAL:
            pytest.skip(f"needs {error.name}")
        raise


@pytest.mark.parametrize("name", MODULES)
def test_all_is_held(name: str) -> None:
    if sources()[name].name == "__init__.py" and not sources()[name].read_text().strip():
        return  # a folder, nothing more
    module = load(name)
    assert hasattr(module, "__all__"), "no __all__"
    assert len(set(module.__all__)) == len(module.__all__), "a name stands twice in __all__"
    missing = [word for word in module.__all__ if not hasattr(module, word)]
    assert not missing, f"__all__ names what is not there: {missing}"
    unlisted = [
        word
        for word, thing in vars(module).items()
        if not word.startswith("_")
        and word not in module.__all__
        and (inspect.isfunction(thing) or inspect.isclass(thing))
        and thing.__module__ == name
    ]
    assert not unlisted, f"public, but not in __all__: {unlisted} (list them, or start them with _)"


@pytest.mark.parametrize("name", MODULES)
def test_no_private_name_is_imported(name: str) -> None:
    taken = [
        f"line {node.lineno}: {alias.name} from {node.module}"
        for node in ast.walk(ast.parse(sources()[name].read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gradspec")
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert not taken, taken


@pytest.mark.parametrize("name", MODULES)
def test_annotations_cost_nothing_at_start(name: str) -> None:
    text = sources()[name].read_text()
    assert "from __future__ import annotations" in text or not any(
        isinstance(node, ast.FunctionDef | ast.AnnAssign) for node in ast.walk(ast.parse(text))
    )
