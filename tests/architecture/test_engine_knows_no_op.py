"""The engine is one for all ops: none is named in it."""

from __future__ import annotations

import ast

import pytest

from gradspec.ops import registry
from tests.architecture.tree import sources

OPS = set(registry)
ENGINE = sorted(name for name in sources() if name.startswith("gradspec.engine"))


def docstrings(tree: ast.AST) -> set[int]:
    """Where docstrings stand: prose may name ops."""
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }


@pytest.mark.parametrize("name", ENGINE)
def test_no_op_is_named(name: str) -> None:
    tree = ast.parse(sources()[name].read_text())
    prose = docstrings(tree)
    named = [
        f"line {node.lineno}: {node.value!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and id(node) not in prose and node.value in OPS
    ]
    assert len(OPS) > 50, "the registry is not loaded, so nothing was checked"
    assert not named, named
