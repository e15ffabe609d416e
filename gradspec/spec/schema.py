"""schema.json: the format's own source of truth for shape, as data and as a validator."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

__all__ = ["schema", "schema_text", "validator"]


def schema_text() -> str:
    """The text of schema.json, as `gradspec schema` prints it."""
    with open(os.path.join(os.path.dirname(__file__), "schema.json"), encoding="utf-8") as stream:
        return stream.read()


@cache
def schema() -> dict[str, Any]:
    """schema.json as data."""
    import json

    data: dict[str, Any] = json.loads(schema_text())
    return data


@cache
def validator() -> Any:
    """A compiled validator of the schema; importing its library is the price of the first call."""
    from jsonschema_rs import Draft202012Validator

    return Draft202012Validator(schema_text())
