"""The scopes of the shipped specs are what can be told from the specs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from gradspec.spec.load import find_files, load_file
from gradspec.spec.model import SCOPES, Spec
from gradspec.spec.schema import schema
from tests.spec.scopes import derived, has_choice, is_text, looks_at_text, machine_signs

ROOT = Path(__file__).parents[2] / "specs"
SUITE = [spec for file in find_files(str(ROOT)) for spec in load_file(file)]


def _wrong(specs: list[Spec], rule: str) -> str:
    return f"{rule}: " + ", ".join(f"{spec.id} ({spec.scope})" for spec in specs)


def test_the_schema_has_the_scopes() -> None:
    assert schema()["$defs"]["scope"]["enum"] == list(SCOPES)


def test_every_scope_is_used() -> None:
    assert set(Counter(spec.scope for spec in SUITE)) == set(SCOPES)


def test_named_alternatives_make_a_convention() -> None:
    wrong = [spec for spec in SUITE if has_choice(spec) and spec.scope != "convention"]
    assert not wrong, _wrong(wrong, "write scope: convention")


def test_only_printed_forms_make_a_text() -> None:
    wrong = [spec for spec in SUITE if is_text(spec) and spec.scope != "text"]
    assert not wrong, _wrong(wrong, "write scope: text")
    wrong = [spec for spec in SUITE if spec.scope == "text" and not looks_at_text(spec)]
    assert not wrong, _wrong(wrong, "no text is looked at")


def test_core_asks_nothing_of_the_machine() -> None:
    wrong = [spec for spec in SUITE if spec.scope == "core" and derived(spec) != "core"]
    signs = {spec.id: sorted(machine_signs(spec)) for spec in wrong}
    assert not wrong, f"{_wrong(wrong, 'not core')}; {signs}"


def test_specs_of_ops_have_the_scope_that_is_derived() -> None:
    """In other folders the rule that a spec is about may say more than the spec shows."""
    wrong = [spec for spec in SUITE if spec.id.startswith("ops.") and spec.scope != derived(spec)]
    told = ", ".join(f"{spec.id}: write scope: {derived(spec)}" for spec in wrong)
    assert not wrong, told
