"""Arrays made from a few numbers: zeros, ones, full, eye, arange, linspace, random.

Everything is computed in float64 (integers exactly) and rounded once to the dtype.  Large arrays are
made with NumPy where it can be imported, from the same operations in the same order, so that the
numbers are the same bit for bit.
"""

from __future__ import annotations

import math
from typing import Any

from gradspec.dense import Dense
from gradspec.dtypes import complex_of
from gradspec.spec.cast import CannotHold, as_dtype, numpy_or_none
from gradspec.spec.philox import raw

__all__ = ["DISTRIBUTIONS", "LARGE", "MOST", "BadGenerator", "generate"]

DISTRIBUTIONS = ("uniform", "integers", "signs", "grid", "normalish")
MOST = 10_000_000  # elements
LARGE = 10_000  # elements from which NumPy is used
_NUMPY_DTYPES = ("float32", "float64", "int64", "complex64", "complex128")
_STEP = 8  # grid points in a unit
_SQRT3 = 1.7320508075688772


class BadGenerator(Exception):
    """Arguments that make no array: the key they stand under and what is wrong with it."""

    def __init__(self, key: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.key, self.message, self.hint = key, message, hint


def generate(
    kind: str, view: dict[str, Any], dtype: str | None, floating: str, numpy: bool | None = None
) -> Dense:
    """The array that `view` (its numbers evaluated) describes. Raises BadGenerator.

    `dtype` is the one asked for, `floating` that of floating data without one.  `numpy` says whether
    to use NumPy; None: for arrays of LARGE elements and more, where it is there.

    zeros, ones: a shape.  full: `value, shape`.  eye: n, or [n, m].
    arange [start, stop, step]: start + i·step while before stop, ⌈(stop − start)/step⌉ elements; int64
    where all three are integers.
    linspace [a, b, n]: with step = (b − a)/(n − 1), a + i·step in the first half and b − (n − 1 − i)·step
    in the second, so that both ends are exact; [a] for n = 1.
    random: see `_random`.
    """
    makers: dict[str, Any] = {
        "zeros": _filled, "ones": _filled, "full": _filled, "eye": _eye, "arange": _arange,
        "linspace": _linspace, "random": _random,
    }  # fmt: skip
    shape, values, natural = makers[kind](kind, view, numpy)
    wanted = dtype or _natural_dtype(natural, floating)
    return _finish(kind, shape, values, wanted)


def _natural_dtype(natural: str, floating: str) -> str:
    return {"float": floating, "complex": complex_of(floating)}.get(natural, natural)


def _finish(kind: str, shape: tuple[int, ...], values: Any, dtype: str) -> Dense:
    if not isinstance(values, list):
        if dtype in _NUMPY_DTYPES and not (dtype == "int64" and values.dtype.kind == "f"):
            with numpy_or_none().errstate(all="ignore"):
                return Dense(dtype, shape, values.astype(dtype))
        values = values.tolist()
    try:
        return Dense(dtype, shape, as_dtype(values, dtype))
    except CannotHold as fault:
        raise BadGenerator(kind, fault.message) from None


def _shape_of(view: Any, key: str, doubled: int = 1) -> tuple[int, ...]:
    sizes = view if isinstance(view, list) else [view]
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise BadGenerator(key, "a shape is a list of integers from 0")
    if len(sizes) > 64:
        raise BadGenerator(key, "a shape has at most 64 sizes")
    total = math.prod(sizes)
    if total * doubled > MOST:
        raise BadGenerator(key, f"{total:,} elements; {MOST:,} are the most")
    return tuple(sizes)


def _use_numpy(numpy: bool | None, count: int) -> Any:
    """The NumPy module where it is to be used, else None."""
    if numpy is False or (numpy is None and count < LARGE):
        return None
    return numpy_or_none()


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "int64" if isinstance(value, int) else "complex" if isinstance(value, complex) else "float"


def _number(value: Any, key: str, what: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadGenerator(key, f"{what} is a real number")
    return value


def _finite(value: Any, key: str, what: str) -> float:
    number = float(_number(value, key, what))
    if not math.isfinite(number):
        raise BadGenerator(key, f"{what} is a finite number")
    return number


def _filled(kind: str, view: dict[str, Any], numpy: bool | None) -> tuple[tuple[int, ...], Any, str]:
    value: Any
    if kind == "full":
        if "shape" not in view:
            raise BadGenerator(kind, "full needs a shape", "{full: 7.0, shape: [2, 3]}")
        shape, value = _shape_of(view["shape"], "shape"), view["full"]
        if not isinstance(value, (bool, int, float, complex)):
            raise BadGenerator(kind, "full takes a number")
    else:
        shape, value = _shape_of(view[kind], kind), 1.0 if kind == "ones" else 0.0
    np = _use_numpy(numpy, math.prod(shape))
    values: Any = np.full(math.prod(shape), value) if np else [value] * math.prod(shape)
    return shape, values, _kind_of(value)


def _eye(kind: str, view: dict[str, Any], numpy: bool | None) -> tuple[tuple[int, ...], Any, str]:
    sizes = view[kind] if isinstance(view[kind], list) else [view[kind]] * 2
    shape = _shape_of(sizes, kind)
    if len(shape) != 2:
        raise BadGenerator(kind, "eye takes one size, or two")
    rows, columns = shape
    values = [0.0] * (rows * columns)
    for i in range(min(rows, columns)):
        values[i * columns + i] = 1.0
    return shape, values, "float"


def _arange(kind: str, view: dict[str, Any], numpy: bool | None) -> tuple[tuple[int, ...], Any, str]:
    given = view[kind] if isinstance(view[kind], list) else [view[kind]]
    if not 1 <= len(given) <= 3:
        raise BadGenerator(kind, "arange takes [start, stop, step]")
    numbers = [_number(value, kind, "each of start, stop and step") for value in given]
    start, stop, step = (0, *numbers, 1) if len(numbers) == 1 else (*numbers, 1)[:3]
    whole = all(type(value) is int for value in (start, stop, step))
    if not all(map(math.isfinite, (start, stop, step))) or step == 0:
        raise BadGenerator(kind, "arange takes finite numbers and a step that is not 0")
    if (stop - start) * math.copysign(1, step) < 0:
        raise BadGenerator(kind, "stop lies behind start in the direction of step")
    count = -((start - stop) // step) if whole else (stop - start) / step
    if count > MOST:
        raise BadGenerator(kind, f"more than {MOST:,} elements")
    count = math.ceil(count)
    if whole:
        values: Any = list(range(start, stop, step))
    elif np := _use_numpy(numpy, count):
        values = start + np.arange(count, dtype="float64") * float(step)
    else:
        values = [start + i * float(step) for i in range(count)]
    return (count,), values, "int64" if whole else "float"


def _linspace(kind: str, view: dict[str, Any], numpy: bool | None) -> tuple[tuple[int, ...], Any, str]:
    given = view[kind]
    if not isinstance(given, list) or len(given) != 3:
        raise BadGenerator(kind, "linspace takes [first, last, how many]")
    a, b = (_finite(value, kind, "each end") for value in given[:2])
    (count,) = _shape_of(given[2], kind)
    if count == 1:
        return (1,), [a], "float"
    step = (b - a) / (count - 1) if count else 0.0
    half = count // 2
    if np := _use_numpy(numpy, count):
        i = np.arange(count, dtype="float64")
        values: Any = np.where(i < half, a + i * step, b - (count - 1 - i) * step)
    else:
        values = [a + i * step if i < half else b - (count - 1 - i) * step for i in range(count)]
    return (count,), values, "float"


def _random(kind: str, view: dict[str, Any], numpy: bool | None) -> tuple[tuple[int, ...], Any, str]:
    """Random numbers from the words w of Philox4x64-10 with the key `seed`, one word an element, four
    for normalish; the elements in C order.

    uniform    low + (high − low)·u, u = ⌊w / 2¹¹⌋·2⁻⁵³; low 0, high 1 unless given
    integers   low + w mod (high − low): low ≤ k < high; int64; low 0 unless given
    signs      −1 where the highest bit of w is set, else 1
    grid       multiples of 1/8 from low to high, both ends included: (⌈8·low⌉ + w mod count)/8; sums
               and small products of them are exact in every floating dtype; low −2, high 2 unless given
    normalish  (u₁ + u₂ + u₃ + u₄ − 2)·√3, u as in uniform: mean 0, variance 1, nothing beyond ±3.4642

    For a complex dtype the array has twice the elements, taken in pairs as real and imaginary parts.
    """
    options = view["random"]
    if not isinstance(options, dict):
        raise BadGenerator("random", "random takes {dist, seed, shape, low, high}")
    pairs = 2 if options.get("complex") else 1
    dist, seed = options.get("dist"), options.get("seed")
    if dist not in DISTRIBUTIONS:
        raise BadGenerator("random", f"dist is one of {', '.join(DISTRIBUTIONS)}")
    if type(seed) is not int or not 0 <= seed < 1 << 64:
        raise BadGenerator("random", "seed is an integer from 0 to 2**64 - 1")
    if "shape" not in options:
        raise BadGenerator("random", "random needs a shape", "shape: [] makes one number")
    if dist in ("signs", "normalish") and ("low" in options or "high" in options):
        raise BadGenerator("random", f"{dist} takes neither low nor high")
    shape = _shape_of(options["shape"], "random", pairs)
    count = math.prod(shape) * pairs
    words = count * (4 if dist == "normalish" else 1)
    np = _use_numpy(numpy, count)
    stream = np.random.Philox(key=seed).random_raw(words) if np else raw(seed, words)
    values, natural = _DRAWS[dist](stream, options, np)
    if pairs == 2:
        values = _paired(values, np)
        natural = "complex"
    return shape, values, natural


def _paired(values: Any, np: Any) -> Any:
    if np:
        return values[0::2].astype("float64") + 1j * values[1::2].astype("float64")
    return [complex(re, im) for re, im in zip(values[0::2], values[1::2], strict=True)]


def _units(stream: Any, np: Any) -> Any:
    """Numbers from [0, 1) with 53 bits."""
    if np:
        return (stream >> np.uint64(11)).astype("float64") * 2.0**-53
    return [(word >> 11) * 2.0**-53 for word in stream]


def _uniform(stream: Any, options: dict[str, Any], np: Any) -> tuple[Any, str]:
    low = _finite(options.get("low", 0.0), "random", "low")
    high = _finite(options.get("high", 1.0), "random", "high")
    width = high - low
    if not 0 <= width < math.inf:
        raise BadGenerator("random", "low is at most high, and high - low is finite")
    units = _units(stream, np)
    return (low + width * units if np else [low + width * u for u in units]), "float"


def _integers(stream: Any, options: dict[str, Any], np: Any) -> tuple[Any, str]:
    low, high = options.get("low", 0), options.get("high")
    if type(low) is not int or type(high) is not int or not -(1 << 62) <= low < high <= 1 << 62:
        raise BadGenerator("random", "integers needs integers low < high, within ±2**62")
    span = high - low
    if np:
        return (stream % np.uint64(span)).astype("int64") + low, "int64"
    return [low + word % span for word in stream], "int64"


def _signs(stream: Any, options: dict[str, Any], np: Any) -> tuple[Any, str]:
    if np:
        return np.where(stream >> np.uint64(63), -1.0, 1.0), "float"
    return [-1.0 if word >> 63 else 1.0 for word in stream], "float"


def _grid(stream: Any, options: dict[str, Any], np: Any) -> tuple[Any, str]:
    low = math.ceil(_finite(options.get("low", -2.0), "random", "low") * _STEP)
    high = math.floor(_finite(options.get("high", 2.0), "random", "high") * _STEP)
    span = high - low + 1
    if span < 1 or max(abs(low), abs(high)) > 1 << 50:
        raise BadGenerator("random", "no multiple of 1/8 lies between low and high, or they are too large")
    if np:
        return ((stream % np.uint64(span)).astype("int64") + low) / float(_STEP), "float"
    return [(low + word % span) / _STEP for word in stream], "float"


def _normalish(stream: Any, options: dict[str, Any], np: Any) -> tuple[Any, str]:
    u = _units(stream, np)
    if np:
        return (u[0::4] + u[1::4] + u[2::4] + u[3::4] - 2.0) * _SQRT3, "float"
    quads = zip(u[0::4], u[1::4], u[2::4], u[3::4], strict=True)
    return [(a + b + c + d - 2.0) * _SQRT3 for a, b, c, d in quads], "float"


_DRAWS = {
    "uniform": _uniform, "integers": _integers, "signs": _signs, "grid": _grid, "normalish": _normalish,
}  # fmt: skip
