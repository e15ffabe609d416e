"""The verbs of a step, each as the step of the model that it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.errors import ERROR_CODES, WARNING_CODES, did_you_mean
from gradspec.spec.array import literal_or_fault
from gradspec.spec.custom import custom
from gradspec.spec.expect import expect, expect_hooks
from gradspec.spec.instruction import Alias, Do, Get, MakeLeaf, Number, Put, Temp, Use
from gradspec.spec.model import (
    Apply,
    Backward,
    Block,
    GetAttr,
    Grad,
    Gradcheck,
    Hook,
    Jvp,
    Make,
    Ref,
    RemoveHook,
    Repeat,
    RetainGrad,
    SetAttr,
    StepExpectation,
    ZeroGrad,
)
from gradspec.spec.statement import parse_statement
from gradspec.spec.told import BLOCKS

if TYPE_CHECKING:
    from gradspec.spec.scope import Path, Scope

__all__ = ["MOST_STEPS", "VERBS", "build_steps"]

MODIFIERS = ("raises", "warns", "note")
MOST_STEPS = 200_000  # of one spec, with the rounds of its repeats


def build_steps(scope: Scope, views: list[Any], path: Path) -> tuple[Any, ...]:
    """The steps of a list, in the order of the text; faults are noted in the scope."""
    steps: list[Any] = []
    for index, view in enumerate(views):
        _build_step(scope, view, (*path, index), steps)
    return tuple(steps)


def _build_step(scope: Scope, view: dict[str, Any], path: Path, steps: list[Any]) -> None:
    verb = next(key for key in view if key not in MODIFIERS)
    content = view[verb]
    place, text = scope.told(path, verb, content)
    scope.places.append(place)
    scope.texts.append(text)
    at = scope.at
    if "note" in view:
        scope.notes[at] = view["note"]
    fails = _judge(scope, view, path, at)
    before = dict(scope.names) if fails else None
    VERBS[verb](scope, content, (*path, verb), steps, at)
    if before is not None:
        line = scope.places[at].line
        scope.unbound.update((name, line) for name in scope.names if name not in before)
        scope.names = before


def _judge(scope: Scope, view: dict[str, Any], path: Path, at: int) -> bool:
    """Note what `raises` and `warns` expect; whether the step must fail."""
    if "raises" not in view and "warns" not in view:
        return False
    raises = view.get("raises")
    if raises is not None:
        _known(scope, raises, ERROR_CODES, (*path, "raises"))
    warns = view.get("warns")
    if isinstance(warns, str):
        _known(scope, warns, WARNING_CODES, (*path, "warns"))
        warns = [warns]
    else:
        for index, code in enumerate(warns or []):
            _known(scope, code, WARNING_CODES, (*path, "warns", index))
    codes = None if warns is None else tuple(warns)
    scope.judged[at] = StepExpectation("raises" in view, raises, codes)
    return raises is not None


def _known(scope: Scope, code: str, codes: dict[str, str], path: Path) -> None:
    if code not in codes:
        what = "error" if codes is ERROR_CODES else "warning"
        hint = did_you_mean(code, list(codes)) or f"codes are {', '.join(codes)}"
        scope.fault("unknown-code", f'no {what} has the code "{code}"', path, hint=hint)


# Statements


def _op(scope: Scope, text: str, path: Path, steps: list[Any], at: int) -> None:
    statement = parse_statement(text)
    for problem in statement.problems:
        pointing = {"offset": problem.offset, "width": problem.width, "hint": problem.hint}
        scope.fault(problem.code, problem.message, path, **pointing)
    linker = _Linker(scope, path, statement.temps, at)
    for instruction in statement.instructions:
        linker.link(instruction, steps)
    if statement.problems or linker.failed:
        for name in statement.targets:  # so that one fault is told once
            scope.names.setdefault(name, scope.assembler.binding(name))
    scope.names.update(linker.bound)


class _Linker:
    """Instructions of one statement on their way to steps: names become bindings."""

    def __init__(self, scope: Scope, path: Path, temps: int, at: int) -> None:
        self.scope, self.path, self.at = scope, path, at
        self.temps = [-1] * temps
        self.bound: dict[str, int] = {}
        self.failed = False

    def link(self, instruction: Any, steps: list[Any]) -> None:
        if isinstance(instruction, Do):
            inputs = tuple([self.operand(each) for each in instruction.inputs])
            out = tuple([self.target(each) for each in instruction.out])
            call = self.scope.assembler.call(instruction.call, instruction.key)
            steps.append(Apply(call, inputs, out, self.at))
        elif isinstance(instruction, Alias):
            self.bound[instruction.name] = self.operand(instruction.of)
        elif isinstance(instruction, Get):
            of = self.operand(instruction.of)
            steps.append(GetAttr(of, instruction.name, self.target(instruction.out), self.at))
        elif isinstance(instruction, Put):
            value: Any = instruction.value
            if isinstance(value, (Use, Temp)):
                value = Ref(self.operand(value))
            steps.append(SetAttr(self.operand(instruction.of), instruction.name, value, self.at))
        else:
            self.make(instruction, steps)

    def operand(self, value: Any) -> int:
        """The binding of an input; -1 after noting that there is none."""
        if isinstance(value, Use):
            found = self.scope.resolve(value.name, self.path, offset=value.offset, width=value.width)
            if found is None:
                self.failed = True
                return -1
            return found
        if isinstance(value, Temp):
            return self.temps[value.k]
        if isinstance(value, Number):
            return self.scope.assembler.constant(value.value)
        raise AssertionError(value)

    def target(self, target: Any) -> int:
        if isinstance(target, Temp):
            self.temps[target.k] = binding = self.scope.assembler.binding()
            return binding
        self.bound[target] = binding = self.scope.assembler.binding(target)
        return binding

    def make(self, leaf: MakeLeaf, steps: list[Any]) -> None:
        scope = self.scope
        pointing = {"offset": leaf.offset, "width": leaf.width}
        data = literal_or_fault(leaf.data, leaf.dtype, scope.dtype, scope.fault, self.path, pointing)
        if leaf.dtype is not None:
            scope.declared.add(leaf.dtype)
        out = self.target(leaf.out)
        scope.made.add(out)
        if leaf.requires_grad:
            scope.requiring.append(out)
        steps.append(Make(data, leaf.requires_grad, out, self.at))


# Verbs. Each takes (scope, what stands under the verb, its path, the steps so far, at).


def _retain_grad(scope: Scope, view: Any, path: Path, steps: list[Any], at: int) -> None:
    of = scope.tensors(view, path)
    if of is not None:
        steps.append(RetainGrad(of, at))


def _of(scope: Scope, view: Any, path: Path) -> tuple[dict[str, Any], Path, tuple[int, ...] | None]:
    """A verb's options, the path of its `of` and the tensors named there; the short forms are `of` alone."""
    options, where = (view, (*path, "of")) if isinstance(view, dict) else ({"of": view}, path)
    return options, where, scope.tensors(options["of"], where)


