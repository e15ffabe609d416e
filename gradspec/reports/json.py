"""The report as one JSON document, for programs. Its shape is `report.schema.json`, format 1."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradspec.errors import UsageError
from gradspec.reports.failure import rerun
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

__all__ = ["FORMAT", "JsonReport", "entry", "schema_text"]

FORMAT = 1


class JsonReport:
    """Collects the events of a run and writes the document when the run is over.

    The file appears whole or not at all. Raises UsageError at once where it cannot be written.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        if self.path.is_dir() or not self.path.absolute().parent.is_dir():
            raise UsageError(f"--report json={path}: no such directory, or a directory itself")
        self.document: dict[str, Any] = {"format": FORMAT}
        self.backends: list[dict[str, Any]] = []
        self.results: list[dict[str, Any]] = []

    def __call__(self, event: Event) -> None:
        """Take one event."""
        match event:
            case RunStarted():
                from platform import python_version

                self.document |= {"gradspec": event.gradspec, "python": python_version()}
            case BackendReady():
                self.backends.append({"name": event.name, "available": True, "version": event.version})
            case BackendUnavailable():
                self.backends.append({"name": event.name, "available": False, "reason": event.reason})
            case SpecFinished():
                self.results.append(entry(event.verdict))
            case RunFinished():
                self.document |= {
                    "backends": self.backends,
                    "results": self.results,
                    "totals": event.totals,
                    "exit_code": event.exit_code,
                    "duration_s": round(event.duration_s, 6),
                }
                self.write()

    def write(self) -> None:
        """Write beside the file, then put it in its place in one step."""
        import json
        import os

        text = json.dumps(self.document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            beside.write_text(text, encoding="utf-8")
            beside.replace(self.path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise UsageError(f"cannot write the report {self.path}: {error.strerror}") from error


def entry(verdict: Verdict) -> dict[str, Any]:
    """One spec on one backend."""
    counts = verdict.counts
    return {
        "id": verdict.id,
        "file": verdict.file,
        "line": verdict.line,
        "title": verdict.title,
        "backend": verdict.backend,
        "dtype": verdict.dtype,
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


def schema_text() -> str:
    """The JSON Schema of the document."""
    return Path(__file__).with_name("report.schema.json").read_text(encoding="utf-8")
