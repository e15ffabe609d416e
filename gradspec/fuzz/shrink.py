"""Cutting a program down while it still differs in the same way."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from gradspec.fuzz.draft import BLOCKS, View, bodies

__all__ = ["shrink"]


def shrink(view: View, still: Callable[[View], bool], seconds: float = 20.0) -> View:
    """The smallest view found for which `still` holds; `still` is False for what is no valid spec.

    First halves, quarters, … of the steps are left out, then single parts are made simpler, until nothing
    more can go.
    """
    end = time.monotonic() + seconds
    best = copy.deepcopy(view)
    while True:
        smaller = next((one for one in _candidates(best) if time.monotonic() < end and still(one)), None)
        if smaller is None:
            return best
        best = smaller


def _candidates(view: View) -> Iterator[View]:
    yield from _without_steps(view)
    yield from _without_tensors(view)
    yield from _operands_instead(view)
    yield from _simpler_steps(view)
    yield from _simpler_tensors(view)


def _lists(view: View) -> list[list[int | str]]:
    """The paths to all lists of steps."""
    found: list[list[int | str]] = []

    def visit(steps: list[View], path: list[int | str]) -> None:
        found.append(path)
        for k, step in enumerate(steps):
            for mode in BLOCKS:
                if mode in step:
                    visit(step[mode], [*path, k, mode])
            if "hook" in step and step["hook"].get("do"):
                visit(step["hook"]["do"], [*path, k, "hook", "do"])

    visit(view["steps"], ["steps"])
    return found


def _at(view: View, path: list[int | str]) -> Any:
    found: Any = view
    for part in path:
        found = found[part]
    return found


def _changed(view: View, path: list[int | str], value: Any) -> View:
    """A copy of a view with another value at a path; what is not on the path is shared."""
    if not path:
        return value  # type: ignore[no-any-return]  # a view is nested anyhow
    head, *rest = path
    made: Any = copy.copy(view)
    made[head] = _changed(view[head], rest, value)  # type: ignore[index]  # a view is nested anyhow
    return made  # type: ignore[no-any-return]  # a view is nested anyhow


def _without_steps(view: View) -> Iterator[View]:
    for path in _lists(view):
        steps = _at(view, path)
        size = len(steps)
        while size:
            for start in reversed(range(0, len(steps), size)):
                rest = steps[:start] + steps[start + size :]
                if rest or path[-1] == "do":
                    yield _changed(view, path, rest)
            size //= 2
        for k, step in enumerate(steps):
            for body in bodies(step):
                if "hook" not in step:
                    yield _changed(view, path, [*steps[:k], *body, *steps[k + 1 :]])


def _operands_instead(view: View) -> Iterator[View]:
    """An op left out, one of its operands standing for its result."""
    for path in _lists(view):
        steps = _at(view, path)
        for k, step in enumerate(steps):
            made = re.fullmatch(r"(\w+) = (.*)", step.get("op", ""))
            for operand in dict.fromkeys(re.findall(r"\b[a-z]\d+\b", made[2])) if made else ():
                rest = _changed(view, path, steps[:k] + steps[k + 1 :])
                # there are operands only where `made` is there
                yield {**rest, "steps": _renamed(rest["steps"], made[1], operand)}  # type: ignore[index]


def _renamed(part: Any, old: str, new: str) -> Any:
    """Steps, or a part of one, with another name for a tensor."""
    if isinstance(part, str):
        return re.sub(rf"\b{old}\b", new, part)
    if isinstance(part, list):
        return [_renamed(each, old, new) for each in part]
    if isinstance(part, dict):
        return {_renamed(key, old, new): _renamed(value, old, new) for key, value in part.items()}
    return part


def _without_tensors(view: View) -> Iterator[View]:
    for name in view["tensors"]:
        yield {**view, "tensors": {key: value for key, value in view["tensors"].items() if key != name}}


def _simpler_steps(view: View) -> Iterator[View]:
    for path in _lists(view):
        for k, step in enumerate(_at(view, path)):
            for simpler in _simpler_step(step):
                yield _changed(view, [*path, k], simpler)


def _simpler_step(step: View) -> Iterator[View]:
    """A step with an option, a name or a number less."""
    (verb,) = step
    content = step[verb]
    if verb == "expect":
        for name in content if len(content) > 1 else ():
            yield {"expect": {key: value for key, value in content.items() if key != name}}
    elif isinstance(content, dict):
        for key in content:
            if key not in ("of", "wrt", "out", "name", "tangents"):
                yield {verb: {other: value for other, value in content.items() if other != key}}
        if isinstance(content.get("of"), list) and len(content["of"]) == 1:
            yield {verb: {**content, "of": content["of"][0]}}
        if isinstance(content.get("inputs"), list) and len(content["inputs"]) > 1:
            yield from ({verb: {**content, "inputs": [name]}} for name in content["inputs"])
        if isinstance(content.get("wrt"), list) and len(content["wrt"]) > 1:
            for name, out in zip(content["wrt"], content["out"], strict=True):
                yield {verb: {**content, "wrt": [name], "out": [out]}}
        if isinstance(content.get("of"), str) and content.get("gradient") is not None:
            yield from ({verb: {**content, "gradient": data}} for data in _simpler_data(content["gradient"]))


def _simpler_tensors(view: View) -> Iterator[View]:
    for name, tensor in view["tensors"].items():
        if tensor.get("requires_grad"):
            yield _changed(view, ["tensors", name], {k: v for k, v in tensor.items() if k != "requires_grad"})
        for data in _simpler_data(tensor["data"]) if "data" in tensor else ():
            yield _changed(view, ["tensors", name, "data"], data)


def _simpler_data(data: Any) -> Iterator[Any]:
    """Shorter, then rounder data."""
    if isinstance(data, list):
        if len(data) > 1:
            yield data[:1]
            yield data[:2]
        if len(data) == 1:
            yield data[0]
    rounder = _rounder(data)
    if rounder != data:
        yield rounder


def _rounder(data: Any) -> Any:
    if isinstance(data, list):
        return [_rounder(entry) for entry in data]
    return float(round(data)) if isinstance(data, float) and round(data) else data
