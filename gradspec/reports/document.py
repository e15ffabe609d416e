"""A run as one document of plain data: what the JSON report is, and what other reports are made from.

Its shape is `report.schema.json`, format 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.reports.color import Paint
from gradspec.reports.failure import block, rerun
from gradspec.runner.events import (
    BackendReady,
    BackendUnavailable,
    Event,
    RunFinished,
    RunStarted,
    SpecFinished,
)

if TYPE_CHECKING:
    from gradspec.runner.verdict import CheckResult, Verdict

__all__ = ["FORMAT", "Document", "backend", "entry", "head", "is_bad", "stale_line", "tail"]

FORMAT = 1
_FINE = ("passed", "known-failure", "unsupported", "unchecked")


class Document:
    """Folds the events of a run into its document."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {"format": FORMAT}
        self.backends: list[dict[str, Any]] = []
        self.results: list[dict[str, Any]] = []

    def __call__(self, event: Event) -> dict[str, Any] | None:
        """Take one event; with the last one comes the whole document."""
        match event:
            case RunStarted():
                self.data |= head(event)
            case BackendReady() | BackendUnavailable():
                self.backends.append(backend(event))
            case SpecFinished():
                self.results.append(entry(event.verdict))
            case RunFinished():
                return self.data | {"backends": self.backends, "results": self.results} | tail(event)
        return None


def head(event: RunStarted) -> dict[str, Any]:
    """What is known when a run starts."""
    from datetime import UTC, datetime
    from platform import python_version

    started = datetime.now(UTC).isoformat(timespec="seconds")
    return {"gradspec": event.gradspec, "python": python_version(), "started": started}


def backend(event: BackendReady | BackendUnavailable) -> dict[str, Any]:
    if isinstance(event, BackendReady):
        return {"name": event.name, "available": True, "version": event.version}
    return {"name": event.name, "available": False, "reason": event.reason}


def tail(event: RunFinished) -> dict[str, Any]:
    """What is known when a run is over."""
    told: dict[str, Any] = {
        "totals": event.totals,
        "exit_code": event.exit_code,
        "duration_s": round(event.duration_s, 6),
    }
    if event.scopes:
        told["scopes"] = event.scopes
    if event.left:
        told |= {"complete": False, "left": event.left}
    if event.stale:
        told["stale"] = [one._asdict() for one in event.stale]
    return told


def stale_line(stale: dict[str, Any]) -> str:
    """What is said of an entry of known failures that explains nothing."""
    where = f"{stale['file']}:{stale['line']}" if stale["line"] else stale["file"]
    return f"{stale['backend']}: known failure {stale['glob']} explains nothing ({where}): {stale['reason']}"


def is_bad(result: dict[str, Any]) -> bool:
    """Whether an entry is one that people must look at."""
    return result["outcome"] not in _FINE


def entry(verdict: Verdict) -> dict[str, Any]:
    """One spec on one backend."""
    counts = verdict.counts
    made: dict[str, Any] = {
        "id": verdict.id,
        "file": verdict.file,
        "line": verdict.line,
        "title": verdict.title,
        "backend": verdict.backend,
        "dtype": verdict.dtype,
        "scope": verdict.scope,
        "outcome": verdict.outcome,
        "message": verdict.message,
        "checks": {
            "total": counts.total,
            "passed": counts.passed,
            "emulated": counts.emulated,
            "failed": counts.failed,
            "unsupported": counts.unsupported,
            "not_run": counts.not_run,
        },
        "emulated": counts.emulated > 0,
        "unsupported": sorted({check.feature for check in verdict.checks if check.feature}),
        "follows": list(verdict.follows),
        "failures": [_failure(check) for check in verdict.checks if check.status in ("failed", "not-run")],
        "warnings": [shown._asdict() for shown in verdict.warnings],
        "duration_s": round(verdict.duration_s, 6),
        "rerun": rerun(verdict),
    }
    made |= {key: word for key in ("output", "known") if (word := getattr(verdict, key))}
    if is_bad(made):
        made["text"] = block(verdict, Paint(False))
    return made


def _failure(check: CheckResult) -> dict[str, Any]:
    """One check that failed or was not run; what does not apply is left out."""
    view: dict[str, Any] = {
        "status": check.status,
        "name": check.name,
        "field": check.field,
        "line": check.place.line,
        "column": check.place.column,
        "summary": check.summary,
        "context": check.context,
        "origin": check.origin,
        "pattern": check.pattern,
    }
    if (difference := check.difference) is not None:
        view |= {
            "expected": difference.expected,
            "got": difference.got,
            "shape": list(difference.shape),
            "index": None if difference.worst is None else list(difference.worst),
            "wrong": difference.wrong,
            "size": difference.size,
            "abs": difference.abs,
            "rel": difference.rel,
            "ulp": difference.ulp,
            "bound": difference.bound,
        }
    return {key: value for key, value in view.items() if value not in ("", None)}
