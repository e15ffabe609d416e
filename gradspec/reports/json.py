"""The report as one JSON document, for programs. Its shape is `report.schema.json`, format 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["render", "schema_text"]


def render(document: dict[str, Any]) -> str:
    """The document as JSON text."""
    import json

    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def schema_text() -> str:
    """The JSON Schema of the document."""
    return Path(__file__).with_name("report.schema.json").read_text(encoding="utf-8")
