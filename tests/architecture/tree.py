"""The package as files and modules, for the tests of its architecture."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "gradspec"
OPTIONAL = {"torch", "rich", "scipy", "pytest", "autograd", "array_api_strict"}  # extras: may be absent


@cache
def sources() -> dict[str, Path]:
    """Dotted module name → file, for every module of the package."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def python(code: str, *arguments: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """`code` in a fresh interpreter, with the checkout first on its path."""
    command = [sys.executable, *options, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
