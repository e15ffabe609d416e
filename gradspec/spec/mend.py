"""A faulty document with its faulty parts replaced by harmless ones, so that the rest can be checked too.

Every part keeps its path, and with it its place in the file.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from gradspec.spec.format import NEWEST, show_format
from gradspec.spec.shape import name_problem

if TYPE_CHECKING:
    from gradspec.spec.document import Document, Path

__all__ = ["mended"]

_LISTS_OF_STEPS = (
    "steps", "do", "no_grad", "enable_grad", "inference_mode", "detect_anomaly", "checkpoint", "forward",
)  # fmt: skip
_NO_STEP: dict[str, Any] = {"no_grad": []}
_ANY_TENSOR = 0.0
_ABSENT = object()


def mended(document: Document, broken: list[Path]) -> Document | None:
    """A copy of the document without what stands at the `broken` paths; None where nothing is left."""
    view = document.view
    if not isinstance(view, dict) or ("steps" in view) == ("specs" in view):
        return None
    if "specs" in view and not isinstance(view["specs"], list):
        return None
    for path in broken:
        view = _without(view, path)
    result = copy(document)
    result.view = _completed(view)
    result.faults = []
    return result


def _without(view: dict[str, Any], path: Path) -> dict[str, Any]:
    """`view` with the smallest replaceable part around `path` replaced."""
    for length in range(len(path), 1, -1):
        parent, last = path[length - 2], path[length - 1]
        of_function = parent == "backward" and path[length - 3] == "custom"  # not the verb backward
        if isinstance(last, int) and (parent in _LISTS_OF_STEPS or of_function):
            return _replaced(view, path[:length], _NO_STEP)
        if parent == "tensors" and isinstance(last, str):
            return _replaced(view, path[:length], _ABSENT if name_problem(last) else _ANY_TENSOR)
    in_spec = 2 if path[:1] == ("specs",) else 1 if path[:1] == ("defaults",) else 0
    if len(path) > in_spec:
        return _replaced(view, path[: in_spec + 1], _ABSENT)
    return view


def _replaced(view: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """A copy of `view` along `path` with `value` there, or with nothing there."""
    result = inner = copy(view)
    try:
        for part in path[:-1]:
            inner[part] = copy(inner[part])  # type: ignore[index]  # a view is nested anyhow
            inner = inner[part]  # type: ignore[index]  # a view is nested anyhow
        if value is not _ABSENT:
            inner[path[-1]] = value  # type: ignore[index]  # a view is nested anyhow
        else:
            inner.pop(path[-1], None)  # type: ignore[arg-type]  # a view is nested anyhow
    except (KeyError, IndexError, TypeError, AttributeError):
        pass  # it stood in a part that is already replaced
    return result


def _completed(view: dict[str, Any]) -> dict[str, Any]:
    """`view` with an id and steps wherever they are missing, and a format that allows whatever is there."""
    newest = show_format(NEWEST)
    if "specs" not in view:
        return {"id": "nameless", "steps": [], **view, "gradspec": newest}
    defaults = view.get("defaults")
    shared = defaults if isinstance(defaults, dict) else {}
    missing: dict[str, Any] = {} if "steps" in shared else {"steps": []}
    specs = [
        {**missing, "id": f"nameless{number}", **(spec if isinstance(spec, dict) else {})}
        for number, spec in enumerate(view["specs"])
    ]
    return {**view, "gradspec": newest, "defaults": shared, "specs": specs}
