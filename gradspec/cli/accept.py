"""gradspec accept."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from gradspec.cli import complete
from gradspec.cli.options import color_for, load_backend
from gradspec.errors import BackendUnavailable, UsageError
from gradspec.runner import exits

if TYPE_CHECKING:
    from gradspec.accept.accept import Changes
    from gradspec.runner.support import Support

__all__ = ["command"]

OWN = ("python", "numpy")  # one engine, so that neither is a witness of the other


@click.command("accept")
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "-b", "--backend", metavar="NAME", shell_complete=complete.backends,
    help="Whose answers are written. Default: torch if it is installed, else python.",
)  # fmt: skip
@click.option(
    "--only", multiple=True, metavar="GLOB", shell_complete=complete.ids,
    help="Only specs whose id fits; repeatable.",
)  # fmt: skip
@click.option(
    "--witness", "witness", metavar="NAME", shell_complete=complete.backends,
    help="Who must agree. Default: a framework other than that of --backend, where one is installed.",
)  # fmt: skip
@click.option("--no-witness", is_flag=True, help="Write what nobody else confirms.")
@click.option("-y", "--yes", is_flag=True, help="Write without asking; needed where CI is set.")
def command(
    paths: tuple[str, ...],
    backend: str | None,
    only: tuple[str, ...],
    witness: str | None,
    no_witness: bool,
    yes: bool,
) -> int:
    """Write what a backend answers into the expectations of spec files.

    Where an expectation is left open (grad: ...) or does not hold, the answer takes its place; all
    else stays as it is, letter by letter. The changes are shown before anything is written.
    """
    from gradspec.accept.accept import accept
    from gradspec.accept.source import Source
    from gradspec.runner.files import put_text
    from gradspec.spec.load import find_files

    if os.environ.get("CI") and not yes:
        raise UsageError("accept: CI is set here, and expectations are for people to accept; --yes insists")
    if witness and no_witness:
        raise UsageError("--witness and --no-witness contradict each other")
    of = _support(backend or _reference())
    witnesses = [] if no_witness else _witnesses(of.backend.name, witness)
    files = dict.fromkeys(file for path in paths for file in find_files(path))
    made = [accept(Source.of(file), of, witnesses, only) for file in files]
    for changes in made:
        _show(changes)
    _sum_up(made, of, witnesses)
    changed = [changes for changes in made if changes.accepted]
    left = any(changes.left for changes in made)
    if not changed:
        return exits.MISMATCH if left else exits.AS_EXPECTED
    if not yes and not _agreed(len(changed)):
        print("nothing is written", file=sys.stderr)
        return exits.MISMATCH
    for changes in changed:
        put_text(changes.source.file, changes.new)
    return exits.MISMATCH if left else exits.AS_EXPECTED


def _support(name: str) -> Support:
    from gradspec.runner.support import Support

    return Support(load_backend(name))


def _reference() -> str:
    from gradspec.plugins import AVAILABLE, list_backends

    there = {row.name for row in list_backends() if row.status == AVAILABLE}
    return "torch" if "torch" in there else "python"


def _witnesses(of: str, named: str | None) -> list[Support]:
    """Who must agree with a backend: who is named, else the first of another framework that loads."""
    from gradspec.plugins import AVAILABLE, list_backends

    if named is not None:
        if named == of or {named, of} <= set(OWN):
            raise UsageError(f"--witness {named}: it is no independent witness of {of}")
        return [_support(named)]
    for row in list_backends():
        same = row.name == of or {row.name, of} <= set(OWN)
        if row.status == AVAILABLE and not same:
            try:
                return [_support(row.name)]
            except BackendUnavailable:
                continue
    return []


def _show(changes: Changes) -> None:
    """The changes of one file, and what could not be accepted."""
    from difflib import unified_diff

    from gradspec.reports.color import Paint

    paint = Paint(color_for("auto"))
    file = changes.source.file
    old, new = (text.splitlines() for text in (changes.source.text, changes.new))
    for line in unified_diff(old, new, file, file, lineterm=""):
        role = {"+": "good", "-": "bad", "@": "dim"}.get(line[:1], "")
        print(paint(role, line) if role else line)
    for text in changes.left:
        print(f"not accepted: {text}")


def _sum_up(made: list[Changes], of: Support, witnesses: list[Support]) -> None:
    count = sum(changes.accepted for changes in made)
    left = sum(len(changes.left) for changes in made)
    alone = sum(changes.alone for changes in made)
    name = f"{of.backend.name} {of.backend.version}".strip()
    parts = [f"{count} {'expectation' if count == 1 else 'expectations'} from {name}"]
    if count and not witnesses:
        parts.append("no second witness asked")
    elif count:
        who = f"{witnesses[0].backend.name} {witnesses[0].backend.version}".strip()
        parts.append(f"{count - alone} confirmed by {who}")
    if left:
        parts.append(f"{left} not accepted")
    print(", ".join(parts) if count or left else f"nothing to accept: {name} answers as expected")


def _agreed(files: int) -> bool:
    """Ask; where nobody can answer, no."""
    if not sys.stdin.isatty():
        print("nobody is here to be asked: --yes writes without asking", file=sys.stderr)
        return False
    what = "this file" if files == 1 else f"these {files} files"
    return click.confirm(f"Write {what}?", default=False)
