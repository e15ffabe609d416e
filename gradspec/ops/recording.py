"""The namespace that records: the array contract, made of ops on a tape.

A rule run under it leaves nodes behind instead of numbers, so that what it gives can be
differentiated again.  Every contract name is an op here, or gives a constant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradspec.engine.tape import Traced

if TYPE_CHECKING:
    from gradspec.engine.plan import Plan
    from gradspec.engine.tape import Tape

__all__ = ["Recorder", "Recording"]

# contract name → op with the same positional arguments
SAME_ARGUMENTS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "pow": "pow", "remainder": "remainder",
    "negative": "neg", "abs": "abs", "sqrt": "sqrt", "square": "square", "reciprocal": "reciprocal",
    "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "sin": "sin", "cos": "cos",
    "tanh": "tanh", "sigmoid": "sigmoid", "maximum": "maximum", "minimum": "minimum", "where": "where",
    "imag": "imag", "matmul": "matmul", "permute_dims": "permute",
    "broadcast_to": "expand", "reshape": "reshape", "flip": "flip", "concat": "cat", "stack": "stack",
    "log2": "log2", "log10": "log10", "tan": "tan", "asin": "asin", "acos": "acos", "atan": "atan",
    "sinh": "sinh", "cosh": "cosh", "asinh": "asinh", "acosh": "acosh", "atanh": "atanh", "erf": "erf",
    "erfc": "erfc", "erfinv": "erfinv", "lgamma": "lgamma", "digamma": "digamma", "polygamma": "polygamma",
    "floor": "floor", "trunc": "trunc", "round": "round", "fmod": "fmod", "hypot": "hypot", "atan2": "atan2",
    "copysign": "copysign", "nextafter": "nextafter",
    "tril": "tril", "triu": "triu", "cumulative_sum": "cumsum", "put": "index_write",
    "gate": "threshold_backward", "beside": "beside", "chosen": "chosen", "parts": "real_view",
    "joined": "complex_view", "cumulative_prod": "cumprod",
    "angle": "angle", "fft": "fft_c2c", "det": "det", "det_sign": "det_sign",
    "log_abs_det": "log_abs_det", "inv": "inverse",
}  # fmt: skip
# reductions: axis and keepdims become dim and keepdim
REDUCTIONS = {"sum": "sum", "mean": "mean", "prod": "prod", "max": "amax", "min": "amin"}
# results that are constant wherever they are differentiable: the library's own function, nothing recorded
CONSTANT = (
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "logical_and", "logical_or", "logical_not", "isnan", "isinf", "isfinite", "argmax", "argmin", "argsort",
    "cumulative_argmax", "cumulative_argmin",
    "any", "all", "zeros_like", "ones_like",
)  # fmt: skip
_BOOLEAN = frozenset(CONSTANT[:12]) | {"any", "all"}


class Recorder:
    """Recording onto one tape. `saved[slot]` is the slot as a Traced array, as rules are given it."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.saved = _Saved(tape)
        self._spaces: dict[str, Recording] = {}
        self._backs: dict[int, tuple[Plan, Callable[..., None]]] = {}
        self.add = self.space("float32").add
        self.astype = self.space("float32").astype

    def known(self, array: Any, dtype: str) -> Traced:
        """An array of the library, which nothing recorded leads to."""
        return Traced(self.tape, self.tape.array(array, dtype))

    def close(self) -> None:
        """Let go of the tape, so that nothing waits for the garbage collector."""
        for space in self._spaces.values():
            vars(space).clear()
        vars(self).clear()

    def space(self, dtype: str) -> Recording:
        """The recording namespace whose bare numbers have `dtype`."""
        if dtype not in self._spaces:
            self._spaces[dtype] = Recording(self.tape, dtype)
        return self._spaces[dtype]

    def back_of(self, plan: Any) -> Callable[..., None]:
        """The recorded form of a plan's backward."""
        write = getattr(plan, "write_back", None)
        if write is None:  # freed, or a part of a node: nothing in it to record
            back: Callable[..., None] = plan.back
            return back
        known = self._backs.get(id(plan))
        if known is None:
            space = self.space(plan.compute or plan.out_dtype)
            known = self._backs[id(plan)] = (plan, write(space, recorded=True))
        return known[1]


