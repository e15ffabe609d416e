"""Reports read again, and the reports of several runs made into one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gradspec.errors import UsageError
from gradspec.reports.document import FORMAT
from gradspec.runner import exits

__all__ = ["merged", "read"]

_NEEDED = ("format", "gradspec", "backends", "results", "totals", "exit_code", "duration_s")


def read(path: str) -> dict[str, Any]:
    """The document of a JSON or JSON lines report. Raises UsageError for anything else.

    JSON lines that end early, in the middle of one perhaps, give a document with `complete` false.
    """
    import json

    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        document = json.loads(text)
        lines = isinstance(document, dict) and "kind" in document
    except ValueError:
        lines = True
    document = _from_lines(text, path) if lines else document
    if not isinstance(document, dict) or "format" not in document:
        raise UsageError(f"{path} is no report of gradspec run: write one with --report json=FILE")
    if document["format"] != FORMAT:
        raise UsageError(f"{path} has format {document['format']}; this gradspec reads format {FORMAT}")
    if missing := [key for key in _NEEDED if key not in document]:
        raise UsageError(f"{path} is no whole report: {', '.join(missing)} missing")
    return document


def _from_lines(text: str, path: str) -> dict[str, Any]:
    import json

    document: dict[str, Any] = {"backends": [], "results": []}
    whole = text.split("\n")
    ended = False
    for number, line in enumerate(whole, 1):
        try:
            data = json.loads(line) if line else {}
            kind = data.pop("kind", "")
        except (ValueError, AttributeError):
            if number >= len(whole) and document["results"]:
                break  # cut off while it was written
            raise UsageError(f"{path} is no report of gradspec run: line {number} is no JSON") from None
        if kind in ("start", "end"):
            document |= data
            ended = kind == "end"
        elif kind in ("backend", "result"):
            document[f"{kind}s"].append(data)
    if not ended and "format" in document:
        document |= {"complete": False, **_counted(document), "duration_s": 0.0}
        document["exit_code"] = exits.INTERNAL
    return document


def merged(documents: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], int]:
    """One document of several, and how many results stood in more than one: of these the last counts.

    Results are in the order of their files and lines, as in a run that was not divided.
    """
    results: dict[tuple[str, str], dict[str, Any]] = {}
    twice = 0
    for document in documents:
        for result in document["results"]:
            key = (result["id"], result["backend"])
            twice += key in results
            results[key] = result
    backends = _backends(documents)
    place = {one["name"]: k for k, one in enumerate(backends)}
    made = {
        "format": FORMAT,
        "gradspec": _all(document["gradspec"] for document in documents),
        "python": _all(document.get("python", "") for document in documents),
        "backends": backends,
        "results": sorted(
            results.values(),
            key=lambda one: (one["file"], one["line"], one["id"], place.get(one["backend"], 0)),
        ),
        "duration_s": round(sum(document["duration_s"] for document in documents), 6),
    }
    if started := [document["started"] for document in documents if "started" in document]:
        made["started"] = min(started)
    if any(document.get("complete") is False for document in documents):
        made["complete"] = False
    stale = [entry for document in documents for entry in document.get("stale", ())]
    if stale:
        made["stale"] = [entry for k, entry in enumerate(stale) if entry not in stale[:k]]
    if left := sum(document.get("left", 0) for document in documents):
        made["left"] = left
    made |= _counted(made)
    made["exit_code"] = _exit_code([document["exit_code"] for document in documents])
    return made, twice


def _backends(documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for document in documents:
        for backend in document["backends"]:
            found.setdefault(backend["name"], []).append(backend)
    made = []
    for those in found.values():
        here = [one for one in those if one["available"]]
        one = dict((here or those)[0])
        if here:
            one["version"] = _all(other.get("version", "") for other in here)
        made.append(one)
    return made


def _all(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(filter(None, words)))


def _counted(document: dict[str, Any]) -> dict[str, Any]:
    """`totals` and `scopes`, counted again; results of older reports have no scope and count in none."""
    from gradspec.runner.verdict import KINDS, OUTCOMES

    names = [one["name"] for one in document["backends"] if one["available"]]
    totals = {name: dict.fromkeys(OUTCOMES, 0) for name in names}
    scopes: dict[str, dict[str, dict[str, int]]] = {name: {} for name in names}
    for result in document["results"]:
        name, outcome = result["backend"], result["outcome"]
        counts = totals.setdefault(name, dict.fromkeys(OUTCOMES, 0))
        counts[outcome] = counts.get(outcome, 0) + 1
        if "scope" in result:
            kind = "emulated" if outcome == "passed" and result["emulated"] else outcome
            counts = scopes.setdefault(name, {}).setdefault(result["scope"], dict.fromkeys(KINDS, 0))
            counts[kind] = counts.get(kind, 0) + 1
    return {"totals": totals, "scopes": scopes} if any(scopes.values()) else {"totals": totals}


def _exit_code(codes: Sequence[int]) -> int:
    """The worst of the runs; a shard may be empty, but not all of them."""
    order = (exits.INTERNAL, exits.UNAVAILABLE, exits.USAGE, exits.MISMATCH, exits.AS_EXPECTED)
    return next((code for code in order if code in codes), exits.NOTHING_SELECTED)
