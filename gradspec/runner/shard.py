"""Dividing specs among machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from gradspec.spec.model import Spec

__all__ = ["shard"]


def shard(specs: Sequence[Spec], number: int, count: int) -> list[Spec]:
    """The specs of shard `number` of `count`, counted from 1.

    By a hash of the id alone: a spec stays in its shard whatever is added, and where the machines do
    not agree about anything else.
    """
    return [spec for spec in specs if crc32(spec.id.encode()) % count == number - 1]
