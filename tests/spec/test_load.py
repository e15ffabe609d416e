"""Files, directories and texts on their way to specs; and what schema.json is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from gradspec.dtypes import DTYPES
from gradspec.errors import ERROR_CODES, WARNING_CODES, SpecError
from gradspec.spec.load import find_files, load_file, load_paths, load_text
from gradspec.spec.schema import schema, schema_text
from gradspec.spec.shape import BLOCKS, MODIFIERS, VERBS

SPEC = (
    "gradspec: 1\nid: {id}\ntensors: {{x: {{data: 1.0, requires_grad: true}}}}\nsteps: [{{op: y = x * 2}}]\n"
)


def _faults(text: str) -> list[tuple[str, int]]:
    with pytest.raises(SpecError) as caught:
        load_text(text, "f")
    return [(fault.code, fault.place.line) for fault in caught.value.faults]


def test_one_spec(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(SPEC.format(id="a.b"), "utf-8")
    (spec,) = load_file(str(path))
    assert (spec.id, spec.file, spec.line, spec.dtype) == ("a.b", str(path), 2, "float32")


def test_several_specs_share_defaults() -> None:
    text = """\
gradspec: "1.0"
defaults: {dtypes: [float32, float64], tensors: {x: 2.0}, steps: [{op: y = x * 2}]}
specs:
  - {id: first}
  - {id: second, dtype: float64, tensors: {x: 3.0}}
"""
    specs = load_text(text, "f")
    assert [(spec.id, spec.line) for spec in specs] == [
        ("first@float32", 4),
        ("first@float64", 4),
        ("second", 5),
    ]


def test_all_faults_at_once_in_order() -> None:
    text = """\
gradspec: 1
id: Bad.id
colour: green
tensors:
  x: {data: [1.0, [2.0]]}
  lambda: 1.0
steps:
  - op: y = tanhh(x)
  - bakward: y
  - op: z = mul(y)
  - {op: v = x, note: 1}
  - op: u = v * unknown_because_line_11_is_faulty
  - expect: {x: {grad: [017, "1/"], shap: [2]}}
"""
    assert _faults(text) == [
        ("bad-id", 2),
        ("unknown-key", 3),
        ("ragged-array", 5),
        ("bad-name", 6),
        ("unknown-op", 8),
        ("unknown-key", 9),
        ("missing-argument", 10),
        ("wrong-type", 11),
        ("number-form", 13),
        ("unknown-key", 13),
    ]


def test_faults_of_meaning_beside_one_of_shape_in_another_spec() -> None:
    text = """\
gradspec: 1
specs:
  - id: a
    steps: [{op: y = tanhh(2)}]
  - id: b
    stepz: []
