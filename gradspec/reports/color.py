"""Whether output is coloured, decided in one place, and the few colours there are."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Paint", "wants_color"]

_CODES = {"bad": "1;31", "good": "32", "soft": "33", "dim": "2", "strong": "1"}


def wants_color(option: str, environ: Mapping[str, str], is_tty: bool) -> bool:
    """--color always|never, then NO_COLOR, then FORCE_COLOR, then whether a terminal reads it."""
    if option != "auto":
        return option == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return environ["FORCE_COLOR"] != "0"
    return is_tty and environ.get("TERM") != "dumb"


class Paint:
    """Text in a colour by its role: bad, good, soft, dim, strong; unchanged where colours are off."""

    def __init__(self, on: bool) -> None:
        self.on = on

    def __call__(self, role: str, text: str) -> str:
        return f"\033[{_CODES[role]}m{text}\033[0m" if self.on and text else text
