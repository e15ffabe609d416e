"""The few hooks of gradspec, carried by pluggy under the entry-point group `gradspec`.

A plugin is a module whose functions have these names and the mark `hookimpl`. Backends are no hooks:
they are entry points of the group `gradspec.backends`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["gradspec_known_failures", "gradspec_register_ops", "gradspec_reporters", "hookimpl"]

hookspec = pluggy.HookspecMarker("gradspec")
hookimpl = pluggy.HookimplMarker("gradspec")


@hookspec
def gradspec_register_ops(registry: Any) -> None:
    """Add ops: `registry.add(op)` for each, or import a module that uses the registry's decorators."""


@hookspec
def gradspec_reporters() -> Mapping[str, Any]:  # type: ignore[empty-body]  # plugins have the bodies
    """Reporters by the name that `--report NAME=FILE` gives: functions from a file to a fold over events."""


@hookspec
def gradspec_known_failures(backend: str) -> Mapping[str, str]:  # type: ignore[empty-body]
    """What is known to differ on a backend: glob over spec ids → reason."""
