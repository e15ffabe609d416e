"""JUnit XML in the form that its readers have in common: https://github.com/testmoapp/junitxml."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from gradspec.reports.document import Document
from gradspec.reports.junit import render
from gradspec.runner.events import RunFinished, Stale
from tests.reports.samples import LOST, VERDICTS, events, verdict

# element → (attributes it must have, attributes it may have, elements inside in this order)
SHAPE: dict[str, tuple[set[str], set[str], list[str]]] = {
    "testsuites": (
        {"name", "tests", "failures", "errors", "skipped", "time"},
        {"timestamp", "assertions"},
        ["testsuite"],
    ),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time"},
        {"timestamp", "assertions", "file", "hostname", "id", "package"},
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, set(), []),
    "testcase": (
        {"name", "classname", "time"},
        {"assertions", "file", "line", "status"},
        ["properties", "skipped", "error", "failure", "system-out", "system-err"],
    ),
    "skipped": ({"message"}, {"type"}, []),
    "failure": ({"message", "type"}, set(), []),
    "error": ({"message", "type"}, set(), []),
}


def xml_of(stream: list[Any]) -> str:
    document = Document()
    *_, made = map(document, stream)
    assert made is not None
    return render(made)


def faults(element: ET.Element) -> list[str]:
    """How an element and those inside differ from the shape."""
    if element.tag not in SHAPE:
        return [f"no element {element.tag}"]
    must, may, inside = SHAPE[element.tag]
    here = set(element.attrib)
    found = [f"{element.tag} lacks {name}" for name in must - here]
    found += [f"{element.tag} has {name}" for name in here - must - may]
    places = [inside.index(child.tag) if child.tag in inside else -1 for child in element]
    found += [] if places == sorted(places) and -1 not in places else [f"order in {element.tag}: {places}"]
    for name in {"tests", "failures", "errors", "skipped", "line", "assertions"} & here:
        found += [] if element.attrib[name].isdigit() else [f"{name} is {element.attrib[name]}"]
    if "time" in here:
        found += [] if 0 <= float(element.attrib["time"]) < 1e6 else ["time"]
    return found + [fault for child in element for fault in faults(child)]


@pytest.fixture
def root() -> ET.Element:
    return ET.fromstring(xml_of(events(VERDICTS + LOST)))


def test_it_has_the_common_shape(root):
    assert root.tag == "testsuites"
    assert faults(root) == []


def test_the_shape_can_fail():
    assert faults(ET.fromstring("<testsuite name='x' tests='one'/>"))
    assert faults(ET.fromstring("<testcase name='x' classname='y' time='0'><b/></testcase>")) == [
        "order in testcase: [-1]",
        "no element b",
    ]


def test_counts_are_those_of_what_is_inside(root):
    tags = {"failures": "failure", "errors": "error", "skipped": "skipped", "tests": "testcase"}
    for element in (root, *root):
        for name, tag in tags.items():
            assert int(element.get(name)) == len(list(element.iter(tag))), (element.get("name"), name)
    assert (root.get("failures"), root.get("errors")) == ("2", "4")  # raised, crashed, timed out, unavailable


def test_names_are_unique(root):
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(set(names)) == len(names) == len(VERDICTS) + len(LOST) + 1


def test_a_failure_has_one_line_and_the_whole_block(root):
    failure = next(root.iter("failure"))
    assert failure.get("message") == 'grad of "w" [2, 2] after backward 1 (line 16): 4 of 4 outside'
    assert failure.text.startswith("FAIL ops.wrong  python  grad of")
    assert "rerun: gradspec run" in failure.text
    assert all("\n" not in one.get("message") for tag in ("failure", "error") for one in root.iter(tag))


def test_what_the_process_wrote_is_there(root):
    crash = next(one for one in root.iter("error") if one.get("type") == "crash")
    assert crash.get("message") == "crash: killed by SIGSEGV"
    assert "  | oh\n  | no\n" in crash.text


def test_known_failures_are_skipped_and_stale_entries_fail():
    known = verdict((), "known-failure", known="bug 12", id="ops.known")
    *before, last = events((known,))
    assert isinstance(last, RunFinished)
    stale = Stale("python", "ops.gone*", "bug 13", "known.yaml", 4)
    root = ET.fromstring(xml_of([*before, last._replace(stale=(stale,))]))
    assert faults(root) == []
    assert next(root.iter("skipped")).get("message") == "known failure: bug 12"
    assert "ops.gone*" in next(root.iter("failure")).get("message")


def test_letters_that_xml_cannot_hold_are_replaced():
    noise = "\x00\x1b[31mred\ud800 <&>\"' ]]> \u2028 日本 🎲"
    text = xml_of(events((verdict((), "error", message=noise),)))
    message = ET.fromstring(text.encode("utf-8")).find(".//error").get("message")
    assert message == "error: \ufffd\ufffd[31mred\ufffd <&>\"' ]]> \u2028 日本 🎲"
