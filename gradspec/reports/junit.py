"""The report as JUnit XML, in the form that GitLab, Jenkins, Azure and others read.

One suite for each backend; a case is named as in pytest, `spec.id::backend`, its class name is the file.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

from gradspec.reports.document import is_bad, stale_line

__all__ = ["render"]

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


def render(document: dict[str, Any]) -> str:
    """The document as XML text."""
    root = ET.Element("testsuites", {"name": "gradspec"})
    for backend in document["backends"]:
        results = [one for one in document["results"] if one["backend"] == backend["name"]]
        root.append(_suite(document, backend, results))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", _seconds(document["duration_s"]))
    ET.indent(root, " ")
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suite(document: dict[str, Any], backend: dict[str, Any], results: list[dict[str, Any]]) -> ET.Element:
    suite = ET.Element("testsuite", {"name": backend["name"]})
    if started := document.get("started"):
        suite.set("timestamp", started.partition("+")[0])
    properties = ET.SubElement(suite, "properties")
    facts = {
        "gradspec": document["gradspec"],
        "python": document["python"],
        "version": backend.get("version"),
    }
    for name, value in facts.items():
        if value:
            ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    cases = [_case(result) for result in results]
    cases += [_stale(one) for one in document.get("stale", ()) if one["backend"] == backend["name"]]
    if not backend["available"]:
        cases.append(_unavailable(backend))
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", _seconds(sum(result["duration_s"] for result in results)))
    return suite


def _case(result: dict[str, Any]) -> ET.Element:
    case = ET.Element(
        "testcase",
        {
            "classname": _clean(result["file"]),
            "name": f"{result['id']}::{result['backend']}",
            "file": _clean(result["file"]),
            "line": str(result["line"]),
            "assertions": str(result["checks"]["total"]),
            "time": _seconds(result["duration_s"]),
        },
    )
    if "scope" in result:
        properties = ET.SubElement(case, "properties")
        ET.SubElement(properties, "property", {"name": "scope", "value": result["scope"]})
    outcome, message = result["outcome"], result["message"]
    if is_bad(result):
        tag = "failure" if outcome == "failed" else "error"
        inner = ET.SubElement(case, tag, {"message": _clean(_line(result)), "type": outcome})
        inner.text = _clean(result.get("text", ""))
    elif outcome != "passed":
        why = {"unchecked": "nothing is expected in it", "known-failure": result.get("known")}
        word = outcome.replace("-", " ")
        ET.SubElement(case, "skipped", {"message": _clean(f"{word}: {why.get(outcome) or message}")})
    return case


def _stale(stale: dict[str, Any]) -> ET.Element:
    """An entry of known failures that explains nothing fails the run."""
    case = ET.Element(
        "testcase",
        {
            "classname": _clean(stale["file"]),
            "name": f"{stale['glob']}::{stale['backend']}",
            "time": _seconds(0.0),
        },
    )
    message = _clean(stale_line(stale))
    ET.SubElement(case, "failure", {"message": message, "type": "stale"}).text = message
    return case


def _unavailable(backend: dict[str, Any]) -> ET.Element:
    """A backend that was asked for and could not be loaded is an error of its suite."""
    case = ET.Element("testcase", {"classname": "backend", "name": backend["name"], "time": _seconds(0.0)})
    reason = _clean(backend.get("reason", ""))
    ET.SubElement(case, "error", {"message": reason, "type": "unavailable"}).text = reason
    return case


def _line(result: dict[str, Any]) -> str:
    """What went wrong, in one line."""
    text = str(result.get("text", "")).partition("\n")[0]
    head = f"FAIL {result['id']}  {result['backend']}  "
    return text.removeprefix(head) if not result["message"] else f"{result['outcome']}: {result['message']}"


def _clean(text: str) -> str:
    """The text without what XML cannot hold."""
    return _FORBIDDEN.sub("\ufffd", text)


def _seconds(value: float) -> str:
    return f"{value:.6f}"
