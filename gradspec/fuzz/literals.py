"""Random numbers and arrays, short to read and mostly exact in every floating dtype."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.dense import Dense, round_to
from gradspec.dtypes import category

if TYPE_CHECKING:
    from random import Random

__all__ = ["array", "dense_of", "number_text", "shape"]


def _real(rng: Random, low: float) -> float:
    """Mostly eighths between low and 2, so that much arithmetic is exact and ties come up; some decimals."""
    if rng.random() < 0.25:
        return round(rng.uniform(low, 2.0), 2)
    return rng.randrange(int(low * 8), 17) / 8


def array(rng: Random, sizes: tuple[int, ...], dtype: str, low: float = -2.0) -> Any:
    """Nested lists of the given shape, as a spec's `data` has them."""
    if sizes:
        return [array(rng, sizes[1:], dtype, low) for _ in range(sizes[0])]
    kind = category(dtype)
    if kind == 0:
        return rng.random() < 0.5
    if kind == 1:
        return rng.randrange(0 if dtype == "uint8" else int(low), 4)
    if kind == 2:
        return _real(rng, low)
    re, im = _real(rng, low), _real(rng, low)
    return f"{re}{im:+}j"


def dense_of(data: Any, sizes: tuple[int, ...], dtype: str) -> Dense:
    """What `array` made, as an array."""
    flat = [data]
    for _ in sizes:
        flat = [entry for part in flat for entry in part]
    numbers = [complex(entry) if isinstance(entry, str) else entry for entry in flat]
    return Dense(dtype, sizes, [round_to(number, dtype) for number in numbers])


def shape(rng: Random) -> tuple[int, ...]:
    """Of rank 0 to 3, sizes 1 to 4, seldom 0."""
    ndim = rng.choice((0, 1, 1, 1, 2, 2, 2, 3))
    return tuple(0 if rng.random() < 0.02 else rng.choice((1, 2, 2, 3, 3, 4)) for _ in range(ndim))


def number_text(rng: Random, dtype: str) -> str:
    """A literal to stand beside a tensor of this dtype."""
    kind = rng.random()
    if category(dtype) == 3 and kind < 0.3:
        return rng.choice(("2j", "1.5j"))
    if kind < 0.4 or category(dtype) < 2:
        return rng.choice(("2", "3", "-1", "1"))
    return rng.choice(("0.5", "2.0", "-1.5", "0.25", "3.0"))