def _gradients(scope: Scope, options: dict[str, Any], path: Path, count: int) -> tuple[Any, ...]:
    """One array or None for each root; several roots have a list of them."""
    view = options.get("gradient")
    if view is None:
        return (None,) * count
    where = (*path, "gradient")
    if not isinstance(options["of"], list):
        return (scope.array(view, where)[0],)
    if not isinstance(view, list):
        hint = "a list with one array or null for each root"
        scope.fault("wrong-type", "several roots have several gradients", where, hint=hint)
        return (None,) * count
    given = enumerate(view)
    return tuple(None if each is None else scope.array(each, (*where, index))[0] for index, each in given)


def _backward(scope: Scope, view: Any, path: Path, steps: list[Any], at: int) -> None:
    options, _, of = _of(scope, view, path)
    gradient = _gradients(scope, options, path, len(of or ()))
    inputs = None
    if options.get("inputs") is not None:
        inputs = scope.tensors(options["inputs"], (*path, "inputs"))
    if of is not None:
        flags = options.get("retain_graph"), bool(options.get("create_graph"))
        steps.append(Backward(of, gradient, *flags, inputs, at))


def _grad(scope: Scope, view: dict[str, Any], path: Path, steps: list[Any], at: int) -> None:
    _, _, of = _of(scope, view, path)
    wrt = scope.tensors(view["wrt"], (*path, "wrt"))
    gradient = _gradients(scope, view, path, len(of or ()))
    out = _outputs(scope, view, path)
    if of is None or wrt is None or out is None:
        return
    flags = view.get("retain_graph"), bool(view.get("create_graph"))
    unused, materialize = view.get("allow_unused"), bool(view.get("materialize_grads"))
    batched = bool(view.get("is_grads_batched"))
    steps.append(Grad(of, wrt, out, gradient, *flags, unused, materialize, at, batched))


