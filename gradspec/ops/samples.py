"""Making the samples of ops: short words for the usual sets of shapes and dtypes."""

from __future__ import annotations

from typing import Any

from gradspec.dense import Dense
from gradspec.ops.registry import Sample

__all__ = ["bools", "ints", "pairs", "reals", "sample", "uniform"]

SHAPES: tuple[tuple[int, ...], ...] = ((), (3,), (2, 3), (0,), (2, 0, 3))
PAIRED: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((), ()), ((3,), (3,)), ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 2)),
    ((0, 3), (1, 3)),
)  # fmt: skip


def uniform(*shape: int, low: float = -2.0, high: float = 2.0) -> tuple[tuple[int, ...], float, float]:
    """A tensor of uniform reals in a sample."""
    return (shape, low, high)


def ints(data: list[int], shape: tuple[int, ...] | None = None) -> Dense:
    """An int64 tensor in a sample."""
    return Dense("int64", (len(data),) if shape is None else shape, data)


def bools(data: list[bool], shape: tuple[int, ...] | None = None) -> Dense:
    """A bool tensor in a sample."""
    return Dense("bool", (len(data),) if shape is None else shape, data)


def sample(note: str = "", **args: Any) -> Sample:
    """One sample."""
    return Sample(args, note)


def reals(low: float, high: float) -> tuple[Sample, ...]:
    """`input` of the usual shapes: 0-d, 1-d, 2-d, empty."""
    return tuple(Sample({"input": (shape, low, high)}) for shape in SHAPES)


def pairs(
    first: tuple[str, float, float], second: tuple[str, float, float], numbers: tuple[float, ...] = ()
) -> tuple[Sample, ...]:
    """Two operands (name, low, high) of equal and of broadcasting shapes; `numbers` stand for the second."""
    a, b = first, second
    tensors = tuple(Sample({a[0]: (s, a[1], a[2]), b[0]: (t, b[1], b[2])}) for s, t in PAIRED)
    return tensors + tuple(
        Sample({a[0]: ((2, 3), a[1], a[2]), b[0]: number}, "a number") for number in numbers
    )
