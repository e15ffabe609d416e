"""A spec and what a backend saw → the verdict, check by check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.backends.base import EMULATED, NATIVE, Observations, Outcome
from gradspec.dense import Dense
from gradspec.errors import Place
from gradspec.runner import show
from gradspec.runner.compare import Bound, Difference, bound_for, compare
from gradspec.runner.pattern import pattern
from gradspec.runner.reach import Reach, look_reason
from gradspec.runner.story import Story
from gradspec.runner.verdict import CheckResult, Shown, Verdict, count
from gradspec.spec.model import Check, Look, Ref, Spec, StepExpectation, Watch

if TYPE_CHECKING:
    from gradspec.runner.support import Support
    from gradspec.spec.model import Tolerance

__all__ = ["judge", "verdict_of"]

_OK = Outcome("ok")
_BY_TOKEN = ("same_as", "shares_memory_with")


def judge(
    spec: Spec,
    seen: Observations,
    support: Support,
    unsupported: Reach | None = None,
    emulated: Reach | None = None,
) -> tuple[list[CheckResult], list[Shown]]:
    """The results of all checks in the order of the text, and the warnings that none of them judged.

    `unsupported` is the reach of the steps that the backend cannot run, `emulated` that of those it
    emulates; None where there is none.
    """
    return _Judge(spec, seen, support, unsupported, emulated).all()


def verdict_of(spec: Spec, backend: str, checks: list[CheckResult], warnings: list[Shown]) -> Verdict:
    """The verdict that follows from the results of the checks."""
    checks = _one_side(checks)
    counts = count(tuple(checks))
    followed = [set(check.follows) for check in checks if check.follows]
    common = set.intersection(*followed) if followed else set()
    missing = sorted({check.feature for check in checks if check.status == "unsupported"})
    message = ""
    if any(check.status == "failed" for check in checks) or counts.not_run:
        outcome = "failed"
    elif not counts.total:
        outcome = "unchecked"
    elif counts.unsupported == counts.total:
        outcome, message = "unsupported", ", ".join(missing)
    else:
        outcome = "passed"
    return Verdict(
        id=spec.id, file=spec.file, line=spec.line, title=spec.title, backend=backend, dtype=spec.dtype,
        outcome=outcome, checks=tuple(checks), counts=counts, message=message, follows=tuple(sorted(common)),
        warnings=tuple(warnings), scope=spec.scope,
    )  # fmt: skip


def _one_side(checks: list[CheckResult]) -> list[CheckResult]:
    """Fail the first one_of whose answer shares no alternative with those before it."""
    common: set[str] = set()
    since = 0
    for k, check in enumerate(checks):
        if not check.follows:
            continue
        if not since:
            common, since = set(check.follows), check.place.line
        elif common & set(check.follows):
            common &= set(check.follows)
        else:
            others = _names(tuple(sorted(common)))
            wrong = check._replace(
                status="failed",
                summary=f"follows {_names(check.follows)} here but {others} at line {since}",
                context=f"(line {check.place.line})",
                follows=(),
            )
            checks = [*checks[:k], wrong, *checks[k + 1 :]]
    return checks


def _names(names: tuple[str, ...]) -> str:
    return " or ".join(f'"{name}"' for name in names)


class _Judge:
    def __init__(
        self,
        spec: Spec,
        seen: Observations,
        support: Support,
        unsupported: Reach | None,
        emulated: Reach | None,
    ) -> None:
        self.spec = spec
        self.seen = seen
        self.support = support
        self.native = unsupported is None and emulated is None
        self.unsupported = unsupported or Reach()
        self.emulated = emulated or Reach()
        self.story = Story(spec)
        self.bounds: dict[tuple[str, Tolerance | None], Bound] = {}
        self.results: list[CheckResult] = []
        self.warnings: list[Shown] = []

    def all(self) -> tuple[list[CheckResult], list[Shown]]:
        for at in sorted({*self.spec.judged, *self.seen.outcomes}):
            if at < 0:
                self.leaves(self.seen.outcomes[at])
            else:
                self.step(at)
        for expectation in self.spec.expectations:
            at = expectation.at
            looks = self.seen.seen.get(at) if self.native else None
            for check in expectation.checks:
                self.results.append(self.quick(at, check, looks) or self.check(at, check))
            if expectation.hooks is not None:
                self.results.append(self.hooks(expectation.at, expectation.hooks))
        self.results.sort(key=lambda result: result.at)
        return self.results, self.warnings

    # Steps: errors and warnings.

    def leaves(self, outcome: Outcome) -> None:
        """What went wrong before the first step."""
        if outcome.status == "error":
            place = Place(self.spec.file, self.spec.line)
            summary = f"unexpected error {_told(outcome.code, outcome.text)}"
            self.results.append(
                CheckResult("failed", -1, "", "step", place, summary=summary, context="making the tensors")
            )
        self.warnings.extend(Shown(self.spec.line, *warned) for warned in outcome.warnings)

    def step(self, at: int) -> None:
        wanted = self.spec.judged.get(at, StepExpectation())
        outcome = self.seen.outcomes.get(at, _OK)
        if wanted.raises_given:
            self.results.append(self.step_check(at, "raises", outcome, _judge_error(wanted.raises, outcome)))
        elif outcome.status == "error" and at not in self.unsupported.cut:
            self.results.append(self.failed_step(at, f"unexpected error {_told(outcome.code, outcome.text)}"))
        if wanted.warns is not None:
            self.results.append(self.step_check(at, "warns", outcome, _judge_warnings(wanted.warns, outcome)))
        else:
            line = self.spec.places[at].line
            self.warnings.extend(Shown(line, warned.code, warned.text) for warned in outcome.warnings)

    def step_check(self, at: int, field: str, outcome: Outcome, wrong: str) -> CheckResult:
        place = self.spec.places[at]
        feature = self.unsupported.cut.get(at) or self.support.lacks(field)
        if outcome.status == "unsupported":
            feature = feature or outcome.code
        if feature:
            return CheckResult("unsupported", at, "", field, place, feature=feature)
        if outcome.status == "not-run":
            return CheckResult("not-run", at, "", field, place, summary=outcome.text)
        emulated = at in self.emulated.cut or outcome.emulated or self.support.of_field(field)[0] == EMULATED
        if wrong:
            return self.failed_step(at, wrong)._replace(field=field, emulated=emulated)
        return CheckResult("passed", at, "", field, place, emulated)

    def failed_step(self, at: int, summary: str) -> CheckResult:
        return CheckResult(
            "failed", at, "", "step", self.spec.places[at], summary=summary, context=self.story.step(at)
        )

    # What was looked at.

    def quick(self, at: int, check: Check, looks: list[dict[str, Any]] | None) -> CheckResult | None:
        """A check of a fully native run that plainly holds; None where a closer look is needed."""
        field = check.field
        if looks is None or check.one_of or field in _BY_TOKEN or self.support.of_field(field)[0] != NATIVE:
            return None
        saw = looks[check.look]
        got = saw.get(field, check)
        expected = check.expected
        if got.__class__ is not expected.__class__:
            return None
        if field in ("value", "grad") and expected is not None:
            if (
                expected.__class__ is not Dense
                or not expected.dtype == got.dtype == self.spec.dtype
                or expected.shape != got.shape
                or (field == "grad" and (saw.get("dtype") != got.dtype or saw.get("shape") != got.shape))
                or len(self.spec.dtypes) > 1
                or expected.data.__class__ is not list
                or got.data.__class__ is not list
                or expected.data != got.flat()
                or 0.0 in expected.data
            ):
                return None
        elif got != expected:
            return None
        look = self.story.watches[at].looks[check.look]
        name = self.spec.program.names[look.binding]
        return CheckResult("passed", at, f"{name}.{look.path}" if look.path else name, field, check.place)

    def check(self, at: int, check: Check) -> CheckResult:
        watch = self.story.watches[at]
        look = watch.looks[check.look]
        name = self.spec.program.names[look.binding] + (f".{look.path}" if look.path else "")
        reasons = self.unsupported.looks.get((at, check.look))
        feature = (look_reason(reasons, look, check.field) if reasons else "") or self.support.lacks(
            check.field
        )
        result = CheckResult("passed", at, name, check.field, check.place)
        if feature:
            return result._replace(status="unsupported", feature=feature)
        looks = self.seen.seen.get(at)
        if looks is None:
            return result._replace(status="not-run", summary="the backend reported nothing here")
        saw = looks[check.look]
        if saw.get("missing") and "unsupported" in saw:
            return result._replace(status="unsupported", feature=saw["unsupported"])
        if saw.get("missing"):
            return result._replace(
                status="not-run", summary=self.story.unbound(look.binding, self.seen.outcomes)
            )
        if not self.shown(check, saw):
            return result._replace(status="unsupported", feature=check.field)
        result = self.compared(result, check, watch, look, looks)
        if result.status == "failed":
            return result._replace(
                context=self.story.after(at, check.field, look), origin=self.story.origin(look.binding)
            )
        reasons = self.emulated.looks.get((at, check.look))
        reached = look_reason(reasons, look, check.field) if reasons else ""
        if reached or self.support.of_field(check.field)[0] == EMULATED:
            return result._replace(emulated=True)
        return result

    @staticmethod
    def shown(check: Check, saw: dict[str, Any]) -> bool:
        return check.field in saw or "none" in saw

    def compared(
        self, result: CheckResult, check: Check, watch: Watch, look: Look, looks: list[dict[str, Any]]
    ) -> CheckResult:
        saw = looks[check.look]
        if check.one_of:
            return self.alternatives(result, check, saw)
        if check.field in _BY_TOKEN:
            return _identity(result, check, watch, looks, self.spec.program.names)
        if check.field in ("value", "grad"):
            expected = check.expected
            if isinstance(expected, Ref):
                expected = _value_of(expected.binding, watch, looks)
                if expected is None:
                    name = self.spec.program.names[check.expected.binding]
                    return result._replace(status="not-run", summary=f'"{name}" has no value to compare with')
            wrong = self.array(check, expected, saw)
            if wrong is None:
                return result
            guess = self.guess(check, expected, look, result.at, saw)
            return result._replace(status="failed", summary=wrong.summary, difference=wrong, pattern=guess)
        if saw.get("none"):
            return result._replace(
                status="failed", summary=f"expected {_plain(check.expected)}, but the name holds None"
            )
        got = saw[check.field]
        expected = check.expected
        if isinstance(expected, list):
            expected = tuple(expected)
        if expected == got and isinstance(expected, bool) == isinstance(got, bool):
            return result
        return result._replace(status="failed", summary=f"expected {_plain(expected)}, got {_plain(got)}")

    def array(self, check: Check, expected: Dense | None, saw: dict[str, Any]) -> Difference | None:
        """How what was seen differs from one expected array (None: an absent gradient, a name for None)."""
        got = None if saw.get("none") else saw[check.field]
        if expected is None or got is None:
            if expected is None and got is None:
                return None
            absent = "absent" if check.field == "grad" and not saw.get("none") else "None"
            want = absent if expected is None else show.array(expected)
            have = absent if got is None else show.array(got)
            return Difference(f"expected {want}, got {have}", want, have)
        if check.field == "grad" and (wrong := _unlike_its_tensor(got, saw)):
            return Difference(wrong, show.array(expected), show.array(got), got.shape)
        return compare(expected, got, self.bound(check, expected), check.bare)

    def bound(self, check: Check, expected: Dense) -> Bound:
        """The bound of a check; most checks of a spec share one."""
        own = "" if check.bare else expected.dtype
        key = (own, check.tolerance)
        known = self.bounds.get(key)
        if known is None:
            dtypes = (*self.spec.dtypes, self.spec.dtype, *((own,) if own else ()))
            known = self.bounds[key] = bound_for(dtypes, check.tolerance or self.spec.tolerance)
        return known

    def alternatives(self, result: CheckResult, check: Check, saw: dict[str, Any]) -> CheckResult:
        follows = tuple(
            name for name, dense in check.expected.items() if self.array(check, dense, saw) is None
        )
        if follows:
            return result._replace(follows=follows)
        known = ", ".join(f"{name} {show.array(dense)}" for name, dense in check.expected.items())
        got = None if saw.get("none") else saw[check.field]
        return result._replace(status="failed", summary=f"expected one of {known}; got {show.array(got)}")

    def guess(self, check: Check, expected: Dense | None, look: Look, at: int, saw: dict[str, Any]) -> str:
        """The pattern of a wrong array."""
        got = None if saw.get("none") else saw[check.field]
        if expected is None:
            return ""
        if got is None:
            return "missing"
        before = self.story.gradient_before(look.binding, at) if check.field == "grad" else None
        return pattern(expected, got, before)

    def hooks(self, at: int, wanted: tuple[tuple[str, Any], ...]) -> CheckResult:
        result = CheckResult("passed", at, "", "hooks", self.spec.places[at])
        feature = self.unsupported.hooks.get(at) or self.support.lacks("hooks")
        if feature:
            return result._replace(status="unsupported", feature=feature)
        ran = self.seen.hooks.get(at)
        if ran is None:
            return result._replace(status="not-run", summary="the backend reported nothing here")
        if [name for name, _ in wanted] != [name for name, _ in ran]:
            expected = ", ".join(name for name, _ in wanted) or "none"
            got = ", ".join(name for name, _ in ran) or "none"
            return result._replace(status="failed", summary=f"expected the hooks {expected}; ran {got}")
        bound = bound_for((*self.spec.dtypes, self.spec.dtype), self.spec.tolerance)
        for (name, expected_grad), (_, grad) in zip(wanted, ran, strict=True):
            if expected_grad is ... or (expected_grad is None and grad is None):
                continue
            if isinstance(expected_grad, tuple):
                summary = _unlike_given(name, expected_grad, grad, bound)
                if summary:
                    return result._replace(status="failed", summary=summary)
                continue
            wrong = _unlike_gradient(expected_grad, grad, bound)
            if wrong is not None:
                summary = f"hook {name} was given {wrong.got}, expected {wrong.expected}"
                return result._replace(status="failed", summary=summary, difference=wrong)
        return result._replace(
            emulated=bool(self.emulated.cut) and self.support.of_field("hooks")[0] == EMULATED
        )


def _unlike_gradient(expected: Dense | None, grad: Dense | None, bound: Bound) -> Difference | None:
    """How a gradient differs from what was expected, None on either side being none."""
    if expected is None or grad is None:
        return None if expected is grad else Difference("", show.array(expected), show.array(grad))
    return compare(expected, grad, bound)


def _unlike_given(name: str, expected: tuple[Any, ...], grads: tuple[Any, ...], bound: Bound) -> str:
    """What is wrong about the gradients that a hook on a node was given, or ''."""
    if len(grads) != len(expected):
        return f"hook {name} was given {len(grads)} gradients, expected {len(expected)}"
    for number, (wanted, grad) in enumerate(zip(expected, grads, strict=True), 1):
        wrong = _unlike_gradient(wanted, grad, bound)
        if wrong is not None:
            return f"hook {name} was given {wrong.got} as gradient {number}, expected {wrong.expected}"
    return ""


def _judge_error(wanted: str | None, outcome: Outcome) -> str:
    """What is wrong about how a step with `raises` ended, or ''."""
    failed = outcome.status == "error"
    if wanted is None:
        return f"expected no error, got {_told(outcome.code, outcome.text)}" if failed else ""
    if not failed:
        return f"expected the error {wanted}, but the step succeeded"
    if outcome.code != wanted:
        return f"expected the error {wanted}, got {_told(outcome.code, outcome.text)}"
    return ""


def _judge_warnings(wanted: tuple[str, ...], outcome: Outcome) -> str:
    """What is wrong about the warnings of a step with `warns`, or ''. How often one came is not judged."""
    came = {warned.code: warned.text for warned in outcome.warnings}
    if set(came) == set(wanted):
        return ""
    expected = ", ".join(wanted) or "no warning"
    got = "; ".join(_told(code, text) for code, text in came.items()) or "none"
    return f"expected {'the warning ' if wanted else ''}{expected}, got {got}"


def _told(code: str, text: str) -> str:
    """An error or warning with its text; one that the backend knows no code for is told so."""
    return f"{'(unclassified)' if code == 'unclassified' else code}: {text}"


def _unlike_its_tensor(grad: Dense, saw: dict[str, Any]) -> str:
    """A gradient that is there has its tensor's dtype and shape; '' where it has, or was not seen."""
    if saw.get("dtype", grad.dtype) != grad.dtype:
        return f"the gradient is {grad.dtype}, its tensor {saw['dtype']}"
    if tuple(saw.get("shape", grad.shape)) != grad.shape:
        return f"the gradient has shape {list(grad.shape)}, its tensor {list(saw['shape'])}"
    return ""


def _identity(
    result: CheckResult, check: Check, watch: Watch, looks: list[dict[str, Any]], names: tuple[str, ...]
) -> CheckResult:
    """same_as and shares_memory_with compare the tokens of two looks of one watch."""
    other, wanted = check.expected
    token = looks[check.look].get(check.field)
    tokens = (
        saw.get(check.field)
        for look, saw in zip(watch.looks, looks, strict=True)
        if look.binding == other and not look.path and check.field in saw
    )
    their = next(tokens, None)
    if their is None or token is None:
        return result._replace(status="not-run", summary=f'"{names[other]}" could not be looked at')
    if (token == their) == wanted:
        return result
    what = "the same tensor as" if check.field == "same_as" else "memory shared with"
    return result._replace(
        status="failed", summary=f'expected {"" if wanted else "not "}{what} "{names[other]}"'
    )


def _value_of(binding: int, watch: Watch, looks: list[dict[str, Any]]) -> Dense | None:
    """The value that another look of the same watch saw."""
    return next(
        (
            saw.get("value")
            for look, saw in zip(watch.looks, looks, strict=True)
            if look.binding == binding and not look.path
        ),
        None,
    )


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_plain, value))}]"
    return "null" if value is None else str(value)
