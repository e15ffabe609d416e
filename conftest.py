"""For all tests, those of the plugins too."""

from __future__ import annotations

import os
import sys

collect_ignore_glob = [
    "tests/spec/invalid/*",
    "tests/sample_project/*",
]  # faulty on purpose: gradspec's pytest plugin must not judge them
WITHOUT_TORCH = os.environ.get("GRADSPEC_TEST_TORCH") == "0"


class NoTorch:
    """Makes torch look as if it were not installed, though it may be."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name.partition(".")[0] == "torch":  # a finder has no other way to say that there is none
            raise ModuleNotFoundError(f"No module named {name!r} (TORCH=0)", name=name)


if WITHOUT_TORCH:
    sys.meta_path.insert(0, NoTorch)


def pytest_report_header() -> str:
    """Say it where torch is left out: many tests compare with it."""
    return "torch: left out (TORCH=0)" if WITHOUT_TORCH else "torch: used where installed"
