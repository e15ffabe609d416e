"""schema.json: the format's own source of truth for shape, as data and as a validator."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from gradspec.spec.format import MARKS, NEWEST, Format, as_of

__all__ = ["schema", "schema_text", "validator"]


def schema_text(format: Format = NEWEST) -> str:
    """The text of schema.json, as `gradspec schema` prints it; of an older format without what came later."""
    if format < NEWEST:
        import json

        return json.dumps(_whole(schema(), format), indent=2) + "\n"
    with open(os.path.join(os.path.dirname(__file__), "schema.json"), encoding="utf-8") as stream:
        return stream.read()


@cache
def schema() -> dict[str, Any]:
    """schema.json as data."""
    import json

    data: dict[str, Any] = json.loads(schema_text())
    return data


@cache
def validator(format: Format = NEWEST) -> Any:
    """A compiled validator of the schema; importing its library is the price of the first call."""
    from jsonschema_rs import Draft202012Validator

    return Draft202012Validator(schema_text(format))


def _whole(part: Any, format: Format) -> Any:
    """The schema as the format has it, at every depth."""
    if isinstance(part, list):
        return [_whole(inner, format) for inner in part]
    if not isinstance(part, dict):
        return part
    return {key: _whole(inner, format) for key, inner in as_of(part, format).items() if key not in MARKS}
