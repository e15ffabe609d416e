"""A program that was found, as a spec: what the reference saw stands as the expectation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.dense import Dense
from gradspec.fuzz.draft import bodies, faults_of
from gradspec.spec.model import Block, Hook, Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradspec.backends.base import Observations
    from gradspec.fuzz.compare import Difference
    from gradspec.fuzz.draft import View
    from gradspec.spec.model import Program

__all__ = ["plain", "spec_text", "with_expectations"]

_SAID = ("value", "is_leaf", "requires_grad", "retains_grad", "grad_fn", "dtype", "shape", "version")


def with_expectations(view: View, program: Program, seen: Observations, found: Difference) -> View:
    """The view with its last look at what differs saying what was seen, and errors where they came."""
    numbers = iter(range(program.count))
    watches = {step.at: step for step in _deep(program.steps) if isinstance(step, Watch)}
    made = _steps(view["steps"], numbers, program, watches, seen, found)
    full = {**view, "steps": made}
    return full if not faults_of(full) else {**view, "steps": _without(made, "raises")}


def _steps(
    views: list[View], numbers: Iterator[int], program: Program, watches: dict[int, Watch],
    seen: Observations, found: Difference,
) -> list[View]:  # fmt: skip
    made = []
    for view in views:
        at = next(numbers)
        step = dict(view)
        for body in bodies(view):
            inner = _steps(body, numbers, program, watches, seen, found)
            if "hook" in view:
                step["hook"] = {**view["hook"], "do": inner}
            else:
                step[next(iter(view))] = inner
        if at in watches:
            step = _expect(view, at, program, watches[at], seen, found)
        elif "expect_hooks" in view:
            step = {"expect_hooks": [_hook(name, value) for name, value in seen.hooks.get(at, [])]}
        else:
            outcome = seen.outcomes.get(at)
            if outcome is not None and outcome.status == "error":
                step["raises"] = outcome.code
            elif at == found.at and found.field == "outcome":
                step["raises"] = None
            if outcome is not None and at == found.at and found.field == "warnings":
                step["warns"] = [warned.code for warned in outcome.warnings]
        made.append(step)
    return made


def _expect(
    view: View, at: int, program: Program, watch: Watch, seen: Observations, found: Difference
) -> View:
    expected: dict[str, Any] = {}
    for look, saw in zip(watch.looks, seen.seen.get(at, []), strict=False):
        name = program.names[look.binding] + (".grad" if look.path else "")
        if saw.get("none") and not look.path:
            expected[name] = None
        if at != found.at or name != found.name or "missing" in saw or "none" in saw:
            continue
        fields = {field: plain(saw[field]) for field in _SAID if field in saw and field == found.field}
        if "grad" in saw and found.field == "grad":
            fields["grad"] = plain(saw["grad"])
        expected[name] = fields or {"value": plain(saw["value"])}
    return {"expect": expected} if expected else view


def _hook(name: str, value: Any) -> Any:
    return name if value is None else {name: plain(value)}


def plain(value: Any) -> Any:
    """An observation as YAML has it."""
    if isinstance(value, tuple):
        return list(value)
    if not isinstance(value, Dense):
        return value
    return _numbers(value.nested()) if value.size else {"zeros": list(value.shape)}


def _numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_numbers(entry) for entry in value]
    return f"complex({value.real!r}, {value.imag!r})" if isinstance(value, complex) else value


def _deep(steps: tuple[Any, ...]) -> Iterator[Any]:
    for step in steps:
        yield step
        if isinstance(step, (Block, Hook)):
            yield from _deep(step.steps)


def _without(steps: list[View], key: str) -> list[View]:
    return [{name: value for name, value in step.items() if name != key} for step in steps]


def spec_text(view: View) -> str:
    """A view as YAML that can be run."""
    lines = [f"gradspec: {view['gradspec']}", f"id: {view['id']}"]
    if view["tensors"]:
        lines += ["tensors:", *(f"  {name}: {_flow(tensor)}" for name, tensor in view["tensors"].items())]
    return "\n".join([*lines, "steps:", *_step_lines(view["steps"], "  ")]) + "\n"


def _step_lines(steps: list[View], indent: str) -> Iterator[str]:
    for step in steps:
        verb, content = next(iter(step.items()))
        inner = bodies(step)
        first = f"{indent}- "
        if verb == "hook" and inner:
            yield f"{first}hook:"
            yield from (f"{indent}    {key}: {_flow(value)}" for key, value in content.items() if key != "do")
            yield f"{indent}    do:"
            yield from _step_lines(content["do"], f"{indent}      ")
        elif inner:
            yield f"{first}{verb}:"
            yield from _step_lines(content, f"{indent}    ")
        else:
            yield f"{first}{verb}: {_flow(content)}"
        yield from (f"{indent}  {key}: {_flow(value)}" for key, value in list(step.items())[1:])


def _flow(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(
        value, default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("\n...")
