"""The tests run in an environment of nobody in particular: what a CI service sets would change what
gradspec prints."""

from __future__ import annotations

import os

for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "GITHUB_BASE_REF"):
    os.environ.pop(name, None)
