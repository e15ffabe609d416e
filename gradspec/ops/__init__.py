"""All ops. Importing this package registers every family."""

from gradspec.ops.registry import Op, registry

__all__ = ["Op", "registry"]
