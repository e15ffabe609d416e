"""Strict YAML 1.2: values, places, limits; and that lifting lists out of the text changes nothing."""

from __future__ import annotations

import json
import math
import random
import time
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gradspec.spec import reader
from gradspec.spec.document import LONG_TEXT, Document
from gradspec.spec.reader import decode, read

VALUES = {
    "1e-3": 0.001, "1e5": 1e5, "1E5": 1e5, "1.0e3": 1000.0, "1e-08": 1e-8, "-.5": -0.5, "+.5": 0.5, ".5": 0.5,
    "1.": 1.0, "+1": 1, "12": 12, "-12": -12, "0": 0, "0o17": 15, "0x1F": 31, "0.0": 0.0,
    "1e-320": 1e-320, "12345678901234567890123": 12345678901234567890123, "-0": -0.0, "-0.0": -0.0,
    "-0e3": -0.0,
    ".inf": math.inf, "-.inf": -math.inf, "+.INF": math.inf,
    "true": True, "True": True, "FALSE": False, "null": None, "~": None, "Null": None, "": None,
    "on": "on", "off": "off", "yes": "yes", "no": "no", "y": "y", "nan": "nan", "inf": "inf", "-inf": "-inf",
    "2024-01-01": "2024-01-01", "1/3": "1/3", "1e": "1e", "1e5.3": "1e5.3", "-": None, "+": "+", ".": ".",
    "1.2.3": "1.2.3",
    "'1'": "1", '"1e-3"': "1e-3", "'true'": "true", '"\\u00e9"': "é", "0o8": "0o8", "1+2j": "1+2j",
}  # fmt: skip
VALUES["-"] = [None]


@pytest.mark.parametrize("written", VALUES)
def test_values(written: str) -> None:
    document = read(f"a: {written}\n" if written != "-" else "a:\n-\n", "f")
    assert document.faults == []
    assert repr(document.view["a"]) == repr(VALUES[written])


def test_nan() -> None:
    assert math.isnan(read("a: .nan", "f").view["a"])
    assert read("a: [.nan]", "f").nonfinite


def test_keys_are_text() -> None:
    document = read("1: a\ntrue: b\non: c\nno: d\n~: e\n1.0: f\nnull: g\n", "f")
    assert document.view == {"1": "a", "true": "b", "on": "c", "no": "d", "~": "e", "1.0": "f", "null": "g"}


def test_a_lone_document_mark_and_a_byte_order_mark_are_nothing() -> None:
    assert read("---\na: 1\n", "f").view == {"a": 1}
    document = read("\ufeffa: 017\n", "f")
    assert document.faults[0].place[1:3] == (1, 4)


def test_aliases_share_the_value_and_keep_the_place_of_their_keys() -> None:
    document = read("a: &x [1, 2]\nb: *x\n", "f")
    assert document.view["a"] is document.view["b"]
    assert document.place(("b",), key=True)[1:3] == (2, 1)
    assert document.place(("b",)).line == 1


TEXT = """\
# a comment
top: {one: 1, 'two': "zwei"}
list:
  - plain
  - [3, 4]
  - |
    block é text
      more
  - "a \\"quoted\\" x"
  - folded over
    two lines
"""


def test_places() -> None:
    document = read(TEXT, "dir/f.yaml")
    assert str(document.place(())) == "dir/f.yaml:2:1"
    assert document.place(("top",))[1:] == (2, 6, 1)
    assert document.place(("top", "one"), key=True)[1:] == (2, 7, 3)
    assert document.place(("top", "two"))[1:] == (2, 22, 6)
    assert document.place(("list", 1, 1))[1:] == (5, 9, 1)
    assert document.place(("list", 3))[1:3] == (9, 5)
    assert document.place(("list", 1, 7))[1:3] == (5, 5)  # the nearest container
    assert document.place(("absent", "more"))[1:3] == (2, 1)
    assert document.source(4) == "  - plain"
    assert document.source(99) == ""


def test_quoted() -> None:
    document = read(TEXT, "f")
    assert [document.quoted(("list", index)) for index in (0, 2, 3, 4)] == [False, True, True, False]
    assert document.quoted(("top", "two"))
    assert not document.quoted(("top",))


@pytest.mark.parametrize(
    ("path", "part", "line", "column"),
    [
        (("list", 0), "ain", 4, 7),
        (("list", 2), "é", 7, 11),
        (("list", 2), "more", 8, 7),
        (("list", 3), "quoted", 9, 10),
        (("list", 3), "x", 9, 19),
        (("list", 4), "two", 11, 5),
        (("top", "two"), "ei", 2, 25),
    ],
)
def test_offsets_inside_scalars(path: tuple[str | int, ...], part: str, line: int, column: int) -> None:
    document = read(TEXT, "f")
    value: Any = document.view
    for step in path:
        value = value[step]
    fault = document.fault("bad-statement", "here", path, offset=value.index(part), width=len(part))
    assert (fault.place.line, fault.place.column) == (line, column)
    assert fault.source[column - 1 :].startswith(part)


