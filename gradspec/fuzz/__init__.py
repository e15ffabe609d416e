"""Random programs on two backends: do they see the same?"""

from __future__ import annotations

__all__: list[str] = []
