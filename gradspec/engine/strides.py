"""How a tensor lies in memory: its strides, in elements, and where it begins.

Kept for tensors that are views, or were made of views; every other tensor is contiguous.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from gradspec.records import NamedTuple

__all__ = [
    "Layout",
    "contiguous",
    "is_dense",
    "may_overlap",
    "obeys",
    "expanded",
    "of_elementwise",
    "spread_over",
]

Ints = tuple[int, ...]


class Layout(NamedTuple):
    """`offset` and `strides` in elements of the tensor's own dtype."""

    strides: Ints
    offset: int = 0


def contiguous(shape: Ints) -> Ints:
    """The strides of a tensor in C order; sizes of 0 count as 1."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(strides[::-1])


def is_dense(shape: Ints, strides: Ints) -> bool:
    """Whether the elements fill a stretch of memory without gaps and repeats."""
    step = 1
    for stride, size in sorted(
        (stride, size) for size, stride in zip(shape, strides, strict=True) if size != 1
    ):
        if stride != step:
            return not prod(shape)
        step *= size
    return True


def may_overlap(shape: Ints, strides: Ints) -> bool:
    """Whether elements may share a place otherwise than by steps of 0."""
    if not prod(shape):
        return False
    reach = 0
    for stride, size in sorted(
        (stride, size) for size, stride in zip(shape, strides, strict=True) if size != 1 and stride
    ):
        if stride <= reach:
            return True
        reach += stride * (size - 1)
    return False


def obeys(shape: Ints, grad: Ints, leaf: Ints) -> bool:
    """Whether a gradient lies as torch wants it to: like its leaf if that is dense, else contiguous."""
    wanted = leaf if is_dense(shape, leaf) else contiguous(shape)
    return all(a == b if size != 1 else a != 0 for size, a, b in zip(shape, grad, wanted, strict=True))


def of_elementwise(shape: Ints, operands: Sequence[tuple[Ints, Ints]]) -> Ints:
    """The strides of an elementwise result of `shape`; `operands` are (shape, strides) pairs.

    As in torch the result lies as its operands do: axes are sorted by the strides of the first operand
    that tells them apart, and the result is dense in that order.
    """
    if all(have == shape and _is_contiguous(have, strides) for have, strides in operands):
        return contiguous(shape)
    own = {(have, strides) for have, strides in operands}
    if len(own) == 1:
        (have, strides) = own.pop()
        if have == shape and is_dense(shape, strides):
            return strides
    spread = [_spread(shape, have, strides) for have, strides in operands]
    order = list(range(len(shape)))[::-1]
    for i in range(1, len(order)):
        here = i
        for other in range(i - 1, -1, -1):
            after = _after(shape, spread, order[other], order[here])
            if after > 0:
                order[other], order[here] = order[here], order[other]
                here = other
            elif after < 0:
                break
    if order == sorted(order, reverse=True):
        return contiguous(shape)
    strides_of, step = [0] * len(shape), 1
    for axis in order:
        strides_of[axis] = step
        step *= shape[axis]  # behind an axis without elements nothing is apart
    return tuple(strides_of)


def _is_contiguous(shape: Ints, strides: Ints) -> bool:
    """In C order, whatever the steps along axes of size 1; what has no elements is in any order."""
    return 0 in shape or all(
        size == 1 or step == wanted
        for size, step, wanted in zip(shape, strides, contiguous(shape), strict=True)
    )


def spread_over(shape: Ints, strides: Ints, size: Ints) -> Ints:
    """The strides of a tensor broadcast to `size` for an assignment; axes of size 1 in front go first."""
    while shape and shape[0] == 1:
        shape, strides = shape[1:], strides[1:]
    return expanded(shape, strides, size)


def expanded(shape: Ints, strides: Ints, size: Ints) -> Ints:
    """The strides of a tensor repeated along axes, where the step is 0, to the shape `size`."""
    if not shape:
        return (0,) * len(size)
    lead = len(size) - len(shape)
    found = list(strides)
    for axis, have in enumerate(shape):
        if have != size[lead + axis]:
            found[axis] = 0
    for axis in reversed(range(lead)):
        found.insert(0, found[0] * size[axis + 1] if size[axis] == 1 else 0)
    return tuple(found)


def _spread(shape: Ints, have: Ints, strides: Ints) -> Ints:
    """An operand's strides over the common shape, 0 where it is broadcast."""
    lead = len(shape) - len(have)
    return (
        *(0,) * lead,
        *(
            0 if size == 1 and shape[lead + axis] != 1 else stride
            for axis, (size, stride) in enumerate(zip(have, strides, strict=True))
        ),
    )


def _after(shape: Ints, operands: Sequence[Ints], first: int, second: int) -> int:
    """1 if axis `first` should come after `second`, −1 if before, 0 where no operand tells."""
    for strides in operands:
        a, b = strides[first], strides[second]
        if not a or not b:
            continue
        if a != b:
            return -1 if a < b else 1
        if shape[first] > shape[second]:
            return 1
    return 0
