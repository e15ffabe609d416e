"""Going through a backend's door, whatever waits behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradspec.errors import GradspecError, UnsupportedFeature

if TYPE_CHECKING:
    from gradspec.backends.base import Backend, Observations
    from gradspec.spec.model import Program

__all__ = ["Crashed", "observe", "told"]


class Crashed(GradspecError):
    """A backend raised instead of reporting. The text is one line; under GRADSPEC_DEBUG=1 the traceback."""


def observe(backend: Backend, program: Program) -> Observations:
    """What the backend sees of the program; raises Crashed, or UnsupportedFeature as the backend did."""
    try:
        return backend.run(program)
    except (UnsupportedFeature, KeyboardInterrupt):
        raise
    except BaseException as error:  # a foreign framework may throw anything, SystemExit too
        raise Crashed(told(error)) from error


def told(error: BaseException) -> str:
    """An exception of others in one line, with the place it comes from."""
    import os
    import traceback

    if os.environ.get("GRADSPEC_DEBUG"):
        return "".join(traceback.format_exception(error)).rstrip()
    try:
        text = str(error).partition("\n")[0]
    except Exception:  # its text is theirs to make
        text = "its text cannot be told"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text}{where}"
