"""The engine is one for all ops: none is named in it."""

from __future__ import annotations

import ast

import pytest

from gradspec.arrays.contract import CONTRACT, EXTRAS
from gradspec.ops import registry
from tests.architecture.tree import sources

ENGINE = sorted(name for name in sources() if name.startswith("gradspec.engine"))
# Words that the engine uses for things of its own, and that happen to be names of ops too: the two ways
# in which tensors share memory, words of generated source, a kind of op, how tensors lie in memory, and what
# an array namespace offers.
OWN = {"view", "detach", "slice", "t", "linear", "contiguous"} | set(CONTRACT) | set(EXTRAS)
OPS = set(registry) - OWN


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
    assert len(OPS) > 40, "the registry is not loaded, so nothing was checked"
    assert not named, named


@pytest.mark.parametrize("name", ENGINE)
def test_nothing_depends_on_an_ops_name(name: str) -> None:
    """No `op.name == "sum"`, no `call.op in (...)`: what is special about an op is a fact in its entry."""
    compared = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(sources()[name].read_text()))
        if isinstance(node, ast.Compare)
        and any(
            isinstance(side, ast.Attribute) and side.attr in ("name", "op")
            for side in (node.left, *node.comparators)
        )
        and any(isinstance(side, ast.Constant) and side.value in registry for side in ast.walk(node))
    ]
    assert not compared, compared