"""
    assert _faults(text) == [("unknown-op", 4), ("missing-key", 5), ("unknown-key", 6)]


def test_a_newer_format_says_only_that() -> None:
    assert _faults('gradspec: "1.7"\nid: a\nfuture: 1\nsteps: [{teleport: x}]\n') == [("needs-format", 1)]
    with pytest.raises(SpecError, match=r"needs format 1\.7"):
        load_text('gradspec: "1.7"\n', "f")


def test_an_addition_in_a_file_of_an_older_format() -> None:
    """The fault names the format, says nothing else, and hides no other fault."""
    text = "gradspec: 1\nid: a\nscope: state\ntensors: {x: 1.0}\nsteps: [{op: y = tanhh(x)}]\n"
    with pytest.raises(SpecError) as caught:
        load_text(text, "f")
    first, second = caught.value.faults
    assert (first.code, first.place.line, first.place.column, first.place.width) == (
        "undeclared-format", 3, 1, 5,
    )  # fmt: skip
    assert (first.message, first.hint) == ("scope needs format 1.1", 'write `gradspec: "1.1"`')
    assert (second.code, second.place.line) == ("unknown-op", 5)
    (spec,) = load_text(text.replace(": 1\n", ': "1.1"\n', 1).replace("tanhh", "tanh"), "f")
    assert spec.scope == "state"


def test_a_long_file_of_an_older_format() -> None:
    """Long files go to the library, which must see the same additions."""
    text = f"gradspec: 1\nid: a\ndoc: {'word ' * 4000}\nscope: state\nsteps: []\n"
    assert _faults(text) == [("undeclared-format", 4)]
    assert load_text(text.replace("scope: state\n", ""), "f")[0].scope == "core"


def test_hints_name_what_was_meant() -> None:
    hints = {
        "steps: [{bakward: x}]": 'did you mean "backward"?',
        "dtype: float23\nsteps: []": 'did you mean "float32"?',
        "steps: [{op: x = 1, raises: graph-fred}]": 'did you mean "graph-freed"?',
        "steps: [{op: x = 1, warns: non-leaf}]": 'did you mean "non-leaf-grad"?',
        "steps: [{op: x = 1, raises: non-leaf-grad}]": "`warns: non-leaf-grad` expects it",
        "tolerance: {rtol: nan, atol: 0}\nsteps: []": "write .nan",
        "tensors: {x: {data: 1.0, requires_grad: yes}}\nsteps: []": "write true",
        "title: 3\nsteps: []": "quote it",
    }
    for rest, hint in hints.items():
        with pytest.raises(SpecError) as caught:
            load_text(f"gradspec: 1\nid: a\n{rest}\n", "f")
        assert [fault.hint for fault in caught.value.faults] == [hint]


def test_numbers_that_json_lacks_reach_the_specs() -> None:
    text = "gradspec: 1\nid: a\ntensors: {x: [.inf, -.inf, .nan, 1.0, -0.0, -0]}\nsteps: []\n"
    (spec,) = load_text(text, "f")
    assert repr(spec.program.leaves[0].data.flat()) == "[inf, -inf, nan, 1.0, -0.0, -0.0]"


def test_a_long_list_is_loaded_whole() -> None:
    numbers = ", ".join(str(index / 8) for index in range(20_000))
    (spec,) = load_text(f"gradspec: 1\nid: a\ntensors: {{x: [{numbers}]}}\nsteps: []\n", "f")
    assert spec.program.leaves[0].data.flat() == [index / 8 for index in range(20_000)]


@pytest.mark.parametrize("name", ["absent.yaml", ".", "bad\0name"])
def test_unreadable_files(name: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_file(os.path.join(tmp_path, name))
    assert [fault.code for fault in caught.value.faults] == ["unreadable-file"]


def test_directories_are_searched(tmp_path: Path) -> None:
    for name in (
        "b/z.gradspec.yml",
        "b/a.gradspec.yaml",
        "a.gradspec.yaml",
        "plain.yaml",
        ".hidden/h.gradspec.yaml",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(SPEC.format(id=name.replace("/", ".").removeprefix(".")), "utf-8")
    found = [os.path.relpath(path, tmp_path) for path in find_files(str(tmp_path))]
    assert found == [
        "a.gradspec.yaml",
        os.path.join("b", "a.gradspec.yaml"),
        os.path.join("b", "z.gradspec.yml"),
    ]
    specs, faults = load_paths([str(tmp_path), str(tmp_path / "plain.yaml")])
    assert [spec.id for spec in specs] == [
        "a.gradspec.yaml",
        "b.a.gradspec.yaml",
        "b.z.gradspec.yml",
        "plain.yaml",
    ]
    assert faults == []


def test_an_id_used_twice_names_both_places(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.gradspec.yaml").write_text(SPEC.format(id="same"), "utf-8")
    specs, (fault,) = load_paths([str(tmp_path)])
    assert len(specs) == 1
    assert (fault.code, fault.place.file, fault.place.line) == (
        "duplicate-id",
        str(tmp_path / "b.gradspec.yaml"),
        2,
    )
    assert f"{tmp_path / 'a.gradspec.yaml'}:2" in fault.message
    assert fault.source == "id: same"


def test_a_file_named_twice_is_loaded_once(tmp_path: Path) -> None:
    path = tmp_path / "a.gradspec.yaml"
    path.write_text(SPEC.format(id="same"), "utf-8")
    specs, faults = load_paths([str(tmp_path), str(path)])
    assert ([spec.id for spec in specs], faults) == (["same"], [])


def test_the_faults_of_one_file_leave_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.gradspec.yaml").write_text("gradspec: 1\nid: A\nsteps: [{op: y}]\n", "utf-8")
    (tmp_path / "b.gradspec.yaml").write_text(SPEC.format(id="b"), "utf-8")
    specs, faults = load_paths([str(tmp_path)])
    assert [spec.id for spec in specs] == ["b"]
    assert [fault.code for fault in faults] == ["bad-id", "bad-statement"]


def _parts(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _parts(inner)


def test_schema_is_valid_and_explains_every_key() -> None:
    assert schema_text().isascii()
    jsonschema_rs.meta.validate(schema())
    for part in _parts(schema()):
        assert not {"oneOf", "anyOf", "allOf", "if"} & set(part)
        if "properties" in part and isinstance(part["properties"], dict) and "type" in part:
            assert part["additionalProperties"] is False
            for name, value in part["properties"].items():
                target = schema()["$defs"][value["$ref"].rsplit("/", 1)[1]] if "$ref" in value else {}
                assert {"title", "description"} <= {*value, *target}, name


def test_schema_has_the_closed_lists() -> None:
    definitions = schema()["$defs"]
    step = definitions["step"]["properties"]
    assert set(step) == {*VERBS, *MODIFIERS}
    assert set(BLOCKS) < set(VERBS)
    assert step["raises"]["enum"] == [None, *ERROR_CODES]
    assert step["warns"]["items"]["enum"] == list(WARNING_CODES)
    assert definitions["dtype"]["enum"] == list(DTYPES)
    shared = schema()["properties"]["defaults"]["properties"]
    assert set(definitions["spec"]["properties"]) == {*shared, "id"} == set(schema()["properties"]) - {
        "gradspec", "specs", "defaults",
    }  # fmt: skip


def test_importing_the_loader_is_light() -> None:
    heavy = ("yaml", "jsonschema_rs", "numpy", "ast")
    code = f"import sys, gradspec.spec.load; print([m for m in {heavy} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
