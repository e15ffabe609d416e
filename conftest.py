"""For all tests, those of the plugins too."""

from __future__ import annotations

import os
import sys

if os.environ.get("GRADSPEC_TEST_TORCH") == "0":
    sys.modules["torch"] = None  # type: ignore[assignment]  # as if it were not installed, though it may be


def pytest_report_header() -> str:
    """Say it where torch is left out: many tests compare with it."""
    return (
        "torch: left out (TORCH=0)" if sys.modules.get("torch", "") is None else "torch: used where installed"
    )
