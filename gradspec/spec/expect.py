"""`expect` and `expect_hooks`: what to look at, for the backend, and what should be seen, for the runner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.dtypes import DTYPES
from gradspec.errors import did_you_mean
from gradspec.spec.model import Check, Expectation, HookLog, Look, Ref, Tolerance, Watch

if TYPE_CHECKING:
    from gradspec.dense import Dense
    from gradspec.spec.scope import Path, Scope

__all__ = ["expect", "expect_hooks", "tolerance"]

_ARRAYS = ("value", "grad")
_OTHERS = ("same_as", "shares_memory_with")


def expect(scope: Scope, view: dict[str, Any], path: Path, steps: list[Any], at: int) -> None:
    """A Watch with one Look a name, one for each tensor that another is compared with, and the checks."""
    watch = _Watching(scope)
    for name, fields in view.items():
        watch.name(name, fields, (*path, name))
    looks = tuple(Look(binding, end, tuple(fields)) for (binding, end), fields in watch.looks.items())
    steps.append(Watch(looks, at))
    scope.expectations.append(Expectation(at, tuple(watch.checks)))


def tolerance(scope: Scope, view: dict[str, Any] | None, path: Path) -> Tolerance | None:
    """`{rtol, atol}` or `{ulp}`."""
    if view is None:
        return None
    if "ulp" in view and ("rtol" in view or "atol" in view):
        scope.fault("conflicting-keys", "a tolerance is rtol and atol, or ulp", (*path, "ulp"), key=True)
    return Tolerance(view.get("rtol"), view.get("atol"), view.get("ulp"))


class _Watching:
    """One `expect` step: the looks so far, in order, and the checks."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.looks: dict[tuple[int, str], dict[str, None]] = {}
        self.checks: list[Check] = []

    def name(self, name: str, fields: dict[str, Any] | None, path: Path) -> None:
        target = self.target(name, path, key=True)
        if target is None:
            return
        if fields is None:  # the name holds None
            self.add(target, "value", None, path)
            return
        bound = tolerance(self.scope, fields.get("tolerance"), (*path, "tolerance"))
        for field, expected in fields.items():
            if field == "tolerance":
                continue
            where = (*path, field)
            if field in _ARRAYS:
                self.array(target, field, expected, where, bound)
            elif field in _OTHERS:
                self.other(target, field, expected, where)
            else:
                self.plain(target, field, expected, where)

    def target(self, name: str, path: Path, key: bool = False) -> tuple[int, str] | None:
        """The (binding, path) that a NAME means: `x` or `x.grad`."""
        base, _, end = name.partition(".")
        if end not in ("", "grad"):
            hint = 'a name, or its ".grad"'
            self.scope.fault("unknown-name", f'"{name}" is nothing to look at', path, key=key, hint=hint)
            return None
        binding = self.scope.resolve(base, path, key=key)
        return None if binding is None else (binding, end)

    def look(self, target: tuple[int, str], field: str) -> int:
        """The number of the Look at `target`, which from now on sees `field` too."""
        self.looks.setdefault(target, {})[field] = None
        return list(self.looks).index(target)

    def add(self, target: tuple[int, str], field: str, expected: Any, path: Path, **more: Any) -> None:
        place = self.scope.place(path)
        self.checks.append(Check(self.look(target, field), field, expected, place, **more))

    def array(
        self, target: tuple[int, str], field: str, view: Any, path: Path, bound: Tolerance | None
    ) -> None:
        if isinstance(view, dict) and "one_of" in view:
            self.alternatives(target, field, view["one_of"], (*path, "one_of"), bound)
            return
        if view is None:
            self.add(target, field, None, path, tolerance=bound)
            return
        expected, bare = self.scope.expected_array(view, path)
        self.look(target, field)
        if expected is None:
            return
        if isinstance(expected, Ref):
            self.look((expected.binding, ""), "value")
        self.add(target, field, expected, path, bare=bare, tolerance=bound)

    def alternatives(
        self, target: tuple[int, str], field: str, view: dict[str, Any], path: Path, bound: Tolerance | None
    ) -> None:
        if len(view) < 2:
            hint = "what has no choice is written without one_of"
            self.scope.fault("bad-expectation", "one_of names at least two alternatives", path, hint=hint)
        expected: dict[str, Dense | None] = {}
        bare = True
        for name, array in view.items():
            found, own = (None, True) if array is None else self.scope.expected_array(array, (*path, name))
            if isinstance(found, Ref):
                self.scope.fault("bad-expectation", "an alternative is written as numbers", (*path, name))
                continue
            expected[name] = found
            bare = bare and own
        self.add(target, field, expected, path, one_of=True, bare=bare, tolerance=bound)

    def other(self, target: tuple[int, str], field: str, view: Any, path: Path) -> None:
        """same_as and shares_memory_with: `NAME` or `{not: NAME}`. Either tensor may stand first, so the
        one that is a `.grad`, if any, is the one that carries the check."""
        wanted = not isinstance(view, dict)
        where = path if wanted else (*path, "not")
        other = self.target(view if wanted else view["not"], where)
        if other is None:
            return
        if target[1] and other[1]:
            hint = "give one of them a name first: g = x.grad"
            self.scope.fault(
                "bad-expectation", "two gradients cannot be compared as objects", where, hint=hint
            )
            return
        subject, compared = (other, target) if other[1] else (target, other)
        self.look(target, field)
        self.look(compared, field)
        self.add(subject, field, (compared[0], wanted), path)

    def plain(self, target: tuple[int, str], field: str, expected: Any, path: Path) -> None:
        if field == "dtype" and expected not in DTYPES:
            hint = did_you_mean(str(expected), list(DTYPES)) or f"dtypes are {', '.join(DTYPES)}"
            self.scope.fault("bad-dtype", f'no dtype "{expected}"', path, hint=hint)
        if field == "next_functions" and expected is not None:
            expected = tuple(self.edge(edge, (*path, index)) for index, edge in enumerate(expected))
        self.add(target, field, tuple(expected) if isinstance(expected, list) else expected, path)

    def edge(self, view: Any, path: Path) -> Any:
        """None, a node's name, or (name, number of the output) where that is not 0."""
        if not isinstance(view, list):
            return view
        name, number = view
        if not isinstance(name, str) or isinstance(number, str):
            hint = "[SplitBackward0, 1] leads to the second output of a split"
            self.scope.fault("wrong-type", "an edge is a name and the number of an output", path, hint=hint)
            return None
        if number < 1:
            hint = "an edge to the first output of a node is its name alone"
            self.scope.fault("bad-value", f"output {number} is not written", path, hint=hint)
        return name, int(number)


