"""The array forms of a spec: numbers, constant expressions, nested lists, tensors, generators, files."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

from gradspec.dense import Dense
from gradspec.dtypes import DTYPES, complex_of
from gradspec.errors import did_you_mean
from gradspec.spec.cast import CannotHold, as_dtype, common_dtype
from gradspec.spec.constant import evaluate
from gradspec.spec.model import Ref
from gradspec.spec.syntax import BadText

__all__ = ["GENERATORS", "Arrays", "literal", "literal_or_fault"]

MOST = 10_000_000  # elements of one array
_NUMBERS = {bool, int, float, complex}
GENERATORS = ("zeros", "ones", "full", "eye", "arange", "linspace", "random")
_FORMS = ("data", "tensor", "file", *GENERATORS)
_BESIDE = {
    "data": (), "tensor": (), "file": ("sha256",), "full": ("shape",),
    **dict.fromkeys(("zeros", "ones", "eye", "arange", "linspace", "random"), ()),
}  # fmt: skip


class _Bad(Exception):
    """A fault of an array: code, message, path below the array, and how to point at it."""

    def __init__(self, code: str, message: str, path: tuple[Any, ...] = (), **pointing: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.path, self.pointing = code, message, path, pointing


class Arrays:
    """Reads the arrays of one spec.

    `floating` is the dtype of floating data without one of its own; `resolve(name, path)` gives the
    binding a tensor's name means, or None after noting a fault; `directory` is where data files stand.
    """

    def __init__(
        self,
        fault: Callable[..., None],
        floating: str,
        resolve: Callable[[str, tuple[Any, ...]], int | None],
        directory: str,
    ) -> None:
        self.fault = fault
        self.floating = floating
        self.resolve = resolve
        self.directory = directory

    def read(self, view: Any, path: tuple[Any, ...]) -> tuple[Dense | Ref | None, bool]:
        """The array at `path` and whether it names no dtype of its own; None after noting a fault."""
        try:
            return self._read(view, path)
        except _Bad as bad:
            self.fault(bad.code, bad.message, path + bad.path, **bad.pointing)
            return None, True

    def _read(self, view: Any, path: tuple[Any, ...]) -> tuple[Dense | Ref | None, bool]:
        if not isinstance(view, dict):
            return literal(view, None, self.floating), True
        dtype = self._dtype(view)
        form = self._form(view)
        if form == "tensor":
            return self._tensor(view, path)
        if form == "data":
            return self._data(view["data"], dtype, path)
        if form == "file":
            return _as(self._file(view), dtype), False
        return self._generated(form, view, dtype), dtype is None

    def _dtype(self, view: dict[str, Any]) -> str | None:
        dtype = view.get("dtype")
        if dtype is None or dtype in DTYPES:
            return dtype
        hint = did_you_mean(str(dtype), list(DTYPES)) or f"dtypes are {', '.join(DTYPES)}"
        raise _Bad("bad-dtype", f'no dtype "{dtype}"', ("dtype",), hint=hint)

    def _form(self, view: dict[str, Any]) -> str:
        forms = [key for key in view if key in _FORMS]
        if len(forms) != 1:
            hint = "one of data, tensor, file, " + ", ".join(GENERATORS)
            raise _Bad("bad-array", "an array is described by exactly one of its forms", hint=hint)
        for key in view:
            if key not in (forms[0], "dtype", "requires_grad", *_BESIDE[forms[0]]):
                raise _Bad("bad-array", f'"{key}" has no meaning beside {forms[0]}', (key,), key=True)
        return forms[0]

    def _tensor(self, view: dict[str, Any], path: tuple[Any, ...]) -> tuple[Ref | None, bool]:
        if "dtype" in view:
            raise _Bad(
                "bad-array", "a tensor has its own dtype", ("dtype",), key=True, hint="to(x, dtype) converts"
            )
        name = view["tensor"]
        if not isinstance(name, str):
            raise _Bad("bad-array", "tensor takes a name", ("tensor",))
        binding = self.resolve(name, (*path, "tensor"))
        return (None if binding is None else Ref(binding)), False

    def _data(self, data: Any, dtype: str | None, path: tuple[Any, ...]) -> tuple[Dense | Ref | None, bool]:
        if isinstance(data, dict):
            inner, bare = self.read(data, (*path, "data"))
            if isinstance(inner, Dense) and dtype is not None:
                return _as(inner, dtype), False
            if dtype is not None and isinstance(inner, Ref):
                raise _Bad("bad-array", "a tensor has its own dtype", ("dtype",), key=True)
            return inner, bare
        try:
            return literal(data, dtype, self.floating), dtype is None
        except _Bad as bad:
            bad.path = ("data", *bad.path)
            raise

    def _generated(self, form: str, view: dict[str, Any], dtype: str | None) -> Dense:
        from gradspec.spec.generate import BadGenerator, generate

        numbers = {key: _evaluated(value, (key,)) for key, value in view.items()}
        if form == "random" and isinstance(numbers["random"], dict):
            options = dict(numbers["random"])
            for key in options:
                if key not in ("dist", "seed", "shape", "low", "high"):
                    hint = did_you_mean(str(key), ["dist", "seed", "shape", "low", "high"])
                    raise _Bad(
                        "bad-generator", f'random has no "{key}"', ("random", key), key=True, hint=hint
                    )
            options["complex"] = dtype is not None and dtype.startswith("complex")
            numbers["random"] = options
        try:
            return generate(form, numbers, dtype, self.floating)
        except BadGenerator as bad:
            raise _Bad("bad-generator", bad.message, (bad.key,), hint=bad.hint) from None

    def _file(self, view: dict[str, Any]) -> Dense:
        from gradspec.spec.npy import BadFile, content_hash, read_npy

        name, expected = view["file"], view.get("sha256")
        if not isinstance(name, str):
            raise _Bad("bad-file-data", "file takes a name", ("file",))
        try:
            array = read_npy(name, self.directory)
            found = content_hash(array)
        except BadFile as bad:
            raise _Bad("bad-file-data", bad.message, ("file",), hint=bad.hint) from None
        if expected != found:
            key = "file" if expected is None else "sha256"
            said = (
                "a data file needs its hash"
                if expected is None
                else "the file does not hold what its hash says"
            )
            raise _Bad("bad-file-data", said, (key,), hint=f"it holds sha256: {found}")
        return array


def literal(view: Any, dtype: str | None, floating: str) -> Dense:
    """A number, bool, constant expression or rectangular nested lists of them as a Dense.

    The dtype is `dtype`, else that of the highest kind among the elements: bool, int64, `floating`,
    or the complex dtype of its precision.
    """
    values, shape, kinds = _flatten(view)
    if not kinds <= _NUMBERS:
        values = [_element(value, index, shape) for index, value in enumerate(values)]
        kinds = set(map(type, values))
    word = dtype or common_dtype(kinds, floating, complex_of(floating))
    try:
        return Dense(word, shape, as_dtype(values, word, kinds))
    except CannotHold as fault:
        raise _Bad("bad-dtype", fault.message, _unravel(fault.index, shape)) from None


def _flatten(view: Any) -> tuple[list[Any], tuple[int, ...], set[type[Any]]]:
    """The elements of nested lists, their shape and their types, level by level."""
    layer: list[Any] = [view]
    shape: list[int] = []
    while True:
        kinds = set(map(type, layer))
        if list not in kinds:
            return layer, tuple(shape), kinds
        if len(kinds) > 1 or len(set(map(len, layer))) > 1:
            raise _ragged(layer, shape)
        shape.append(len(layer[0]))
        layer = layer[0] if len(layer) == 1 else list(chain.from_iterable(layer))
        if len(layer) > MOST:
            raise _Bad("bad-array", f"more than {MOST:,} elements")
        if not layer:
            return [], tuple(shape), set()


def _ragged(layer: list[Any], shape: list[int]) -> _Bad:
    """The first element of a layer that is unlike the first of it."""
    first = layer[0]
    for index, each in enumerate(layer):
        path = _unravel(index, tuple(shape))
        if isinstance(each, list) != isinstance(first, list):
            has, wants = ("a list", "a number") if isinstance(each, list) else ("a number", "a list")
            return _Bad("ragged-array", f"{has} where its first neighbour is {wants}", path)
        if isinstance(each, list) and len(each) != len(first):
            return _Bad(
                "ragged-array", f"{len(each)} elements where its first neighbour has {len(first)}", path
            )
    raise AssertionError("a rectangular layer")


def _unravel(index: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The indices of the element at `index` of the flat list."""
    path = []
    for size in reversed(shape):
        index, at = divmod(index, size)
        path.append(at)
    return tuple(reversed(path))


