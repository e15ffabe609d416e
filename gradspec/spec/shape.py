"""The shape of a spec file: what schema.json says, then what no schema can say. All faults, none twice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gradspec.errors import ERROR_CODES, WARNING_CODES, did_you_mean
from gradspec.spec.fits import fits
from gradspec.spec.format import FIRST, NEWEST, read_format, show_format
from gradspec.spec.schema import validator

if TYPE_CHECKING:
    from gradspec.spec.document import Document, Path

__all__ = ["BLOCKS", "MODIFIERS", "VERBS", "check_shape", "json_view", "name_problem"]

BLOCKS = ("no_grad", "enable_grad", "inference_mode", "detect_anomaly", "checkpoint")
VERBS = (
    "op", "retain_grad", "backward", "grad", "jvp", "zero_grad", *BLOCKS, "repeat", "hook", "remove_hook",
    "custom", "gradcheck", "expect", "expect_hooks",
)  # fmt: skip
MODIFIERS = ("raises", "warns", "note")
RESERVED = ("inf", "nan", "pi", "e")
_SILENT = ("expect", "expect_hooks", "gradcheck")  # steps that nothing can be raised by
# What a function may be made of, and what can run a second time.
_IN_FUNCTION = ("op", "no_grad", "enable_grad", "repeat", "custom", "expect")
_IN_CHECKPOINT = (
    *_IN_FUNCTION, "checkpoint", "inference_mode", "detect_anomaly", "retain_grad", "hook", "remove_hook",
    "expect_hooks",
)  # fmt: skip
_VERBS = frozenset(VERBS)
_MODIFIERS = frozenset(MODIFIERS)
_SHORT = 16_384  # characters; for longer files the library's speed is worth its import
_STAND_IN = 65  # numbers of a long list that are shown to the schema; shapes have 64 at most


def check_shape(document: Document) -> list[Path] | None:
    """Append every fault of shape to the document.

    The paths of what is faulty come back, or None where the format is not one that can be read.
    """
    checker = _Checker(document)
    if not checker.format_is_known():
        return None
    checker.schema()
    checker.file()
    return checker.broken


def name_problem(name: str) -> str:
    """Why `name` cannot be the name of a tensor or hook; "" if it can."""
    from keyword import iskeyword

    if not name.isidentifier() or name.startswith("_"):
        return "a name is an identifier that does not begin with _"
    if iskeyword(name):
        return "it is a word of Python's grammar"
    if name in RESERVED:
        return "it is the name of a constant"
    if not name.isascii():
        from unicodedata import normalize

        if normalize("NFKC", name) != name:
            return f"Python reads it as {normalize('NFKC', name)}"
    return ""


class _Checker:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.view = document.view
        self.format = NEWEST  # what a file without a sound format is judged by
        self.broken: list[Path] = []

    def fault(self, code: str, message: str, path: Path, *, key: bool = False, hint: str = "") -> None:
        self.document.faults.append(self.document.fault(code, message, path, key=key, hint=hint))
        self.broken.append(path)

    def format_is_known(self) -> bool:
        """Whether the file's format can be read at all; everything else waits for that."""
        if not isinstance(self.view, dict) or "gradspec" not in self.view:
            return True
        written = self.view["gradspec"]
        if isinstance(written, float):
            message = f"the format {written:g} must be quoted, since 1.1 and 1.10 differ"
            hint = 'write `gradspec: 1`, or "1.N" for a file that uses an addition'
            self.fault("bad-value", message, ("gradspec",), hint=hint)
            return True
        if isinstance(written, bool) or not isinstance(written, int | str):
            return True
        version = read_format(str(written))
        if version is None:
            message = f'"{str(written)[:40]}" is no format version'
            self.fault("bad-value", message, ("gradspec",), hint="write `gradspec: 1`")
        elif version < FIRST:
            self.fault("bad-value", "the first format is 1", ("gradspec",), hint="write `gradspec: 1`")
        elif version > NEWEST:
            message = f"needs format {written}; this gradspec reads {show_format(NEWEST)}"
            self.fault("needs-format", message, ("gradspec",), hint="a newer gradspec reads this file")
            return False
        else:
            self.format = version
        return True

    def schema(self) -> None:
        document, view = self.document, self.view
        if document.nonfinite or document.numeric:
            view = json_view(view, document.numeric)
        if len(document.text) < _SHORT and fits(view, self.format):
            return
        if validator(self.format).is_valid(view):
            return
        from gradspec.spec.schema_faults import explain, undeclared

        for fault, path in explain(document, list(validator().iter_errors(view))):
            document.faults.append(fault)
            self.broken.append(path)
        document.faults += undeclared(document, view, self.format)

    def file(self) -> None:
        view = self.view
        if not isinstance(view, dict):
            return
        if "specs" in view:
            self._several(view)
        elif "steps" in view:
            if "defaults" in view:
                message = "defaults stands beside steps, where it has no meaning"
                self.fault("conflicting-keys", message, ("defaults",), key=True)
            if "id" not in view:
                self.fault("missing-key", "id is missing", ())
            self.spec(view, ())
        elif not self.broken:
            hint = "a file has `steps:`, or several specs under `specs:`"
            self.fault("missing-key", "there are no steps", (), hint=hint)

    def _several(self, view: dict[str, Any]) -> None:
        for key in view:
            if key not in ("gradspec", "specs", "defaults"):
                self.fault(
                    "conflicting-keys", f"{key[:60]} stands beside specs", (key,), key=True,
                    hint="put what the specs share under `defaults:`",
                )  # fmt: skip
        defaults = view.get("defaults")
        shared: dict[str, Any] = defaults if isinstance(defaults, dict) else {}
        self.spec(shared, ("defaults",))
        specs = view["specs"]
        seen: dict[str, int] = {}
        for number, spec in enumerate(specs if isinstance(specs, list) else ()):
            if not isinstance(spec, dict):
                continue
            path: Path = ("specs", number)
            if "steps" not in spec and "steps" not in shared:
                self.fault("missing-key", "there are no steps", path)
            self.spec(spec, path)
            name = spec.get("id")
            if isinstance(name, str):
                if name in seen:
                    first = self.document.place(("specs", seen[name], "id"))
                    self.fault(
                        "duplicate-id",
                        f"the id {name[:80]} is already that of line {first.line}",
                        (*path, "id"),
                    )
                seen.setdefault(name, number)

    def spec(self, spec: dict[str, Any], path: Path) -> None:
        """One spec, or the defaults of several."""
        if "dtype" in spec and "dtypes" in spec:
            self.fault("conflicting-keys", "dtype and dtypes exclude each other", (*path, "dtypes"), key=True)
        self.tolerance(spec, path)
        tensors = spec.get("tensors")
        for name in tensors if isinstance(tensors, dict) else ():
            self.name(name, (*path, "tensors", name), key=True)
        steps = spec.get("steps")
        if isinstance(steps, list):
            for step, at in _walk(steps, (*path, "steps")):
                self.step(step, at)

    def step(self, step: dict[str, Any], path: Path) -> None:
        verbs = [key for key in step if key in _VERBS]
        if len(verbs) != 1:
            if not verbs and all(key in _MODIFIERS for key in step):
                self.fault("one-verb", "a step without a verb", path, hint=f"verbs are {', '.join(VERBS)}")
            elif verbs:
                self.fault(
                    "one-verb", f"{verbs[1]} is a second verb beside {verbs[0]}", (*path, verbs[1]), key=True,
                    hint="begin a new step with `- `",
                )  # fmt: skip
        elif len(step) > 1:
            self.modifiers(step, verbs[0], path)
        if len(verbs) == 1:
            verb = verbs[0]
            value = step[verb]
            self.place(verb, path)
            if isinstance(value, dict):
                self.arguments(verb, value, (*path, verb))

    def place(self, verb: str, path: Path) -> None:
        """Faults of a verb that has no meaning in a function or a checkpoint."""
        inside = "custom" if "custom" in path else "checkpoint" if "checkpoint" in path else ""
        allowed = {"custom": _IN_FUNCTION, "checkpoint": _IN_CHECKPOINT}.get(inside, VERBS)
        if verb not in allowed and "hook" not in path[path.index(inside) :]:
            what = "the body of a function" if inside == "custom" else "a checkpoint"
            hint = f"these may stand there: {', '.join(allowed)}"
            self.fault("misplaced-step", f"{verb} has no place in {what}", (*path, verb), key=True, hint=hint)

    def modifiers(self, step: dict[str, Any], verb: str, path: Path) -> None:
        for key in MODIFIERS:
            if key not in step:
                continue
            message, hint = "", ""
            holds_steps = verb in BLOCKS or verb == "repeat"
            if holds_steps or (key != "note" and verb in _SILENT):
                message = f"{key} has no meaning on {verb}"
                hint = "put it on a step inside" if holds_steps else f"nothing can be raised by {verb}"
            elif key != "note" and "custom" in path:
                message = f"{key} has no meaning in the body of a function"
                hint = "it belongs to the step `custom`, or to the backward that runs the function's"
            elif key == "raises" and step[key] is not None and "checkpoint" in path:
                message = "a step of a checkpoint cannot be expected to fail"
                hint = "an error leaves torch's checkpoint, and then there is nothing to run again"
            if message:
                self.fault("misplaced-modifier", message, (*path, key), key=True, hint=hint)
        warns = step.get("warns")
        if isinstance(warns, str) and warns not in WARNING_CODES:
            hint = did_you_mean(warns, list(WARNING_CODES))
            if warns in ERROR_CODES:
                hint = f"it is an error: `raises: {warns}`"
            self.fault("unknown-code", f'there is no warning "{warns[:60]}"', (*path, "warns"), hint=hint)

    def arguments(self, verb: str, value: dict[str, Any], path: Path) -> None:
        if verb == "expect":
            for name, wanted in value.items():
                if isinstance(wanted, dict) and "tolerance" in wanted:
                    self.tolerance(wanted, (*path, name))
        elif verb in ("hook", "custom"):
            self.name(value.get("name"), (*path, "name"))
            if "before" in value and "after" in value:
                self.fault("conflicting-keys", "a hook runs before or after", (*path, "after"), key=True)
        elif verb == "grad":
            out, wrt = value.get("out"), value.get("wrt")
            if isinstance(out, str | list) and isinstance(wrt, str | list) and not _same_form(out, wrt):
                message = "out must have the form of wrt: one name, or a list as long"
                self.fault("conflicting-keys", message, (*path, "out"))
            for number, name in enumerate(out if isinstance(out, list) else ()):
                self.name(name, (*path, "out", number))
            if isinstance(out, str):
                self.name(out, (*path, "out"))
        elif verb == "gradcheck":
            self.finite(value, path)
        elif verb == "jvp":
            self.name(value.get("out"), (*path, "out"))

    def tolerance(self, mapping: dict[str, Any], path: Path) -> None:
        value = mapping.get("tolerance")
        if isinstance(value, dict) and "ulp" in value and ("rtol" in value or "atol" in value):
            self.fault(
                "conflicting-keys", "ulp excludes rtol and atol", (*path, "tolerance", "ulp"), key=True
            )
        if isinstance(value, dict):
            self.finite(value, (*path, "tolerance"))

    def finite(self, mapping: dict[str, Any], path: Path) -> None:
        for key in ("rtol", "atol", "eps"):
            bound = mapping.get(key)
            if isinstance(bound, float) and not math.isfinite(bound):
                self.fault("bad-value", f"{key}: a bound must be finite", (*path, key))

    def name(self, name: Any, path: Path, key: bool = False) -> None:
        if isinstance(name, str) and (problem := name_problem(name)):
            self.fault("bad-name", f'"{name[:60]}" cannot be a name: {problem}', path, key=key)


