"""All ops. Importing this package registers every family."""

from __future__ import annotations

# isort: off
from gradspec.ops import (
    unary,
    binary,
    compare,
    creation,
    complex,
    reduce,
    shape,
    pad,
    indexing,
    linalg,
    einsum,
    activation,
    recorded,
)

# isort: on
from gradspec.ops.registry import Op, registry

__all__ = ["Op", "registry"]

# One order, whoever imports what first: it is that of `gradspec ops`.
FAMILIES = (
    unary,
    binary,
    compare,
    creation,
    complex,
    reduce,
    shape,
    pad,
    indexing,
    linalg,
    einsum,
    activation,
    recorded,
)
