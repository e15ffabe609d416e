"""Every op, command and hook has its place in the documentation."""

from __future__ import annotations

import json
import re

from gradspec import hookspecs
from gradspec.config import KEYS
from gradspec.ops import registry
from tools.docs import anchor, commands
from tools.pages import ROOT, outcome, pages

TEXT = "\n".join(page.read_text() for page in pages())


def test_every_op() -> None:
    page = (ROOT / "docs/reference/ops.md").read_text()
    names = [op.name for op in registry.values() if not op.internal]
    assert len(names) >= 66
    assert not [name for name in names if f'<a id="{anchor(name)}">' not in page]


def test_every_op_says_what_it_computes() -> None:
    assert not [op.name for op in registry.values() if not op.internal and not op.doc]


def test_every_command(tmp_path) -> None:  # type: ignore[no-untyped-def]
    page = (ROOT / "docs/reference/cli.md").read_text()
    found = commands(outcome(["--help"], tmp_path)[1])
    assert {"run", "check", "trace", "export", "schema", "ops", "backends"} <= set(found)
    assert not [command for command in found if f"## gradspec {command}\n" not in page]
    shown = set(re.findall(r"^\$ gradspec ([a-z]+)", TEXT, re.MULTILINE))
    assert not set(found) - shown, "commands that no page shows in use"


def test_every_setting_of_a_project() -> None:
    page = (ROOT / "docs/reference/settings.md").read_text()
    assert not [key for key in KEYS if f"| `{key}` |" not in page]


def test_every_hook() -> None:
    hooks = [name for name in hookspecs.__all__ if name.startswith("gradspec_")]
    assert not [hook for hook in hooks if hook not in TEXT]


def test_every_key_of_a_spec_file() -> None:
    """Each property that the schema names stands in the page on the language, set as code."""
    page = (ROOT / "docs/reference/language.md").read_text()
    keys: set[str] = set()
    parts: list[object] = [json.loads((ROOT / "gradspec/spec/schema.json").read_text())]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            keys |= set(part.get("properties", {}))
            parts += part.values()
        elif isinstance(part, list):
            parts += part
    assert len(keys) > 40
    code = set(
        re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`|^```.*?^```", page, re.MULTILINE | re.DOTALL)))
    )
    assert not sorted(keys - code)
