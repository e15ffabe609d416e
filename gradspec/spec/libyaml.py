"""PyYAML, imported without compiling the regular expressions that its parser in C does without.

They are a sixth of a cold start, one set of characters of `yaml.reader` alone a seventh, and serve the
loaders in Python.  While PyYAML is imported for the first time, `re.compile` hands out expressions
that are compiled by their first use; whoever uses those loaders in the same process finds them whole.
"""

from __future__ import annotations

import re
import sys
from typing import Any

__all__ = ["load_yaml"]


class _Later:
    """A regular expression that is compiled when something of it is asked for."""

    def __init__(self, pattern: Any, flags: Any = 0) -> None:
        self._given = pattern, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._given), name)
        setattr(self, name, found)  # asked for once
        return found


def load_yaml() -> Any:
    """The module `yaml`."""
    if "yaml" not in sys.modules:
        compiled = re.compile
        re.compile = _Later  # type: ignore[assignment]  # put back right after
        try:
            import yaml
        finally:
            re.compile = compiled
    import yaml

    return yaml
