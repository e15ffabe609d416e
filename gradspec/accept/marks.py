"""Where each value of a spec file stands in its text, and which of them say what is expected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from gradspec.spec.document import Document, Path

__all__ = ["FIELDS", "OPEN", "Mark", "answers", "blanks", "marks"]

OPEN = "..."  # what stands for an expectation that is to be filled in
FIELDS: dict[str, Any] = {  # field → something of the right type
    "value": 0.0, "grad": 0.0, "is_leaf": True, "requires_grad": True, "retains_grad": True,
    "grad_fn": None, "next_functions": None, "nodes": None, "dtype": "float32", "shape": [], "version": 0,
    "repr": "",
}  # fmt: skip
_LISTS = ("no_grad", "enable_grad", "inference_mode", "detect_anomaly", "checkpoint")


class Mark(NamedTuple):
    """The characters `start` to `end` of the text. `kind`: scalar, list or map; `shared`: it has an anchor
    or is an alias, so that what it says is said elsewhere too."""

    start: int
    end: int
    kind: str
    shared: bool
    flow: bool


def marks(text: str) -> dict[Path, Mark]:
    """Every value of a YAML text by its path. The text is one that was read without a fault."""
    import yaml

    found: dict[Path, Mark] = {}
    stack: list[_Open] = []
    last = 0  # the end of what was read last, in block style no container has an end of its own
    events: Any = yaml.parse(text, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)
    for event in events:
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            path = stack[-1].child() if stack else ()
            stack.append(_Open(path, event, isinstance(event, yaml.MappingStartEvent)))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            done = stack.pop()
            begin = done.event
            if begin.flow_style:
                last = _index(event.end_mark)
            kind = "map" if done.mapping else "list"
            shared = begin.anchor is not None
            found[done.path] = Mark(_index(begin.start_mark), last, kind, shared, begin.flow_style)
            if stack:
                stack[-1].next()
        elif isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
            inside = stack[-1] if stack else None
            if _index(event.start_mark) != _index(event.end_mark):
                last = _index(event.end_mark)
            if inside is not None and inside.mapping and inside.key is None:
                inside.key = str(getattr(event, "value", ""))
                continue
            path = inside.child() if inside is not None else ()
            start, end = _index(event.start_mark), _index(event.end_mark)
            while start < end and text[end - 1].isspace():
                end -= 1  # a block of text ends with the line after it
            found[path] = Mark(start, end, "scalar", event.anchor is not None, True)
            if inside is not None:
                inside.next()
    return found


def _index(mark: Any) -> int:
    return int(mark.index)


class _Open:
    """A container while it is read."""

    def __init__(self, path: Path, event: Any, mapping: bool) -> None:
        self.path, self.event, self.mapping = path, event, mapping
        self.key: str | None = None
        self.index = 0

    def child(self) -> Path:
        # a mapping has a key by now
        return (*self.path, self.key if self.mapping else self.index)  # type: ignore[arg-type]

    def next(self) -> None:
        self.key = None
        self.index += 1


def answers(view: Any) -> Iterator[tuple[str, Path]]:
    """Whatever in a file's view says what is expected, as (field, path): a field of `expect`, raises, warns
    and hooks of a step; and each step itself, as the field "step"."""
    if not isinstance(view, dict):
        return
    for path, spec in _specs(view):
        steps = spec.get("steps")
        yield from _of_steps(steps if isinstance(steps, list) else [], (*path, "steps"))


def _specs(view: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    if "specs" not in view:
        yield (), view
        return
    several = view["specs"] if isinstance(view["specs"], list) else []
    for path, spec in (
        (("defaults",), view.get("defaults")),
        *((("specs", k), s) for k, s in enumerate(several)),
    ):
        if isinstance(spec, dict):
            yield path, spec


def _of_steps(steps: list[Any], path: Path) -> Iterator[tuple[str, Path]]:
    for index, step in enumerate(steps):
        if not isinstance(step, dict):
            continue
        here = (*path, index)
        yield "step", here
        yield from ((field, (*here, field)) for field in ("raises", "warns") if field in step)
        if isinstance(step.get("expect"), dict):
            yield from _of_expect(step["expect"], (*here, "expect"))
        if isinstance(step.get("expect_hooks"), list):
            yield from _of_hooks(step["expect_hooks"], (*here, "expect_hooks"))
        for verb in _LISTS:
            if isinstance(step.get(verb), list):
                yield from _of_steps(step[verb], (*here, verb))
        for verb in ("hook", "repeat"):
            inner = step.get(verb)
            if isinstance(inner, dict) and isinstance(inner.get("do"), list):
                yield from _of_steps(inner["do"], (*here, verb, "do"))
        custom = step.get("custom")
        if isinstance(custom, dict):
            for part in ("forward", "backward"):
                if isinstance(custom.get(part), list):
                    yield from _of_steps(custom[part], (*here, "custom", part))


def _of_expect(names: dict[str, Any], path: Path) -> Iterator[tuple[str, Path]]:
    for name, fields in names.items():
        for field in fields if isinstance(fields, dict) else ():
            if field in FIELDS:
                yield field, (*path, name, field)
                if isinstance(fields[field], dict) and "one_of" in fields[field]:
                    yield field, (*path, name, field, "one_of")


def _of_hooks(hooks: list[Any], path: Path) -> Iterator[tuple[str, Path]]:
    for index, entry in enumerate(hooks):
        for name in entry if isinstance(entry, dict) else ():
            yield "hook", (*path, index, name)


def blanks(document: Document) -> list[tuple[str, Path]]:
    """What is to be filled in, as `answers` has it."""
    found = []
    for field, path in answers(document.view):
        value = document.view
        for part in path:
            value = value[part]
        if value == OPEN and not document.quoted(path):
            found.append((field, path))
    return found
