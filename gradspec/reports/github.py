"""What GitHub Actions reads: annotations on stdout, and a summary of the job.

GitHub shows at most ten errors of a step and drops the rest silently, so nine are named and the tenth
says how many more there are. A summary may have 1 MiB; it is cut before that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradspec.errors import UsageError
from gradspec.reports.document import Document, is_bad, stale_line

if TYPE_CHECKING:
    from gradspec.runner.events import Event

__all__ = ["Github", "command", "commands", "wanted"]

MOST = 9
LONGEST = 4000  # letters of one annotation
SUMMARY_BYTES = 900_000


def wanted() -> bool:
    """Whether this runs in GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


class Github:
    """Writes annotations through `write`, and the summary to the file that GITHUB_STEP_SUMMARY names."""

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self.write = write
        self.document = Document()

    def __call__(self, event: Event) -> None:
        document = self.document(event)
        if document is None:
            return
        write = self.write or sys.stdout.write
        for line in commands(document, _changed()):
            write(line + "\n")
        if path := os.environ.get("GITHUB_STEP_SUMMARY"):
            _summarise(document, Path(path))


def _summarise(document: dict[str, Any], path: Path) -> None:
    from gradspec.reports.markdown import markdown
    from gradspec.reports.sources import Sources

    try:
        used = path.stat().st_size if path.exists() else 0
        text = markdown(document, max(SUMMARY_BYTES - used, 0), Sources())
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(text + "\n")
    except OSError as error:
        raise UsageError(f"the job summary could not be written: {path}: {error.strerror}") from error


def commands(document: dict[str, Any], changed: frozenset[str] = frozenset()) -> list[str]:
    """At most ten workflow commands: what is not as expected, that in `changed` files first.

    What fails in the same place on several backends, or for several dtypes, is named once.
    """
    found: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
    for result in document["results"]:
        if is_bad(result):
            first = result["failures"][0] if result["failures"] else {"line": result["line"], "column": 1}
            place = (_from_root(result["file"]), first["line"], first["column"])
            found.setdefault(place, []).append(result)
    lines = [
        command(one.get("reason", ""), title=f"backend {one['name']} is not available")
        for one in document["backends"]
        if not one["available"]
    ]
    for one in document.get("stale", ()):
        where = {"file": _from_root(one["file"]), "line": one["line"]} if one["line"] else {}
        lines.append(command(stale_line(one), **where, title="a known failure that is none"))
    for place in sorted(found, key=lambda place: place[0] not in changed):
        (file, line, column), those = place, found[place]
        ids, backends, outcomes = (_list(one[key] for one in those) for key in ("id", "backend", "outcome"))
        text = those[0].get("text", those[0]["message"])
        title = f"{ids} on {backends}: {outcomes}"
        lines.append(command(text, file=file, line=line, col=column, title=title))
    if (more := len(lines) - MOST) > 1:
        lines[MOST:] = [command(f"and {more} more; the job summary has them", title="gradspec")]
    return lines


def _list(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def command(message: str, **properties: object) -> str:
    """A workflow command, with the letters escaped that would end it or a part of it."""
    told = ",".join(f"{name}={_escape(str(value), ':,')}" for name, value in properties.items())
    return f"::error {told}::{_escape(message[:LONGEST])}"


def _escape(text: str, more: str = "") -> str:
    return "".join(f"%{ord(c):02X}" if c in "%\r\n" + more else c for c in text)


def _from_root(file: str) -> str:
    """The path as GitHub knows it: from the root of the checkout."""
    root = os.environ.get("GITHUB_WORKSPACE")
    path = Path(file).absolute()
    return path.relative_to(root).as_posix() if root and path.is_relative_to(root) else Path(file).as_posix()


def _changed() -> frozenset[str]:
    """The files that a pull request changes, as far as the checkout can tell."""
    base = os.environ.get("GITHUB_BASE_REF")
    if not base:
        return frozenset()
    import subprocess

    try:
        done = subprocess.run(
            ["git", "diff", "--name-only", "-z", f"origin/{base}...HEAD"],
            capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    return frozenset(done.stdout.split("\0"))
