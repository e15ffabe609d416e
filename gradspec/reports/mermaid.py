"""A graph as Mermaid text, which GitHub draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradspec.reports.graph import Graph, Node

__all__ = ["mermaid"]

MOST_EDGES = 400  # Mermaid refuses more than 500


def mermaid(graph: Graph) -> str:
    """The text, or "" for a graph that Mermaid would refuse."""
    if not graph.nodes or len(graph.edges) > MOST_EDGES:
        return ""
    lines = ["graph LR", *(f"  t{node.id}{_shape(node)}" for node in graph.nodes)]
    lines += [f"  t{a} --> t{b}" for a, b in graph.edges]
    lines += [
        f"  style t{node.id} stroke:#c00,stroke-width:3px" for node in graph.nodes if "wrong" in node.marks
    ]
    return "\n".join(lines)


def _shape(node: Node) -> str:
    words = [*([node.name] if node.name else []), node.made]
    words += [mark for mark in node.marks if mark != "wrong"]
    text = "<br>".join(_plain(word) for word in words)
    return f'(["{text}"])' if node.kind != "op" else f'["{text}"]'


def _plain(text: str) -> str:
    """Letters that mean something to Mermaid, as its own character codes."""
    return "".join(c if c.isalnum() or c in " .,()=+-*/_·…" else f"#{ord(c)};" for c in text)
