"""Whether a view plainly fits schema.json, read here keyword by keyword.

Importing jsonschema-rs takes a sixth of a cold start, since it loads email and sockets with it, and
nearly every file is sound and short.  So what can be said without doubt is said here.  False is only a doubt:
jsonschema-rs then decides and explains.  True is never said of what it would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from gradspec.spec.format import MARKS, NEWEST, Format, as_of
from gradspec.spec.schema import schema

__all__ = ["fits"]

Check = Callable[[Any], bool]
_TYPES: dict[type, tuple[str, ...]] = {
    dict: ("object",), list: ("array",), str: ("string",), bool: ("boolean",), int: ("integer", "number"),
    float: ("number",), type(None): ("null",),
}  # fmt: skip
_ANNOTATIONS = {"$schema", "$defs", "title", "description", *MARKS}
_SAID_OF: dict[type, tuple[str, ...]] = {
    dict: (
        "properties", "patternProperties", "additionalProperties", "required", "dependentRequired",
        "minProperties", "maxProperties",
    ),
    list: ("items", "minItems", "maxItems", "uniqueItems"),
    str: ("pattern", "minLength", "maxLength"),
    float: ("minimum", "exclusiveMinimum"),
}  # fmt: skip
_KNOWN = {"type", "enum", "$ref", *_ANNOTATIONS, *(word for words in _SAID_OF.values() for word in words)}
_BEYOND_ASCII = "\x80-\U0010ffff"  # in a set of characters; compiling it takes milliseconds
_UNBOUNDED = float("inf")
_LARGEST = 2**63


def fits(view: Any, format: Format = NEWEST) -> bool:
    """True if the view fits the schema for certain; False if that is for the schema's validator to say."""
    return _at("#", format)(view)


@cache
def _at(reference: str, format: Format) -> Check:
    """What stands in the schema at "#/$defs/name"."""
    found: Any = schema()
    for part in reference.split("/")[1:]:
        found = found[part]
    return _check(found, format)


def _check(rules: Any, format: Format) -> Check:
    """The check of a schema, prepared for each type of value when the first such value comes."""
    if not isinstance(rules, dict):
        return _doubt
    rules = as_of(rules, format)
    if "$ref" in rules and rules.keys() - {"$ref"} <= _ANNOTATIONS:
        return _at(rules["$ref"], format)
    prepared: dict[type, Check] = {}

    def check(value: Any) -> bool:
        kind = value.__class__
        made = prepared.get(kind)
        if made is None:
            made = prepared[kind] = _prepare(rules, kind, format)
        return made(value)

    return check


def _prepare(rules: dict[str, Any], kind: type, format: Format) -> Check:
    """The check of values of one type."""
    allowed = rules.get("type")
    words = _TYPES.get(kind, ())
    if rules.keys() - _KNOWN or not (allowed is None or any(word in allowed for word in words)):
        return _doubt
    checks: list[Check] = []
    if "$ref" in rules:
        checks.append(_at(rules["$ref"], format))
    if "enum" in rules:
        checks.append(_one_of(rules["enum"]))
    if kind is int or any(word in rules for word in _SAID_OF.get(kind, ())):
        checks.append(_MAKERS[kind](rules, format))
    if len(checks) == 1:
        return checks[0]
    return lambda value: all(check(value) for check in checks)


def _doubt(value: Any) -> bool:
    return False


def _one_of(options: list[Any]) -> Check:
    """One of some texts, integers or null. True is no 1 here."""
    known = {(option.__class__, option) for option in options}
    return lambda value: value.__class__ not in (dict, list) and (value.__class__, value) in known


def _text(rules: dict[str, Any], _: Format) -> Check:
    low, high = rules.get("minLength", 0), rules.get("maxLength", _UNBOUNDED)
    if "pattern" not in rules:
        return lambda text: low <= len(text) <= high
    matches = _matcher(rules["pattern"])
    return lambda text: low <= len(text) <= high and matches(text)


@cache
def _matcher(pattern: str) -> Check:
    """Whether a text matches for certain: only where Python's expressions and the schema's mean the same."""
    plain = pattern.replace(_BEYOND_ASCII, "")
    search = re.compile(plain, re.ASCII).search
    if plain == pattern and not re.search(r"\\[a-zA-Z]", pattern.replace(r"\r\n", "")):
        return lambda text: text.isprintable() and search(text) is not None
    return lambda text: text.isascii() and text.isprintable() and search(text) is not None


def _number(rules: dict[str, Any], _: Format) -> Check:
    low, above = rules.get("minimum", -_UNBOUNDED), rules.get("exclusiveMinimum", -_UNBOUNDED)
    return lambda number: number >= low and number > above


def _integer(rules: dict[str, Any], _: Format) -> Check:
    low, above = rules.get("minimum", -_LARGEST), rules.get("exclusiveMinimum", -_UNBOUNDED)
    return lambda number: low <= number < _LARGEST and number > above


def _list(rules: dict[str, Any], format: Format) -> Check:
    low, high = rules.get("minItems", 0), rules.get("maxItems", _UNBOUNDED)
    item = _check(rules["items"], format) if "items" in rules else None
    unique = rules.get("uniqueItems", False)

    def check(values: list[Any]) -> bool:
        if not low <= len(values) <= high:
            return False
        if item is not None:
            for value in values:
                if not item(value):
                    return False
        return not unique or (all(type(value) is str for value in values) and len({*values}) == len(values))

    return check


def _mapping(rules: dict[str, Any], format: Format) -> Check:
    low, high = rules.get("minProperties", 0), rules.get("maxProperties", _UNBOUNDED)
    required, dependent = rules.get("required", ()), rules.get("dependentRequired", {})
    known: dict[str, Check] = {}
    properties = rules.get("properties", {})
    others = _other_keys(rules, format)

    def check(mapping: dict[str, Any]) -> bool:
        if not low <= len(mapping) <= high:
            return False
        for key, value in mapping.items():
            if key in known:
                item = known[key]
            elif key in properties:
                item = known[key] = _check(properties[key], format)
            else:
                item = others(key)
            if not item(value):
                return False
            if key in dependent and not all(other in mapping for other in dependent[key]):
                return False
        return all(key in mapping for key in required)

    return check


def _other_keys(rules: dict[str, Any], format: Format) -> Callable[[str], Check]:
    """The check of what stands under a key that is no property."""
    patterns, extra = rules.get("patternProperties", {}), rules.get("additionalProperties", True)
    if patterns and (rules.get("properties") or len(patterns) > 1 or extra is not False):
        return lambda _: _doubt  # a key that matches for uncertain might be under several schemas
    for pattern, of_match in patterns.items():
        matches, item = _matcher(pattern), _check(of_match, format)
        return lambda key: item if matches(key) else _doubt
    if extra is True or extra is False:
        return lambda _: _anything if extra else _doubt
    always = _check(extra, format)
    return lambda _: always


def _anything(value: Any) -> bool:
    return True


_MAKERS: dict[type, Callable[[dict[str, Any], Format], Check]] = {
    dict: _mapping, list: _list, str: _text, int: _integer, float: _number,
}  # fmt: skip
