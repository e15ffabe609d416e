"""One expected array against one observed array.

Shapes agree exactly and nothing broadcasts; integers and booleans are equal or not; floating
numbers agree within a tolerance, where NaN equals NaN, and the sign of an infinity and of an
expected -0.0 count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gradspec.dense import Dense, round_to
from gradspec.dtypes import category, default_tolerance, real_of
from gradspec.records import NamedTuple
from gradspec.runner import show

if TYPE_CHECKING:
    from gradspec.spec.model import Tolerance

__all__ = ["Bound", "Difference", "bound_for", "compare", "ulps_between"]

_BITS = {"bfloat16": 8, "float16": 11, "float32": 24, "float64": 53}  # of the significand
_CATEGORIES = ("bool", "an integer", "a floating", "a complex")


class Bound(NamedTuple):
    """What counts as equal: |expected - got| <= atol + rtol·|expected|, or at most `ulp` steps apart.

    A floating result less precise than `dtype` is wrong whatever its numbers.
    """

    dtype: str
    rtol: float
    atol: float
    ulp: int | None = None


class Difference(NamedTuple):
    """How an observed array differs from the expected one; everything in it is plain data.

    `worst` is the index of the worst element, None where the arrays could not be compared element by
    element (then `summary` says why). `abs`, `rel` and `ulp` are the worst element's distances.
    """

    summary: str
    expected: str
    got: str
    shape: tuple[int, ...] = ()
    worst: tuple[int, ...] | None = None
    wrong: int = 0
    size: int = 0
    abs: float | None = None
    rel: float | None = None
    ulp: int | None = None
    bound: str = ""


def bound_for(dtypes: Iterable[str], tolerance: Tolerance | None) -> Bound:
    """The bound of a check. `dtypes` are the spec's, those its tensors declare and the check's own;
    the least precise floating one decides the default, of which `tolerance` replaces what it names."""
    parts = {real_of(dtype) for dtype in dtypes if category(dtype) >= 2}
    dtype = min(parts, key=_BITS.__getitem__) if parts else "float64"
    rtol, atol = default_tolerance(dtype)
    if tolerance is None:
        return Bound(dtype, rtol, atol)
    if tolerance.ulp is not None:
        return Bound(dtype, 0.0, 0.0, tolerance.ulp)
    return Bound(
        dtype,
        rtol if tolerance.rtol is None else tolerance.rtol,
        atol if tolerance.atol is None else tolerance.atol,
    )


def compare(expected: Dense, got: Dense, bound: Bound, bare: bool = True) -> Difference | None:
    """None where `got` is what was expected. `bare` says that `expected` names no dtype of its own:
    its integers then stand for any number and its floating numbers for any floating dtype."""
    if expected.shape != got.shape:
        return _apart(expected, got, f"expected shape {list(expected.shape)}, got {list(got.shape)}")
    if wrong_dtype := _dtype_fault(expected, got, bound, bare):
        return _apart(expected, got, wrong_dtype)
    want, have = expected.flat(), got.flat()
    if category(got.dtype) < 2:
        bad = [i for i, (e, g) in enumerate(zip(want, have, strict=True)) if e != g]
    elif want == have and not any(e == 0 and _minus(e) for e in want if e == 0):
        return None
    else:
        bad = _outside(want, have, got.dtype, bound)
    return _describe(want, have, bad, got, bound) if bad else None


def _apart(expected: Dense, got: Dense, summary: str) -> Difference:
    return Difference(summary, show.array(expected), show.array(got), got.shape, size=got.size)


def _dtype_fault(expected: Dense, got: Dense, bound: Bound, bare: bool) -> str:
    """Why a result of this dtype is wrong whatever its numbers, or ''."""
    if not bare:
        return "" if expected.dtype == got.dtype else f"expected dtype {expected.dtype}, got {got.dtype}"
    want, have = category(expected.dtype), category(got.dtype)
    if expected.size and (have < want or (want == 0 != have) or (have == 0 != want)):
        return f"expected {_CATEGORIES[want]} result, got {got.dtype}"
    if have >= 2 and _BITS[real_of(got.dtype)] < _BITS[bound.dtype]:
        return f"got {got.dtype}, which is less precise than {bound.dtype}"
    return ""


def _outside(want: list[Any], have: list[Any], dtype: str, bound: Bound) -> list[int]:
    """The indices of the elements that are not as expected."""
    rtol, atol, inf = bound.rtol, bound.atol, math.inf
    bad = []
    for i, (e, g) in enumerate(zip(want, have, strict=True)):
        near = abs(e - g)
        if near <= atol + rtol * abs(e) and near != inf and (e != 0 or not _minus(e) or _minus(g)):
            continue
        if not _same(e, g, dtype, bound):
            bad.append(i)
    return bad


def _same(e: Any, g: Any, dtype: str, bound: Bound) -> bool:
    """The cases that a distance does not settle: NaN, infinities, zeros, ulps, parts of a complex number."""
    if isinstance(e, complex) or isinstance(g, complex):
        e, g = complex(e), complex(g)
        if bound.ulp is None and _finite(e) and _finite(g):
            return bool(_rounded(e, dtype) == g)
        part = real_of(dtype)
        return all(
            (a == 0 == b)
            or abs(a - b) <= bound.atol + bound.rtol * abs(a) < math.inf
            or _same(a, b, part, bound)
            for a, b in ((e.real, g.real), (e.imag, g.imag))
        )
    if e != e or g != g:
        return bool(e != e and g != g)
    if e == 0 and _minus(e) and not _minus(g):
        return False
    if _rounded(e, dtype) == g:
        return True
    return bound.ulp is not None and ulps_between(e, g, dtype) <= bound.ulp


def _rounded(value: Any, dtype: str) -> Any:
    """`value` as the nearest number of `dtype`: an expected 1/3 is the float32 next to it."""
    return round_to(value, dtype)


def _finite(value: complex) -> bool:
    return math.isfinite(value.real) and math.isfinite(value.imag)


def _minus(value: Any) -> bool:
    """Whether a real number carries a minus sign. The zero parts of a complex one are not judged:
    `-2j` is written as (-0.0, -2.0) by arithmetic alone."""
    return isinstance(value, float) and math.copysign(1.0, value) < 0


def ulps_between(a: float, b: float, dtype: str) -> float:
    """How many numbers of `dtype` lie from `a` to `b`; inf where either is not finite."""
    a, b = round_to(a, dtype), round_to(b, dtype)
    if not (math.isfinite(a) and math.isfinite(b)):
        return 0 if a == b else math.inf
    return abs(_ordinal(a, dtype) - _ordinal(b, dtype))


def _ordinal(value: float, dtype: str) -> int:
    """The position of a number among all of its dtype, 0 for both zeros."""
    import struct

    code, unsigned, shift = {
        "float16": ("<e", "<H", 0),
        "bfloat16": ("<f", "<I", 16),
        "float32": ("<f", "<I", 0),
    }.get(dtype, ("<d", "<Q", 0))
    (bits,) = struct.unpack(unsigned, struct.pack(code, abs(value)))
    place = int(bits) >> shift
    return -place if value < 0 else place


def _describe(want: list[Any], have: list[Any], bad: list[int], got: Dense, bound: Bound) -> Difference:
    worst = max(bad, key=lambda i: _badness(want[i], have[i], bound))
    e, g = want[worst], have[worst]
    exact = category(got.dtype) < 2
    distance = abs(e - g)
    finite = distance == distance and distance != math.inf
    size = len(want)
    what = "different" if exact else "outside"
    return Difference(
        summary=f"{len(bad)} of {size} {what}",
        expected=show.number(e, got.dtype),
        got=show.number(g, got.dtype),
        shape=got.shape,
        worst=_unravel(worst, got.shape),
        wrong=len(bad),
        size=size,
        abs=float(distance) if finite else None,
        rel=float(distance / abs(e)) if finite and e != 0 else None,
        ulp=_whole_ulps(e, g, got.dtype) if finite and not exact else None,
        bound="" if exact else _bound_text(e, bound, got.dtype),
    )


def _badness(e: Any, g: Any, bound: Bound) -> float:
    distance = abs(e - g)
    if distance != distance:
        return math.inf
    return float(distance / (bound.atol + bound.rtol * abs(e) or 1.0)) if distance != math.inf else math.inf


def _whole_ulps(e: Any, g: Any, dtype: str) -> int | None:
    if isinstance(e, complex) or isinstance(g, complex):
        e, g = complex(e), complex(g)
        parts = (ulps_between(e.real, g.real, real_of(dtype)), ulps_between(e.imag, g.imag, real_of(dtype)))
        steps = max(parts)
    else:
        steps = ulps_between(e, g, dtype)
    return int(steps) if steps != math.inf else None


def _bound_text(e: Any, bound: Bound, dtype: str) -> str:
    if bound.ulp is not None:
        return f"{bound.ulp} ulp"
    if bound.rtol == 0 == bound.atol:
        return "0"
    if not (math.isfinite(e.real) and math.isfinite(e.imag)):
        return ""
    return f"{bound.atol:g} + {bound.rtol:g}·|{show.number(e, dtype)}|"


def _unravel(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    index: list[int] = []
    for size in reversed(shape):
        flat, k = divmod(flat, size)
        index.append(k)
    return tuple(reversed(index))
