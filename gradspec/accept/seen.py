"""What a backend saw, for the checks of a file's specs, by the path of each expectation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gradspec.errors import UnsupportedFeature
from gradspec.records import NamedTuple
from gradspec.runner.compare import Bound, bound_for
from gradspec.runner.judge import judge
from gradspec.runner.run import observed
from gradspec.spec.model import Check, Ref

if TYPE_CHECKING:
    from gradspec.backends.base import Observations
    from gradspec.errors import Place
    from gradspec.runner.support import Support
    from gradspec.runner.verdict import CheckResult
    from gradspec.spec.document import Path
    from gradspec.spec.model import Spec

__all__ = ["Answer", "Paths", "seen_by"]

Paths = Callable[["Place", str], "Path | None"]  # the path of what a check of a field at a place expects


class Answer(NamedTuple):
    """What came where something is expected.

    `status` is that of the check. `value`: a Dense, None, plain data, or for a step the code or codes.
    `why` says why the answer cannot be written, "" where it can. `bare` as of a Check.
    """

    path: Path
    spec: str
    dtype: str
    status: str
    field: str
    value: Any = None
    why: str = ""
    expected: Any = None
    bound: Bound | None = None
    bare: bool = True
    summary: str = ""


def seen_by(spec: Spec, support: Support, paths: Paths) -> list[Answer]:
    """The answers to everything that a spec expects, in the order of its checks.

    An empty list where the backend cannot run it; raises Crashed where it crashes.
    """
    try:
        seen, unsupported, emulated = observed(spec, support)
    except UnsupportedFeature:
        return []
    results, _ = judge(spec, seen, support, unsupported, emulated)
    checks = {
        (expectation.at, check.place, check.field): check
        for expectation in spec.expectations
        for check in expectation.checks
    }
    answers: list[Answer] = []
    for result in results:
        answers += _answers(spec, seen, result, checks.get((result.at, result.place, result.field)), paths)
    return answers


def _answers(
    spec: Spec, seen: Observations, result: CheckResult, check: Check | None, paths: Paths
) -> list[Answer]:
    if result.field == "hooks":
        return _of_hooks(spec, seen, result, paths)
    path = paths(result.place, result.field)
    if path is None:
        return []
    one = Answer(path, spec.id, spec.dtype, result.status, result.field, summary=result.summary)
    if result.status not in ("passed", "failed"):
        return [one._replace(why=result.summary or f"unsupported: {result.feature}")]
    if check is not None:
        return [_of_check(spec, one, seen.seen[result.at][check.look], check)]
    outcome = seen.outcomes.get(result.at)
    if result.field == "raises":
        code = outcome.code if outcome is not None and outcome.status == "error" else None
        return [one._replace(value=code, why=_unclassified([code] if code else []))]
    if result.field == "warns":
        codes = list(dict.fromkeys(warned.code for warned in outcome.warnings)) if outcome is not None else []
        return [one._replace(value=codes, why=_unclassified(codes))]
    return [one._replace(why=result.summary)]


def _of_check(spec: Spec, one: Answer, saw: dict[str, Any], check: Check) -> Answer:
    if check.one_of:
        return one._replace(why="it has alternatives, which a person chooses")
    if isinstance(check.expected, Ref):
        return one._replace(why="it is that of another tensor")
    if check.field not in saw and not saw.get("none"):
        return one._replace(why="it cannot be seen")
    if saw.get("none") and check.field not in ("value", "grad"):
        return one._replace(why="the name holds None")
    value = None if saw.get("none") else saw[check.field]
    bound = bound_for((*spec.dtypes, spec.dtype), check.tolerance or spec.tolerance)
    return one._replace(value=value, expected=check.expected, bound=bound, bare=check.bare)


def _of_hooks(spec: Spec, seen: Observations, result: CheckResult, paths: Paths) -> list[Answer]:
    """One answer for each hook whose gradient is written; which hooks ran is for a person to say."""
    step = paths(result.place, "step")
    wanted = next(each.hooks for each in spec.expectations if each.at == result.at and each.hooks is not None)
    ran = seen.hooks.get(result.at)
    if step is None:
        return []
    one = Answer((*step, "expect_hooks"), spec.id, spec.dtype, result.status, "hooks", summary=result.summary)
    if ran is None or [name for name, _ in wanted] != [name for name, _ in ran]:
        return [one._replace(why=result.summary)]
    bound = bound_for((*spec.dtypes, spec.dtype), spec.tolerance)
    return [
        one._replace(path=(*one.path, index, name), field="hook", value=dense, expected=given, bound=bound)
        for index, ((name, given), (_, dense)) in enumerate(zip(wanted, ran, strict=True))
        if given is not ...
    ]


def _unclassified(codes: Sequence[str]) -> str:
    return "the backend knows no code for what came" if "unclassified" in codes else ""
