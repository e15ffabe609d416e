"""The exit codes of every command; they never change."""

from __future__ import annotations

__all__ = ["AS_EXPECTED", "INTERNAL", "MISMATCH", "NOTHING_SELECTED", "UNAVAILABLE", "USAGE"]

AS_EXPECTED = 0
MISMATCH = 1
USAGE = 2  # a usage error or an invalid spec
INTERNAL = 3  # an error of gradspec itself, or a backend that crashed
UNAVAILABLE = 4  # a requested backend cannot be loaded
NOTHING_SELECTED = 5
