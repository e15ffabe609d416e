"""What a wrong result looks like: one short phrase naming the usual mistake behind it, or nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradspec.dense import Dense

__all__ = ["pattern"]

_NEAR = 1e-4  # relative; a pattern is a guess at the mistake and need not be tight
_LIMIT = 100_000  # elements; larger arrays are not searched for a pattern


def pattern(expected: Dense, got: Dense, before: Dense | None = None) -> str:
    """The mistake that would give `got` for `expected`.

    `before` is what the same gradient was expected to be at the check before: with it a missing or
    repeated accumulation is recognised.
    """
    if expected.size > _LIMIT:
        return ""
    want, have = expected.flat(), got.flat()
    if expected.shape != got.shape:
        return "transposed" if _transposed(want, have, expected.shape, got.shape) else ""
    if not want:
        return ""
    if any(_nan(g) and not _nan(e) for e, g in zip(want, have, strict=True)):
        return "NaN"
    if not all(map(_plain, want)) or not all(map(_plain, have)) or isinstance(want[0], bool):
        return ""
    if any(want) and not any(have):
        return "zero instead of the value"
    if (
        before is not None
        and before.shape == expected.shape
        and (found := _accumulation(want, have, before.flat()))
    ):
        return found
    return _of_values(want, have, expected.shape)


def _of_values(want: list[Any], have: list[Any], shape: tuple[int, ...]) -> str:
    turned = [e.conjugate() for e in want]
    if turned != want and _close(turned, have):
        return "conjugate"
    if factor := _factor(want, have):
        return factor
    if _transposed(want, have, shape, shape):
        return "transposed"
    if len(want) > 1 and _close(sorted(want, key=_order), sorted(have, key=_order)):
        return "permuted"
    return ""


def _factor(want: list[Any], have: list[Any]) -> str:
    """The one number that all elements were multiplied by. Of a single element only the factors that
    a usual mistake gives are named, for any number is some multiple of another."""
    largest = max(range(len(want)), key=lambda i: abs(want[i]))
    if not want[largest]:
        return ""
    factor = have[largest] / want[largest]
    if not _close([e * factor for e in want], have):
        return ""
    if isinstance(factor, complex):
        if abs(factor.imag) > _NEAR * abs(factor):
            return f"a factor of {factor:.3g}" if len(want) > 1 else ""
        factor = factor.real
    for usual in (2, 0.5, 3, 4, 1 / 3, 0.25):
        for signed in (usual, -usual):
            if math.isclose(factor, signed, rel_tol=_NEAR):
                name = {0.5: "1/2", 1 / 3: "1/3", 0.25: "1/4"}.get(usual, str(usual))
                return f"a factor of {'-' if signed < 0 else ''}{name}"
    if math.isclose(factor, -1, rel_tol=_NEAR):
        return "the sign"
    alone = sum(1 for e in want if e) < 2
    return "" if alone or math.isclose(factor, 1, rel_tol=_NEAR) else f"a factor of {factor:.4g}"


def _accumulation(want: list[Any], have: list[Any], before: list[Any]) -> str:
    if not any(before) or not all(map(_plain, before)):
        return ""
    added = [e - b for e, b in zip(want, before, strict=True)]
    if not any(added):
        return ""
    if _close(added, have):
        return "overwritten instead of accumulated"
    if _close(before, have):
        return "one accumulation missing"
    if _close([e + a for e, a in zip(want, added, strict=True)], have):
        return "one accumulation too many"
    return ""


def _transposed(want: list[Any], have: list[Any], shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    if len(shape) != 2 or other != shape[::-1] or 1 in shape or len(want) != len(have):
        return False
    rows, columns = shape
    return _close([want[i * columns + j] for j in range(columns) for i in range(rows)], have)


def _close(want: list[Any], have: list[Any]) -> bool:
    scale = max(map(abs, want), default=0.0)
    return all(abs(e - g) <= _NEAR * abs(e) + 1e-7 * scale for e, g in zip(want, have, strict=True))


def _plain(value: Any) -> bool:
    return math.isfinite(value.real) and math.isfinite(value.imag)


def _nan(value: Any) -> bool:
    return bool(value != value)


def _order(value: Any) -> tuple[float, float]:
    return (value.real, value.imag)