def _element(value: Any, index: int, shape: tuple[int, ...]) -> Any:
    if type(value) in _NUMBERS:
        return value
    path = _unravel(index, shape)
    if isinstance(value, str):
        return _constant(value, path)
    what = "nothing (null)" if value is None else "a mapping" if isinstance(value, dict) else f"{value!r}"
    raise _Bad("bad-array", f"{what} where a number is wanted", path)


def _constant(text: str, path: tuple[Any, ...]) -> Any:
    try:
        return evaluate(text)
    except BadText as bad:
        pointing = {"offset": bad.offset, "width": bad.width, "hint": bad.hint}
        raise _Bad("bad-constant", bad.message, path, **pointing) from None


def _evaluated(value: Any, path: tuple[Any, ...]) -> Any:
    """A generator's arguments with their constant expressions evaluated."""
    if isinstance(value, str) and path[-1] not in ("dist", "dtype"):
        return _constant(value, path)
    if isinstance(value, list):
        return [_evaluated(each, (*path, index)) for index, each in enumerate(value)]
    if isinstance(value, dict):
        return {key: _evaluated(each, (*path, key)) for key, each in value.items()}
    return value


def _as(array: Dense, dtype: str | None) -> Dense:
    if dtype is None or dtype == array.dtype:
        return array
    try:
        return Dense(dtype, array.shape, as_dtype(array.flat(), dtype))
    except CannotHold as fault:
        raise _Bad("bad-dtype", fault.message, ("dtype",)) from None


def literal_or_fault(
    view: Any,
    dtype: str | None,
    floating: str,
    fault: Callable[..., None],
    path: tuple[Any, ...],
    pointing: Any,
) -> Dense | None:
    """`literal`, or None after noting a fault that points at one place whatever is wrong inside."""
    try:
        return literal(view, dtype, floating)
    except _Bad as bad:
        fault(bad.code, bad.message, path, **pointing)
        return None