def test_a_fault_is_printed_with_its_caret() -> None:
    (fault,) = read("a: 1\nb: {c: 017}\n", "s.yaml").faults
    assert str(fault).splitlines()[:4] == [
        "s.yaml:2:8: error[number-form]: 017 has a leading zero",
        "  |",
        "2 | b: {c: 017}",
        "  |        ^^^",
    ]


def test_all_scalar_faults_come_at_once() -> None:
    document = read("a: 017\nb: 1_0\na: 1e999\nc: !!str x\nd: {x:1}\n", "f")
    assert [fault.code for fault in document.faults] == [
        "number-form", "number-form", "duplicate-key", "out-of-range", "explicit-tag", "missing-blank",
    ]  # fmt: skip


def test_faults_stop_at_a_bound() -> None:
    document = read("[" + "017, " * 100_000 + "]", "f")
    assert len(document.faults) == reader.MAX_FAULTS + 1
    assert document.faults[-1].code == "too-many-faults"


def test_terminals_are_given_no_control_characters() -> None:
    for bad in ("\x1b[2J", "\x00", "\ud800", "\x9b"):
        (fault,) = read(f"a: 1\nb: '{bad}'\n", "f").faults
        assert (fault.code, fault.place.line) == ("encoding", 2)
        assert bad[0] not in str(fault)


def test_bytes_that_are_no_utf_8() -> None:
    (fault,) = decode("a: 1\nb: é".encode("latin-1"), "f").faults
    assert (fault.code, fault.place.line, fault.place.column) == ("encoding", 2, 4)
    (fault,) = decode("a: 1".encode("utf-16"), "f").faults
    assert "UTF-16" in fault.message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 1_000_000, "too-deep"),
        ("a: {data: " + "[" * 1_000_000, "too-deep"),
        ("{a: " * 100_000, "too-deep"),
        ("- " * 100_000, "too-deep"),
        ("a: '" + "x" * 5_000_000, "yaml-syntax"),
        ("a: " + "7" * 5_000_000, "out-of-range"),
        ("a: 0x" + "7" * 5_000_000, "out-of-range"),
        ("a: 0." + "7" * 5_000_000, "out-of-range"),
        ("a: " + "1_" * 2_000_000, "number-form"),
        ("[" + "x," * 1_000_001 + "]", "too-many-nodes"),
        ("[ " * 50 + "1, " * 9000 + "[.5" + "]" * 51 + "]" * 3, "yaml-syntax"),
    ],
    ids=lambda value: value if len(value) < 20 else "",
)
def test_bombs(text: str, code: str) -> None:
    started = time.process_time()
    document = read(text, "f")
    assert document.faults[0].code == code
    assert time.process_time() - started < 20


def test_a_numeric_list_is_one_node() -> None:
    document = read("a: [" + "0.5, " * 1_100_000 + "1]", "f")
    assert not document.faults
    assert len(document.view["a"]) == 1_100_001
    assert document.numeric == {id(document.view["a"])}


def test_places_in_long_lists_are_found_by_reading_again() -> None:
    rows = [".5" if index == 4321 else "1.0" for index in range(5000)]
    document = read("x: [" + ",\n".join(rows) + "]\ny: 1\n", "f")
    assert document.place(("x", 4321))[1:] == (4322, 1, 2)
    assert document.place(("y",))[1:] == (5001, 4, 1)


# Line breaks of YAML, and characters that it wants escaped, which JSON leaves as they are.
NOT_AS_IN_JSON = "".join(map(chr, range(0x7F, 0xA0))) + "\u2028\u2029\ufeff\ufffe\uffff"
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters=NOT_AS_IN_JSON), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text("abcxyz :#-'\"é", max_size=6), inner, max_size=5)
    ),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(JSON, st.sampled_from([None, 1]))
