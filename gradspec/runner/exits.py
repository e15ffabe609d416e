"""The exit codes of every command; they never change."""

from __future__ import annotations

from collections.abc import Collection

__all__ = [
    "AS_EXPECTED", "INTERNAL", "MISMATCH", "NOTHING_SELECTED", "UNAVAILABLE", "USAGE", "of_outcome", "worst",
]  # fmt: skip

AS_EXPECTED = 0
MISMATCH = 1
USAGE = 2  # a usage error or an invalid spec
INTERNAL = 3  # an error of gradspec itself, or a backend that crashed
UNAVAILABLE = 4  # a requested backend cannot be loaded
NOTHING_SELECTED = 5


def of_outcome(outcome: str) -> int:
    """The exit code of a run in which one spec came out so and all else as expected."""
    if outcome in ("error", "crash", "timeout"):
        return INTERNAL
    return MISMATCH if outcome == "failed" else AS_EXPECTED


def worst(codes: Collection[int]) -> int:
    """The exit code of a run: what makes its result least trustworthy comes first."""
    order = (INTERNAL, UNAVAILABLE, MISMATCH)
    return next((code for code in order if code in codes), AS_EXPECTED)
