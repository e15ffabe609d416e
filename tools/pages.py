"""The documentation as something that runs: files a page shows are written, commands it shows are run.

In a page, an HTML comment before a fenced block says what the block is:

    <!-- file: first.gradspec.yaml -->     the block is this file, in the page's own folder
    <!-- exit: 1 -->                       the commands of this console block end with this exit code
    <!-- fault -->                         the spec in this block has faults on purpose
    <!-- needs: torch -->                  not run where torch is not installed
    <!-- not run -->                       the block needs what a test must not do (the network, a terminal)

A ```console block holds `$ gradspec …` lines, each followed by what it prints; `make docs` writes
that output, and a test runs it again. Times differ between machines and are not compared.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "ROOT",
    "Block",
    "Command",
    "blocks",
    "commands",
    "outcome",
    "pages",
    "refreshed",
    "same",
    "write_files",
]

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DIRECTIVE = re.compile(r"<!-- (file|exit|fault|needs|not run)(?:: ([^>]*?))? -->\s*\Z")
GAP = re.compile(r"(?<=\S) {2,}(?=[^ ^])")
TIME = re.compile(r"\b\d+(\.\d+)? (ms|s)\b")


class Block(NamedTuple):
    """A fenced block. `line` is its fence's, from 1; `start` and `end` are its text's, in the page."""

    page: Path
    line: int
    language: str
    text: str
    directives: dict[str, str]
    start: int
    end: int


class Command(NamedTuple):
    """A `$ gradspec …` line with the output shown under it."""

    block: Block
    arguments: list[str]
    shown: str
    start: int  # of the output, in the page
    end: int


def pages() -> list[Path]:
    """README, CHANGELOG and everything under docs/."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in FENCE.finditer(text):
        directives, before = {}, text[: found.start()]
        while said := DIRECTIVE.search(before):
            directives[said[1]] = said[2] or ""
            before = before[: said.start()]
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found[1], found[2], directives, found.start(2), found.end(2))


def write_files(page: Path, folder: Path) -> None:
    """Every file the page shows, in `folder`; a pyproject.toml among them counts as installed there."""
    for block in blocks(page):
        if name := block.directives.get("file"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
            if path.name == "pyproject.toml":
                _announce(path, folder)


def _announce(pyproject: Path, folder: Path) -> None:
    """The entry points of a package whose modules lie in `folder`, as pip would have written them."""
    project = tomllib.loads(pyproject.read_text())["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups))


def commands(page: Path) -> Iterator[Command]:
    """The gradspec commands of the page, in order; those in blocks marked "not run" are left out."""
    for block in blocks(page):
        if block.language != "console" or "not run" in block.directives:
            continue
        prompts = list(re.finditer(r"^\$ (.*)\n", block.text, re.MULTILINE))
        for k, prompt in enumerate(prompts):
            end = prompts[k + 1].start() if k + 1 < len(prompts) else len(block.text)
            words = shlex.split(prompt[1])
            if words[0] == "gradspec":
                shown = block.text[prompt.end() : end]
                yield Command(block, words[1:], shown, block.start + prompt.end(), block.start + end)


def outcome(arguments: list[str], folder: Path) -> tuple[int, str]:
    """Exit code and output (stdout, then stderr) of a gradspec command run in `folder`, in this process."""
    from gradspec.cli import main

    printed, said = io.StringIO(), io.StringIO()
    before = os.environ.copy()
    os.environ.pop("FORCE_COLOR", None)
    os.environ.update(COLUMNS="100", NO_COLOR="1")
    sys.path.insert(0, str(folder))
    try:
        with chdir(folder), redirect_stdout(printed), redirect_stderr(said):
            code = main(arguments)
    finally:
        sys.path.remove(str(folder))
        os.environ.clear()
        os.environ.update(before)
    output = printed.getvalue() + said.getvalue()
    return code, "\n".join(line.rstrip() for line in output.splitlines()) + ("\n" if output else "")


def same(shown: str, printed: str) -> bool:
    """Whether two outputs are the same, apart from times and the width of columns.

    `…` stands for the rest of a line, and on a line of its own for any number of lines.
    """
    pattern = re.escape(_plain(shown))
    pattern = re.sub(r"^…\\?\n", r"(?:.*\\n)*?", pattern, flags=re.MULTILINE)
    pattern = pattern.replace(r"\ …\ ", ".*").replace(r"\ …", ".*")
    return re.fullmatch(pattern, _plain(printed)) is not None


def _plain(output: str) -> str:
    """With times as N, and one width for all gaps but those that put a caret in its place."""
    return GAP.sub("  ", TIME.sub("N s", output))


def refreshed(page: Path, folder: Path) -> str:
    """The page's text with the output of its commands, run in their order, as it is now."""
    write_files(page, folder)
    ran = [(command, outcome(command.arguments, folder)[1]) for command in commands(page)]
    text = page.read_text()
    for command, printed in reversed(ran):
        if not same(command.shown, printed):
            text = text[: command.start] + printed + text[command.end :]
    return text