def test_json_is_read_as_json(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    document = read(text, "f")
    if any(fault.code == "merge-key" for fault in document.faults):
        return
    assert document.faults == []
    assert repr(document.view) == repr(value)


def _unlifted(text: str) -> Document:
    return reader._read(text, "f", None, keep=False)


def _same(text: str) -> Document:
    """The document, having checked that it is what reading without lifting gives."""
    lifted, plain = read(text, "f"), _unlifted(text)
    assert repr(lifted.view) == repr(plain.view)
    assert lifted.faults == plain.faults
    return lifted


LONG = ", ".join(f"{index / 7!r}" for index in range(LONG_TEXT // 10))
ROWS = ",\n   ".join(f"[{index}, -{index}.5, 1e-{index % 99}]" for index in range(1, LONG_TEXT // 12))
LISTS = {
    "flat": f"[{LONG}]",
    "rows": f"[{ROWS}]",
    "integers": f"[{'12, ' * LONG_TEXT}3]",
    "booleans": f"[1, {'true, ' * LONG_TEXT}false]",
    "deep": f"[ [ [{LONG}]], [[{LONG}] ] ]",
    "minus zero": f"[-0, {LONG}]",
    "minus zero at the end": f"[{LONG}, -0]",
    "minus zero float": f"[-0.0, {LONG}]",
    "too large": f"[1e400, {LONG}]",
    "too large in digits": f"[{'9' * 400}.0, {LONG}]",
    "huge integer": f"[{'9' * 400}, {LONG}]",
    "too small": f"[{LONG}, 1E-400]",
    "too small in digits": f"[{LONG}, 0.{'0' * 400}1]",
    "point first": f"[.5, {LONG}]",
    "point last": f"[{LONG}, 5.]",
    "plus": f"[+1, {LONG}]",
    "leading zero": f"[{LONG}, 017]",
    "comma at end": f"[{LONG},]",
    "comment inside": f"[{LONG}, # three\n 3]",
    "quoted inside": f"[{LONG}, '3']",
    "json string": f'[{LONG}, "3"]',
    "null": f"[{LONG}, null]",
    "NaN": f"[{LONG}, NaN, Infinity]",
    "nan": f"[{LONG}, .nan, .inf]",
    "tab": f"[{LONG},\t3]",
    "carriage return": f"[{LONG},\r\n 3]",
    "two commas": f"[1,, {LONG}]",
    "mapping": f'[{LONG}, {{"a": 1}}]',
    "unclosed": f"[{LONG}",
    "anchored": f"&a [{LONG}]",
    "tagged": f"!!seq [{LONG}]",
    "text after": f"[{LONG}] x",
    "text directly after": f"[{LONG}]x",
    "comment after": f"[{LONG}] # x",
    "comment directly after": f"[{LONG}]# x",
    "two lists": f"[{LONG}] [{LONG}]",
    "quoted": f"'[{LONG}]'",
    "double quoted": f'"[{LONG}]"',
    "in text": f"see [{LONG}]",
    "block text": f"|\n    [{LONG}]\n",
    "folded text": f">\n    x\n    [{LONG}]\n",
    "complex key": f"{{[{LONG}]: 1}}",
    "in braces": f"{{data: [{LONG}], dtype: 017, more: [{LONG}], x:1}}",
    "sequence in a list": f"\n    - [{LONG}]\n    - [{LONG}]\n",
    "one after another": f"[{ROWS}]\n  b: [{ROWS}]",
    "private character": f"[{LONG}]\n  b: \ue000",
    "alias": f"&a [{LONG}]\n  b: [*a, *a]",
    "deeper than allowed": "[" * 60 + f"[[[[[{LONG}]]]]]" + "]" * 60,
}


@pytest.mark.parametrize("name", LISTS)
def test_lifting_changes_nothing(name: str) -> None:
    before, after = "# head\nx:\n  a: ", "\n  z: 017\n"
    document = _same(before + LISTS[name] + after)
    for path in (("x", "a"), ("x", "z"), ("x", "a", "more"), ("x", "a", 3), ("x", "b")):
        assert document.place(path) == reader._read(document.text, "f", None, keep=True).place(path)


def test_long_lists_in_comments_and_aliased_lists() -> None:
    _same(f"# [{LONG}]\na: 1\n")
    document = _same(f"a: &l [{LONG}]\nb: *l\n")
    assert document.view["a"] is document.view["b"]


@pytest.mark.parametrize("seed", range(6))
def test_random_numeric_text_is_read_the_same(seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    pieces = [
        "1",
        "-2.5",
        "1e-3",
        "0",
        "-0",
        ".5",
        "1e400",
        "017",
        " ",
        "\n  ",
        "[",
        "]",
        "[1, 2]",
        ",",
        "# c\n ",
        "true",
        "'1'",
    ]
    weights = [40, 40, 20, 20, 1, 1, 1, 1, 5, 5, 1, 1, 5, 1, 1, 1, 1]
    for _ in range(15):
        items = rng.choices(pieces, weights[: len(pieces)], k=rng.choice((400, 3000)))
        _same("a: [" + ", ".join(items) + "]\nb: 1\n" + "# " + "-" * LONG_TEXT)


def test_lifting_is_fast() -> None:
    rng = random.Random(1)
    text = "x: {data: [" + ", ".join(repr(rng.uniform(-1, 1)) for _ in range(100_000)) + "]}\n"
    times = []
    for load in (lambda: read(text, "f"), lambda: yaml.load(text, yaml.CSafeLoader)):
        best = math.inf
        for _ in range(3):
            started = time.process_time()
            load()
            best = min(best, time.process_time() - started)
        times.append(best)
    assert times[1] > 5 * times[0], times


def test_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    with_libyaml = read(TEXT, "f")
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    document = read(TEXT, "f")
    assert document.view == with_libyaml.view
    assert document.place(("list", 3)) == with_libyaml.place(("list", 3))
    assert [document.quoted(("list", index)) for index in range(5) if index != 1] == [
        False,
        True,
        True,
        False,
    ]
    for text, code in (
        ("a: 'x", "yaml-syntax"),
        ("a: \x00", "encoding"),
        ("", "empty-file"),
        ("[" * 999, "too-deep"),
    ):
        assert [fault.code for fault in read(text, "f").faults] == [code]
