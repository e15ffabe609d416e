"""What a shell may complete: backends, ids, tags and ops. Nothing is imported before a shell asks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

__all__ = ["backends", "ids", "op_names", "tags"]

_ID = re.compile(r"^\s*(?:-\s+)?id:\s*([a-z0-9_.-]+)", re.MULTILINE)
_TAGS = re.compile(r"^\s*(?:-\s+)?tags:\s*\[([^\]\n]*)\]", re.MULTILINE)
_LONGEST = 2**20  # letters of a file that are looked at


def backends(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Backends by name, those of plugins too; none is imported."""
    from gradspec.plugins import list_backends

    return _fitting(incomplete, (row.name for row in list_backends()))


def ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Ids of the specs that the command would load. The files are skimmed, not read as specs."""
    return _fitting(incomplete, (name for text in _texts(ctx) for name in _ID.findall(text)))


def tags(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Tags of the same specs."""
    found = (tag.strip() for text in _texts(ctx) for some in _TAGS.findall(text) for tag in some.split(","))
    return _fitting(incomplete, filter(None, found))


def op_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Ops by name."""
    from gradspec.ops import registry

    return _fitting(incomplete, (op.name for op in registry.values() if not op.internal))


def _fitting(incomplete: str, words: Iterable[str]) -> list[str]:
    return sorted({word for word in words if word.startswith(incomplete)})


def _texts(ctx: click.Context) -> Iterable[str]:
    from gradspec.cli.options import default_paths
    from gradspec.errors import GradspecError
    from gradspec.spec.load import find_files

    named = ctx.params.get("paths") or ctx.params.get("file")
    try:
        paths = ([named] if isinstance(named, str) else list(named)) if named else default_paths()
    except GradspecError:
        return
    for path in paths:
        for file in find_files(path):
            try:
                with open(file, encoding="utf-8", errors="replace") as stream:
                    yield stream.read(_LONGEST)
            except OSError:
                continue
