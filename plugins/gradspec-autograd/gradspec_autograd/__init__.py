"""HIPS autograd as a backend of gradspec."""

from __future__ import annotations

from gradspec_autograd.backend import AutogradBackend

__all__ = ["AutogradBackend"]
