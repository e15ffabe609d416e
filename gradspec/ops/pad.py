"""Padding: by a constant, or by what is near the border."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradspec.ops.arguments import fault
from gradspec.ops.registry import KEEP, Array, Size, Tensor, Xp, linear
from gradspec.ops.samples import sample, uniform
from gradspec.records import NamedTuple

__all__ = ["pad", "pad_border"]

MODES = ("constant", "reflect", "replicate", "circular")
Widths = tuple[tuple[int, int], ...]


def _widths(pad: Sequence[int], ndim: int) -> Widths:
    """(before, after) for every axis, from pairs that start at the last one."""
    given = [(pad[k], pad[k + 1]) for k in range(0, len(pad), 2)]
    return ((0, 0),) * (ndim - len(given)) + tuple(reversed(given))


def _check(input: Any, pad: Sequence[int], mode: str, value: Any, **_: Any) -> None:
    shape = input.shape
    if mode not in MODES:
        raise fault("invalid-argument", f'pad has the modes {", ".join(MODES)}, not "{mode}"')
    if len(pad) % 2 or len(pad) > 2 * len(shape):
        raise fault(
            "invalid-argument",
            f"{list(pad)} is no list of (before, after) pairs for at most {len(shape)} axes",
        )
    widths = _widths(pad, len(shape))
    if any(size + before + after < 0 for size, (before, after) in zip(shape, widths, strict=True)):
        raise fault("shape-mismatch", f"pad {list(pad)} crops more than shape {list(shape)} has")
    if mode == "constant":
        return
    if input.dtype == "bool" and mode != "circular":
        raise fault("dtype-unsupported", f"mode {mode} does not take bool tensors")
    if value not in (None, 0):
        raise fault("invalid-argument", f"mode {mode} takes no value")
    axes = len(pad) // 2
    if axes > 3 or len(shape) not in (axes + 1, axes + 2):
        raise fault("invalid-argument", f"mode {mode} pads the last 1 to 3 axes behind one or two others")
    for size, around in zip(shape[-axes:], widths[-axes:], strict=True):
        if mode == "reflect" and max(around) >= size:
            raise fault(
                "shape-mismatch",
                f"an axis of size {size} reflects fewer than {size} elements, not {max(around)}",
            )
        if mode == "circular" and max(around) > size:
            raise fault(
                "shape-mismatch", f"an axis of size {size} goes around once, it has no {max(around)} elements"
            )
        if size == 0 and max(around) > 0:
            raise fault("shape-mismatch", f"mode {mode} has nothing to pad an empty axis with")


def _node(pad: Sequence[int], mode: str, **_: Any) -> str:
    if mode == "circular":
        return "CopySlices"
    return f"{'Reflection' if mode == 'reflect' else 'Replication'}Pad{len(pad) // 2}DBackward0"


def _in_pieces(mode: str, **_: Any) -> bool:
    return mode == "circular"


def _from_the_border(F: Any, input: Any, pad: Any, mode: str, value: Any) -> Any:
    return F.pad_border(input, pad, mode)


def _unless_constant(mode: str, **_: Any) -> Any:
    return None if mode == "constant" else _from_the_border


class _Piece(NamedTuple):
    """Part of a padded axis: elements start to stop of the axis, turned around, or one of them repeated."""

    start: int
    stop: int
    turned: bool = False
    times: int = 1


def _pieces(mode: str, size: int, before: int, after: int) -> list[_Piece]:
    """What a padded axis is made of, in order."""
    middle = _Piece(max(0, -before), size - max(0, -after))
    before, after = max(0, before), max(0, after)
    if mode == "reflect":
        first, last = _Piece(1, 1 + before, turned=True), _Piece(size - 1 - after, size - 1, turned=True)
    elif mode == "circular":
        first, last = _Piece(size - before, size), _Piece(0, after)
    else:
        first, last = _Piece(0, 1, times=before), _Piece(size - 1, size, times=after)
    return [*([first] if before else []), middle, *([last] if after else [])]


def _extend(xp: Xp, x: Array, shape: tuple[int, ...], axis: int, pieces: list[_Piece]) -> Array:
    """x with one axis rebuilt from pieces of it."""
    parts = []
    for piece in pieces:
        part = xp.getitem(x, (*(slice(None),) * axis, slice(piece.start, piece.stop)))
        part = xp.flip(part, (axis,)) if piece.turned else part
        if piece.times > 1:
            part = xp.broadcast_to(part, (*shape[:axis], piece.times, *shape[axis + 1 :]))
        parts.append(part)
    return xp.concat(parts, axis)


def _collect(xp: Xp, ct: Array, shape: tuple[int, ...], axis: int, pieces: list[_Piece]) -> Array:
    """The transpose of `_extend`: each piece's cotangent back where the piece came from, added up.

    `shape`: of x, before the axis was rebuilt.
    """
    total, start = None, 0
    for piece in pieces:
        length = (piece.stop - piece.start) * piece.times
        part = xp.getitem(ct, (*(slice(None),) * axis, slice(start, start + length)))
        start += length
        part = xp.flip(part, (axis,)) if piece.turned else part
        part = xp.sum(part, (axis,), True) if piece.times > 1 else part
        around = [(0, 0)] * len(shape)
        around[axis] = (piece.start, shape[axis] - piece.stop)
        part = xp.pad(part, tuple(around))
        total = part if total is None else xp.add(total, part)
    return total


@linear(
    node="ConstantPadNdBackward0",
    dtypes=KEEP,
    iterates=lambda pad, **_: max(pad, default=0) <= 0,  # what is only cut is a copy of the rest
    check=_check,
    expand=_unless_constant,
    samples=(
        sample(input=uniform(3), pad=[1, 2]),
        sample(input=uniform(2, 3), pad=[0, 1, 2, 0], value=1.5),
        sample(input=uniform(2, 3), pad=[-1, 1]),
        sample(input=uniform(0), pad=[1, 1]),
        sample(input=uniform(2), pad=[]),
        sample(input=uniform(2, 4), pad=[2, 1], mode="reflect"),
        sample(input=uniform(2, 4), pad=[2, 1], mode="replicate"),
        sample(input=uniform(2, 4), pad=[2, 1], mode="circular"),
        sample(input=uniform(1, 3, 4), pad=[1, 2, 2, 0], mode="reflect"),
        sample(input=uniform(1, 3, 4), pad=[1, 2, 0, 3], mode="replicate"),
        sample(input=uniform(1, 1, 3, 4), pad=[1, 2, 2, 0], mode="circular"),
    ),
)
def pad(xp: Xp, input: Tensor, pad: Size, mode: str = "constant", value: float | None = None) -> Tensor:
    """input with more elements around it. `pad`: (before, after) pairs, the last axis first; negative crops.

    mode "constant" fills with `value` (0), "reflect" mirrors without the border element,
    "replicate" repeats the border element, "circular" goes around.

    Source: linear; the transpose adds what came from one element back onto it.
    """
    shape = xp.shape(input)
    return xp.pad(input, _widths(pad, len(shape)), 0 if value is None else value) if shape else input


@pad.adjoint("input")
def _(xp: Xp, ct: Array, input_meta: Any, pad: Sequence[int]) -> Array:
    shape = input_meta.shape
    cropped = tuple((-before, -after) for before, after in _widths(pad, len(shape)))
    return xp.pad(ct, cropped) if shape else ct


@linear(node=_node, hides=_in_pieces, dtypes=KEEP, internal=True)
def pad_border(xp: Xp, input: Tensor, pad: Size, mode: str) -> Tensor:
    """pad in the modes that fill with elements of input.

    Source: linear; the transpose adds what came from one element back onto it.
    """
    shape = xp.shape(input)
    for axis, (before, after) in enumerate(_widths(pad, len(shape))):
        if before or after:
            input = _extend(xp, input, shape, axis, _pieces(mode, shape[axis], before, after))
            shape = (*shape[:axis], shape[axis] + before + after, *shape[axis + 1 :])
    return input


@pad_border.adjoint("input")
def _(xp: Xp, ct: Array, input: Array, input_meta: Any, pad: Sequence[int], mode: str) -> Array:
    # input is not needed here, but torch saves it, and to change it in place before backward is an error
    shape = input_meta.shape
    widths = _widths(pad, len(shape))
    padded = [size + before + after for size, (before, after) in zip(shape, widths, strict=True)]
    for axis in reversed(range(len(shape))):
        before, after = widths[axis]
        if before or after:
            before_this = (*padded[:axis], *shape[axis:])
            ct = _collect(xp, ct, before_this, axis, _pieces(mode, shape[axis], before, after))
    return ct
