"""Errors of the schema validator → faults in our words, with places, hints and stable codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.errors import ERROR_CODES, WARNING_CODES, Fault, did_you_mean
from gradspec.spec.format import Format, later_than, show_format
from gradspec.spec.schema import schema, validator

if TYPE_CHECKING:
    from gradspec.spec.document import Document, Path

__all__ = ["explain", "undeclared"]

_LISTS_OF_STEPS = (
    "steps", "do", "no_grad", "enable_grad", "inference_mode", "detect_anomaly", "checkpoint", "forward",
)  # fmt: skip
_WORDS = {
    "array": "a list",
    "object": "a mapping",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}
_ORDER = list(_WORDS)
_NOT_NUMBERS = {
    "nan": ".nan", "inf": ".inf", "-inf": "-.inf", "+inf": ".inf", "infinity": ".inf", "-infinity": "-.inf",
}  # fmt: skip
_SWITCHES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_PATTERNS = {  # by the key whose value (or whose items) it was
    "id": ("bad-id", "is no id", "ids are words of a-z, 0-9 and _, joined by . or -"),
    "title": ("bad-value", "is more than one line", "`doc` takes longer text"),
    "tags": ("bad-value", "is no word", "a tag has no blanks"),
    "refs": ("bad-value", "is no link", ""),
    "provenance": (
        "bad-value",
        "is no provenance",
        'closed-form, high-precision, or "recorded: NAME VERSION" in quotes',
    ),
    "sha256": ("bad-value", "is no SHA-256", "64 hexadecimal digits in lower case"),
}
Found = list[tuple[Fault, "Path"]]


def explain(document: Document, errors: list[Any]) -> Found:
    """The faults behind the errors of jsonschema-rs, each with the path of what is faulty.

    A key that is missing because it is misspelt is one fault, not two.
    """
    unknown: dict[Path, list[str]] = {}
    for error in errors:
        if error.kind.name == "additionalProperties":
            unknown[tuple(error.instance_path)] = error.kind.unexpected
    found: Found = []
    for error in errors:
        if error.kind.name == "required":
            beside = unknown.get(tuple(error.instance_path), ())
            if any(did_you_mean(key[:60], [error.kind.property]) for key in beside):
                continue
        found += _explain(document, error)
    return found


def undeclared(document: Document, view: Any, format: Format) -> list[Fault]:
    """The faults of what belongs to a later format than the file names.

    What the schema of the file's format refuses and that of a later one does not is an addition.
    """
    faults: list[Fault] = []
    refused = _refused(view, format)
    for later in later_than(format):
        still = _refused(view, later)
        for path, kind, key in refused:
            if (path, kind, key) not in still:
                faults.append(_addition(document, path, key, later))
        refused = [one for one in refused if one in still]
    return faults


def _refused(view: Any, format: Format) -> list[tuple[Path, str, str]]:
    """What the schema of a format refuses: where, by which keyword, and which key if it is one."""
    found: list[tuple[Path, str, str]] = []
    for error in validator(format).iter_errors(view):
        kind = error.kind.name
        keys = error.kind.unexpected if kind == "additionalProperties" else ("",)
        found += ((tuple(error.instance_path), kind, key) for key in keys)
    return found


def _addition(document: Document, path: Path, key: str, format: Format) -> Fault:
    version = show_format(format)
    what = key or f"{_subject(path)}{_kind(_value(document.view, path))}"
    message, hint = f"{what} needs format {version}", f'write `gradspec: "{version}"`'
    return document.fault(
        "undeclared-format", message, (*path, key) if key else path, key=bool(key), hint=hint
    )


def _explain(document: Document, error: Any) -> Found:
    path: Path = tuple(error.instance_path)
    value = _value(document.view, path)
    kind = error.kind.name
    if kind == "additionalProperties":
        return [_unknown(document, error, path, key) for key in error.kind.unexpected]
    key = _last_key(path)
    if kind == "required":
        missing = error.kind.property
        return [_at(document, path, "missing-key", f"{missing} is missing{_inside(path)}")]
    if kind == "type":
        return [_wrong_type(document, error, path, key, value)]
    if kind == "enum":
        return [_not_allowed(document, error, path, key, value)]
    if kind == "pattern":
        return [_mismatch(document, path, key, value)]
    return [_bound(document, error, path, key, value)]


def _at(
    document: Document, path: Path, code: str, message: str, hint: str = "", key: bool = False
) -> tuple[Fault, Path]:
    return document.fault(code, message, path, hint=hint, key=key), path


def _unknown(document: Document, error: Any, path: Path, key: str) -> tuple[Fault, Path]:
    parent = _schema_at(error.schema_path[:-1])
    known = list(parent.get("properties", ()))
    here = (*path, key)
    if "patternProperties" in parent:
        return _at(
            document,
            here,
            "bad-name",
            f'"{key[:60]}" is no name',
            "names are identifiers that do not begin with _",
            key=True,
        )
    hint = did_you_mean(key[:60], known)
    if not hint:
        hint = f"known here: {', '.join(known)}" if known else ""
    return _at(document, here, "unknown-key", f'unknown key "{key[:60]}"{_inside(path)}', hint, key=True)


def _wrong_type(document: Document, error: Any, path: Path, key: str, value: Any) -> tuple[Fault, Path]:
    types = sorted(error.kind.types, key=_ORDER.index)
    words = [_WORDS[name] for name in types]
    if key in _LISTS_OF_STEPS or (key == "backward" and "custom" in path[-3:-1]):
        words = ["a list of steps"] if isinstance(path[-1], str) else ["a mapping with one verb"]
    elif key == "specs":
        words = ["a list of specs"] if isinstance(path[-1], str) else ["a mapping"]
    expected = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
    hint = ""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _NOT_NUMBERS and {"number", "integer"} & set(types):
            hint = f"write {_NOT_NUMBERS[word]}"
        elif word in _SWITCHES and "boolean" in types:
            hint = f"write {_SWITCHES[word]}"
    elif "string" in types and isinstance(value, bool | int | float):
        hint = "quote it"
    elif value is None and "null" not in types:
        hint = "a key with nothing after its colon is null" if path and isinstance(path[-1], str) else ""
    return _at(document, path, "wrong-type", f"{_subject(path)}expected {expected}, got {_kind(value)}", hint)


def _not_allowed(document: Document, error: Any, path: Path, key: str, value: Any) -> tuple[Fault, Path]:
    options = [option for option in error.kind.options if option is not None]
    text = value if isinstance(value, str) else ""
    if key in ("raises", "warns"):
        what, others, other_key = (
            ("error", WARNING_CODES, "warns") if key == "raises" else ("warning", ERROR_CODES, "raises")
        )
        hint = f"`{other_key}: {text}` expects it" if text in others else did_you_mean(text[:60], options)
        hint = hint or f"codes are {', '.join(options)}"
        shown = f'"{text[:60]}"' if text else _kind(value)
        return _at(document, path, "unknown-code", f"there is no {what} {shown}", hint)
    listed = ", ".join(str(option) for option in options)
    hint = (
        did_you_mean(text[:60], [str(option) for option in options]) if text else ""
    ) or f"one of {listed}"
    shown = f'"{text[:60]}"' if text else _kind(value)
    return _at(document, path, "bad-value", f"{_subject(path)}{shown} is not allowed here", hint)


def _mismatch(document: Document, path: Path, key: str, value: Any) -> tuple[Fault, Path]:
    shown = f'"{value[:60]}"' if isinstance(value, str) else _kind(value)
    code, message, hint = _PATTERNS.get(
        key, ("bad-name", "is no name", "names are identifiers that do not begin with _")
    )
    return _at(document, path, code, f"{_subject(path)}{shown} {message}", hint)


def _bound(document: Document, error: Any, path: Path, key: str, value: Any) -> tuple[Fault, Path]:
    kind = error.kind.name
    limit = getattr(error.kind, "limit", "")
    subject = _subject(path)
    if kind in ("maxLength", "maxItems", "maxProperties"):
        unit = {"maxLength": "characters", "maxItems": "items", "maxProperties": "keys"}[kind]
        return _at(
            document, path, "too-long", f"{subject}{len(value):,} {unit}, at most {limit:,} are allowed"
        )
    if kind in ("minLength", "minItems", "minProperties"):
        empty = {
            "minLength": "empty text",
            "minItems": "the list is too short",
            "minProperties": "the mapping is empty",
        }
        if path and isinstance(value, dict) and kind == "minProperties":
            return _at(document, path, "too-short", f"{subject}the mapping is empty")
        return _at(document, path, "too-short", f"{subject}{empty[kind]}, at least {limit} wanted")
    if kind in ("minimum", "exclusiveMinimum"):
        bound = "at least" if kind == "minimum" else "more than"
        return _at(document, path, "bad-value", f"{subject}{_kind(value)} is not allowed, {bound} {limit:g}")
    if kind == "uniqueItems":
        return _at(document, path, "duplicate-item", f"{subject}the list names something twice")
    return _at(document, path, "bad-value", f"{subject}{error.message[:200]}")


def _schema_at(schema_path: list[str | int]) -> dict[str, Any]:
    found: Any = schema()
    for part in schema_path:
        found = found[part]
    return found if isinstance(found, dict) else {}


def _value(view: Any, path: Path) -> Any:
    for part in path:
        view = view[part]
    return view


def _last_key(path: Path) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def _subject(path: Path) -> str:
    key = _last_key(path)
    return f"{key[:60]}: " if key else ""


def _inside(path: Path) -> str:
    key = _last_key(path)
    return f" in {key[:60]}" if key and isinstance(path[-1], str) else ""


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}" if len(str(value)) < 40 else "a long number"
    if isinstance(value, str):
        return f'the text "{value}"' if len(value) <= 40 and "\n" not in value else "text"
    return "a list" if isinstance(value, list) else "a mapping"
