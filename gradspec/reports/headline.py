"""The one line that says how a run went."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["headline", "sentence", "specs"]

_WORDS = {
    "crash": "crashed",
    "timeout": "timed out",
    "known-failure": "known to fail",
    "stale": "stale known failures",
    "left": "not run",
}


def _unpainted(_: str, text: str) -> str:
    return text


def sentence(
    count: int,
    ran: Sequence[str],
    kinds: Mapping[str, int],
    gone: Sequence[str],
    duration_s: float,
    paint: Callable[[str, str], str] = _unpainted,
) -> str:
    """As "12 specs × 2 backends: 22 passed, 1 failed, torch unavailable in 0.31 s".

    `kinds` counts what came out how; `paint(kind, text)` colours a part.
    """
    where = f"{specs(count)} × {len(ran)} backends" if len(ran) > 1 else ""
    where = where or f"{specs(count)} on {ran[0] if ran else 'no backend'}"
    counts = [paint(kind, f"{n} {_WORDS.get(kind, kind)}") for kind, n in kinds.items() if n]
    if gone:
        counts.append(paint("unavailable", f"{', '.join(gone)} unavailable"))
    return f"{where}: {', '.join(counts) or 'nothing ran'} in {duration_s:.2f} s"


def headline(document: dict[str, Any]) -> str:
    """The sentence for a document."""
    kinds: dict[str, int] = {}
    for counts in document["totals"].values():
        for outcome, n in counts.items():
            kinds[outcome] = kinds.get(outcome, 0) + n
    available = [one["name"] for one in document["backends"] if one["available"]]
    gone = [one["name"] for one in document["backends"] if not one["available"]]
    count = len({result["id"] for result in document["results"]})
    kinds |= {"stale": len(document.get("stale", ())), "left": document.get("left", 0)}
    return sentence(count, available, kinds, gone, document["duration_s"])


def specs(n: int) -> str:
    return f"{n} spec" if n == 1 else f"{n} specs"
