"""What a step is called in messages."""

from __future__ import annotations

from typing import Any

__all__ = ["BLOCKS", "step_text"]

BLOCKS = ("no_grad", "enable_grad", "inference_mode", "detect_anomaly", "checkpoint")
_WIDEST = 110


def step_text(verb: str, content: Any) -> str:
    """The step as one line, cut where it is long; of a block only its name."""
    if verb == "op":
        text = " ".join(str(content).split())
    elif verb in BLOCKS:
        text = verb
    elif verb == "repeat":
        text = f"repeat: {content['times']} times"
    elif verb == "custom":
        text = f"custom: {content['name']}, of {_short(content['of'])}, out {_short(content['out'])}"
    else:
        text = f"{verb}: {_short(content)}"
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _short(view: Any) -> str:
    """A view as YAML would have it on one line, long lists cut."""
    if isinstance(view, dict):
        return "{" + ", ".join(f"{key}: {_short(value)}" for key, value in list(view.items())[:9]) + "}"
    if isinstance(view, list):
        shown = [_short(value) for value in view[:9]] + (["…"] if len(view) > 9 else [])
        return "[" + ", ".join(shown) + "]"
    if view is None:
        return "null"
    return str(view).lower() if isinstance(view, bool) else str(view)
