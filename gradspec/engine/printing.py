"""The text of a tensor, character for character as torch's repr() gives it with its default options."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradspec.dense import Dense, round_to
from gradspec.dtypes import COMPLEX, FLOATING
from gradspec.records import NamedTuple

__all__ = ["tensor_text"]

PREFIX = "tensor("
LINE_WIDTH = 80
MOST_SHOWN_WHOLE = 1000  # elements; a larger tensor is printed as a summary
EDGE = 3  # what a summary keeps at either end of a dimension
TOLD_BY_THE_TEXT = ("float32", "complex64", "int64", "bool")  # dtypes that torch leaves out


def tensor_text(data: Dense, *, grad_fn: str | None = None, requires_grad: bool = False) -> str:
    """What torch prints for a CPU tensor with this dtype, shape and elements.

    `grad_fn` is the node's name (`MulBackward0`); a C++ namespace before it is left out. A tensor
    with a node shows the node, and `requires_grad` only without one. Of a tensor with more than
    1000 elements no more than the first and last three along each dimension are looked at.

    Source: the behaviour of torch 2.13 with `torch.set_printoptions(profile="default")`.
    """
    suffixes = []
    if data.size:
        text = PREFIX + _elements_text(data)
        dtype_shown = data.dtype not in TOLD_BY_THE_TEXT
    else:
        text = PREFIX + "[]"
        if len(data.shape) != 1:
            suffixes.append(f"size={data.shape}")
        dtype_shown = data.dtype != "float32"  # there is no element to tell it by
    if dtype_shown:
        suffixes.append(f"dtype=torch.{data.dtype}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn.rpartition('::')[2]}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return _with_suffixes(text, suffixes) + ")"


def _with_suffixes(text: str, suffixes: list[str]) -> str:
    """`text` and its suffixes, each on a new line where torch reckons the line to be full.

    Its reckoning has two columns of reserve on a line that ends in elements, none on a later one.
    """
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        column += len(", ") + len(suffix)
        if column <= LINE_WIDTH:
            text += ", " + suffix
        else:
            text += ",\n" + " " * len(PREFIX) + suffix
            column = len(PREFIX) + len(suffix)
    return text


def _elements_text(data: Dense) -> str:
    """The brackets and elements of a tensor that has at least one element."""
    summary = data.size > MOST_SHOWN_WHOLE
    values = [round_to(value, data.dtype) for value in _shown_values(data, summary)]
    if data.dtype in COMPLEX:
        real_form = _float_form([value.real for value in values])
        imag_form = _float_form([value.imag for value in values])
        cells = [_complex_text(value, real_form, imag_form) for value in values]
        width = real_form.width + imag_form.width + len("j")  # the sign between the parts is not counted
    else:
        form = _float_form(values) if data.dtype in FLOATING else _exact_form(values)
        cells = [form.text(value) for value in values]
        width = form.width
    return _bracketed(cells, data.shape, summary, width)


# Which elements are shown.


def _shown_values(data: Dense, summary: bool) -> list[Any]:
    """The elements that will be printed, in C order; the others are not touched."""
    if not summary:
        return data.flat()
    offsets = [0]
    for size in data.shape:
        kept = range(size) if size <= 2 * EDGE else (*range(EDGE), *range(size - EDGE, size))
        offsets = [offset * size + index for offset in offsets for index in kept]
    elements = data.data
    if isinstance(elements, list | tuple):
        return [elements[offset] for offset in offsets]
    return list(elements.reshape(-1)[offsets].tolist())


# How one element is written.


class _Form(NamedTuple):
    """The format that all elements of a tensor share, and the width to which it pads them."""

    spec: str
    width: int

    def text(self, value: Any) -> str:
        return _bare(value, self.spec).rjust(self.width)


def _bare(value: Any, spec: str) -> str:
    """`value` without padding; a whole float ends in a point, which says that it is a float."""
    text = format(value, spec)
    return text + "." if spec == ".0f" and math.isfinite(value) else text


def _exact_form(values: list[int]) -> _Form:
    """Integers and bools, as Python writes them."""
    return _Form("", max(len(format(value, "")) for value in values))


def _float_form(values: list[float]) -> _Form:
    """Whole, four decimals, or scientific: a matter of the finite non-zero values alone.

    Only these count for the width too, so that zeros, infinities and NaNs may stick out.
    """
    telling = [value for value in values if value and math.isfinite(value)]
    if not telling:
        return _Form(".0f", 1)
    low, high = min(map(abs, telling)), max(map(abs, telling))
    if high / low > 1000.0 or high > 1e8 or low < 1e-4:
        spec = ".4e"
    elif all(value.is_integer() for value in telling):
        spec = ".0f"
    else:
        spec = ".4f"
    return _Form(spec, max(len(_bare(value, spec)) for value in telling))


def _complex_text(value: complex, real_form: _Form, imag_form: _Form) -> str:
    """The real part padded, the imaginary part not: its padding would come before the sign."""
    imag = imag_form.text(value.imag).lstrip() + "j"
    return real_form.text(value.real) + ("" if imag.startswith("-") else "+") + imag


# How elements are laid out.


def _bracketed(cells: list[str], shape: Sequence[int], summary: bool, width: int) -> str:
    """The written elements in nested brackets, built from the last dimension outwards.

    `width` is what a cell takes of a line. A row is broken where its line is full; between rows
    stand as many line breaks as brackets close there.
    """
    texts = cells
    last = len(shape) - 1
    for dim in reversed(range(len(shape))):
        margin = " " * (len(PREFIX) + dim + 1)
        cut = summary and shape[dim] > 2 * EDGE
        count = 2 * EDGE if cut else shape[dim]
        groups = [texts[start : start + count] for start in range(0, len(texts), count)]
        if cut:
            dots = " ..." if dim == last else "..."
            groups = [[*group[:EDGE], dots, *group[EDGE:]] for group in groups]
        if dim == last:
            per_line = max(1, (LINE_WIDTH - len(PREFIX) - dim) // (width + len(", ")))
            groups = [
                [", ".join(row[start : start + per_line]) for start in range(0, len(row), per_line)]
                for row in groups
            ]
        between = "," + "\n" * max(1, last - dim) + margin
        texts = ["[" + between.join(group) + "]" for group in groups]
    return texts[0]
