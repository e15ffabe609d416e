"""The block a failure is shown as: where, what, expected against got, the bound, how to see it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradspec.reports.color import Paint
    from gradspec.runner.compare import Difference
    from gradspec.runner.verdict import CheckResult, Verdict

__all__ = ["LONGEST", "MOST", "block", "cut", "failures", "rerun"]

MOST = 4  # failures of one verdict that are shown unless all are asked for
_WHOLE = {
    "error": ("ERROR", "the backend crashed"),
    "crash": ("CRASH", "its process died"),
    "timeout": ("TIMEOUT", "no answer in time"),
}
LONGEST = 220  # letters of a framework's message


def block(verdict: Verdict, paint: Paint, everything: bool = False, like: str = "") -> str:
    """The lines for one failed or crashed spec; `like` names a backend on which it failed just so."""
    lines: list[str] = []
    shown = failures(verdict)
    if like:
        lines.append(f"{_head('FAIL', verdict, paint)}  the same as on {like}")
        shown = []
    if verdict.outcome in _WHOLE:
        word, what = _WHOLE[verdict.outcome]
        lines += [f"{_head(word, verdict, paint)}  {what}", f"  {verdict.message}"]
        lines += [f"  | {line}" for line in verdict.output.splitlines()]
        lines.append(f"  {verdict.file}:{verdict.line}")
    elif verdict.outcome == "failed" and not shown and verdict.message and not like:
        lines += [f"{_head('FAIL', verdict, paint)}  {verdict.message}", f"  {verdict.file}:{verdict.line}"]
    limit = len(shown) if everything else MOST
    for check in shown[:limit]:
        lines += _failure(check, verdict, paint, everything)
    if more := len(shown) - limit if len(shown) > limit else 0:
        lines.append(f"  and {more} more failed {_checks(more)}; --verbose shows all")
    left = verdict.counts.not_run
    if left and shown and shown[0].status == "failed":
        lines.append(f"  not run because of this: {left} {_checks(left)}")
    lines.append(paint("dim", f"  rerun: {rerun(verdict)}"))
    return "\n".join(lines)


def failures(verdict: Verdict) -> list[CheckResult]:
    """The failed checks, or where none failed those that were not reached."""
    failed = [check for check in verdict.checks if check.status == "failed"]
    return failed or [check for check in verdict.checks if check.status == "not-run"]


def _checks(n: int) -> str:
    return "check" if n == 1 else "checks"


def cut(text: str, everything: bool = False) -> str:
    """A foreign message on one line of sensible length, unless everything is wanted."""
    line = " ".join(text.split())
    return line if everything or len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"


def rerun(verdict: Verdict) -> str:
    """The command that runs this spec alone."""
    from shlex import quote

    before = "GRADSPEC_DEBUG=1 " if verdict.outcome == "error" else ""
    after = {"crash": " --isolate", "timeout": f" --timeout {verdict.duration_s:g}"}.get(verdict.outcome, "")
    command = f"gradspec run {quote(verdict.file)} --only {quote(verdict.id)} -b {verdict.backend}"
    return before + command + after


def _head(word: str, verdict: Verdict, paint: Paint) -> str:
    return f"{paint('bad', word)} {paint('strong', verdict.id)}  {verdict.backend}"


def _failure(check: CheckResult, verdict: Verdict, paint: Paint, everything: bool) -> list[str]:
    """The lines of one failed check: what it looked at, how far off it is, where it stands."""
    difference = check.difference
    subject = _subject(check)
    one = difference is not None and difference.size == 1 and difference.worst is not None
    head = " ".join(filter(None, (subject, check.context)))
    if check.name or check.field == "hooks":
        if difference is None:
            lines = [f"{head}", f"  {check.summary}"]
        elif difference.worst is None:
            lines = [head, f"  {check.summary}{_whole(difference, check.summary)}"]
        else:
            lines = [head if one else f"{head}: {check.summary}", f"  {_worst(difference, one)}"]
        if check.origin:
            lines[-1] += f", {check.origin}"
    else:
        lines = [head, f"  {cut(check.summary, everything)}"]
    if check.pattern:
        lines.append(f"  pattern: {check.pattern}")
    lines.append(f"  {check.place}")
    lines[0] = f"{_head('FAIL', verdict, paint)}  {lines[0]}"
    return lines


def _subject(check: CheckResult) -> str:
    """What was looked at: `grad of "w" [2, 3]`."""
    if not check.name:
        return {"step": "", "raises": "error", "warns": "warnings", "hooks": "hooks"}.get(
            check.field, check.field
        )
    shape = check.difference.shape if check.difference else ()
    return f'{check.field} of "{check.name}"' + (f" {list(shape)}" if shape else "")


def _worst(difference: Difference, one: bool) -> str:
    where = "" if one else f"worst at {_index(difference.worst or ())}: "
    text = f"{where}expected {difference.expected}, got {difference.got}"
    if difference.abs is None:
        return text
    distance = f"abs {difference.abs:.3g}"
    if difference.bound.endswith("ulp") and difference.ulp is not None:
        distance = f"{difference.ulp} ulp"
    return f"{text} ({distance} > {difference.bound})" if difference.bound else f"{text} ({distance})"


def _index(index: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, index))})"


def _whole(difference: Difference, summary: str) -> str:
    """Both arrays, unless the summary has told them."""
    if difference.expected in summary and difference.got in summary:
        return ""
    return f": expected {difference.expected}, got {difference.got}"
