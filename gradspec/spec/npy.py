"""`.npy` files, read without NumPy and without pickle, from a spec's own directory only."""

from __future__ import annotations

import math
import os
import re
import stat
from typing import Any

from gradspec.dense import Dense
from gradspec.records import NamedTuple

__all__ = ["BadFile", "content_hash", "read_npy"]

MOST = 10_000_000  # elements
_HEADER = re.compile(
    r"\{\s*'descr':\s*'(?P<descr>[^']*)'\s*,\s*'fortran_order':\s*(?P<fortran>True|False)\s*,"
    r"\s*'shape':\s*\((?P<shape>[\d\s,]*)\)\s*,?\s*\}\s*"
)


class _Kind(NamedTuple):
    dtype: str
    code: str  # of struct
    parts: int  # numbers an element


_KINDS = {
    "b1": _Kind("bool", "?", 1), "u1": _Kind("uint8", "B", 1), "i1": _Kind("int8", "b", 1),
    "i2": _Kind("int16", "h", 1), "i4": _Kind("int32", "i", 1), "i8": _Kind("int64", "q", 1),
    "f2": _Kind("float16", "e", 1), "f4": _Kind("float32", "f", 1), "f8": _Kind("float64", "d", 1),
    "c8": _Kind("complex64", "f", 2), "c16": _Kind("complex128", "d", 2),
}  # fmt: skip
_CODES = {kind.dtype: kind for kind in _KINDS.values()}


class BadFile(Exception):
    """Why a data file cannot be used, and a next step."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def content_hash(array: Dense) -> str:
    """SHA-256, in hexadecimal, of what an array holds whatever file it is in.

    Hashed are its dtype, its sizes joined by commas, a newline (`float32 2,3\\n`, `float64 \\n` for a
    0-d array), and then its elements in C order as little-endian bytes; a bool is one byte.
    """
    import hashlib
    import struct

    kind = _CODES.get(array.dtype)
    if kind is None:
        raise BadFile(f"{array.dtype} has no form in a file")
    digest = hashlib.sha256(f"{array.dtype} {','.join(map(str, array.shape))}\n".encode())
    values = array.flat()
    if kind.parts == 2:
        values = [part for value in values for part in (value.real, value.imag)]
    digest.update(struct.pack(f"<{len(values)}{kind.code}", *values))
    return digest.hexdigest()


def read_npy(name: str, directory: str) -> Dense:
    """The array in the file `name` of `directory`. Raises BadFile.

    `name` is relative and stays inside: no `..`, no link anywhere below the directory.
    """
    return _parse(_read_confined(name, directory))


def _read_confined(name: str, directory: str) -> bytes:
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or ":" in name or "\0" in name:
        raise BadFile("a data file is named relative to the spec's directory, with / between its parts")
    if any(part in ("", ".", "..") for part in parts):
        raise BadFile("a data file stands in the spec's own directory or below it", "no .. and no empty part")
    path = directory or "."
    try:
        for part in parts:
            path = os.path.join(path, part)
            if stat.S_ISLNK(os.lstat(path).st_mode):
                raise BadFile(
                    f'"{name}" leads through a symbolic link', "copy the file into the spec's directory"
                )
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise BadFile(f'"{name}" is not a regular file')
        if os.path.getsize(path) > MOST * 16 + 65536:
            raise BadFile(f'"{name}" holds more than {MOST:,} elements')
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadFile(f'"{name}" cannot be read: {reason}') from None


def _parse(data: bytes) -> Dense:
    if data[:6] != b"\x93NUMPY" or len(data) < 12:
        raise BadFile("not a .npy file", "numpy.save writes them")
    wide = data[6] >= 2
    start = 12 if wide else 10
    end = start + int.from_bytes(data[8:start], "little")
    match = _HEADER.fullmatch(data[start:end].decode("latin-1"))
    if data[6] not in (1, 2, 3) or match is None:
        raise BadFile("a .npy header that is not understood", "a plain array of one dtype is needed")
    descr = match["descr"]
    kind = _KINDS.get(descr[1:])
    if kind is None or descr[0] not in "<>|=":
        raise BadFile(f'the element type "{descr}" is not one of gradspec\'s dtypes')
    shape = tuple(int(size) for size in match["shape"].split(",") if size.strip())
    size = math.prod(shape)
    if size > MOST:
        raise BadFile(f"{size:,} elements; {MOST:,} are the most")
    values = _elements(data[end:], ">" if descr[0] == ">" else "<", kind, size)
    if match["fortran"] == "True" and len(shape) > 1:
        values = _from_fortran(values, shape)
    return Dense(kind.dtype, shape, values)


def _elements(body: bytes, order: str, kind: _Kind, size: int) -> list[Any]:
    import struct

    layout = struct.Struct(f"{order}{size * kind.parts}{kind.code}")
    if len(body) != layout.size:
        raise BadFile(f"{layout.size} bytes of data were announced, {len(body)} are there")
    values = list(layout.unpack(body))
    if kind.parts == 2:
        return [complex(re_, im) for re_, im in zip(values[::2], values[1::2], strict=True)]
    return values


def _from_fortran(values: list[Any], shape: tuple[int, ...]) -> list[Any]:
    """C order of elements given in Fortran order."""
    offsets = [0]
    stride = 1
    strides = []
    for size in shape:
        strides.append(stride)
        stride *= size
    for size, step in zip(shape, strides, strict=True):
        offsets = [offset + i * step for offset in offsets for i in range(size)]
    return [values[offset] for offset in offsets]
