"""torch's ops in the words of autograd.numpy. Each takes torch's arguments by name, defaults left out."""
# ruff: noqa: A001, ARG005, PLW0108 (arguments are called as torch calls them)

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import autograd.numpy as anp
import autograd.scipy.special as asp
import numpy as np
from autograd.extend import defvjp, primitive
from autograd.tracer import getval

from gradspec.errors import ProgramError, UnsupportedFeature

__all__ = ["OPERATIONS", "UNSUPPORTED_OPS", "cast"]

Array = Any
Dims = int | Sequence[int] | None

UNSUPPORTED_OPS = {
    "clone": "autograd.numpy.copy has no vjp",
    "flip": "autograd.numpy.flip has no vjp",
}


@primitive
def cast(array: Array, dtype: str) -> Array:
    """`array` in another dtype; complex to real drops the imaginary part.

    autograd's own astype fails on NumPy's scalars since NumPy 2.1, which every full sum is.
    """
    plain = np.asarray(array)
    if plain.dtype.kind == "c" and np.dtype(dtype).kind != "c":
        plain = plain.real
    return plain.astype(dtype)


defvjp(cast, lambda ans, array, dtype: lambda ct: cast(ct, array.dtype.name), argnums=(0,))


def _ndim(array: Array) -> int:
    return len(array.shape)


def _axis(input: Array, dim: Dims) -> Any:
    """torch's dims as an axis: none and an empty list are all of them, and a 0-d tensor has dims 0 and -1."""
    if dim is None or (not isinstance(dim, int) and not len(dim)):
        return None
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if _ndim(input) == 0 and all(one in (0, -1) for one in dims):
        return None
    return dim if isinstance(dim, int) else dims


def _unary(function: Callable[[Array], Array]) -> Callable[..., Array]:
    return lambda input: function(input)


