"""The report as one HTML page that can be mailed: no network, and a plain list where no script runs.

What is not as expected comes first, a section for each spec with its lines, its graph and what each
backend made of it; then everything else as one table.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from gradspec.reports.document import is_bad, stale_line
from gradspec.reports.headline import headline
from gradspec.reports.scopes import scope_rows
from gradspec.reports.sources import Sources
from gradspec.spec.model import SCOPES

__all__ = ["render"]

_AROUND = 12  # lines shown before the first and after the last that failed, in a long spec
_OPEN = 10  # specs that are shown unfolded
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def render(document: dict[str, Any]) -> str:
    """The document as a page."""
    bad: dict[str, list[dict[str, Any]]] = {}
    fine = []
    for result in document["results"]:
        if is_bad(result):
            bad.setdefault(result["id"], []).append(result)
        else:
            fine.append(result)
    sources = Sources()
    sections = "\n".join(
        _section(results, sources, folded=k >= _OPEN) for k, results in enumerate(bad.values())
    )
    title = escape(headline(document))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>gradspec: {title}</title>
<style>
{_part("page.css")}</style>
</head>
<body>
<header>
<h1>{title}</h1>
{_facts(document)}
{_summary(document)}
{_scopes(document)}
</header>
{_filter(document)}
<main>
<h2>Not as expected</h2>
{sections or "<p>Nothing: every check that could be made held.</p>"}
<h2>Everything else</h2>
{_others(fine)}
</main>
<script>
{_part("page.js")}</script>
</body>
</html>
"""


def _part(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _facts(document: dict[str, Any]) -> str:
    """What ran, on what, and what did not."""
    ran = [
        " ".join(filter(None, (one["name"], one.get("version"))))
        for one in document["backends"]
        if one["available"]
    ]
    words = [f"gradspec {document['gradspec']}", f"Python {document.get('python', '')}", *ran]
    lines = [f"<p>{escape(' · '.join(words))}"]
    if started := document.get("started"):
        lines[0] += (
            f' · <time datetime="{escape(started)}">{escape(started.replace("T", " ")[:16])} UTC</time>'
        )
    lines[0] += "</p>"
    lines += [
        f'<p class="warning"><b>{escape(one["name"])} is not available:</b>'
        f" {escape(one.get('reason', ''))}</p>"
        for one in document["backends"]
        if not one["available"]
    ]
    lines += [f'<p class="warning">{escape(stale_line(one))}</p>' for one in document.get("stale", ())]
    if document.get("complete") is False:
        lines.append('<p class="warning"><b>The run did not finish:</b> results are missing.</p>')
    return "\n".join(lines)


def _summary(document: dict[str, Any]) -> str:
    """Backends down, outcomes across."""
    totals = document["totals"]
    words = dict.fromkeys(word for counts in totals.values() for word, n in counts.items() if n)
    if not words:
        return ""
    head = "".join(f'<th scope="col">{escape(word)}</th>' for word in words)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f'<td class="{escape(word)}">{counts.get(word, 0) or "·"}</td>' for word in words)
        + "</tr>"
        for name, counts in totals.items()
    )
    return f'<table class="totals"><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _scopes(document: dict[str, Any]) -> str:
    """Scopes down, backends across, where there are several scopes."""
    names, rows = scope_rows(document)
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    body = "".join(
        f'<tr><th scope="row">{escape(scope)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for scope, *cells in rows
    )
    return f'<table class="totals"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'


def _filter(document: dict[str, Any]) -> str:
    """The controls. The script shows them; without it they would do nothing."""

    def choice(label: str, name: str, words: list[str]) -> str:
        options = "".join(f"<option>{escape(word)}</option>" for word in words)
        return f'<label>{label} <select name="{name}"><option value="">all</option>{options}</select></label>'

    results = document["results"]
    outcomes = list(dict.fromkeys(result["outcome"] for result in results))
    backends = list(dict.fromkeys(result["backend"] for result in results))
    scopes = [scope for scope in SCOPES if any(result.get("scope") == scope for result in results)]
    return (
        '<form id="filter" hidden role="search"><label>Find <input name="text" type="search"'
        ' placeholder="id, title, file or message" autocomplete="off"></label>'
        f"{choice('Outcome', 'outcome', outcomes)}{choice('Backend', 'backend', backends)}"
        f"{choice('Scope', 'scope', scopes)}"
        '<output name="count" aria-live="polite"></output></form>'
    )


def _section(results: list[dict[str, Any]], sources: Sources, folded: bool) -> str:
    """One spec that is not as expected, on every backend where it is not."""
    first = results[0]
    on = ", ".join(f"{one['backend']} {one['outcome']}" for one in results)
    parts = "\n".join(_verdict(one, _like(one, results[:k])) for k, one in enumerate(results))
    return (
        f'<details class="spec"{"" if folded else " open"}><summary><b>{escape(first["id"])}</b>'
        f" {escape(first['title'])} <small>{escape(on)}</small></summary>\n{parts}\n"
        f"{_source(results, sources)}\n</details>"
    )


def _like(result: dict[str, Any], before: list[dict[str, Any]]) -> str:
    """A backend on which the same went wrong, or ""."""
    same = (one for one in before if result["failures"] and one["failures"] == result["failures"])
    return next((str(one["backend"]) for one in same), "")


