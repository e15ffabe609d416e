"""The pure-Python library: its namespaces, and the way of data in and out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from gradspec.arrays.python import elimination, fourier, indexing, layout, linear, order, reduce
from gradspec.arrays.python.array import PyArray
from gradspec.arrays.python.elementwise import elementwise_functions, joined, make_complex, parts
from gradspec.arrays.python.rounding import cast_list, cast_number, list_rounder, number_rounder
from gradspec.arrays.python.scalars import scalar_functions
from gradspec.dense import Dense

__all__ = ["PythonLibrary", "PythonNamespace", "library"]

Function = Callable[..., Any]
# functions of bare floats that are one Python expression; whether it has to be rounded
OPERATORS = {
    "add": ("{0} + {1}", True), "subtract": ("{0} - {1}", True), "multiply": ("{0} * {1}", True),
    "negative": ("-{0}", False), "less": ("{0} < {1}", False), "less_equal": ("{0} <= {1}", False),
    "greater": ("{0} > {1}", False), "greater_equal": ("{0} >= {1}", False), "equal": ("{0} == {1}", False),
    "not_equal": ("{0} != {1}", False), "where": ("{1} if {0} else {2}", False),
    "gate": ("0.0 if {1} <= 0 else {0}", False),
}  # fmt: skip


class PythonNamespace:
    """The contract's functions as attributes; `dtype` is that of bare numbers.

    `operators`: functions that of bare numbers are one Python expression, name → (its form, whether it is
    to be rounded); `cell`: where a result is put and taken from again to be rounded (None where none is).
    """

    def __init__(
        self, dtype: str, functions: dict[str, Function], operators: dict[str, tuple[str, bool]]
    ) -> None:
        self.dtype = dtype
        self.operators = operators
        self.cell = memoryview(bytearray(4)).cast("f") if dtype == "float32" else None
        self.__dict__.update(functions)

    def __getattr__(self, name: str) -> Any:  # reached for what is not there
        raise AttributeError(f"the array contract has no {name!r}")

    def __repr__(self) -> str:
        return f"<python namespace of {self.dtype}>"


class PythonLibrary:
    """`ArrayLibrary` of bare Python numbers and `PyArray`."""

    name = "python"

    def __init__(self) -> None:
        self._namespaces: dict[tuple[str, bool], PythonNamespace] = {}

    def namespace(self, dtype: str, zero_dim: bool) -> PythonNamespace:
        found = self._namespaces.get((dtype, zero_dim))
        if found is None:
            functions = _array_functions(dtype)
            operators: dict[str, tuple[str, bool]] = {}
            if zero_dim:
                functions = functions | scalar_functions(dtype, functions) | _shortcuts(functions)
                operators = OPERATORS if dtype in ("float32", "float64") else {}
            found = self._namespaces[dtype, zero_dim] = PythonNamespace(dtype, functions, operators)
        return found

    def load(self, data: Dense) -> Any:
        """A `Dense`, each element rounded to its dtype; a bare number where it is 0-d."""
        values = list_rounder(data.dtype)(data.flat())
        return PyArray(values, data.shape, data.dtype) if data.shape else values[0]

    def dump(self, array: Any, dtype: str) -> Dense:
        if type(array) is PyArray:
            return Dense(dtype, array.shape, cast_list(array.data, array.dtype, dtype))
        return Dense(dtype, (), [cast_number(array, dtype)])

    def shape_of(self, array: Any) -> tuple[int, ...]:
        return array.shape if type(array) is PyArray else ()


library = PythonLibrary()


def _array_functions(own: str) -> dict[str, Function]:
    """Every function of the contract, on arrays and bare numbers alike."""
    functions = dict(elementwise_functions(own))
    functions["complex"] = make_complex
    functions["parts"], functions["joined"] = parts, joined
    functions["beside"] = functions["chosen"] = _beside
    functions["gate"] = _gate(functions["less_equal"], functions["where"])
    for module in (reduce, order):
        functions |= {name: _on_first(getattr(module, name), own) for name in module.__all__}
    for name in ("reshape", "permute_dims", "broadcast_to", "flip", "tril", "triu", "pad"):
        functions[name] = _on_first(getattr(layout, name), own)
    for name in elimination.__all__:
        functions[name] = _on_first(getattr(elimination, name), own)
    functions["fft"] = _on_first(fourier.fft, own)
    return functions | _creation(own) | _on_several(own)


def _beside(x: Any, y: Any) -> Any:
    return x


def _gate(less_equal: Function, where: Function) -> Function:
    def gate(x: Any, y: Any) -> Any:
        return where(less_equal(y, 0), 0.0, x)

    return gate


def _number(x: Any, own: str) -> PyArray:
    """A bare number as a `PyArray` of shape ()."""
    if isinstance(x, bool):
        return PyArray([x], (), "bool")
    return PyArray([number_rounder(own)(x)], (), own)


def _bare(x: PyArray) -> Any:
    return x if x.shape else x.data[0]


def _on_first(function: Function, own: str) -> Function:
    """`function` of one array and other arguments, taking and giving bare numbers for 0-d arrays."""

    def call(x: Any, *arguments: Any, **named: Any) -> Any:
        result = function(x if type(x) is PyArray else _number(x, own), *arguments, **named)
        return result if result.shape else result.data[0]

    call.__name__ = function.__name__
    return call


def _on_several(own: str) -> dict[str, Function]:
    def wrap(x: Any) -> PyArray:
        return x if type(x) is PyArray else _number(x, own)

    def concat(arrays: Sequence[Any], axis: int = 0) -> Any:
        return layout.concat(list(map(wrap, arrays)), axis)

    def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
        return layout.stack(list(map(wrap, arrays)), axis)

    def matmul(a: Any, b: Any) -> Any:
        return _bare(linear.matmul(wrap(a), wrap(b)))

    def einsum(equation: str, *arrays: Any) -> Any:
        return _bare(linear.einsum(equation, *map(wrap, arrays)))

    def getitem(x: Any, index: Any) -> Any:
        return _bare(indexing.getitem(wrap(x), index))

    def put(x: Any, index: Any, values: Any) -> Any:
        return _bare(indexing.put(wrap(x), index, wrap(values)))

    def put_add(shape: Sequence[int], index: Any, values: Any) -> Any:
        return _bare(indexing.put_add(shape, index, wrap(values)))

    def take_along_axis(x: Any, indices: Any, axis: int) -> Any:
        return _bare(indexing.take_along_axis(wrap(x), _indices(indices), axis))

    def scatter_add(shape: Sequence[int], indices: Any, values: Any, axis: int) -> Any:
        return _bare(indexing.scatter_add(shape, _indices(indices), wrap(values), axis))

    def nonzero(x: Any) -> Any:
        return indexing.nonzero(wrap(x))

    several = (concat, stack, matmul, einsum, getitem, put, put_add, take_along_axis, scatter_add, nonzero)
    return {function.__name__: function for function in several}


def _indices(x: Any) -> PyArray:
    return x if type(x) is PyArray else PyArray([int(x)], (), "int64")


def _creation(own: str) -> dict[str, Function]:
    def full(shape: Sequence[int], value: Any, dtype: str | None = None) -> Any:
        dtype = dtype or own
        value = cast_number(value, dtype)
        return PyArray([value] * math.prod(shape), tuple(shape), dtype) if len(shape) else value

    def zeros(shape: Sequence[int], dtype: str | None = None) -> Any:
        return full(shape, 0, dtype)

    def ones(shape: Sequence[int], dtype: str | None = None) -> Any:
        return full(shape, 1, dtype)

    def zeros_like(x: Any) -> Any:
        return full(x.shape, 0, x.dtype) if type(x) is PyArray else full((), 0, _dtype_of(x, own))

    def ones_like(x: Any) -> Any:
        return full(x.shape, 1, x.dtype) if type(x) is PyArray else full((), 1, _dtype_of(x, own))

    def arange(stop: int, dtype: str = "int64") -> Any:
        return PyArray(list_rounder(dtype)(list(range(stop))), (max(stop, 0),), dtype)

    def astype(x: Any, dtype: str) -> Any:
        if type(x) is PyArray:
            return x if x.dtype == dtype else PyArray(cast_list(x.data, x.dtype, dtype), x.shape, dtype)
        return cast_number(x, dtype)

    def shape(x: Any) -> tuple[int, ...]:
        return x.shape if type(x) is PyArray else ()

    created = (full, zeros, ones, zeros_like, ones_like, arange, astype, shape)
    return {function.__name__: function for function in created}


def _dtype_of(x: Any, own: str) -> str:
    return "bool" if isinstance(x, bool) else own


def _shortcuts(functions: dict[str, Function]) -> dict[str, Function]:
    """What the other functions are for a bare number, where that is nothing or nearly so."""
    on_sum, on_broadcast, on_reshape = functions["sum"], functions["broadcast_to"], functions["reshape"]

    def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return x if type(x) is float else on_sum(x, axis, keepdims)

    def broadcast_to(x: Any, shape: Sequence[int]) -> Any:
        return x if not shape and type(x) is not PyArray else on_broadcast(x, shape)

    def reshape(x: Any, shape: Sequence[int]) -> Any:
        return x if shape == () and type(x) is not PyArray else on_reshape(x, shape)

    return {"sum": sum, "broadcast_to": broadcast_to, "reshape": reshape}
