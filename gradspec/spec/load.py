"""Files → specs: reading, shape, meaning; all faults of a file at once."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gradspec.errors import Fault, Place, SpecError
from gradspec.spec.reader import decode, read
from gradspec.spec.shape import check_shape

if TYPE_CHECKING:
    from gradspec.spec.document import Document, Path
    from gradspec.spec.model import Spec

__all__ = [
    "MAX_FILE_BYTES", "SUFFIXES", "find_files", "load_document", "load_file", "load_paths", "load_text",
    "repeated_id",
]  # fmt: skip

SUFFIXES = (".gradspec.yaml", ".gradspec.yml")
MAX_FILE_BYTES = 256 * 2**20
# What may only follow from a fault of shape found before, such as a name that a faulty step would have bound.
_OF_VALUES = ("wrong-type", "unknown-code", "bad-constant", "bad-dtype", "bad-value", "bad-array")
_FOLLOW_UPS = ("unknown-name", "bad-expectation")


def load_text(text: str, file: str) -> list[Spec]:
    """The specs in YAML text; `file` is what messages call it. Raises SpecError with every fault."""
    return load_document(read(text, file))


def load_file(path: str) -> list[Spec]:
    """The specs of a file. Raises SpecError with every fault, also where the file cannot be read."""
    path = os.fspath(path)
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for, a device read for ever
            reason = "is a directory" if stat.S_ISDIR(status.st_mode) else "is no regular file"
            raise SpecError([Fault("unreadable-file", reason, Place(path, 1))])
        if status.st_size > MAX_FILE_BYTES:
            raise SpecError([Fault("too-large", f"more than {MAX_FILE_BYTES // 2**20} MiB", Place(path, 1))])
        with open(path, "rb") as stream:
            data = stream.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError([Fault("unreadable-file", f"cannot be read: {reason}", Place(path, 1))]) from None
    return load_document(decode(data, path))


def load_paths(paths: Iterable[str]) -> tuple[list[Spec], list[Fault]]:
    """The specs of files and directories, and the faults of those that have some.

    An id used twice over all files is a fault that names both places.
    """
    specs: list[Spec] = []
    faults: list[Fault] = []
    seen: dict[str, Spec] = {}
    for path in paths:
        for file in find_files(path):
            try:
                found = load_file(file)
            except SpecError as error:
                faults += error.faults
                continue
            for spec in found:
                first = seen.setdefault(spec.id, spec)
                if first is spec:
                    specs.append(spec)
                elif (first.file, first.line) != (spec.file, spec.line):
                    faults.append(repeated_id(spec, first))
    return specs, faults


def find_files(path: str) -> list[str]:
    """A file itself; of a directory every spec file in it and below, in sorted order."""
    path = os.fspath(path)
    if not os.path.isdir(path):
        return [path]
    found: list[str] = []
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += (os.path.join(folder, name) for name in files if name.endswith(SUFFIXES))
    return sorted(found)


def repeated_id(spec: Spec, first: Spec) -> Fault:
    """The fault of a spec whose id an earlier one, `first`, has."""
    with open(spec.file, encoding="utf-8-sig") as stream:
        source = next((line.rstrip("\n") for number, line in enumerate(stream, 1) if number == spec.line), "")
    message = f"the id {spec.id} is already used at {first.file}:{first.line}"
    hint = "ids are unique over everything in one run"
    return Fault("duplicate-id", message, Place(spec.file, spec.line), source, hint)


def load_document(document: Document) -> list[Spec]:
    """The specs of a file that has been read. Raises SpecError with every fault."""
    specs: list[Spec] = []
    if document.view is not None or not document.faults:
        broken = check_shape(document)
        if not document.faults:
            specs = _build(document)
        elif broken is not None:
            document.faults += _faults_of_the_rest(document, broken)
    if document.faults:
        raise SpecError([_left_open(fault) for fault in _in_order(document.faults)])
    return specs


def _left_open(fault: Fault) -> Fault:
    """The fault, or what is to be said of an expectation that is yet to be filled in."""
    column = fault.place.column
    if fault.code not in _OF_VALUES or fault.source[column - 1 : column + 2] != "...":
        return fault
    hint = "`gradspec accept` writes what a backend answers"
    place = fault.place._replace(width=3)
    return Fault("left-open", "an expectation is left open", place, fault.source, hint)


def _faults_of_the_rest(document: Document, broken: list[Path]) -> list[Fault]:
    """What is wrong with the meaning of those parts whose shape is right."""
    from gradspec.spec.mend import mended

    rest = mended(document, broken)
    if rest is None or check_shape(rest) != []:
        return []
    _build(rest)
    return [fault for fault in rest.faults if fault.code not in _FOLLOW_UPS]


def _build(document: Document) -> list[Spec]:
    from gradspec.spec.build import build_document

    return build_document(document)


def _in_order(faults: list[Fault]) -> list[Fault]:
    """By place, and one fault a place: the first one found is the cause, the others follow from it."""
    first: dict[tuple[int, int], Fault] = {}
    for fault in faults:
        first.setdefault((fault.place.line, fault.place.column), fault)
    return [first[place] for place in sorted(first)]
