"""The report as Markdown: a table for a pull request or a job summary, and each failure folded under it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from gradspec.reports.document import is_bad, stale_line
from gradspec.reports.headline import headline
from gradspec.reports.scopes import scope_rows

if TYPE_CHECKING:
    from gradspec.reports.sources import Sources

__all__ = ["COMMENT", "PICTURES", "markdown"]

COMMENT = 65_000  # bytes; a comment on GitHub takes 65,536 letters
PICTURES = 3  # failing specs that come with a picture of their graph
_FIRST = ("passed", "failed", "error")


def markdown(document: dict[str, Any], limit: int = COMMENT, sources: Sources | None = None) -> str:
    """The document as at most `limit` bytes of Markdown; with `sources` the first failures are drawn."""
    parts = [f"### {_sign(document)} gradspec: {headline(document)}\n\n{_table(document)}"]
    if scopes := _scopes(document):
        parts.append(scopes)
    if document.get("complete") is False:
        parts.append("**The run did not finish: results are missing.**\n")
    gone = [one for one in document["backends"] if not one["available"]]
    parts += [f"- **{one['name']} is not available:** {escape(one.get('reason', ''))}\n" for one in gone]
    parts += [f"- {escape(stale_line(one))}\n" for one in document.get("stale", ())]
    bad = [result for result in document["results"] if is_bad(result)]
    size = sum(len(part.encode()) + 1 for part in parts) + 200  # 200 for the last line
    drawn: set[tuple[str, int]] = set()
    for k, result in enumerate(bad):
        picture, place = "", (result["file"], result["line"])
        if sources is not None and place not in drawn and len(drawn) < PICTURES:
            picture = _picture(result, sources)
            drawn.add(place)
        part = _failure(result, picture)
        if size + len(part.encode()) + 1 > limit:
            more = f"{len(bad) - k} more that are not as expected"
            parts.append(f"… and {more}; the whole report has them all.\n")
            break
        parts.append(part)
        size += len(part.encode()) + 1
    return "\n".join(parts)


def _sign(document: dict[str, Any]) -> str:
    return "✅" if document["exit_code"] == 0 and document.get("complete") is not False else "❌"


def _table(document: dict[str, Any]) -> str:
    """A row for each outcome that occurs, a column for each backend."""
    names = [one["name"] for one in document["backends"] if one["available"]]
    if not names:
        return ""
    totals = document["totals"]
    outcomes = dict.fromkeys((*_FIRST, *(word for counts in totals.values() for word in counts)))
    rows = [f"| | {' | '.join(map(escape, names))} |", f"| --- |{' ---: |' * len(names)}"]
    for outcome in outcomes:
        counts = [totals.get(name, {}).get(outcome, 0) for name in names]
        if any(counts) or outcome == "failed":
            rows.append(f"| {outcome} | {' | '.join(str(n) if n else '·' for n in counts)} |")
    return "\n".join(rows) + "\n"


def _scopes(document: dict[str, Any]) -> str:
    """A row for each scope, where there are several: how many hold, of how many."""
    names, rows = scope_rows(document)
    if not rows:
        return ""
    lines = [f"| scope | {' | '.join(map(escape, names))} |", f"| --- |{' ---: |' * len(names)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _failure(result: dict[str, Any], picture: str) -> str:
    text = result.get("text", result["message"])
    first = next((one["summary"] for one in result["failures"]), result["message"])
    told = escape(" ".join(first.split())[:200])
    fence = "`" * max(3, _longest_run(text, "`") + 1)
    return (
        f"<details><summary><b>{escape(result['id'])}</b> on {escape(result['backend'])}:"
        f" {result['outcome']}, {told}</summary>\n\n"
        f"{fence}text\n{text}\n{fence}\n{picture}\n</details>\n"
    )


def _picture(result: dict[str, Any], sources: Sources) -> str:
    from gradspec.reports.graph import graph_of
    from gradspec.reports.mermaid import mermaid

    spec = sources.of(result).spec
    if spec is None:
        return ""
    text = mermaid(graph_of(spec, [one["name"] for one in result["failures"] if "name" in one]))
    return f"\n```mermaid\n{text}\n```\n" if text else ""


def _longest_run(text: str, letter: str) -> int:
    longest = 0
    while letter * (longest + 1) in text:
        longest += 1
    return longest
