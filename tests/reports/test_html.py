"""The HTML page: what stands in it, and that it stands alone."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from gradspec.cli import main
from gradspec.reports.document import Document
from gradspec.reports.html import render
from tests.reports.samples import LOST, VERDICTS, events, verdict, wrong_grad

NET = """\
gradspec: 1
id: net.{name}
title: a net called <{name}>
tensors:
  x: {{data: [[1.0, 2.0]]}}
  w: {{data: [[1.0], [2.0]], requires_grad: true}}
steps:
  - op: y = sum(x @ w)  # "quoted" & <tagged>
  - backward: y
  - expect: {{w: {{grad: [[{first}], [2.0]]}}}}
"""
VOID = {"meta", "input", "link", "br", "hr", "img"}


class Page(HTMLParser):
    """The elements of a page, with the check that each is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [
            have
            for name, have in self.seen
            if name == tag and all(have.get(key.strip("_")) == value for key, value in wanted.items())
        ]


def page_of(verdicts) -> str:
    document = Document()
    *_, made = map(document, events(verdicts))
    assert made is not None
    return render(made)


@pytest.fixture
def suite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, first in (("right", "1.0"), ("wrong", "1.5")):
        (tmp_path / f"{name}.gradspec.yaml").write_text(NET.format(name=name, first=first), "utf-8")
    assert main(["run", ".", "--report", "html=page.html"]) == 1
    return tmp_path


def test_the_page_of_a_run(suite):
    text = (suite / "page.html").read_text("utf-8")
    page = Page(text)
    assert len(page.all("details", class_="spec")) == 1
    assert len(page.all("div", class_="result")) == 2
    assert len(page.all("tr", class_="result")) == 2
    assert len(page.all("svg")) == 1
    told = " ".join(page.words)
    assert "2 specs × 2 backends: 2 passed, 2 failed" in told
    assert "a net called <wrong>" in told
    assert '  - op: y = sum(x @ w)  # "quoted" & <tagged>' in told
    assert re.search(r"<mark><i>  10</i> {3}- expect: \{w: \{grad: \[\[1\.5\]", text)
    assert "<td>1.5</td><td>1.0</td>" in text
    assert 'class="leaf wrong"' in text


def test_it_stands_alone(suite):
    text = (suite / "page.html").read_text("utf-8")
    page = Page(text)
    assert "default-src 'none'" in page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    fetching = {"src", "href", "srcset", "data", "action", "formaction", "poster"}
    assert not [have for _, have in page.seen if fetching & set(have)]
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest", text)


def test_without_script_everything_is_there_and_no_control_that_does_nothing(suite):
    page = Page((suite / "page.html").read_text("utf-8"))
    (form,) = page.all("form")
    assert "hidden" in form
    assert not [have for tag, have in page.seen if tag != "form" and "hidden" in have]


def test_every_outcome(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = verdict((), "known-failure", id="ops.known", known="see bug 12")
    text = page_of((*VERDICTS, *LOST, known))
    page = Page(text)
    results = [have for _, have in page.seen if have.get("class") == "result"]
    assert len(results) == len(VERDICTS) + len(LOST) + 1
    assert {have["data-outcome"] for have in results} == {
        "passed", "failed", "error", "crash", "timeout", "known-failure", "unsupported", "unchecked",
    }  # fmt: skip
    assert "<b>gone is not available:</b>" in text
    assert "see bug 12" in text
    assert "is not here as it was when it ran" in text  # the samples have no files


def test_nothing_that_a_spec_or_a_backend_says_becomes_markup(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    noise = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    one = verdict(
        (wrong_grad()._replace(summary=noise, name=noise),), "failed", file=f"{noise}.yaml", backend=noise
    )
    two = verdict((), "error", message=noise)
    page = Page(page_of((one, two)))
    assert len(page.all("script")) == 1
    assert not page.all("img")


def test_the_same_failure_on_another_backend_is_folded():
    same = tuple(verdict((wrong_grad(),), "failed", name) for name in ("python", "numpy"))
    assert page_of(same).count("<summary>the same as on python</summary>") == 1


def test_many_results_make_a_page_of_sensible_size():
    many = tuple(verdict(id=f"ops.n{k}") for k in range(5000))
    assert len(page_of(many)) < 3_000_000
