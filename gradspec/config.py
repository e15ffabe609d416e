"""`[tool.gradspec]` of a project's pyproject.toml: what holds where nothing else is said."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from gradspec.errors import Fault, Place, SpecError, UsageError, did_you_mean
from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from gradspec.spec.model import Spec

__all__ = ["DIRECTORY", "KEYS", "Config", "find"]

DIRECTORY = "gradspec-known-failures"  # beside pyproject.toml, unless it says otherwise
KEYS = {
    "paths": "files and directories of specs, where a command names none",
    "backends": "what specs run on, where no -b is given",
    "tolerance": "{rtol, atol} or {ulp} for specs that say nothing of it",
    "known-failures": "the directory of known failures, a file BACKEND.yaml for each that has some",
    "code": "files and directories that decide how specs come out; for --changed",
    "jobs": "as --jobs",
    "isolate": "as --isolate",
    "timeout": "as --timeout",
    "memory-limit": "as --memory-limit",
    "executor": "as --executor",
}
_LISTS = ("paths", "backends", "code")
_FILE = "pyproject.toml"


class Config(NamedTuple):
    """What a project says. `root` is where its pyproject.toml stands; `values` has the keys that are there,
    paths as seen from here."""

    file: str
    root: str
    values: dict[str, Any]

    def as_tolerant(self, specs: list[Spec]) -> list[Spec]:
        """The specs, with the project's tolerance where they state none."""
        if "tolerance" not in self.values:
            return specs
        from gradspec.spec.model import Tolerance

        usual = Tolerance(**self.values["tolerance"])
        return [spec if spec.tolerance is not None else spec._replace(tolerance=usual) for spec in specs]

    def get(self, key: str, otherwise: Any = None) -> Any:
        return self.values.get(key, otherwise)


def find(start: str = ".") -> Config | None:
    """The nearest pyproject.toml in `start` or above that speaks of gradspec, or None.

    Raises UsageError for one that is no TOML, SpecError with every fault for one that says what gradspec
    does not know.
    """
    folder = os.path.abspath(start)
    while True:
        file = os.path.join(folder, _FILE)
        try:
            with open(file, "rb") as stream:
                data = stream.read()
        except OSError:  # nearly always because there is none
            data = b""
        if re.search(rb"^\s*\[\s*tool\s*\.\s*gradspec\s*[.\]]", data, re.MULTILINE):
            return _read(data, os.path.relpath(file), folder)
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _read(data: bytes, file: str, root: str) -> Config:
    import tomllib

    try:
        text = data.decode("utf-8-sig")
        table = tomllib.loads(text)["tool"]["gradspec"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError) as error:
        raise UsageError(f"{file} is not TOML: {error}") from None
    lines = text.splitlines()
    faults = [
        Fault(code, message, *_place(file, lines, path), hint)
        for path, code, message, hint in _problems(table)
    ]
    if faults:
        raise SpecError(faults)
    return Config(file, root, {key: _value(key, value, root) for key, value in table.items()})


def _problems(table: dict[str, Any]) -> list[tuple[tuple[str, ...], str, str, str]]:
    """(path of keys, code, message, hint) for all that is wrong."""
    found: list[tuple[tuple[str, ...], str, str, str]] = []
    for key, value in table.items():
        if key not in KEYS:
            hint = did_you_mean(key, list(KEYS)) or f"keys are {', '.join(KEYS)}"
            found.append(((key,), "unknown-key", f'[tool.gradspec] has no key "{key}"', hint))
        elif wanted := _wanted(key, value):
            found.append(((key,), "bad-value", f"{key} is {wanted}", ""))
    tolerance = table.get("tolerance")
    for key, value in tolerance.items() if isinstance(tolerance, dict) else ():
        if key not in ("rtol", "atol", "ulp"):
            hint = did_you_mean(key, ["rtol", "atol", "ulp"]) or "a tolerance has rtol and atol, or ulp"
            found.append((("tolerance", key), "unknown-key", f'tolerance has no key "{key}"', hint))
        elif not _is_number(value) or (key == "ulp" and not isinstance(value, int)):
            found.append((("tolerance", key), "bad-value", f"{key} is a number, 0 or more", ""))
        elif key == "ulp" and {"rtol", "atol"} & table["tolerance"].keys():
            found.append((("tolerance", key), "conflicting-keys", "a tolerance is rtol and atol, or ulp", ""))
    return found


def _wanted(key: str, value: Any) -> str:
    """What a value should be, "" where it is."""
    texts = value if isinstance(value, list) else [value]
    match key:
        case "paths" | "backends" | "code":
            return "" if texts and all(isinstance(one, str) and one for one in texts) else "a list of texts"
        case "tolerance":
            return "" if isinstance(value, dict) and value else "a table, as { rtol = 1e-5, atol = 1e-8 }"
        case "jobs":
            fine = value == "auto" or (type(value) is int and value >= 1)
            return "" if fine else '"auto", or a number of processes, 1 or more'
        case "timeout":
            return "" if _is_number(value) and value > 0 else "a number of seconds"
        case "isolate":
            return "" if isinstance(value, bool) else "true or false"
        case "known-failures":
            fine = isinstance(value, str) and not value.endswith((".yaml", ".yml"))
            return "" if fine and value else "a directory, which has a file BACKEND.yaml for each backend"
    return "" if isinstance(value, str) and value else "a text"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


def _value(key: str, value: Any, root: str) -> Any:
    """A value as it is used: lists are lists, paths lead from here."""
    if key in _LISTS and isinstance(value, str):
        value = [value]
    if key in ("paths", "code"):
        return [_from_here(root, path) for path in value]
    return _from_here(root, value) if key == "known-failures" else value


def _from_here(root: str, path: str) -> str:
    return path if os.path.isabs(path) else os.path.relpath(os.path.join(root, path))


def _place(file: str, lines: list[str], path: tuple[str, ...]) -> tuple[Place, str]:
    """The place of a key, and its line; that of the table where the key cannot be made out."""
    section = (".".join(("tool", "gradspec", *path[:-1])), "tool.gradspec")
    pattern = rf"(?<![\w-])[\"']?({re.escape(path[-1])})[\"']?\s*[=.]"
    here, at = "", 0
    for number, line in enumerate(lines, 1):
        if header := re.match(r"\s*\[([^\[\]]+)\]", line):
            here = re.sub(r"[\s\"']", "", header[1])
            at = at or (number if here == section[1] else 0)
        elif here in section and (key := re.search(pattern, line)):
            return Place(file, number, key.start(1) + 1, len(path[-1])), line
        if here == ".".join(("tool", "gradspec", *path)):
            return Place(file, number), line
    return Place(file, at or 1), lines[at - 1] if at else ""
