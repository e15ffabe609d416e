"""`gradcheck`: central differences against the backend's own derivative, at one point of a program.

The steps before that point are run again and again with one element of one input moved, always in
float64.  One cotangent of distinct values is taken through: the analytic side is one vjp, the
numerical side the same vjp from differences, Σ ct·(y(x+ε) - y(x-ε)) / 2ε.  For a complex element
both parts are moved, and torch's convention holds: grad = D_re + i·D_im with D the real directional
derivatives.  Defaults of ε, rtol and atol are those of torch.autograd.gradcheck.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gradspec.dense import Dense
from gradspec.dtypes import category
from gradspec.errors import UnsupportedFeature
from gradspec.records import NamedTuple
from gradspec.runner.compare import Bound, Difference, compare
from gradspec.runner.door import Crashed, observe
from gradspec.runner.pattern import pattern
from gradspec.runner.story import flat
from gradspec.runner.verdict import CheckResult
from gradspec.spec.model import (
    Backward,
    Block,
    Custom,
    GetAttr,
    Grad,
    Gradcheck,
    HookLog,
    Leaf,
    Look,
    Make,
    Program,
    Ref,
    RetainGrad,
    SetAttr,
    Spec,
    Watch,
    ZeroGrad,
    bodies,
    with_bodies,
)  # fmt: skip

if TYPE_CHECKING:
    from gradspec.backends.base import Observations
    from gradspec.runner.support import Support

__all__ = ["EPS", "RTOL", "ATOL", "gradcheck"]

EPS, RTOL, ATOL = 1e-6, 1e-3, 1e-5  # torch.autograd.gradcheck
_IN_DOUBLE = {"float16": "float64", "bfloat16": "float64", "float32": "float64", "complex64": "complex128"}


class _Refused(Exception):
    """The point cannot be differentiated numerically; the text says why."""


def gradcheck(spec: Spec, proof: Gradcheck, support: Support) -> CheckResult:
    """The result of one gradcheck step, first order and, where asked for, second."""
    name = spec.program.names[proof.of]
    result = CheckResult("passed", proof.at, name, "gradcheck", spec.places[proof.at])
    try:
        feature, emulated = _support_of(_point(spec, proof), support, proof.order)
        if feature:
            return result._replace(status="unsupported", feature=feature)
        wrong = _first_difference(_point(spec, proof), proof, support)
    except UnsupportedFeature as error:
        return result._replace(status="unsupported", feature=error.feature)
    except (_Refused, Crashed) as error:
        return result._replace(status="failed", summary=str(error))
    if wrong is None:
        return result._replace(emulated=emulated)
    return result._replace(
        status="failed", summary=wrong.summary, difference=wrong.difference, pattern=wrong.pattern,
        context=f"(line {spec.places[proof.at].line})",
    )  # fmt: skip


class _Wrong(NamedTuple):
    summary: str
    difference: Difference
    pattern: str


class _Point(NamedTuple):
    """The program up to the gradcheck in float64, its inputs as data, and the next free binding and `at`."""

    program: Program
    of: int
    wrt: tuple[int, ...]
    inputs: dict[int, Dense]


def _point(spec: Spec, proof: Gradcheck) -> _Point:
    program = spec.program
    steps = tuple(_before(program.steps, proof.at))
    if not any(isinstance(s, (GetAttr, SetAttr)) and s.name == "grad" for s in flat(steps)):
        steps = tuple(_without(steps, (Backward, RetainGrad, ZeroGrad)))  # they would only free the graph
    data: dict[int, Dense] = {}
    leaves = []
    for leaf in program.leaves:
        own = data[leaf.data.binding] if isinstance(leaf.data, Ref) else _doubled(leaf.data)
        data[leaf.binding] = own
        leaves.append(Leaf(leaf.binding, own, leaf.requires_grad))
    steps = tuple(_in_double(steps))
    for step in flat(steps):
        if isinstance(step, Make):
            data[step.out] = step.data
    for binding in proof.wrt:
        if binding not in data:
            raise _Refused(f'"{program.names[binding]}" is no leaf: a gradcheck moves leaves')
        if category(data[binding].dtype) < 2:
            raise _Refused(
                f'"{program.names[binding]}" is {data[binding].dtype}: only floating numbers can be moved'
            )
    double = program._replace(dtype="float64", leaves=tuple(leaves), steps=steps)
    return _Point(double, proof.of, proof.wrt, {b: data[b] for b in proof.wrt})


def _before(steps: tuple[Any, ...], at: int) -> Iterator[Any]:
    """The steps that come before `at`, without watches."""
    for step in steps:
        if step.at >= at:
            return
        if isinstance(step, Block):
            yield step._replace(steps=tuple(_before(step.steps, at)))
        elif not isinstance(step, (Watch, HookLog)):
            yield step


def _without(steps: tuple[Any, ...], kinds: tuple[type, ...]) -> Iterator[Any]:
    for step in steps:
        if isinstance(step, Block):
            yield step._replace(steps=tuple(_without(step.steps, kinds)))
        elif not isinstance(step, kinds):
            yield step


def _in_double(steps: tuple[Any, ...]) -> Iterator[Any]:
    """The steps with every array they carry in double precision."""
    for step in steps:
        if isinstance(step, Block):
            yield step._replace(steps=tuple(_in_double(step.steps)))
        elif isinstance(step, Custom):
            yield with_bodies(step, [tuple(_in_double(steps)) for steps in bodies(step)])
        elif isinstance(step, Make):
            yield step._replace(data=_doubled(step.data))
        elif isinstance(step, (Backward, Grad)):
            yield step._replace(gradient=tuple(_doubled(ct) for ct in step.gradient))
        else:
            yield step


def _doubled(data: Any) -> Any:
    if isinstance(data, Dense) and data.dtype in _IN_DOUBLE:
        return Dense(_IN_DOUBLE[data.dtype], data.shape, data.flat())
    return data


def _support_of(point: _Point, support: Support, order: int) -> tuple[str, bool]:
    """(the first unsupported feature of the proof or "", whether anything in it is emulated)."""
    program, _ = _with_vjp(point, point.of, Dense("float64", (), [1.0]), order == 2)
    unsupported, emulated = support.of_program(program)
    return next(iter(unsupported.values()), support.lacks("value")), bool(emulated)


def _first_difference(point: _Point, proof: Gradcheck, support: Support) -> _Wrong | None:
    ct = _cotangent(_value(_look(point.program, support, (point.of,))[0]), 0)
    wrong = _compared(point, proof, support, [point.of], [ct], 1)
    if wrong is not None or proof.order < 2:
        return wrong
    program, firsts = _with_vjp(point, point.of, ct, True)
    second = point._replace(program=program)
    seen = _look(program, support, firsts, ("value", "requires_grad"))
    roots = [b for b, saw in zip(firsts, seen, strict=True) if saw.get("requires_grad")]
    if not roots:  # a linear function: its second derivative is zero, and differences must agree
        roots = list(firsts)
    values = [_value(saw) for b, saw in zip(firsts, seen, strict=True) if b in roots]
    return _compared(second, proof, support, roots, [_cotangent(v, k + 1) for k, v in enumerate(values)], 2)


def _compared(
    point: _Point, proof: Gradcheck, support: Support, roots: list[int], cts: list[Dense], order: int
) -> _Wrong | None:
    """The first input whose derivative of Σ ct·roots differs between the backend and the differences."""
    analytic = _analytic(point, support, roots, cts)
    bound = Bound(
        "float64", RTOL if proof.rtol is None else proof.rtol, ATOL if proof.atol is None else proof.atol
    )  # fmt: skip
    eps = EPS if proof.eps is None else proof.eps
    for binding, got in zip(point.wrt, analytic, strict=True):
        numerical = _numerical(point, support, binding, roots, cts, eps)
        difference = compare(numerical, got, bound)
        if difference is not None:
            name = point.program.names[binding]
            which = "second derivative" if order == 2 else "derivative"
            summary = f'{which} by "{name}" against central differences: {difference.summary}'
            return _Wrong(summary, difference, pattern(numerical, got))
    return None


def _analytic(point: _Point, support: Support, roots: list[int], cts: list[Dense]) -> list[Dense]:
    program, _outs = _with_grad(point.program, tuple(roots), point.wrt, tuple(cts), False)
    seen = observe(support.backend, program)
    at = program.steps[-2].at
    outcome = seen.outcomes.get(at)
    if outcome is not None and outcome.status == "error":
        if outcome.code == "untracked":  # nothing depends on anything: all zeros
            return [Dense(d.dtype, d.shape, [0.0] * d.size) for d in point.inputs.values()]
        raise _Refused(f"cannot differentiate here: {outcome.code}: {outcome.text}")
    if outcome is not None and outcome.status == "unsupported":
        raise UnsupportedFeature(outcome.code)
    return [_value(saw) for saw in _last(program, seen)]


def _numerical(
    point: _Point, support: Support, binding: int, roots: list[int], cts: list[Dense], eps: float
) -> Dense:
    here = point.inputs[binding]
    values = here.flat()
    directions = (eps, eps * 1j) if category(here.dtype) == 3 else (eps,)
    derivative: list[Any] = []
    for k in range(here.size):
        parts = []
        for move in directions:
            ahead, behind = (
                _moved(point, support, binding, [*values[:k], values[k] + step, *values[k + 1 :]], roots)
                for step in (move, -move)
            )
            parts.append(
                sum(
                    (complex(c).conjugate() * (a - b)).real / (2 * eps)
                    for ct, one, two in zip(cts, ahead, behind, strict=True)
                    for c, a, b in zip(ct.flat(), one.flat(), two.flat(), strict=True)
                )
            )
        derivative.append(complex(*parts) if len(parts) == 2 else parts[0])
    return Dense(here.dtype, here.shape, derivative)


def _moved(point: _Point, support: Support, binding: int, values: list[Any], roots: list[int]) -> list[Dense]:
    data = Dense(point.inputs[binding].dtype, point.inputs[binding].shape, values)
    leaves = tuple(
        leaf._replace(data=data) if leaf.binding == binding else leaf for leaf in point.program.leaves
    )
    steps = tuple(_remade(point.program.steps, binding, data))
    program = point.program._replace(leaves=leaves, steps=steps)
    return [_value(saw) for saw in _look(program, support, tuple(roots))]


def _remade(steps: tuple[Any, ...], binding: int, data: Dense) -> Iterator[Any]:
    for step in steps:
        if isinstance(step, Block):
            yield step._replace(steps=tuple(_remade(step.steps, binding, data)))
        elif isinstance(step, Make) and step.out == binding:
            yield step._replace(data=data)
        else:
            yield step


# Programs with something added at their end.


def _with_vjp(point: _Point, of: int, ct: Dense, create_graph: bool) -> tuple[Program, tuple[int, ...]]:
    """The program with the vjp of `of` as tensors of their own."""
    program, outs = _with_grad(point.program, (of,), point.wrt, (ct,), create_graph)
    return program._replace(steps=program.steps[:-1]), outs


def _with_grad(
    program: Program, of: tuple[int, ...], wrt: tuple[int, ...], cts: tuple[Dense, ...], create_graph: bool
) -> tuple[Program, tuple[int, ...]]:
    """The program with a `grad` step and a watch of its results at the end, and their bindings."""
    first, at = len(program.names), program.count
    outs = tuple(range(first, first + len(wrt)))
    grad = Grad(of, wrt, outs, cts, True if create_graph else None, create_graph, None, True, at)
    watch = Watch(tuple(Look(out, "", ("value",)) for out in outs), at + 1)
    names = (*program.names, *(f"d_{program.names[b]}" for b in wrt))
    return program._replace(names=names, steps=(*program.steps, grad, watch), count=at + 2), outs


def _look(
    program: Program, support: Support, bindings: tuple[int, ...], fields: tuple[str, ...] = ("value",)
) -> list[dict[str, Any]]:
    """What a run sees of some bindings at the program's end."""
    watch = Watch(tuple(Look(b, "", fields) for b in bindings), program.count)
    program = program._replace(steps=(*program.steps, watch), count=program.count + 1)
    seen = observe(support.backend, program)
    for at, outcome in sorted(seen.outcomes.items()):
        if outcome.status == "error":
            raise _Refused(f"cannot be rerun in float64: {outcome.code}: {outcome.text} (step {at})")
    return _last(program, seen)


def _last(program: Program, seen: Observations) -> list[dict[str, Any]]:
    return seen.seen.get(program.steps[-1].at, [])


def _value(saw: dict[str, Any]) -> Dense:
    value = saw.get("value")
    if not isinstance(value, Dense):
        raise _Refused("the backend showed no value")
    return value


def _cotangent(like: Dense, salt: int) -> Dense:
    """Distinct values of one sign that cannot cancel: 1 + (7k mod n + salt)/ (2n) in order of k."""
    n = max(like.size, 1)
    values: list[Any] = [
        1.0 + ((7 * k if n % 7 else k) % n + 0.25 * salt) / (2 * n) for k in range(like.size)
    ]
    if category(like.dtype) == 3:
        values = [complex(v, v / 2 - 1) for v in values]
    return Dense(like.dtype, like.shape, values)
