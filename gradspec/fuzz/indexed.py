"""Calls of ops that pick and write by number, whose arguments must fit their tensors' shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import category

if TYPE_CHECKING:
    from random import Random

    from gradspec.fuzz.scout import Known

__all__ = ["INDEXED"]

Live = Mapping[str, "Known"]
Shape = tuple[int, ...]


def _numbers(rng: Random, shape: Shape, size: int, low: int = 0) -> str:
    """A tensor of numbers from low to size − 1."""

    def rows(sizes: Shape) -> Any:
        return [rows(sizes[1:]) for _ in range(sizes[0])] if sizes else rng.randrange(low, size)

    return f"tensor({rows(shape)})"


def _slices(rng: Random, live: Live, x: str) -> tuple[int, int, Shape] | None:
    """A dim, how many slices along it, and their shape; None for a tensor with none."""
    shape = live[x].shape
    if not shape or 0 in shape:
        return None
    dim, count = rng.randrange(len(shape)), rng.randrange(1, 4)
    return dim, count, (*shape[:dim], count, *shape[dim + 1 :])


def _source(rng: Random, live: Live, x: str, shape: Shape) -> str | None:
    fits = [name for name, known in live.items() if known.shape == shape and known.dtype == live[x].dtype]
    return rng.choice(fits) if fits else None


def _index_select(rng: Random, live: Live, x: str) -> str | None:
    slices = _slices(rng, live, x)
    return None if slices is None else (
        f"{x}, {slices[0]}, {_numbers(rng, (slices[1],), live[x].shape[slices[0]])}"
    )  # fmt: skip


def _index_add(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    if not shape or 0 in shape:
        return None
    dim = rng.randrange(len(shape))
    source = _source(rng, live, x, shape)  # as many slices as there are, some perhaps twice
    index = _numbers(rng, (shape[dim],), shape[dim])
    return f"{x}, {dim}, {index}, {source}" if source else None


def _index_copy(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    if not shape or 0 in shape:
        return None
    dim = rng.randrange(len(shape))
    source = _source(rng, live, x, shape)
    order = rng.sample(range(shape[dim]), shape[dim])
    return f"{x}, {dim}, tensor({order}), {source}" if source else None


def _take(rng: Random, live: Live, x: str) -> str | None:
    count = prod(live[x].shape)
    return f"{x}, {_numbers(rng, (rng.randrange(1, 4),), count, -count)}" if count else None


def _embedding(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    if len(shape) != 2 or not shape[0]:
        return None
    padding = f", padding_idx={rng.randrange(shape[0])}" if rng.random() < 0.3 else ""
    return f"{_numbers(rng, (rng.randrange(1, 4),), shape[0])}, {x}{padding}"


def _index_put(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    if not shape or 0 in shape:
        return None
    values = _source(rng, live, x, shape[1:])
    if values is None:
        return None
    # one place: which of several values stays in a repeated one is open
    many = rng.randrange(1, 3) if (adds := rng.random() < 0.5) else 1
    index = _numbers(rng, (many,), shape[0], -shape[0])
    return f"{x}, [{index}], {values}" + (", accumulate=True" if adds else "")


def _scatter(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    if not shape or 0 in shape:
        return None
    dim = rng.randrange(len(shape))
    places = tuple(1 if axis == dim else rng.randrange(1, size + 1) for axis, size in enumerate(shape))
    source = _source(rng, live, x, places) if category(live[x].dtype) >= 2 else None
    return f"{x}, {dim}, {_numbers(rng, places, shape[dim])}, {source or 2}"


def _scatter_add(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    if not shape or 0 in shape:
        return None
    dim = rng.randrange(len(shape))
    source = _source(rng, live, x, shape)
    return f"{x}, {dim}, {_numbers(rng, shape, shape[dim])}, {source}" if source else None


def _repeat(rng: Random, live: Live, x: str) -> str:
    return f"{x}, {[rng.randrange(1, 3) for _ in range(len(live[x].shape) + rng.randrange(2))]}"


def _unbind(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    return f"{x}, {rng.randrange(len(shape))}" if shape else None


def _chunk(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    return f"{x}, {rng.randrange(1, 4)}, {rng.randrange(len(shape))}" if shape else None


def _narrow(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    if not shape:
        return None
    dim = rng.randrange(len(shape))
    start = rng.randrange(shape[dim] + 1)
    return f"{x}, {dim}, {start}, {rng.randrange(shape[dim] - start + 1)}"


def _diagonal(rng: Random, live: Live, x: str) -> str | None:
    count = len(live[x].shape)
    if count < 2:
        return None
    first, second = rng.sample(range(count), 2)
    return f"{x}, {rng.randrange(-1, 2)}, {first}, {second}"


def _square(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    return x if len(shape) > 1 and shape[-1] == shape[-2] else None


def _fft(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    return f"{x}, dim={rng.randrange(len(shape))}" if shape and 0 not in shape else None


INDEXED: dict[str, Callable[[Any, Any, str], str | None]] = {
    "index_select": _index_select, "index_add": _index_add, "index_copy": _index_copy, "take": _take,
    "embedding": _embedding, "index_put": _index_put, "scatter": _scatter, "scatter_add": _scatter_add,
    "repeat": _repeat, "unbind": _unbind, "chunk": _chunk, "narrow": _narrow, "diagonal": _diagonal,
    "det": _square, "logdet": _square, "linalg.det": _square, "fft.fft": _fft, "fft.ifft": _fft,
}  # fmt: skip
