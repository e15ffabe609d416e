"""A graph as inline SVG: layers by longest path from left to right, ordered by the mean of their neighbours
(Sugiyama, Tagawa and Toda, 1981). Colours come from the page's style sheet, by class."""

from __future__ import annotations

import itertools
from html import escape
from typing import TYPE_CHECKING

from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from gradspec.reports.graph import Graph, Node

__all__ = ["svg"]

_LETTER, _HEIGHT, _GAP, _BETWEEN, _SWEEPS = 7.3, 40, 14, 46, 6  # pixels, and passes of ordering


class _Box(NamedTuple):
    x: float
    y: float  # of the middle
    width: float


def svg(graph: Graph, title: str) -> str:
    """The picture, or "" for a graph without nodes. `title` is what a screen reader says."""
    if not graph.nodes:
        return ""
    nodes = {node.id: node for node in graph.nodes}
    layers, paths = _layered(graph)
    boxes, width, height = _placed(layers, nodes)
    lines = [_curve([boxes[point] for point in path]) for path in paths]
    shapes = [_shape(nodes[at], boxes[at]) for at in nodes]
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" role="img"'
        f' aria-label="{escape(title)}"><title>{escape(title)}</title>'
        f"{''.join(lines)}{''.join(shapes)}</svg>"
    )


def _layered(graph: Graph) -> tuple[list[list[int]], list[list[int]]]:
    """Layers of points, and each edge as its path through them: an edge over several layers goes through
    points of its own (negative numbers), so that it passes between boxes and not behind them."""
    layer: dict[int, int] = {}
    inputs: dict[int, list[int]] = {node.id: [] for node in graph.nodes}
    for a, b in graph.edges:
        inputs[b].append(a)
    for node in graph.nodes:  # in the order of the program, so inputs come first
        layer[node.id] = max((layer[a] + 1 for a in inputs[node.id] if a in layer), default=0)
    layers: list[list[int]] = [[] for _ in range(max(layer.values()) + 1)]
    for at, depth in layer.items():
        layers[depth].append(at)
    paths, free = [], -1
    for a, b in graph.edges:
        path = [a]
        for depth in range(layer[a] + 1, layer[b]):
            layers[depth].append(free)
            path.append(free)
            free -= 1
        paths.append([*path, b])
    _order(layers, paths)
    return layers, paths


def _order(layers: list[list[int]], paths: list[list[int]]) -> None:
    """Sort each layer by the mean place of its neighbours, to and fro."""
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for path in paths:
        for a, b in itertools.pairwise(path):
            before.setdefault(b, []).append(a)
            after.setdefault(a, []).append(b)
    for sweep in range(_SWEEPS):
        near = before if sweep % 2 == 0 else after
        place = {at: k / len(one) for one in layers for k, at in enumerate(one)}
        for one in layers if sweep % 2 == 0 else reversed(layers):
            means = {at: sum(place[n] for n in near[at]) / len(near[at]) for at in one if at in near}
            one.sort(key=lambda at: means.get(at, place[at]))
            place |= {at: k / len(one) for k, at in enumerate(one)}


def _placed(layers: list[list[int]], nodes: dict[int, Node]) -> tuple[dict[int, _Box], float, float]:
    """A box for every point, and the size of the whole."""
    tall = max(sum(_tall(at) for at in one) for one in layers)
    boxes: dict[int, _Box] = {}
    x = 2.0
    for one in layers:
        wide = max(_wide(nodes[at]) if at in nodes else 0.0 for at in one)
        y = 2.0 + (tall - sum(_tall(at) for at in one)) / 2
        for at in one:
            boxes[at] = _Box(x, y + (_tall(at) - _GAP) / 2, wide)
            y += _tall(at)
        x += wide + _BETWEEN
    return boxes, x - _BETWEEN + 2, tall - _GAP + 4


def _tall(at: int) -> float:
    return _HEIGHT + _GAP if at >= 0 else 2 * _GAP


def _wide(node: Node) -> float:
    return 18 + _LETTER * max(len(line) for line in _lines(node))


def _lines(node: Node) -> list[str]:
    """A box's text: its name with what was asked of it, and what made it."""
    asked = [mark for mark in node.marks if mark != "wrong"]
    head = " ".join(filter(None, (node.name, f"({', '.join(asked)})" if asked else "")))
    return [line for line in (head, node.made) if line]


def _shape(node: Node, box: _Box) -> str:
    lines = _lines(node)
    top = box.y - 6 * (len(lines) - 1) + 4
    text = "".join(
        f'<text x="{box.x + box.width / 2:.1f}" y="{top + 15 * k:.1f}" class="{"n" if k == 0 else "m"}">'
        f"{escape(line)}</text>"
        for k, line in enumerate(lines)
    )
    round_ = _HEIGHT / 2 if node.kind != "op" else 4
    return (
        f'<g class="{" ".join((node.kind, *node.marks))}"><rect x="{box.x:.1f}" y="{box.y - _HEIGHT / 2:.1f}"'
        f' width="{box.width:.1f}" height="{_HEIGHT}" rx="{round_:g}"/>{text}</g>'
    )


def _curve(path: list[_Box]) -> str:
    """A smooth line from the right of the first box to the left of the last."""
    x, y = path[0].x + path[0].width, path[0].y
    parts = [f"M{x:.1f},{y:.1f}"]
    for box in path[1:]:
        middle = (x + box.x) / 2
        parts.append(f"C{middle:.1f},{y:.1f} {middle:.1f},{box.y:.1f} {box.x:.1f},{box.y:.1f}")
        if box is not path[-1]:
            parts.append(f"H{box.x + box.width:.1f}")
        x, y = box.x + box.width, box.y
    end = path[-1]
    back = end.x - 6
    tip = f"M{back:.1f},{end.y - 4:.1f}L{end.x:.1f},{end.y:.1f}L{back:.1f},{end.y + 4:.1f}"
    return f'<path d="{"".join(parts)}{tip}"/>'
