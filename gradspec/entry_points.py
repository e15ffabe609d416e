"""Entry points, found without importing what they name and, nearly always, without importlib.metadata."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from importlib.metadata import Distribution

__all__ = ["EntryPoint", "entry_points"]


class EntryPoint(NamedTuple):
    """`name = value` of a distribution; `origin` is its name and version, `fault` what is wrong."""

    name: str
    value: str
    distribution: str
    origin: str
    fault: str = ""

    @property
    def module(self) -> str:
        return self.value.partition(":")[0].strip()


def entry_points(group: str) -> list[EntryPoint]:
    """The entry points of a group along sys.path, in its order; the same one found twice counts once."""
    found = list(_from_metadata(group) if _odd_places() else _from_folders(group))
    return list(dict.fromkeys(found))


def _odd_places() -> bool:
    """Whether distributions may lie where only importlib.metadata finds them: archives, other finders."""
    from importlib.machinery import PathFinder

    finders = any(hasattr(one, "find_distributions") and one is not PathFinder for one in sys.meta_path)
    archives = (".zip", ".egg", ".whl")  # python3x.zip is on every path, nearly always for nothing
    return finders or any(path.endswith(archives) and os.path.isfile(path) for path in sys.path)


def _from_folders(group: str) -> Iterator[EntryPoint]:
    for folder in dict.fromkeys(sys.path):
        try:
            with os.scandir(folder or ".") as entries:
                names = sorted(one.name for one in entries if one.name.endswith((".dist-info", ".egg-info")))
        except OSError:
            continue
        for name in names:
            try:
                with open(f"{folder or '.'}/{name}/entry_points.txt", encoding="utf-8") as file:
                    text = file.read()
            except (OSError, ValueError):
                continue
            if group in text:
                distribution, _, version = name.rpartition(".")[0].partition("-")
                yield from _parse(text, group, distribution, version.partition("-")[0])


def _parse(text: str, group: str, distribution: str, version: str) -> Iterator[EntryPoint]:
    """The entries under [group] of an entry_points.txt."""
    distribution = distribution.replace("_", "-").lower()
    origin = f"{distribution} {version}".strip()
    here = False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            here = line == f"[{group}]"
        elif here and line and not line.startswith(("#", ";")):
            name, equals, value = (part.strip() for part in line.partition("="))
            module, colon, attribute = value.partition("[")[0].strip().partition(":")
            parts = module.strip().split(".") + (attribute.strip().split(".") if colon else [])
            whole = all(part.isidentifier() for part in parts)
            fault = "" if equals and whole else f'"{line}" is no entry point: write "name = module:Class"'
            yield EntryPoint(name, value.partition("[")[0].strip(), distribution, origin, fault)


def _from_metadata(group: str) -> Iterator[EntryPoint]:
    from importlib.metadata import distributions

    found = [(_name(distribution), distribution) for distribution in distributions()]
    for name, distribution in sorted(found, key=lambda pair: pair[0]):
        text = distribution.read_text("entry_points.txt")
        if text and group in text:
            yield from _parse(text, group, name or "?", distribution.version if name else "")


def _name(distribution: Distribution) -> str:
    """What a distribution is called; nothing for one without readable metadata, which is none of ours."""
    try:
        return str(distribution.metadata["Name"] or "")
    except Exception:
        return ""