def _binary(function: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    return lambda input, other: function(input, other)


def _typed(input: Array, dtype: str | None) -> Array:
    return input if dtype is None else cast(input, dtype)


def add(input: Array, other: Array, alpha: Any = 1) -> Array:
    return anp.add(input, other if alpha == 1 else anp.multiply(other, alpha))


def sub(input: Array, other: Array, alpha: Any = 1) -> Array:
    return anp.subtract(input, other if alpha == 1 else anp.multiply(other, alpha))


def div(input: Array, other: Array, rounding_mode: str | None = None) -> Array:
    if rounding_mode is None:
        return anp.divide(input, other)
    if rounding_mode == "floor":
        return anp.floor_divide(input, other)
    if rounding_mode == "trunc":
        return anp.trunc(anp.divide(input, other))
    raise ProgramError("invalid-argument", f"rounding_mode is floor, trunc or None, not {rounding_mode!r}")


def clamp(input: Array, min: Any = None, max: Any = None) -> Array:
    if all(bound is None or type(bound) in (bool, int, float) for bound in (min, max)):
        return anp.clip(input, min, max)
    low = input if min is None else anp.maximum(input, min)  # clip has no vjp for its bounds
    return low if max is None else anp.minimum(low, max)


def where(condition: Array, input: Array, other: Array) -> Array:
    """where's vjp does not undo broadcasting, so its operands are broadcast by adding zeros."""
    shape = np.broadcast_shapes(*(np.shape(one) for one in (condition, input, other)))
    spread = [
        one if np.shape(one) == shape or type(one) in (bool, int, float, complex) else _spread(one, shape)
        for one in (input, other)
    ]
    filled = [np.full(shape, one) if type(one) in (bool, int, float, complex) else one for one in spread]
    return anp.where(np.broadcast_to(condition, shape), *filled)


def _spread(array: Array, shape: tuple[int, ...]) -> Array:
    if 0 in shape:  # broadcast_to's vjp does not know an axis that was broadcast to nothing
        return anp.add(array, np.zeros(shape, array.dtype))
    lead = (1,) * (len(shape) - _ndim(array))
    return anp.broadcast_to(anp.reshape(array, (*lead, *array.shape)), shape)


def log_softmax(input: Array, dim: int, dtype: str | None = None) -> Array:
    input = _typed(input, dtype)
    if not np.prod(input.shape):
        return input
    axis = _axis(input, dim)
    return input - asp.logsumexp(input, axis=axis, keepdims=_ndim(input) > 0)  # SciPy makes 0-d ones 1-d


def softmax(input: Array, dim: int, dtype: str | None = None) -> Array:
    return anp.exp(log_softmax(input, dim, dtype))


def sigmoid(input: Array) -> Array:
    return 1 / (1 + anp.exp(-input)) if input.dtype.kind == "c" else asp.expit(input)


def logit(input: Array, eps: float | None = None) -> Array:
    if eps is not None and eps >= 0:
        raise UnsupportedFeature("op:logit", "SciPy's logit has no bounds")
    return asp.logit(input)


def logaddexp(input: Array, other: Array) -> Array:
    if "c" in (input.dtype.kind, other.dtype.kind):
        raise UnsupportedFeature("op:logaddexp", "NumPy's logaddexp takes real numbers only")
    return anp.logaddexp(input, other)


def nan_to_num(input: Array, **numbers: float | None) -> Array:
    if any(number is not None for number in numbers.values()):
        raise UnsupportedFeature("op:nan_to_num", "the vjp of nan_to_num takes no numbers to put")
    if input.dtype.kind == "c":
        raise UnsupportedFeature("op:nan_to_num", "autograd differentiates nan_to_num of complex numbers")
    return anp.nan_to_num(input)


def zeros_like(input: Array, dtype: str | None = None) -> Array:
    return anp.zeros_like(input, dtype=dtype or input.dtype)


def ones_like(input: Array, dtype: str | None = None) -> Array:
    return anp.ones_like(input, dtype=dtype or input.dtype)


def to(input: Array, dtype: str | None = None, other: Array | None = None) -> Array:
    target = dtype or other.dtype.name  # type: ignore[union-attr]
    if input.dtype.kind == "c" and np.dtype(target).kind != "c":
        import warnings

        warnings.warn("Casting complex values to real discards the imaginary part", stacklevel=2)
    return input if input.dtype.name == target else cast(input, target)


def _index(entry: Any) -> Any:
    if not isinstance(entry, tuple):
        return entry
    array = np.asarray(entry)
    return array if array.size else array.astype(np.int64)


def _picks(entry: Any) -> bool:
    """Whether an entry of an index is an array or a bool, which NumPy counts as advanced."""
    return isinstance(entry, bool) or (isinstance(entry, np.ndarray | np.generic) and not _is_integer(entry))


def _is_integer(entry: Any) -> bool:
    return bool(np.ndim(entry) == 0 and np.asarray(entry).dtype.kind in "iu")


def getitem(input: Array, index: Any) -> Array:
    """As torch: first the integers, slices and None, then all arrays together."""
    entries = [_index(one) for one in (index if isinstance(index, tuple) else (index,))]
    for one in entries:
        if isinstance(one, slice) and one.step is not None and one.step < 1:
            code = "negative-step" if one.step < 0 else "invalid-argument"
            raise ProgramError(code, f"a slice needs a step above 0, not {one.step}")
    if not any(_picks(one) for one in entries) or all(_picks(one) for one in entries):
        return input[tuple(entries)]
    basic: list[Any] = []
    rest: list[Any] = []
    for one in entries:
        if _picks(one):
            axes = np.ndim(one) if np.asarray(one).dtype.kind == "b" else 1
            basic += [slice(None)] * axes
            rest.append(one)
        else:
            basic.append(one)
            if not isinstance(one, int) and not _is_integer(one):
                rest.append(slice(None) if isinstance(one, slice) or one is None else one)
    return input[tuple(basic)][tuple(rest)]


def gather(input: Array, dim: int, index: Array) -> Array:
    size = (input.shape or (1,))[dim]
    if np.any((index < 0) | (index >= size)):
        raise ProgramError("index-out-of-range", f"an index is not in [0, {size - 1}]")
    if not _ndim(input):
        return input + anp.zeros(index.shape, input.dtype)
    places = list(np.ix_(*[np.arange(size) for size in index.shape]))
    places[dim] = index
    return input[tuple(places)]


def _in_range(index: Array, size: int, low: int = 0) -> None:
    if np.any((index < low) | (index >= size)):
        raise ProgramError("index-out-of-range", f"an index is not in [{low}, {size - 1}]")


def index_select(input: Array, dim: int, index: Array) -> Array:
    if np.ndim(index) > 1:
        raise ProgramError("shape-mismatch", "index_select takes a vector of numbers")
    if not _ndim(input):
        return input + 0
    _in_range(index, input.shape[dim])
    ahead = (slice(None),) * (dim % _ndim(input))
    if not -_ndim(input) <= dim < _ndim(input):
        raise ProgramError("dim-out-of-range", f"no dim {dim}")
    return input[(*ahead, np.atleast_1d(index))]


def take(input: Array, index: Array) -> Array:
    flat = anp.reshape(input, (-1,))
    _in_range(index, flat.shape[0], -flat.shape[0])
    return flat[index]


def embedding(input: Array, weight: Array, **special: Any) -> Array:
    if special:
        raise UnsupportedFeature("op:embedding", f"NumPy has no {', '.join(special)}")
    _in_range(input, weight.shape[0])
    return weight[input]


def masked_fill(input: Array, mask: Array, value: Array) -> Array:
    if np.asarray(mask).dtype != bool:
        raise ProgramError("dtype-unsupported", "a mask is of bool")
    if np.ndim(value):
        raise ProgramError("shape-mismatch", "masked_fill writes one number")
    if type(value) in (bool, int, float, complex):
        filled = np.full((), value).astype(input.dtype)
    else:
        filled = value if value.dtype == input.dtype else cast(value, input.dtype.name)
    return where(mask, filled, input)


def repeat(input: Array, repeats: Sequence[int]) -> Array:
    if len(repeats) < _ndim(input):
        raise ProgramError("shape-mismatch", "repeat needs a number for each axis")
    return tile(input, repeats)


def tile(input: Array, dims: Sequence[int]) -> Array:
    if any(one < 0 for one in dims):
        raise ProgramError("invalid-argument", "a negative number of copies")
    if 0 in dims:
        raise UnsupportedFeature("op:repeat", "the vjp of tile does not know no copies")
    counts = (*(1,) * (_ndim(input) - len(dims)), *dims)
    lead = (1,) * (len(counts) - _ndim(input))
    return anp.tile(anp.reshape(input, (*lead, *input.shape)), counts) if counts else input + 0


def roll(input: Array, shifts: Any, dims: Any = None) -> Array:
    count, axes = np.size(shifts), 0 if dims is None else np.size(dims)
    if not count:
        raise ProgramError("invalid-argument", "roll needs a shift")
    if count != (axes or 1):
        raise ProgramError("shape-mismatch", "shifts and dims do not align")
    if not axes:
        return anp.roll(input, shifts if isinstance(shifts, int) else shifts[0])
    for shift, dim in zip(np.atleast_1d(shifts), np.atleast_1d(dims), strict=True):
        input = anp.roll(input, int(shift), int(dim))
    return input


def diagonal(input: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """By index: the vjp of autograd's diagonal knows the last two axes only."""
    count = _ndim(input)
    a, b = dim1 % count, dim2 % count
    rest = [axis for axis in range(count) if axis not in (a, b)]
    rows, columns = input.shape[a], input.shape[b]
    first, left = (0, offset) if offset >= 0 else (-offset, 0)
    places = np.arange(max(0, min(rows - first, columns - left)))
    return anp.transpose(input, (*rest, a, b))[..., places + first, places + left]


def unbind(input: Array, dim: int = 0) -> list[Array]:
    if not -_ndim(input) <= dim < _ndim(input):
        raise ProgramError("dim-out-of-range", f"no dim {dim}")
    return [input[(*(slice(None),) * (dim % _ndim(input)), k)] for k in range(input.shape[dim])]


def chunk(input: Array, chunks: int, dim: int = 0) -> list[Array]:
    if chunks < 1 or not _ndim(input):
        raise ProgramError("invalid-argument", "chunk needs an axis and at least one chunk")
    size = input.shape[dim] if -_ndim(input) <= dim < _ndim(input) else 1
    return split(input, -(-size // chunks) if size else [0] * chunks, dim)


def narrow(input: Array, dim: int, start: int, length: int) -> Array:
    if not _ndim(input):
        raise ProgramError("invalid-argument", "narrow needs an axis")
    if not -_ndim(input) <= dim < _ndim(input):
        raise ProgramError("dim-out-of-range", f"no dim {dim}")
    size = input.shape[dim]
    first = start + size if start < 0 else start
    if length < 0:
        raise ProgramError("shape-mismatch", "a negative length")
    if not -size <= start <= size or first + length > size:
        raise ProgramError("index-out-of-range", f"{start} and {length} reach beyond {size}")
    return input[(*(slice(None),) * (dim % _ndim(input)), slice(first, first + length))]


def logdet(input: Array) -> Array:
    sign, size = anp.linalg.slogdet(input)
    if input.dtype.kind == "c":
        return anp.log(sign) + size
    return where(np.asarray(np.sign(getval(sign)) < 0), np.nan, size)


def vdot(input: Array, other: Array) -> Array:
    return anp.dot(anp.conj(input), other)


def _transform(function: Callable[..., Array]) -> Callable[..., Array]:
    def transform(input: Array, n: int | None = None, dim: int = -1, norm: str | None = None) -> Array:
        if norm not in (None, "backward", "ortho", "forward"):
            raise ProgramError("invalid-argument", f"no norm {norm}")
        if norm not in (None, "ortho") or input.dtype.kind != "c":
            raise UnsupportedFeature(
                "op:fft.fft", "autograd's fft has vjps for complex numbers and norm ortho"
            )
        return function(input, n, dim, norm)

    return transform


def linear(input: Array, weight: Array, bias: Array | None = None) -> Array:
    product = anp.matmul(input, anp.transpose(weight))
    return product if bias is None else product + bias


def einsum(equation: str, operands: Sequence[Array]) -> Array:
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    terms = inputs.replace(".", "").split(",")
    if any(len(set(letters)) < len(letters) for letters in terms):
        raise UnsupportedFeature("op:einsum", "autograd's einsum has no vjp for a letter twice in an operand")
    if arrow and "..." in inputs and "..." not in output:
        raise UnsupportedFeature("op:einsum", "NumPy's einsum does not sum over the axes of an ellipsis")
    return anp.einsum(equation, *operands)


def _reduction(function: Callable[..., Array]) -> Callable[..., Array]:
    def reduce(input: Array, dim: Dims = None, keepdim: bool = False, dtype: str | None = None) -> Array:
        input = _typed(input, dtype)
        return function(input, axis=_axis(input, dim), keepdims=keepdim)

    return reduce


def _moment(function: Callable[..., Array]) -> Callable[..., Array]:
    def reduce(input: Array, dim: Dims = None, correction: Any = 1, keepdim: bool = False) -> Array:
        ddof = 1 if correction is None else correction
        return function(input, axis=_axis(input, dim), ddof=ddof, keepdims=keepdim)

    return reduce


def _extremum_index(function: Callable[..., Array]) -> Callable[..., Array]:
    def find(input: Array, dim: int | None = None, keepdim: bool = False) -> Array:
        return function(input, axis=_axis(input, dim), keepdims=keepdim)

    return find


def vector_norm(
    x: Array, ord: float = 2, dim: Dims = None, keepdim: bool = False, dtype: str | None = None
) -> Array:
    """autograd's norm is that of a vector, or of a matrix: several dims are made one first."""
    x = _typed(x, dtype)
    if not 1 < ord < np.inf:
        raise UnsupportedFeature("op:linalg.vector_norm", f"autograd's norm has no vjp for order {ord}")
    shape = x.shape or (1,)
    axes = [axis % len(shape) for axis in ((dim,) if isinstance(dim, int) else dim or range(len(shape)))]
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    moved = anp.transpose(anp.reshape(x, shape), (*kept, *axes))
    flat = anp.reshape(moved, (*[shape[axis] for axis in kept], int(np.prod([shape[a] for a in axes]))))
    result = anp.linalg.norm(flat, ord, axis=-1)
    if not x.shape:
        return anp.reshape(result, ())
    return anp.reshape(result, [1 if k in axes else n for k, n in enumerate(shape)]) if keepdim else result


def norm(
    input: Array,
    p: float | str | None = "fro",
    dim: Dims = None,
    keepdim: bool = False,
    dtype: str | None = None,
) -> Array:
    return vector_norm(input, 2 if isinstance(p, str) or p is None else p, dim, keepdim, dtype)


def cumsum(input: Array, dim: int, dtype: str | None = None) -> Array:
    input = _typed(input, dtype)
    return anp.cumsum(input, axis=dim) if _ndim(input) else input + 0


def sort(input: Array, dim: int = -1, descending: bool = False, stable: bool = False) -> tuple[Array, Array]:
    if _ndim(input) > 1:
        raise UnsupportedFeature("op:sort", "autograd's sort differentiates vectors only")
    if not _ndim(input):
        return input + 0, np.zeros((), np.int64)
    if not descending:
        return anp.sort(input, axis=dim, kind="stable"), anp.argsort(input, axis=dim, kind="stable")
    # sorted from the other end, equal elements keep their order too
    turned = input[::-1]
    places = anp.argsort(turned, axis=dim, kind="stable")[::-1]
    return anp.sort(turned, axis=dim, kind="stable")[::-1], len(input) - 1 - places


def argsort(input: Array, dim: int = -1, descending: bool = False, stable: bool = False) -> Array:
    if not _ndim(input):
        return np.zeros((), np.int64)
    if not descending:
        return anp.argsort(input, axis=dim, kind="stable")
    backwards = (*(slice(None),) * (dim % _ndim(input)), slice(None, None, -1))
    places = anp.argsort(input[backwards], axis=dim, kind="stable")[backwards]
    return input.shape[dim] - 1 - places


def _extremum(
    function: Callable[..., Array], place: Callable[..., Array], of_two: Callable[..., Array]
) -> Callable[..., Any]:
    def extremum(
        input: Array, dim: int | None = None, keepdim: bool = False, other: Array | None = None
    ) -> Any:
        if other is not None:
            return of_two(input, other)
        if dim is None:
            return function(input)
        axis = _axis(input, dim)
        return function(input, axis=axis, keepdims=keepdim), place(input, axis=axis, keepdims=keepdim)

    return extremum


def _question(function: Callable[..., Array]) -> Callable[..., Array]:
    def ask(input: Array, dim: Dims = None, keepdim: bool = False) -> Array:
        each_alone = dim is not None and not isinstance(dim, int) and not len(dim)
        return function(input, axis=() if each_alone else _axis(input, dim), keepdims=keepdim)

    return ask


def expand(input: Array, size: Sequence[int]) -> Array:
    lead = len(size) - _ndim(input)
    shape = tuple(input.shape[k - lead] if one == -1 and k >= lead else one for k, one in enumerate(size))
    return _spread(input, shape)


def flatten(input: Array, start_dim: int = 0, end_dim: int = -1) -> Array:
    shape = input.shape or (1,)
    start, end = (operator.index(range(len(shape))[dim]) for dim in (start_dim, end_dim))
    if input.shape and start == end:
        return input
    return anp.reshape(input, (*shape[:start], int(np.prod(shape[start : end + 1])), *shape[end + 1 :]))


def pad(input: Array, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Array:
    if mode != "constant":
        raise UnsupportedFeature("op:pad", "autograd differentiates pad in mode constant only")
    if not len(pad):
        return anp.reshape(input, input.shape)
    if any(one < 0 for one in pad):
        raise UnsupportedFeature("op:pad", "NumPy's pad takes no negative widths")
    pairs = [tuple(pad[k : k + 2]) for k in range(0, len(pad), 2)][::-1]
    widths = [(0, 0)] * (_ndim(input) - len(pairs)) + pairs
    return anp.pad(input, widths, "constant", constant_values=value or 0)


def permute(input: Array, dims: Sequence[int]) -> Array:
    count = len(dims)  # transpose's vjp sorts the axes, so they must not be negative
    return anp.transpose(input, tuple(dim % count if -count <= dim < count else dim for dim in dims))


def cat(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Vectors without elements are left out, as torch does whatever the shape of the others."""
    kept = [one for one in tensors if one.shape != (0,)]
    return anp.concatenate(kept or list(tensors), axis=dim)


def split(tensor: Array, split_size_or_sections: Any, dim: int = 0) -> list[Array]:
    size = tensor.shape[dim]
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        cuts = list(range(step, size, step)) if step > 0 else []
    else:
        if sum(split_size_or_sections) != size:
            raise ProgramError("shape-mismatch", "the sizes do not add up to that of the dim")
        cuts = list(accumulate(split_size_or_sections))[:-1]
    parts = anp.split(tensor, cuts, axis=dim)
    return [parts[k] for k in range(len(cuts) + 1)]


def squeeze(input: Array, dim: Dims = None) -> Array:
    if dim is None or not _ndim(input):
        return anp.squeeze(input)
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    return anp.squeeze(input, axis=tuple(one for one in dims if input.shape[one] == 1))


def transpose(input: Array, dim0: int, dim1: int) -> Array:
    return anp.swapaxes(input, dim0, dim1) if _ndim(input) else input


OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: _unary(getattr(anp, word)) for name, word in {
        "abs": "abs", "cos": "cos", "exp": "exp", "log": "log", "neg": "negative", "reciprocal": "reciprocal",
        "sign": "sign", "sin": "sin", "sqrt": "sqrt", "square": "square", "tanh": "tanh", "conj": "conj",
        "real": "real", "imag": "imag", "expm1": "expm1", "exp2": "exp2", "log1p": "log1p", "log2": "log2",
        "log10": "log10", "tan": "tan", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "sinh": "sinh",
        "cosh": "cosh", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "sinc": "sinc",
        "floor": "floor", "ceil": "ceil", "trunc": "trunc", "logical_not": "logical_not",
    }.items()},
    **{name: _unary(getattr(asp, word)) for name, word in {
        "erf": "erf", "erfc": "erfc", "erfinv": "erfinv", "lgamma": "gammaln", "digamma": "digamma",
    }.items()},
    **{name: _binary(getattr(anp, word)) for name, word in {
        "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
        "ge": "greater_equal", "mul": "multiply", "maximum": "maximum", "minimum": "minimum",
        "matmul": "matmul", "remainder": "remainder", "floor_divide": "floor_divide", "fmax": "fmax",
        "fmin": "fmin", "atan2": "arctan2", "hypot": "hypot",
        "logical_and": "logical_and", "logical_or": "logical_or", "logical_xor": "logical_xor",
    }.items()},
    "logit": logit, "logaddexp": logaddexp, "nan_to_num": nan_to_num,
    "add": add, "sub": sub, "div": div, "clamp": clamp, "where": where, "sigmoid": sigmoid,
    "pow": lambda input, exponent: anp.power(input, exponent),
    "relu": lambda input: anp.maximum(input, 0),
    "log_softmax": log_softmax, "softmax": softmax,
    "ones_like": ones_like, "zeros_like": zeros_like, "detach": lambda input: input, "to": to,
    "__getitem__": getitem, "gather": gather, "index_select": index_select, "take": take,
    "embedding": embedding, "masked_fill": masked_fill,
    "repeat": repeat, "tile": tile, "roll": roll, "unbind": unbind, "chunk": chunk, "narrow": narrow,
    "diagonal": diagonal,
    "new_zeros": lambda input, size, dtype=None: np.zeros(tuple(size), dtype or input.dtype),
    "angle": lambda input: anp.angle(input),
    "complex": lambda real, imag: real + 1j * imag,
    "polar": lambda abs, angle: abs * anp.exp(1j * angle),
    "vdot": vdot,
    "fft.fft": _transform(anp.fft.fft), "fft.ifft": _transform(anp.fft.ifft),
    "det": lambda input: anp.linalg.det(input), "linalg.det": lambda A: anp.linalg.det(A), "logdet": logdet,
    "dot": lambda input, tensor: anp.dot(input, tensor),
    "linear": linear, "einsum": einsum,
    **{name: _reduction(getattr(anp, name)) for name in ("sum", "mean", "prod", "amax", "amin")},
    "logsumexp": _reduction(asp.logsumexp),
    "std": _moment(anp.std), "var": _moment(anp.var),
    "argmax": _extremum_index(anp.argmax), "argmin": _extremum_index(anp.argmin),
    "cumsum": cumsum, "sort": sort, "argsort": argsort,
    "max": _extremum(anp.max, anp.argmax, anp.maximum), "min": _extremum(anp.min, anp.argmin, anp.minimum),
    "any": _question(anp.any), "all": _question(anp.all),
    "trace": lambda input: anp.trace(input),
    "linalg.vector_norm": vector_norm, "norm": norm,
    "cat": cat,
    "stack": lambda tensors, dim=0: anp.stack(list(tensors), axis=dim),
    "expand": expand, "flatten": flatten, "pad": pad, "permute": permute,
    "reshape": lambda input, shape: anp.reshape(input, tuple(shape)),
    "split": split, "squeeze": squeeze, "transpose": transpose,
    "T": lambda input: anp.transpose(input),
    "mT": lambda input: anp.swapaxes(input, -1, -2),
    "tril": lambda input, diagonal=0: anp.tril(input, diagonal),
    "triu": lambda input, diagonal=0: anp.triu(input, diagonal),
    "unsqueeze": lambda input, dim: anp.expand_dims(input, dim),
}  # fmt: skip
