"""The kinds of report that `--report KIND=FILE` writes, each imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gradspec.errors import UsageError, did_you_mean
from gradspec.reports.document import Document
from gradspec.reports.output import Output

if TYPE_CHECKING:
    from gradspec.runner.events import Event

__all__ = ["KINDS", "Reporter", "Written", "make", "write"]

Reporter = Callable[["Event"], object]
RENDERED = ("json", "junit", "html")  # gradspec.reports.KIND.render makes text of a document
KINDS = (*RENDERED, "jsonl", "github")


class Written:
    """A report that is made from the whole document when the run is over."""

    def __init__(self, option: str, path: str, render: Callable[[dict[str, Any]], str]) -> None:
        self.output = Output(option, path)
        self.render = render
        self.document = Document()

    def __call__(self, event: Event) -> None:
        if (document := self.document(event)) is not None:
            self.output.write(self.render(document))


def make(text: str, others: Mapping[str, Callable[[str], Reporter]] | None = None) -> Reporter:
    """The reporter that `--report text` asks for; `others` are those of plugins, by kind.

    Raises UsageError for an unknown kind, a missing file name, or a file that cannot be written.
    """
    kind, equals, path = text.partition("=")
    known = [*KINDS, *(others or ())]
    if kind not in known:
        hint = did_you_mean(kind, known) or f"kinds are {', '.join(known)}"
        raise UsageError(f'--report {text}: no kind "{kind}"; {hint}')
    if kind == "github":
        from gradspec.reports.github import Github

        if equals:
            raise UsageError("--report github takes no file: it writes what GitHub Actions reads")
        return Github()
    if not path:
        raise UsageError(f"--report {text}: write it as {kind}=FILE")
    if others and kind in others:
        return others[kind](path)
    if kind == "jsonl":
        from gradspec.reports.jsonl import Lines

        return Lines(f"--report {text}", path)
    return Written(f"--report {text}", path, _renderer(kind))


def write(text: str, document: dict[str, Any]) -> None:
    """Write a document that is already there as `--report text` would; raises UsageError as `make` does."""
    kind, _, path = text.partition("=")
    if kind not in RENDERED or not path:
        raise UsageError(f"--report {text}: write it as one of {', '.join(f'{k}=FILE' for k in RENDERED)}")
    Output(f"--report {text}", path).write(_renderer(kind)(document))


def _renderer(kind: str) -> Callable[[dict[str, Any]], str]:
    render: Callable[[dict[str, Any]], str] = import_module(f"gradspec.reports.{kind}").render
    return render
