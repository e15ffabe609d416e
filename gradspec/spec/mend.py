"""A faulty document with its faulty parts replaced by harmless ones, so that the rest can be checked too.

Every part keeps its path, and with it its place in the file.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from gradspec.spec.document import Document, Path

__all__ = ["mended"]

_LISTS_OF_STEPS = ("steps", "do", "no_grad", "enable_grad", "inference_mode", "detect_anomaly")
_NO_STEP = {"no_grad": []}
_ANY_TENSOR = 0.0


def mended(document: Document, broken: list[Path]) -> Document | None:
    """A copy of the document without what stands at the `broken` paths; None where that leaves nothing to check."""
    view = document.view
    if not isinstance(view, dict) or ("steps" in view) == ("specs" in view):
        return None
    for path in broken:
        view = _without(view, path)
        if view is None:
            return None
    result = copy(document)
    result.view = view
    result.faults = []
    return result


def _without(view: Any, path: Path) -> Any:
    """`view` with the smallest replaceable part around `path` replaced; None where there is none."""
    for length in range(len(path), 1, -1):
        parent, last = path[length - 2], path[length - 1]
        if isinstance(last, int) and parent in _LISTS_OF_STEPS:
            return _replaced(view, path[:length], _NO_STEP)
        if parent == "tensors" and isinstance(last, str) and last.isidentifier():
            return _replaced(view, path[:length], _ANY_TENSOR)
    start = 2 if path[:1] == ("specs",) else 1 if path[:1] == ("defaults",) else 0
    if len(path) <= start or path[start] in ("steps", "tensors", "id", "specs", "defaults", "gradspec"):
        return None
    return _replaced(view, path[: start + 1], None)


def _replaced(view: Any, path: Path, value: Any) -> Any:
    """A copy of `view` along `path` with `value` there; None for a key of a mapping takes it out."""
    result = inner = copy(view)
    for part in path[:-1]:
        try:
            inner[part] = copy(inner[part])
            inner = inner[part]
        except (KeyError, IndexError, TypeError):
            return result  # it stood in a part that is already replaced
    try:
        if value is None:
            inner.pop(path[-1], None)
        else:
            inner[path[-1]] = value
    except (KeyError, IndexError, TypeError):
        pass
    return result
