"""The graph of a spec, as data, as SVG and as Mermaid."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from gradspec.reports.graph import MOST, graph_of
from gradspec.reports.mermaid import mermaid
from gradspec.reports.svg import svg
from gradspec.spec.load import load_text

NET = """\
gradspec: 1
id: net
tensors:
  x: {data: [[1.0, 2.0]]}
  w: {data: [[1.0], [2.0]], requires_grad: true}
  b: {data: 0.5, requires_grad: true}
steps:
  - op: h = relu(x @ w + b)
  - retain_grad: h
  - op: y = sum(h * 3 + b, dim=0)
  - backward: y
  - expect: {w: {grad: [[1.0], [2.0]]}}
"""

NODE = r't\d+(\["[^"\[\]]*"\]|\(\["[^"\[\]]*"\]\))'


def chain(n: int) -> str:
    steps = "".join(f"  - op: t{k + 1} = t{k} * 2\n" for k in range(n))
    return f"""\
gradspec: 1
id: chain
tensors: {{t0: {{data: 1.0, requires_grad: true}}}}
steps:
{steps}  - backward: t{n}
  - expect: {{t0: {{grad: 1.0}}}}
"""


def graph(text: str, *wrong: str):
    (spec,) = load_text(text, "x.gradspec.yaml")
    return graph_of(spec, wrong)


def test_tensors_and_what_they_are_made_of():
    made = graph(NET, "w")
    nodes = {node.name or node.made: node for node in made.nodes}
    assert nodes["w"][2:] == ("float32 [2, 1]", "leaf", ("wrong",))
    assert nodes["x"].kind == "data"
    assert nodes["b"].made == "float32 0.5"
    assert (nodes["h"].made, nodes["h"].marks) == ("relu(·)", ("retained",))
    assert (nodes["y"].made, nodes["y"].marks) == ("sum(·, dim=0)", ("root",))
    assert nodes["mul(h, 3)"].kind == "op"
    names = {node.id: node.name or node.made for node in made.nodes}
    edges = {(names[a], names[b]) for a, b in made.edges}
    assert {("x", "matmul(x, w)"), ("w", "matmul(x, w)"), ("add(·, b)", "h"), ("h", "mul(h, 3)")} <= edges


def test_a_large_graph_is_drawn_around_what_is_wrong():
    made = graph(chain(400), "t300")
    names = {node.name for node in made.nodes}
    assert len(made.nodes) == MOST
    assert made.left_out == 401 - MOST
    assert {"t299", "t300", "t301"} <= names
    assert "t0" not in names


def test_svg_is_well_formed_and_has_every_node_inside():
    picture = ET.fromstring(svg(graph(NET, "w"), 'the "graph" <of> & more'))
    width, height = (float(picture.get(name, "0")) for name in ("width", "height"))
    boxes = list(picture.iter("rect"))
    assert len(boxes) == len(graph(NET).nodes)
    corners = []
    for box in boxes:
        x, y, w, h = (float(box.get(name, "nan")) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        corners.append((x, y, x + w, y + h))
    for k, a in enumerate(corners):
        for b in corners[:k]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], "two boxes overlap"
    assert len(list(picture.iter("path"))) == len(graph(NET).edges)
    assert picture.findtext("title") == 'the "graph" <of> & more'


def test_nothing_to_draw():
    nothing = graph("gradspec: 1\nid: none\nsteps:\n  - op: y = 1.0 * tensor(2.0)\n")
    assert svg(nothing._replace(nodes=(), edges=()), "") == ""
    assert mermaid(nothing._replace(nodes=(), edges=())) == ""


def test_mermaid_keeps_to_what_mermaid_takes():
    text = mermaid(graph(NET, "w"))
    assert text.startswith("graph LR\n")
    for line in text.splitlines()[1:]:
        assert re.fullmatch(rf"  ({NODE}|t\d+ --> t\d+|style t\d+ stroke:#c00,stroke-width:3px)", line), line
    assert mermaid(graph(chain(30))).count("-->") == 30
    assert len(mermaid(graph(chain(400), "t9"))) < 50_000