def _given(scope: Scope, view: Any, path: Path) -> Any:
    """The gradient that a hook was given: a Dense, None for none, `...` where it is not said."""
    if view is None or view is ...:
        return view
    dense = scope.expected_array(view, path)[0]
    if isinstance(dense, Ref):
        scope.fault("bad-expectation", "a hook's gradient is written as numbers", path)
    return ... if dense is None else dense


def expect_hooks(scope: Scope, view: list[Any], path: Path, steps: list[Any], at: int) -> None:
    """A HookLog and the hooks that must be in it, in order, with the gradient given where one is written."""
    hooks: list[tuple[str, Any]] = []
    for index, entry in enumerate(view):
        where = (*path, index)
        given = entry if isinstance(entry, dict) else {entry: ...}
        for name, array in given.items():
            if name not in scope.hooks:
                hint = did_you_mean(name, list(scope.hooks)) or "a hook is known by the name it was given"
                scope.fault("unknown-name", f'no hook "{name}" here', where, hint=hint)
            if name not in scope.node_hooks or array is ...:
                hooks.append((name, _given(scope, array, (*where, name))))
            elif isinstance(array, list):
                parts = enumerate(array)
                hooks.append((name, tuple([_given(scope, part, (*where, name, k)) for k, part in parts])))
            else:
                hint = "one array or null for each output of the node, or for each of its edges"
                scope.fault("wrong-type", "a hook on a node is given a list", (*where, name), hint=hint)
    steps.append(HookLog(at))
    scope.expectations.append(Expectation(at, (), tuple(hooks)))
