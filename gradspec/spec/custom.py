"""`custom`: a function with a backward of its own, defined and applied in one step.

Its bodies are closed: forward knows the inputs alone, backward its gradients and what was saved, so
that nothing but the mapping says what the function is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gradspec.errors import did_you_mean
from gradspec.spec.model import Apply, Custom, bodies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradspec.spec.scope import Path, Scope

__all__ = ["custom"]

Build = Callable[["Scope", "list[Any]", "Path"], "tuple[Any, ...]"]


def custom(scope: Scope, view: dict[str, Any], path: Path, steps: list[Any], at: int, build: Build) -> None:
    """Add the Custom step that a mapping means; `build` builds a list of steps."""
    names, outs = _listed(view["of"]), _listed(view["out"])
    of = scope.tensors(view["of"], (*path, "of"))
    with _closed(scope, dict.fromkeys(scope.names, "a function knows its inputs alone: list it in `of`")):
        args = tuple(scope.bind(name, _where(path, view, "of", k)) for k, name in enumerate(names))
        forward = build(scope, view["forward"], (*path, "forward"))
        results = [_result(scope, name, _where(path, view, "out", k)) for k, name in enumerate(outs)]
        save = _save(scope, view, path)
        dirty = _dirty(scope, view, path, args, forward, results)
        hidden = dict.fromkeys(scope.names, "backward has what was saved: name it in `save`")
    grad_names = _grad_names(scope, view, path, len(outs))
    with _closed(scope, hidden):
        grads = tuple(scope.bind(name, _where(path, view, "grads", k)) for k, name in enumerate(grad_names))
        saved = tuple(_saved(scope, name, path, view, k) for k, name in enumerate(save))
        backward = build(scope, view["backward"], (*path, "backward"))
        returns = _returns(scope, view, path, len(names))
    out = tuple(scope.bind(name, _where(path, view, "out", k)) for k, name in enumerate(outs))
    if of is None or returns is None or None in results or None in save.values():
        return
    once = bool(view.get("once_differentiable"))
    found = tuple(r for r in results if r is not None)
    kept = tuple(s for s in save.values() if s is not None)
    steps.append(
        Custom(
            view["name"],
            of,
            args,
            forward,
            found,
            out,
            kept,
            dirty,
            grads,
            saved,
            backward,
            returns,
            once,
            at,
        )
    )


@contextmanager
def _closed(scope: Scope, hidden: dict[str, str]) -> Iterator[None]:
    """A body that knows none of the names around it; `hidden` has a hint for those it might mean."""
    before = scope.names, scope.hidden, scope.requiring, scope.unbound
    scope.names, scope.hidden, scope.unbound = {}, {**before[1], **hidden}, {}
    scope.requiring = list(before[2])  # a gradcheck moves no tensor of a function
    try:
        yield
    finally:
        scope.names, scope.hidden, scope.requiring, scope.unbound = before


def _listed(view: Any) -> list[Any]:
    """A name, null or nothing as a list."""
    return view if isinstance(view, list) else [view]


def _where(path: Path, view: dict[str, Any], key: str, k: int) -> Path:
    return (*path, key, k) if isinstance(view.get(key), list) else (*path, key)


def _result(scope: Scope, name: str, path: Path) -> int | None:
    """What forward has made of an output."""
    if name not in scope.names:
        hint = did_you_mean(name, list(scope.names)) or "at the end of forward its name means the result"
        scope.fault("unknown-name", f'forward binds no "{name}"', path, hint=hint)
        return None
    return scope.names[name]


def _save(scope: Scope, view: dict[str, Any], path: Path) -> dict[str, int | None]:
    names = [] if view.get("save") is None else _listed(view["save"])
    return {name: scope.resolve(name, _where(path, view, "save", k)) for k, name in enumerate(names)}


def _saved(scope: Scope, name: str, path: Path, view: dict[str, Any], k: int) -> int:
    if name in scope.names:
        hint = "`grads` gives the gradients other names"
        where = _where(path, view, "save", k)
        scope.fault("bad-name", f'in backward "{name}" is a gradient', where, hint=hint)
    return scope.bind(name, _where(path, view, "save", k))


def _grad_names(scope: Scope, view: dict[str, Any], path: Path, count: int) -> list[str]:
    """The names of the gradients in backward, one for each output."""
    if view.get("grads") is None:
        if count > 1:
            hint = "several results have several gradients: name each, as in `grads: [da, db]`"
            scope.fault("missing-key", "grads is missing", path, hint=hint)
        return ["grad"]
    names = _listed(view["grads"])
    if len(names) != count:
        message = f"{_count(len(names), 'name')} for {_count(count, 'result')}"
        scope.fault("bad-value", message, (*path, "grads"))
    return names


def _returns(scope: Scope, view: dict[str, Any], path: Path, count: int) -> tuple[int | None, ...] | None:
    """The gradient of each input, None for none; None after noting a fault."""
    names = _listed(view["returns"])
    if len(names) != count:
        message = f"{_count(len(names), 'gradient')} for {_count(count, 'input')}"
        hint = "one for each name in `of`, null for no gradient"
        scope.fault("bad-value", message, (*path, "returns"), hint=hint)
        return None
    found = [
        None if name is None else scope.resolve(name, _where(path, view, "returns", k))
        for k, name in enumerate(names)
    ]
    known = all((one is None) == (name is None) for one, name in zip(found, names, strict=True))
    return tuple(found) if known else None


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _dirty(
    scope: Scope, view: dict[str, Any], path: Path, args: tuple[int, ...], forward: tuple[Any, ...],
    results: list[int | None],
) -> tuple[int, ...]:  # fmt: skip
    """The places in `of` of the inputs that forward changes; each must be a result too, as in torch."""
    if view.get("dirty") is None:
        return ()
    same: dict[int, int] = {}  # an output of an op in place → the tensor that it is
    _same(scope, forward, same)
    given = {same.get(result, result) for result in results if result is not None}
    names = _listed(view["of"])
    places: list[int] = []
    for k, name in enumerate(_listed(view["dirty"])):
        where = _where(path, view, "dirty", k)
        if name not in names:
            hint = f"inputs are {', '.join(names)}"
            scope.fault("unknown-name", f'"{name}" is no input', where, hint=hint)
            continue
        place = names.index(name)
        places.append(place)
        if None not in results and args[place] not in given:
            hint = "an input that is changed in place is given back: a name in `out` must mean it"
            scope.fault("bad-value", f'"{name}" is changed in place and is no result', where, hint=hint)
    return tuple(places)


def _same(scope: Scope, steps: tuple[Any, ...], same: dict[int, int]) -> None:
    for step in steps:
        if isinstance(step, Apply):
            op = scope.assembler.calls[step.call].op
            if op == "__setitem__" or (op.endswith("_") and not op.endswith("__")):
                same[step.out[0]] = same.get(step.inputs[0], step.inputs[0])
        for inner in bodies(step):
            _same(scope, inner, same)
