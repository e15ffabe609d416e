"""What must not stand in the tree: a machine's paths, leftovers, rooms that grew too large."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

# Absolute paths that mean something on one machine only. Written so that this file is none of them.
MACHINE = re.compile(r"(?<![\w.:/])/(?:work|farm|home/\w+|Users/\w+|opt/wheels|tmp/\w+_jobs|tmp/v)(?:/|\b)")
LEFTOVER = re.compile(rf"\b(?:{'|'.join(word[::-1] for word in ('ODOT', 'EMXIF', 'KCAH'))})\b")
TEXT = {".py", ".md", ".yaml", ".yml", ".toml", ".json", ".txt", ".cfg", ""}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def hits(pattern: re.Pattern[str], suffixes: set[str]) -> list[str]:
    return [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for file in tracked()
        if file.suffix in suffixes
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_path_of_a_machine() -> None:
    assert not hits(MACHINE, TEXT)


def test_no_leftovers() -> None:
    assert not hits(LEFTOVER, {".py"})


def test_the_patterns_find_what_they_are_for() -> None:
    assert MACHINE.search("see " + "/wo" + "rk/main/x.py")
    assert not MACHINE.search("docs/work/x and http://host/work/")
    assert LEFTOVER.search("# TO" + "DO later")