def _outputs(scope: Scope, view: dict[str, Any], path: Path) -> tuple[int, ...] | None:
    """The bindings that a `grad` step makes; without `out` they have no names."""
    wrt, out, where = view["wrt"], view.get("out"), (*path, "out")
    if out is None:
        return tuple(scope.assembler.binding() for _ in (wrt if isinstance(wrt, list) else [wrt]))
    if not isinstance(out, list):
        bound: tuple[int, ...] = (scope.bind(out, where),)
    else:
        bound = tuple(scope.bind(name, (*where, index)) for index, name in enumerate(out))
    if isinstance(wrt, list) != isinstance(out, list) or (isinstance(wrt, list) and len(wrt) != len(out)):
        scope.fault(
            "bad-value", "out has the form of wrt: a name for a name, a list for a list of as many", where
        )
        return None
    return bound


def _jvp(scope: Scope, view: dict[str, Any], path: Path, steps: list[Any], at: int) -> None:
    of = scope.resolve(view["of"], (*path, "of"))
    tangents = []
    for name, array in view["tangents"].items():
        where = (*path, "tangents", name)
        binding = scope.resolve(name, where, key=True)
        tangent = scope.array(array, where)[0]
        if binding is not None and tangent is not None:
            tangents.append((binding, tangent))
    out = (
        scope.bind(view["out"], (*path, "out")) if view.get("out") is not None else scope.assembler.binding()
    )
    if of is not None and len(tangents) == len(view["tangents"]):
        steps.append(Jvp(of, tuple(tangents), out, at))


def _zero_grad(scope: Scope, view: Any, path: Path, steps: list[Any], at: int) -> None:
    options, _, of = _of(scope, view, path)
    if of is not None:
        steps.append(ZeroGrad(of, bool(options.get("set_to_none", True)), at))


def _block(scope: Scope, view: list[Any], path: Path, steps: list[Any], at: int) -> None:
    steps.append(Block(path[-1], build_steps(scope, view, path), at))


def _repeat(scope: Scope, view: dict[str, Any], path: Path, steps: list[Any], at: int) -> None:
    """The steps of all rounds, one after the other; none beyond a round with faults."""
    times, where, begin = int(view["times"]), (*path, "do"), _size(scope)
    scope.repeats.append(Repeat(at, times, 0))
    mine = len(scope.repeats) - 1
    for number in range(1, times + 1):
        scope.rounds.append((number, times))
        steps += build_steps(scope, view["do"], where)
        scope.rounds.pop()
        if scope.faulty:
            break
        if number == 1:
            scope.repeats[mine] = Repeat(at, times, scope.at - at)
            size = begin + max(1, _size(scope) - begin) * times
            if size > MOST_STEPS:
                message = f"the rounds come to {size:,} steps, {MOST_STEPS:,} at most"
                scope.fault("too-many-steps", message, (*path, "times"))
                break


def _size(scope: Scope) -> int:
    """How large a program is so far: its author's steps, or the tensors they make if these are more."""
    return max(len(scope.places), len(scope.assembler.names))


