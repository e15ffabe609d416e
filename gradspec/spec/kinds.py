"""Which values a parameter of each kind takes, and their canonical form.

A value is what an expression of a statement gives: a `Use` or `Temp` (a tensor), a number, None, a
string, `Ellipsis`, an `IndexSlice`, or a tuple of values (a list or tuple as written).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.dtypes import DTYPES
from gradspec.spec.fold import NUMBERS
from gradspec.spec.instruction import Number, Temp, Use
from gradspec.spec.model import IndexSlice, Slot

if TYPE_CHECKING:
    from gradspec.ops.registry import Param

__all__ = [
    "KIND_WORDS",
    "describe",
    "dtype_hint",
    "fit",
    "is_data",
    "is_default",
    "is_integers",
    "is_list",
    "is_tensor",
    "listed",
]

KIND_WORDS = {
    "Tensor": "a tensor", "Operand": "a tensor or a number", "Tensors": "a list of tensors",
    "Index": "an index", "int": "an integer", "float": "a real number", "Number": "a number",
    "bool": "True or False", "str": "a quoted string", "DType": "a dtype in quotes",
    "Dims": "an integer or a list of integers", "Size": "a list of integers",
}  # fmt: skip


def is_tensor(value: Any) -> bool:
    return isinstance(value, (Use, Temp))


def is_list(value: Any) -> bool:
    return type(value) is tuple


def is_integers(value: Any) -> bool:
    """Nested lists of integers or bools."""
    return type(value) in (bool, int) or (is_list(value) and all(map(is_integers, value)))


def is_data(value: Any) -> bool:
    """A number or nested lists of numbers."""
    return isinstance(value, NUMBERS) or (is_list(value) and all(map(is_data, value)))


def listed(value: Any) -> Any:
    return [listed(each) for each in value] if isinstance(value, tuple) else value


def is_default(param: Param, value: Any) -> bool:
    """Whether an argument says what leaving it out would; 1, 1.0 and True are different."""
    return not param.required and type(value) is type(param.default) and repr(value) == repr(param.default)


def _slot(value: Any, inputs: list[Any]) -> Slot:
    inputs.append(value)
    return Slot(len(inputs) - 1)


def fit(kind: str, value: Any, inputs: list[Any]) -> tuple[bool, Any]:
    """Whether `value` is of that kind, and its canonical form."""
    if kind == "Tensor" or (kind == "Operand" and is_tensor(value)):
        return (True, _slot(value, inputs)) if is_tensor(value) else (False, None)
    if kind == "Operand":
        return (True, _slot(Number(value), inputs)) if isinstance(value, NUMBERS) else (False, None)
    if kind == "Tensors":
        fits = is_list(value) and all(map(is_tensor, value))
        return fits, tuple(_slot(each, inputs) for each in value) if fits else None
    if kind == "Index":
        entries = value if is_list(value) else (value,)
        return True, tuple(_index_slots(entry, inputs) for entry in entries)
    if kind == "Dims":
        fits = type(value) is int or (is_list(value) and all(type(each) is int for each in value))
        return fits, value
    if kind == "Size":
        fits = type(value) is int or (is_list(value) and all(type(each) is int for each in value))
        return fits, (value,) if type(value) is int else value
    if kind == "DType":
        return isinstance(value, str) and value in DTYPES, value
    types = {
        "int": (int,),
        "float": (int, float),
        "Number": (int, float, complex),
        "bool": (bool,),
        "str": (str,),
    }
    return type(value) in types.get(kind, ()), value


def _index_slots(entry: Any, inputs: list[Any]) -> Any:
    if is_tensor(entry):
        return _slot(entry, inputs)
    if isinstance(entry, IndexSlice):
        return IndexSlice(*(_index_slots(part, inputs) for part in entry))
    return entry


def describe(value: Any) -> str:
    if is_tensor(value):
        return "a tensor"
    if is_list(value):
        return "a list"
    if value is None or isinstance(value, (bool, str)):
        return repr(value)
    return f"the number {value!r}" if isinstance(value, NUMBERS) else "..."


def dtype_hint() -> str:
    return f"dtypes are {', '.join(DTYPES)}"
