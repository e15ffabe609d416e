"""Writing what a backend answers into the expectations of spec files, and nothing else."""

from __future__ import annotations

__all__: list[str] = []
