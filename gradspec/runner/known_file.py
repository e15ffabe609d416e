"""The file of known failures of one backend: `gradspec: 1`, then lines `id-glob: reason`, sorted.

It is YAML, read as strictly as a spec. An entry takes one line, so that two branches that add entries
seldom meet in one place; comments right above an entry belong to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gradspec.errors import Fault, Place, SpecError
from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from gradspec.spec.document import Document

__all__ = ["Entry", "entries_of", "read_file", "rewritten"]

FORMAT = 1
_HEAD = "gradspec: 1\n"
_HINT = "entries are lines `id-glob: reason`"


class Entry(NamedTuple):
    """What is known to fail and why; `file` is a plugin's name and `line` 0 where no file has it."""

    glob: str
    reason: str
    file: str
    line: int


def read_file(path: str) -> list[Entry]:
    """The entries of a file. Raises SpecError with every fault, also where it cannot be read."""
    return entries_of(_text(path), path)


def entries_of(text: str, path: str) -> list[Entry]:
    """The entries in the text of a file; `path` is what messages call it."""
    from gradspec.spec.reader import read

    document = read(text, path)
    entries = [] if document.faults else _entries(document)
    if document.faults:
        raise SpecError([_hinted(fault) for fault in document.faults])
    return entries


def _hinted(fault: Fault) -> Fault:
    if fault.source.startswith("*"):
        return fault._replace(hint='quote a glob that begins with *, as "*.float16": reason')
    return fault._replace(hint=_HINT) if fault.code == "empty-file" else fault


def _text(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            return stream.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fault = Fault("encoding", f"byte 0x{error.object[error.start]:02x} is not UTF-8", Place(path, 1))
    except OSError as error:
        fault = Fault("unreadable-file", f"cannot be read: {error.strerror}", Place(path, 1))
    raise SpecError([fault])


def _entries(document: Document) -> list[Entry]:
    """The entries of a document; what is wrong goes to its faults."""
    view = document.view
    if not isinstance(view, dict):
        _fault(document, "bad-value", "a file of known failures is a mapping", (), hint=_HINT)
        return []
    if "gradspec" not in view:
        _fault(document, "missing-key", "gradspec is missing", (), hint="begin the file with `gradspec: 1`")
        return []
    version = view["gradspec"]
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        hint = "write `gradspec: 1`"
        _fault(document, "bad-value", f"{version!r} is no format version", ("gradspec",), hint=hint)
        return []
    if version > FORMAT:
        message = f"needs format {version}; this gradspec reads {FORMAT}"
        _fault(document, "needs-format", message, ("gradspec",), hint="a newer gradspec reads this file")
        return []
    entries = [_entry(document, glob) for glob in view if glob != "gradspec"]
    _one_line_each(document)
    return entries


def _entry(document: Document, glob: str) -> Entry:
    reason, path = document.view[glob], (glob,)
    place = document.place(path, key=True)
    if not glob or any(letter.isspace() for letter in glob):
        _fault(document, "bad-value", f'"{glob}" is no glob over spec ids', path, key=True, hint=_HINT)
    elif not isinstance(reason, str) or not reason.strip():
        hint = "say in words why it fails, best with a link to the issue"
        _fault(document, "bad-value", f"{glob} has no reason", path, hint=hint)
    return Entry(glob, str(reason), document.file, place.line)


def _one_line_each(document: Document) -> None:
    keys = {document.place((key,), key=True).line for key in document.view}
    index = 0
    for number, line in enumerate(document.text.split("\n"), 1):
        if number not in keys and line.strip() and not line.lstrip().startswith("#"):
            message = "an entry takes one line"
            document.faults.append(document.fault_at("bad-value", message, index, hint=_HINT))
        index += len(line) + 1


def _fault(
    document: Document, code: str, message: str, path: tuple[str, ...], *, key: bool = False, hint: str = ""
) -> None:
    document.faults.append(document.fault(code, message, path, key=key, hint=hint))


# Writing.


def rewritten(text: str, replaced: Mapping[str, Sequence[tuple[str, str]]], added: Mapping[str, str]) -> str:
    """The text of a file, sorted, with the entries `replaced` by others (or none) and more `added`.

    Lines of other entries stay as they are, comments stay with the entry they stand above. Line ends
    are those of the file. A text of "" is a new file.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    head, blocks, tail = _blocks(text.replace("\r\n", "\n") or _HEAD)
    made: dict[str, str] = {}
    for glob, block in blocks.items():
        if glob not in replaced:
            made[glob] = block
            continue
        above = block[: block.rstrip("\n").rfind("\n") + 1]
        for name, reason in replaced[glob]:
            made[name], above = f"{above}{_line(name, reason)}", ""
    for glob, reason in added.items():
        made.setdefault(glob, _line(glob, reason))
    return (head + "".join(made[glob] for glob in sorted(made)) + tail).replace("\n", newline)


def _blocks(text: str) -> tuple[str, dict[str, str], str]:
    """The text as its head up to the format, the blocks of its entries by glob, and what follows them.
    A comment is part of the head where a blank line parts it from the first entry."""
    lines = {entry.line: entry.glob for entry in entries_of(text, "")}
    format_at = _line_of_format(text)
    parts = text if text.endswith("\n") else text + "\n"
    head = pending = ""
    blocks: dict[str, str] = {}
    for number, line in enumerate(parts.splitlines(keepends=True), 1):
        pending += line
        if number in lines:
            blocks[lines[number]] = pending
            pending = ""
        elif number == format_at or (not blocks and not line.strip() and number > format_at):
            head += pending
            pending = ""
    return head, blocks, pending


def _line_of_format(text: str) -> int:
    from gradspec.spec.reader import read

    return read(text, "").place(("gradspec",), key=True).line


def _line(glob: str, reason: str) -> str:
    """An entry, quoted where YAML would read it otherwise."""
    from gradspec.spec.reader import read

    reason = " ".join(reason.split()) or "fails"
    for line in (f"{glob}: {reason}", f"{glob}: {_quoted(reason)}", f"{_quoted(glob)}: {_quoted(reason)}"):
        document = read(line, "")
        if not document.faults and document.view == {glob: reason}:
            break
    return line + "\n"


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=not text.isprintable())