class _Saved:
    """A tape's values as Traced arrays."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def __getitem__(self, slot: int) -> Any:
        value = self._tape.values[slot]
        if isinstance(value, tuple):  # the outputs of a node stand in the slots after it
            return tuple(Traced(self._tape, slot + 1 + j) for j in range(len(value)))
        kind = self._tape.kinds[slot]
        if kind is not None and kind.weak:
            return value
        traced = Traced(self._tape, slot)
        # a tensor that has moved on in place: its node kept a copy of what it was
        return self._tape.ops.clone(traced) if slot in self._tape.memory.left else traced


class Recording:
    """The array contract over Traced arrays and Python numbers. See gradspec.arrays.contract.

    What it keeps knows the tape and not the namespace: a circle would outlive its backward.
    """

    def __init__(self, tape: Tape, dtype: str) -> None:
        self.dtype = dtype
        self._tape = tape
        ops = tape.ops
        for name, op in SAME_ARGUMENTS.items():
            setattr(self, name, _late(ops, op))

    def __getattr__(self, name: str) -> Any:
        if name in REDUCTIONS:
            made: Any = _reduction(self._tape, REDUCTIONS[name])
        elif name in CONSTANT:
            made = _constant(self._tape, name, self.dtype)
        else:
            raise AttributeError(name)
        setattr(self, name, made)
        return made

    # What is not an op of the same form.

    def shape(self, x: Any) -> tuple[int, ...]:
        return _shape(x)

    def _filled(self, shape: Any, value: Any, dtype: str | None) -> Traced:
        dtype = dtype or self.dtype
        array = _space(self._tape, dtype, (1,)).full(tuple(shape), value, dtype)
        return Traced(self._tape, self._tape.array(array, dtype))

    def known(self, array: Any, dtype: str) -> Traced:
        """See `Recorder.known`."""
        return Traced(self._tape, self._tape.array(array, dtype))

    def full(self, shape: Any, value: Any, dtype: str | None = None) -> Traced:
        return self._filled(shape, value, dtype)

    def zeros(self, shape: Any, dtype: str | None = None) -> Traced:
        return self._filled(shape, 0, dtype)

    def ones(self, shape: Any, dtype: str | None = None) -> Traced:
        return self._filled(shape, 1, dtype)

    def arange(self, stop: int, dtype: str = "int64") -> Traced:
        return Traced(
            self._tape, self._tape.array(_space(self._tape, dtype, (1,)).arange(stop, dtype), dtype)
        )

    def getitem(self, x: Any, index: Any) -> Any:
        basic = all(entry is None or entry is Ellipsis or type(entry) in (int, slice) for entry in index)
        return getattr(self._tape.ops, "__getitem__" if basic else "index_get")(x, index)

    def floor_divide(self, a: Any, b: Any) -> Any:
        return self._tape.ops.div(a, b, rounding_mode="floor")

    def astype(self, x: Any, dtype: str) -> Any:
        if not isinstance(x, Traced):
            return self._filled((), x, dtype)
        if x.dtype == dtype and not x.kind.weak:
            return x
        if not dtype.startswith("complex"):
            x = self.real(x)  # first, since a cast of complex numbers warns
        return x if x.dtype == dtype and not x.kind.weak else self._tape.ops.to_copy(x, dtype)

    def divide(self, a: Any, b: Any) -> Any:
        if not isinstance(a, Traced):
            a = self._filled((), a, b.dtype)
        return self._tape.ops.div(a, b)

    def sign(self, x: Any) -> Any:
        return self._tape.ops.sgn(x) if x.dtype.startswith("complex") else self._tape.ops.sign(x)

    def conj(self, x: Any) -> Any:
        if not isinstance(x, Traced):
            return x.conjugate()
        return self._tape.ops.conj_view(x) if _is_complex(x) else x

    def real(self, x: Any) -> Any:
        return self._tape.ops.real(x) if _is_complex(x) else x

    def einsum(self, equation: str, *arrays: Any) -> Any:
        return self._tape.ops.einsum(equation, arrays)

    def take_along_axis(self, x: Any, indices: Any, axis: int) -> Any:
        return self._tape.ops.gather(x, axis, indices)

    def scatter_add(self, shape: Any, indices: Any, values: Any, axis: int) -> Any:
        return self._tape.ops.scatter_onto(values, indices, axis, tuple(shape))

    def put_add(self, shape: Any, index: Any, values: Any) -> Any:
        return self._tape.ops.index_put_add(values, index, tuple(shape))

    def pad(self, x: Any, widths: Any, value: Any = 0) -> Any:
        flat = [width for pair in reversed(tuple(widths)) for width in pair]
        return self._tape.ops.pad(x, tuple(flat), value=value)

    def nonzero(self, x: Any) -> Any:
        found = _space(self._tape, "bool", (1,)).nonzero(self._tape.values[x.slot])
        return tuple(Traced(self._tape, self._tape.array(part, "int64")) for part in found)


def _is_complex(x: Any) -> bool:
    return isinstance(x, complex) or (isinstance(x, Traced) and x.dtype.startswith("complex"))


def _late(ops: Any, name: str) -> Callable[..., Any]:
    """An op looked up when it is first called: a recorder is made for every backward."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(ops, name)(*args, **kwargs)

    return call


def _reduction(tape: Tape, op: str) -> Callable[..., Any]:
    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if axis == ():
            return x
        shape = _shape(x)
        dims = tuple(range(len(shape))) if axis is None else axis
        if op == "prod" and not isinstance(dims, int):
            for dim in sorted(dims, reverse=True):  # torch's prod takes one dim
                x = tape.ops.prod(x, dim=dim, keepdim=keepdims)
            return x
        return getattr(tape.ops, op)(x, dim=dims, keepdim=keepdims) if shape else x

    return reduce


def _constant(tape: Tape, name: str, own: str) -> Callable[..., Any]:
    def compute(*args: Any, **kwargs: Any) -> Any:
        arrays = [a for a in args if isinstance(a, Traced)]
        dtype = next((a.dtype for a in arrays if not a.kind.weak), own)
        shape = () if all(a.shape == () for a in arrays) else (1,)
        values = [tape.values[a.slot] if isinstance(a, Traced) else a for a in args]
        if len({a.dtype for a in arrays}) > 1:  # what was saved has not been cast yet
            dtype = own
            values = [_space(tape, dtype, (1,)).astype(value, dtype) for value in values]
        result = getattr(_space(tape, dtype, shape), name)(*values, **kwargs)
        out = "bool" if name in _BOOLEAN else "int64" if "arg" in name else dtype
        return Traced(tape, tape.array(result, out))

    return compute


def _shape(x: Any) -> tuple[int, ...]:
    return x.shape if isinstance(x, Traced) else ()


def _space(tape: Tape, dtype: str, shape: tuple[int, ...]) -> Any:
    return tape.engine.library.namespace(dtype, zero_dim=not shape)
