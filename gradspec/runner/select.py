"""Which specs of a suite are wanted: by id glob, by tag, by op, by scope."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradspec.spec.model import Spec

__all__ = ["fits", "ops_of", "select"]


def select(
    specs: Sequence[Spec],
    only: Sequence[str] = (),
    tags: Sequence[str] = (),
    ops: Sequence[str] = (),
    scopes: Sequence[str] = (),
) -> list[Spec]:
    """The specs that fit one of the id globs, have one of the tags, use one of the ops and are of one of
    the scopes.

    An empty list wants all. A glob without a dtype fits every dtype: `ops.exp` fits `ops.exp@float64`.
    """
    return [
        spec
        for spec in specs
        if (not only or any(fits(spec.id, glob) for glob in only))
        and (not tags or not set(tags).isdisjoint(spec.tags))
        and (not ops or not set(ops).isdisjoint(ops_of(spec)))
        and (not scopes or spec.scope in scopes)
    ]


def fits(name: str, glob: str) -> bool:
    """Whether the id `name` fits a glob, with its dtype or without."""
    return fnmatchcase(name, glob) or fnmatchcase(name.partition("@")[0], glob)


def ops_of(spec: Spec) -> set[str]:
    """The names of the ops a spec calls, `mul_` also as `mul`."""
    names = {call.op for call in spec.program.calls}
    return names | {name[:-1] for name in names if name.endswith("_") and not name.endswith("__")}
