"""What a command may end with: an exit code and a message, never a traceback that nobody asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from gradspec.errors import BackendUnavailable, NoWorkers, SpecError, UsageError
from gradspec.runner import exits
from gradspec.runner.door import Crashed

__all__ = ["guarded"]

_LIKE = {
    "×": "x",
    "·": "*",
    "…": "...",
    "−": "-",
    "→": "->",
    "√": "sqrt ",
    "Σ": "sum ",
    "∂": "d",
    "≥": ">=",
    "≤": "<=",
}


def guarded(words: Sequence[str]) -> int:
    """Run a command line and turn whatever it raises into a message on stderr and an exit code."""
    from gradspec.cli.app import app

    _forgiving_output()
    try:
        if "_GRADSPEC_COMPLETE" in os.environ:  # a shell asks for completions
            app.main(args=list(words), prog_name="gradspec")
        # Not app.main: it would turn a broken pipe into exit code 1, which means a mismatch here.
        with app.make_context("gradspec", list(words)) as context:
            code = app.invoke(context)
        sys.stdout.flush()
        return code if isinstance(code, int) else exits.AS_EXPECTED
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return exits.USAGE
    except BackendUnavailable as error:
        return _say(f"gradspec: {error}", exits.UNAVAILABLE)
    except SpecError as error:
        return _say(str(error), exits.USAGE)
    except UsageError as error:
        return _say(f"gradspec: {error}", exits.USAGE)
    except NoWorkers as error:
        return _say(f"gradspec: {error}", exits.INTERNAL)
    except Crashed as error:
        return _say(f"gradspec: the backend crashed: {error}", exits.INTERNAL)
    except BrokenPipeError:
        # Whoever read the output has gone. Python would complain once more while shutting down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13
    except (KeyboardInterrupt, click.Abort):
        return _say("\ninterrupted", 128 + 2)
    except Exception as error:
        return _internal(error)


def _say(text: str, code: int) -> int:
    sys.stderr.write(text + "\n")
    return code


def _internal(error: Exception) -> int:
    if os.environ.get("GRADSPEC_DEBUG"):
        import traceback

        traceback.print_exception(error)
    text = " ".join(str(error).split())
    return _say(
        f"gradspec: internal error: {type(error).__name__}: {text}\n"
        "This is a bug in gradspec: GRADSPEC_DEBUG=1 shows the traceback; please report it in the project's"
        " issue tracker with that and the spec.",
        exits.INTERNAL,
    )


def _forgiving_output() -> None:
    """Let output survive a terminal whose encoding lacks a letter."""
    for stream in (sys.stdout, sys.stderr):
        if (stream.encoding or "").lower() not in ("utf-8", "utf8") and hasattr(stream, "reconfigure"):
            import codecs

            codecs.register_error("gradspec", _plainer)
            stream.reconfigure(errors="gradspec")


def _plainer(error: UnicodeError) -> tuple[str, int]:
    """What is written for a letter that cannot be: its ASCII likeness, or its number."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    return _LIKE.get(letter, letter.encode("ascii", "backslashreplace").decode()), error.start + 1
