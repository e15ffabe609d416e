"""The report as JSON lines: each written and flushed as it happens, so a run that dies leaves what it did.

The first line has the format, the last the totals; in between stands one line for each backend and for
each spec on each backend. Lines hold the same keys as the parts of the JSON report, and `kind`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.reports import document
from gradspec.reports.output import Output
from gradspec.runner.events import (
    BackendReady,
    BackendUnavailable,
    Event,
    RunFinished,
    RunStarted,
    SpecFinished,
)

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["Lines", "schema"]


class Lines:
    """Writes a line for each event as it comes. Raises UsageError where the file cannot be written."""

    def __init__(self, option: str, path: str) -> None:
        self.output = Output(option, path)
        self.file: TextIO | None = None

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted():
                line = {"kind": "start", "format": document.FORMAT, **document.head(event)}
            case BackendReady() | BackendUnavailable():
                line = {"kind": "backend", **document.backend(event)}
            case SpecFinished():
                line = {"kind": "result", **document.entry(event.verdict)}
            case RunFinished():
                line = {"kind": "end", **document.tail(event)}
            case _:
                return
        self.write(line)
        if isinstance(event, RunFinished):
            self.close()

    def write(self, line: dict[str, Any]) -> None:
        import json

        try:
            if self.file is None:
                self.file = self.output.path.open("w", encoding="utf-8", errors="replace", newline="\n")
            self.file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
            self.file.flush()
        except OSError as error:
            self.close()
            raise self.output.failed(error) from error

    def close(self) -> None:
        """Let go of the file, also of one that takes no more."""
        if self.file is not None:
            try:
                self.file.close()
            except OSError:
                pass


def schema() -> dict[str, Any]:
    """The JSON Schema of one line, made from that of the JSON report."""
    import json

    from gradspec.reports.json import schema_text

    whole = json.loads(schema_text())
    parts, named = whole["properties"], whole["$defs"]

    def line(kind: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {"kind": {"const": kind}} | properties,
            "required": ["kind", *required],
            "additionalProperties": False,
        }

    def some(*names: str) -> dict[str, Any]:
        return {name: parts[name] for name in names}

    start = some("format", "gradspec", "python", "started")
    end = some("totals", "scopes", "exit_code", "duration_s", "complete", "left", "stale")
    backend, result = named["backend"], named["result"]
    return {
        "$schema": whole["$schema"],
        "$id": "urn:gradspec:report-line:1",
        "title": "A line of the report of a gradspec run as JSON lines, format 1",
        "oneOf": [
            line("start", start, ["format", "gradspec", "python"]),
            line("backend", backend["properties"], backend["required"]),
            line("result", result["properties"], result["required"]),
            line("end", end, ["totals", "exit_code", "duration_s"]),
        ],
        "$defs": {name: named[name] for name in ("failure", "stale")},
    }