def _verdict(result: dict[str, Any], like: str = "") -> str:
    """What one backend made of it: the terminal's words, and each number beside what was expected."""
    rows = "".join(
        f"<tr><td>{escape(_subject(one))}</td><td>{escape(one['expected'])}</td><td>{escape(one['got'])}</td>"
        f"<td>{escape(_distance(one))}</td><td>line {one['line']}</td></tr>"
        for one in result["failures"]
        if "expected" in one
    )
    table = (
        "<table><thead><tr><th>of</th><th>expected</th><th>got</th><th>difference</th><th></th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        if rows
        else ""
    )
    text = result.get("text", result["message"])
    outcome = escape(result["outcome"])
    head = f'<span class="{outcome}">{outcome}</span> on {escape(result["backend"])}'
    told = f"{table}<pre>{escape(text)}</pre>"
    if like:
        told = f"<details><summary>the same as on {escape(like)}</summary>{told}</details>"
    return f'<div class="result" {_data(result)}><h3>{head}</h3>\n{told}</div>'


def _subject(failure: dict[str, Any]) -> str:
    index = f" at ({', '.join(map(str, failure['index']))})" if failure.get("index") else ""
    name = f" of {failure['name']}" if "name" in failure else ""
    return f"{failure['field']}{name}{index}"


def _distance(failure: dict[str, Any]) -> str:
    if "abs" not in failure:
        return str(failure["summary"])
    bound = f", allowed {failure['bound']}" if "bound" in failure else ""
    many = f"{failure['wrong']} of {failure['size']} differ; " if failure.get("size", 1) > 1 else ""
    return f"{many}{failure['abs']:.3g}{bound}"


def _data(result: dict[str, Any]) -> str:
    """What the filter looks at."""
    words = " ".join((result["id"], result["title"], result["file"], result.get("text", result["message"])))
    data = {"outcome": result["outcome"], "backend": result["backend"], "scope": result.get("scope", "")}
    data["text"] = words.lower()
    return " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())


def _source(results: list[dict[str, Any]], sources: Sources) -> str:
    """The spec's lines with those that failed marked, and its graph."""
    from gradspec.reports.graph import graph_of
    from gradspec.reports.svg import svg

    result = results[0]
    source = sources.of(result)
    if source.spec is None:
        where = f"{result['file']}:{result['line']}"
        return f"<p><small>{escape(where)} is not here as it was when it ran.</small></p>"
    failures = [failure for one in results for failure in one["failures"]]
    marked = {failure["line"] for failure in failures if failure["status"] == "failed"}
    lines = source.lines
    if marked and len(lines) > 4 * _AROUND:
        lines = tuple(line for line in lines if min(marked) - _AROUND <= line[0] <= max(marked) + _AROUND)
    listed = "\n".join(
        f"{'<mark>' if n in marked else ''}<i>{n:4}</i> {escape(text)}{'</mark>' if n in marked else ''}"
        for n, text in lines
    )
    graph = graph_of(source.spec, [failure["name"] for failure in failures if "name" in failure])
    picture = svg(graph, f"the graph of {result['id']}")
    note = f"<small>{graph.left_out} more tensors are not drawn</small>" if graph.left_out else ""
    figure = f"<figure>{picture}<figcaption>{_legend(graph)} {note}</figcaption></figure>" if picture else ""
    return f'<h3>{escape(result["file"])}</h3>\n<pre class="source">{listed}</pre>\n{figure}'


def _legend(graph: Any) -> str:
    """What the picture's shapes mean, as far as they occur in it."""
    kinds = {node.kind for node in graph.nodes}
    meanings = {"leaf": "leaf that requires grad", "data": "tensor that does not", "op": "made by an op"}
    marks = {mark for node in graph.nodes for mark in node.marks}
    words = [f'<span class="key {kind}"></span>{text}' for kind, text in meanings.items() if kind in kinds]
    if "wrong" in marks:
        words.append('<span class="key wrong"></span>not as expected')
    return f"<small>{' '.join(words)}</small>"


def _others(results: list[dict[str, Any]]) -> str:
    if not results:
        return "<p>Nothing.</p>"
    rows = "\n".join(
        f'<tr class="result" {_data(one)}><td>{escape(one["id"])}</td><td>{escape(one["backend"])}</td>'
        f'<td class="{escape(one["outcome"])}">{escape(one["outcome"])}</td><td>{escape(_remark(one))}</td>'
        f"<td>{escape(one['file'])}:{one['line']}</td></tr>"
        for one in results
    )
    head = "".join(f'<th scope="col">{word}</th>' for word in ("spec", "backend", "outcome", "", "where"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"


def _remark(result: dict[str, Any]) -> str:
    counts = result["checks"]
    held = counts["passed"] + counts["emulated"]
    words = [f"{held} of {counts['total']} checks"] if counts["total"] else []
    words += [f"{counts['emulated']} emulated"] if counts["emulated"] else []
    missing = result["unsupported"] or ([result["message"]] if result["message"] else [])
    words += [f"without {', '.join(missing)}"] if missing else []
    return ", ".join([*words, *([result["known"]] if result.get("known") else [])])
