"""Philox4x64-10, the counter-based generator of Salmon, Moraes, Dror and Shaw ("Parallel random
numbers: as easy as 1, 2, 3", SC 2011), in the order in which NumPy's `Philox(key=seed)` gives it."""

from __future__ import annotations

__all__ = ["raw"]

_WORD = (1 << 64) - 1
_M0, _M1 = 0xD2E7470EE14C6C93, 0xCA5A826395121157
_W0, _W1 = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B


def raw(seed: int, count: int) -> list[int]:
    """The first `count` 64-bit words for the key `seed` (0 ≤ seed < 2¹²⁸)."""
    keys = []
    k0, k1 = seed & _WORD, seed >> 64
    for _ in range(10):
        keys.append((k0, k1))
        k0, k1 = (k0 + _W0) & _WORD, (k1 + _W1) & _WORD
    words: list[int] = []
    for counter in range(1, (count + 3) // 4 + 1):  # the counter is raised before it is used
        a, b, c, d = counter, 0, 0, 0
        for k0, k1 in keys:
            high, low = _M0 * a, _M1 * c
            a, b, c, d = (low >> 64) ^ b ^ k0, low & _WORD, (high >> 64) ^ d ^ k1, high & _WORD
        words += (a, b, c, d)
    return words[:count]
