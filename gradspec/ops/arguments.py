"""Reading the arguments of ops as torch does: dims, sizes, broadcasting. Faults are ProgramErrors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any

from gradspec.dtypes import category
from gradspec.errors import ProgramError

__all__ = [
    "always", "axes_of", "axis_of", "broadcast", "broadcast_shapes", "check_axes", "check_axis",
    "drops_imaginary_part", "dtype_of", "each", "fault", "int64_if_integral", "keeps_dtype", "rank_of",
    "reduced_shape", "resolved_size", "shape_of",
]  # fmt: skip

Shape = tuple[int, ...]


def always(**_: Any) -> bool:
    """A fact that holds whatever the arguments."""
    return True


def fault(code: str, message: str) -> ProgramError:
    """The error of a wrong argument, to be raised."""
    return ProgramError(code, message)


def shape_of(operand: Any) -> Shape:
    """The shape of a meta; () for a number in a tensor's place."""
    return tuple(getattr(operand, "shape", ()))


def dtype_of(operand: Any) -> str | None:
    """The dtype of a meta; None for a number in a tensor's place."""
    return getattr(operand, "dtype", None)


def rank_of(pair: Any) -> str | None:
    """The rank word of a tensor's (dtype, rank) pair; None where no tensor was given."""
    return pair[1] if pair is not None else None


def axis_of(dim: int, ndim: int) -> int:
    """A dim counted from the front. A 0-d tensor takes dims 0 and -1, as if it had one axis.

    Raises dim-out-of-range.
    """
    count = ndim or 1
    if not -count <= dim < count:
        raise fault("dim-out-of-range", f"dim {dim} is not in [{-count}, {count - 1}]")
    return dim + count if dim < 0 else dim


def axes_of(dim: int | Sequence[int] | None, ndim: int) -> Shape:
    """The axes a reduction runs over, in order; None and an empty list mean all of them.

    Raises dim-out-of-range and dim-repeated.
    """
    if dim is None or (not isinstance(dim, int) and not dim):
        return tuple(range(ndim))
    axes = [axis_of(d, ndim) for d in ((dim,) if isinstance(dim, int) else dim)]
    if len(set(axes)) < len(axes):
        raise fault("dim-repeated", f"a dim stands twice in {list(dim) if not isinstance(dim, int) else dim}")
    return tuple(sorted(axes)) if ndim else ()


def reduced_shape(shape: Shape, axes: Shape) -> Shape:
    """The shape after a reduction that keeps its axes with size 1."""
    return tuple(1 if axis in axes else size for axis, size in enumerate(shape))


def broadcast_shapes(shapes: Iterable[Shape]) -> Shape:
    """The common shape. Raises shape-mismatch."""
    result: list[int] = []
    given = [*shapes]
    for shape in given:
        result[:0] = [1] * (len(shape) - len(result))
        offset = len(result) - len(shape)
        for axis, size in enumerate(shape, offset):
            if size != 1 and result[axis] != 1 and size != result[axis]:
                text = " and ".join(str(list(shape)) for shape in given)
                raise fault("shape-mismatch", f"shapes {text} do not broadcast")
            if size != 1:
                result[axis] = size
    return tuple(result)


def broadcast(*names: str) -> Callable[..., None]:
    """A check: the named operands broadcast with each other."""

    def check(**given: Any) -> None:
        broadcast_shapes(shape_of(given[name]) for name in names if given.get(name) is not None)

    return check


def check_axis(name: str = "input") -> Callable[..., None]:
    """A check: `dim` is an axis of the named tensor, or None."""

    def check(**given: Any) -> None:
        if given.get("dim") is not None:
            axis_of(given["dim"], len(given[name].shape))

    return check


def check_axes(name: str = "input") -> Callable[..., None]:
    """A check: `dim` is None, an axis or several different axes of the named tensor."""

    def check(**given: Any) -> None:
        axes_of(given.get("dim"), len(given[name].shape))

    return check


def each(*checks: Callable[..., None]) -> Callable[..., None]:
    """A check made of several, in order."""

    def check(**given: Any) -> None:
        for one in checks:
            one(**given)

    return check


def keeps_dtype(input: Any, dtype: str | None, **_: Any) -> None:
    """A check of an in-place form: `dtype` is not another one than the tensor's."""
    if dtype not in (None, input.dtype):
        raise fault("dtype-mismatch", f"in place {input.dtype} stays {input.dtype}: dtype cannot be {dtype}")


def resolved_size(size: Sequence[int], count: int) -> Shape:
    """The shape for `count` elements, with a -1 worked out. Raises shape-mismatch and invalid-argument."""
    size = tuple(size)
    if any(n < -1 for n in size):
        raise fault("invalid-argument", f"size {list(size)} has a negative entry other than -1")
    free = size.count(-1)
    if free > 1:
        raise fault("invalid-argument", f"size {list(size)} leaves more than one entry open with -1")
    rest = prod(n for n in size if n != -1)
    if free and rest == 0 and count == 0:
        raise fault("shape-mismatch", f"-1 in {list(size)} could be anything: the tensor has no elements")
    if (free and (rest == 0 or count % rest)) or (not free and rest != count):
        raise fault("shape-mismatch", f"{count} elements do not fit shape {list(size)}")
    return tuple(count // rest if n == -1 else n for n in size)


def drops_imaginary_part(input: Any, dtype: str | None, **_: Any) -> tuple[tuple[str, str], ...]:
    """A fact `warns`: complex elements are cast to a real dtype. As in torch, bool goes unnoticed."""
    if category(input.dtype) == 3 and prod(input.shape) and dtype is not None and 0 < category(dtype) < 3:
        return (("complex-to-real", f"casting {input.dtype} to {dtype} drops the imaginary part"),)
    return ()


def int64_if_integral(dtypes: dict[str, Any], statics: dict[str, Any]) -> tuple[str, str]:
    """The dtype policy of sums: `dtype` if given, else int64 for integers and bool, else the input's."""
    dtype = statics.get("dtype") or dtypes["input"][0]
    if not statics.get("dtype") and category(dtype) < 2:
        dtype = "int64"
    return dtype, dtype
