"""How many specs of each scope hold on each backend, for reports that are made of the document."""

from __future__ import annotations

from typing import Any

from gradspec.spec.model import SCOPES

__all__ = ["scope_rows"]


def scope_rows(document: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """The backends, and a row for each scope: its name, then a cell for each backend.

    Both are empty where there are not several scopes, as in reports of older versions.
    """
    scopes = {name: counts for name, counts in document.get("scopes", {}).items() if counts}
    rows = [scope for scope in SCOPES if any(scope in counts for counts in scopes.values())]
    if len(rows) < 2:
        return [], []
    cells = [[_held(counts.get(scope, {})) for counts in scopes.values()] for scope in rows]
    return list(scopes), [[scope, *row] for scope, row in zip(rows, cells, strict=True)]


def _held(counts: dict[str, int]) -> str:
    """As "2192 of 2642, 214 emulated": what passed natively, of how many, and what passed by emulation."""
    if not counts:
        return "\u00b7"
    emulated = f", {counts['emulated']} emulated" if counts.get("emulated") else ""
    return f"{counts.get('passed', 0)} of {sum(counts.values())}{emulated}"
