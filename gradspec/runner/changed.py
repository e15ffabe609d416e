"""Which specs may come out otherwise because of what git says has changed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradspec.errors import UsageError

if TYPE_CHECKING:
    from gradspec.spec.model import Spec

__all__ = ["SOURCES", "Changed", "changed_since"]

SOURCES = (
    ".py", ".pyi", ".pyx", ".pxd", ".c", ".cc", ".cpp", ".cxx", ".cu", ".cuh", ".h", ".hpp", ".rs", ".f90",
    ".jl", ".go", ".js", ".ts", ".java", ".swift", ".so", ".pyd", ".toml", ".cfg", ".lock",
)  # fmt: skip
_SPECS = (".gradspec.yaml", ".gradspec.yml")


class Changed:
    """The files that changed since a commit, as absolute paths, deleted ones too."""

    def __init__(self, files: Sequence[str], since: str) -> None:
        self.files = [os.path.realpath(file) for file in files]
        self.since = since

    def code(self, named: Sequence[str] | None = None) -> str:
        """A changed file that decides how specs come out, or "". That is one under the paths `named`, or
        where none are any source file."""
        folders = None if named is None else [os.path.realpath(path) for path in named]
        for file in self.files:
            if file.endswith(_SPECS):
                continue
            if file.endswith(SOURCES) if folders is None else any(_under(file, one) for one in folders):
                return os.path.relpath(file)
        return ""

    def select(self, specs: Sequence[Spec]) -> list[Spec]:
        """The specs whose file changed, or a data file in its directory or below."""
        changed = set(self.files)
        folders = {os.path.dirname(file) for file in self.files if file.endswith(".npy")}
        fits: dict[str, bool] = {}
        for spec in specs:
            if spec.file not in fits:
                file = os.path.realpath(spec.file)
                home = os.path.dirname(file)
                fits[spec.file] = file in changed or any(_under(folder, home) for folder in folders)
        return [spec for spec in specs if fits[spec.file]]


def changed_since(reference: str) -> Changed:
    """What changed between the commit where this branch left `reference` and the files as they are now,
    those that git does not know yet included. Raises UsageError where git cannot tell."""
    top = _git("rev-parse", "--show-toplevel").rstrip("\n")
    if reference.startswith("-"):
        raise UsageError(f"--changed={reference}: that is no commit")
    _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}", what=reference)
    base = _git("merge-base", reference, "HEAD", what=reference).strip()
    told = _git("diff", "--name-only", "--no-renames", "--relative", "-z", base, "--", folder=top)
    told += _git("ls-files", "--others", "--exclude-standard", "-z", folder=top)
    return Changed([os.path.join(top, name) for name in told.split("\0") if name], reference)


def _git(*arguments: str, folder: str | None = None, what: str | None = None) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            capture_output=True,
            check=False,
            text=True,
            errors="surrogateescape",
        )
    except OSError as error:
        raise UsageError(f"--changed asks git, which cannot be run: {error.strerror}") from error
    if done.returncode:
        reason = " ".join(done.stderr.split()).removeprefix("fatal: ")
        if what is not None:
            reason = reason or "no such commit here (a shallow clone has few: fetch more of the history)"
        option = "--changed" if what is None else f"--changed={what}"
        raise UsageError(f"{option}: {reason or 'git ' + arguments[0] + ' failed'}")
    return done.stdout


def _under(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