def _hook(scope: Scope, view: dict[str, Any], path: Path, steps: list[Any], at: int) -> None:
    of = scope.resolve(view["of"], (*path, "of"))
    name = view["name"]
    if name in scope.hooks and scope.places[scope.hooks[name]] != scope.places[at]:
        scope.fault("bad-name", f'there is a hook "{name}" already', (*path, "name"))
    outer = dict(scope.names)  # what a hook's body binds stays in it
    grad = scope.assembler.binding("grad")
    on_node = "node" in (view.get("before"), view.get("after"))
    if on_node:
        scope.node_hooks.add(name)  # which has no one gradient that a name could mean
    else:
        scope.names["grad"] = grad
    inner = build_steps(scope, view.get("do") or [], (*path, "do"))
    result = grad if on_node else scope.names["grad"]
    scope.names = outer
    scope.hooks[name] = at
    if of is not None:
        when = view.get("after") or "", at, view.get("before") or ""
        steps.append(Hook(of, name, grad, inner, result, *when))


def _custom(scope: Scope, view: dict[str, Any], path: Path, steps: list[Any], at: int) -> None:
    custom(scope, view, path, steps, at, build_steps)


def _remove_hook(scope: Scope, view: str, path: Path, steps: list[Any], at: int) -> None:
    if view not in scope.hooks:
        hint = did_you_mean(view, list(scope.hooks)) or "a hook is known by the name it was given"
        scope.fault("unknown-name", f'no hook "{view}" here', path, hint=hint)
    else:
        steps.append(RemoveHook(view, at))


def _gradcheck(scope: Scope, view: Any, path: Path, steps: list[Any], at: int) -> None:
    options = view if isinstance(view, dict) else {"of": view}
    of = scope.resolve(options["of"], (*path, "of") if isinstance(view, dict) else path)
    wrt: tuple[int, ...] | None = tuple(scope.requiring)
    if options.get("wrt") is not None:
        wrt = scope.tensors(options["wrt"], (*path, "wrt"))
        for index, binding in enumerate(wrt or ()):
            if binding not in scope.made:
                place = (*path, "wrt", index) if isinstance(options["wrt"], list) else (*path, "wrt")
                hint = "one input is moved at a time: only tensors made from data can be"
                name = scope.assembler.names[binding]
                scope.fault("bad-expectation", f'"{name}" is the result of an op', place, hint=hint)
    _refuse_gradcheck(scope, path, at)
    if of is not None and wrt is not None:
        eps, rtol, atol = (options.get(key) for key in ("eps", "rtol", "atol"))
        scope.gradchecks.append(Gradcheck(of, wrt, options.get("order", 1), eps, rtol, atol, at))


def _refuse_gradcheck(scope: Scope, path: Path, at: int) -> None:
    """A gradcheck reruns what stands before it, which must neither fail nor hook."""
    hint = "prove the derivative in a spec of its own"
    if scope.hooks:
        line = scope.places[min(scope.hooks.values())].line
        message = f"a gradcheck cannot rerun the hook of line {line}"
        scope.fault("bad-expectation", message, path[:-1], hint=hint)
    failing = [number for number, judged in scope.judged.items() if judged.raises is not None and number < at]
    if failing:
        line = scope.places[failing[0]].line
        message = f"a gradcheck cannot rerun the step of line {line}, which must fail"
        scope.fault("bad-expectation", message, path[:-1], hint=hint)


VERBS: dict[str, Any] = {
    "op": _op, "retain_grad": _retain_grad, "backward": _backward, "grad": _grad, "jvp": _jvp,
    "zero_grad": _zero_grad, **dict.fromkeys(BLOCKS, _block), "repeat": _repeat, "hook": _hook,
    "remove_hook": _remove_hook, "custom": _custom, "gradcheck": _gradcheck, "expect": expect,
    "expect_hooks": expect_hooks,
}  # fmt: skip
