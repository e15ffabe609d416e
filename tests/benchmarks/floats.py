"""10 MB of floats in a spec, read and validated, beside PyYAML's CSafeLoader reading alone."""

from __future__ import annotations

import random

from tests.benchmarks.measure import Row, interleaved, medians

__all__ = ["floats"]


def floats(rounds: int) -> list[Row]:
    """Loading a spec with 10 MB of floats; the peer only parses it."""
    import yaml

    from gradspec.spec.load import load_text

    text = _text(10_000_000)
    contestants = {
        "ours": lambda: load_text(text, "big.gradspec.yaml"),
        "CSafeLoader": lambda: yaml.load(text, Loader=yaml.CSafeLoader),
    }
    spent = medians(interleaved(contestants, rounds))
    return [Row("floats", "10 MB", "load", spent["ours"], "CSafeLoader", spent["CSafeLoader"], "s", "≥ 10")]


def _text(size_bytes: int) -> str:
    draw = random.Random(10)
    rows, length = [], 0
    while length < size_bytes:
        rows.append("      - [" + ", ".join(repr(draw.uniform(-1, 1)) for _ in range(500)) + "]")
        length += len(rows[-1]) + 1
    head = "gradspec: 1\nid: big\ntensors:\n  x:\n    requires_grad: true\n    data:\n"
    steps = "steps:\n  - op: y = sum(x)\n  - backward: y\n  - expect: {y: {shape: []}}\n"
    return head + "\n".join(rows) + "\n" + steps
