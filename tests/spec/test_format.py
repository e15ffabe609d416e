"""The versions of the format: what the marks in schema.json mean, and that each is made known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from gradspec.spec import schema as of_specs
from gradspec.spec.fits import fits
from gradspec.spec.format import FIRST, MARKS, NEWEST, as_of, later_than, read_format, show_format
from gradspec.spec.reader import read
from gradspec.spec.schema import schema, schema_text
from gradspec.spec.shape import check_shape

PAGE = (Path(__file__).parents[2] / "docs/reference/language.md").read_text()


def test_versions_are_read_and_shown() -> None:
    assert [read_format(text) for text in ("1", "1.0", "1.1", "1.10")] == [(1, 0), (1, 0), (1, 1), (1, 10)]
    assert [read_format(text) for text in ("", "1.", ".1", "1.1.1", "one", "-1", "1.x", "9" * 9)] == [
        None
    ] * 8
    assert show_format((1, 10)) == "1.10"
    assert later_than(FIRST)[-1] == NEWEST and later_than(NEWEST) == []


def test_marks_say_what_an_older_format_lacks() -> None:
    rules = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"x-since": "1.1"}},
        "enum": ["old", "new", None],
        "x-since-options": {"new": "1.1"},
        "minItems": 0,
        "x-before": {"1.1": {"minItems": 1}},
    }
    older = as_of(rules, (1, 0))
    assert list(older["properties"]) == ["a"]
    assert (older["enum"], older["minItems"]) == (["old", None], 1)
    assert as_of(rules, NEWEST) is rules
    plain = {"type": "object", "properties": {"a": {}}}
    assert as_of(plain, (1, 0)) is plain


def test_the_schema_of_an_older_format() -> None:
    older = schema_text(FIRST)
    assert not [mark for mark in MARKS if f'"{mark}"' in older]
    assert "scope" not in older
    jsonschema_rs.meta.validate(json.loads(older))


@pytest.fixture
def with_marks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A schema in which a list may be empty, and an option stand, only since 1.1."""
    text = json.loads(schema_text())
    text["properties"]["tags"] |= {"x-before": {"1.1": {"minItems": 1}}}
    text["$defs"]["dtype"] |= {"x-since-options": {"bfloat16": "1.1"}}
    kept = of_specs.schema_text
    whole = json.dumps(text)
    monkeypatch.setattr(of_specs, "schema", lambda: text)
    monkeypatch.setattr(
        of_specs, "schema_text", lambda format=NEWEST: whole if format == NEWEST else kept(format)
    )
    of_specs.validator.cache_clear()
    yield
    of_specs.validator.cache_clear()


def test_values_that_came_later(with_marks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradspec.spec.shape.fits", lambda *_: False)
    text = 'gradspec: 1\nid: a\ntags: []\nsteps: []\ntensors: {x: {data: 1.0, dtype: "bfloat16"}}\n'
    document = read(text, "f")
    assert check_shape(document) == []
    found = [(fault.code, fault.place.line, fault.message) for fault in document.faults]
    assert sorted(found) == [
        ("undeclared-format", 3, "tags: a list needs format 1.1"),
        ("undeclared-format", 5, 'dtype: the text "bfloat16" needs format 1.1'),
    ]
    document = read(text.replace(": 1\n", ': "1.1"\n', 1), "f")
    assert (check_shape(document), document.faults) == ([], [])


def test_a_quick_look_doubts_an_addition() -> None:
    view = {"gradspec": 1, "id": "a", "scope": "core", "steps": []}
    assert fits(view, NEWEST) and not fits(view, FIRST)
    del view["scope"]
    assert fits(view, FIRST)


def test_every_addition_says_since_when() -> None:
    """In the text an editor shows, and on the page of the language in the section of its format."""
    definitions = schema()["$defs"]
    count = 0
    for name, part in _properties(schema()):
        if "x-since" not in part:
            continue
        count += 1
        version = part["x-since"]
        assert FIRST < (read_format(version) or FIRST) <= NEWEST, name
        target = definitions[part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else {}
        description = part.get("description") or target.get("description")
        assert description.endswith(f"Since format {version}."), name
        section = re.search(
            rf"^## Since {re.escape(version)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL
        )
        assert section and f"`{name}`" in section[1], f"{name} is missing in the section Since {version}"
    assert count >= 3


def _properties(part: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, list):
        for inner in part:
            yield from _properties(inner)
    if isinstance(part, dict):
        if isinstance(part.get("properties"), dict):
            yield from part["properties"].items()
        for inner in part.values():
            yield from _properties(inner)