def _same_form(out: str | list[Any], wrt: str | list[Any]) -> bool:
    """Whether both are one name, or both lists of as many."""
    if isinstance(out, str) or isinstance(wrt, str):
        return isinstance(out, str) and isinstance(wrt, str)
    return len(out) == len(wrt)


def _walk(steps: list[Any], path: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """Every step that is a mapping, with its path, those inside others included."""
    waiting = [(steps, path)]
    while waiting:
        block, at = waiting.pop()
        for number, step in enumerate(block):
            if not isinstance(step, dict):
                continue
            here = (*at, number)
            yield step, here
            for verb in BLOCKS:
                inner = step.get(verb)
                if isinstance(inner, list):
                    waiting.append((inner, (*here, verb)))
            for verb in ("hook", "repeat"):
                inner = step.get(verb)
                if isinstance(inner, dict) and isinstance(inner.get("do"), list):
                    waiting.append((inner["do"], (*here, verb, "do")))
            function = step.get("custom")
            if isinstance(function, dict):
                parts = ((part, function.get(part)) for part in ("forward", "backward"))
                waiting += ((part, (*here, "custom", name)) for name, part in parts if isinstance(part, list))


def json_view(value: Any, numeric: set[int]) -> Any:
    """The view as JSON can have it: non-finite numbers stand as 0, of a long numeric list its beginning."""
    if isinstance(value, dict):
        return {key: json_view(item, numeric) for key, item in value.items()}
    if isinstance(value, list):
        shown = _beginning(value) if id(value) in numeric else value
        return [json_view(item, numeric) for item in shown]
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    return value


def _beginning(value: list[Any]) -> list[Any]:
    """A short list that is shaped like a long numeric one: one row of many, some numbers of a row."""
    if value and isinstance(value[0], list):
        return [_beginning(value[0])]
    return value[:_STAND_IN]
