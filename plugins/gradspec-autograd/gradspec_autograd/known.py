"""What is known to differ on HIPS autograd, as gradspec asks its plugins for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from gradspec.hookspecs import hookimpl

__all__ = ["gradspec_known_failures"]

FILE = Path(__file__).with_name("known_differences.yaml")


@hookimpl
def gradspec_known_failures(backend: str) -> Mapping[str, str]:
    """Glob over spec ids → reason, for this plugin's backend alone."""
    if backend != "autograd":
        return {}
    known: Mapping[str, str] = yaml.safe_load(FILE.read_text(encoding="utf-8")) or {}
    return known
