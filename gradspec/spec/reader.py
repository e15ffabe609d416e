"""Text → `Document`: YAML 1.2 read strictly, from the parser's events, without recursion.

libyaml makes the events (PyYAML's own parser where libyaml is absent); everything that they mean is
decided here: types, keys, aliases and all limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.spec import torn
from gradspec.spec.document import LONG_TEXT, MARK, Document, Node
from gradspec.spec.libyaml import load_yaml
from gradspec.spec.scalars import NUMBER_START, WORDS, OddScalar, number

if TYPE_CHECKING:
    from gradspec.spec.lift import Lifted

__all__ = ["MAX_DEPTH", "MAX_FAULTS", "MAX_NODES", "MAX_NUMBERS", "decode", "read"]

MAX_DEPTH = 64
MAX_NODES = 1_000_000
MAX_NUMBERS = 10_000_000
MAX_FAULTS = 100
_LONG_LIST = 1000  # numbers; the places of longer lists are found by reading again


class _Stop(Exception):
    """Nothing more can be read; the fault is in the document."""


class _Unlift(Exception):
    """A lifted list did not come back as a value."""


def decode(data: bytes, file: str) -> Document:
    """`read` of a file's bytes; text that is not UTF-8 is a fault of the document."""
    try:
        return read(data.decode("utf-8"), file)
    except UnicodeDecodeError as error:
        document = Document(data.decode("utf-8", "replace"), file)
        index = len(data[: error.start].decode("utf-8"))
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            message, hint = "the file is UTF-16, not UTF-8", "save it as UTF-8"
        else:
            message, hint = f"byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8"
        document.faults.append(document.fault_at("encoding", message, index, hint=hint))
        return document


def read(text: str, file: str) -> Document:
    """Read YAML text. Whatever is wrong is in the document's `faults`; its `view` is then None or partial."""
    text = text.removeprefix("\ufeff")
    if len(text) < LONG_TEXT:
        return _read_whole(text, file)
    import gc

    pause = gc.isenabled()  # nothing that is made here is garbage, and looking for it takes half of the time
    if pause:
        gc.disable()
    try:
        return _read_long(text, file)
    finally:
        if pause:
            gc.enable()


def _read_long(text: str, file: str) -> Document:
    from gradspec.spec.lift import lift

    lifted = lift(text)
    if lifted is not None:
        try:
            document = _read(text, file, lifted, keep=False)
        except _Unlift:
            pass
        else:
            document.reread = lambda: _read(text, file, None, keep=True)
            return document
    return _read_whole(text, file)


def _read_whole(text: str, file: str) -> Document:
    """The text as it is; read once more, keeping all, if a place is asked for that was dropped."""
    document = _read(text, file, None, keep=False)
    document.reread = lambda: _read(text, file, None, keep=True)
    return document


def _read(text: str, file: str, lifted: Lifted | None, keep: bool) -> Document:
    yaml = load_yaml()
    document = Document(text, file)
    if lifted is not None:
        document.original = lifted.original
    try:
        parser = _parser(text if lifted is None else lifted.text)
        _Builder(document, parser, lifted, keep).build()
    except _Stop:
        document.view = None
    except yaml.reader.ReaderError as error:
        _explain(document, error)
    except UnicodeEncodeError as error:  # a lone surrogate
        _explain(document, error)
    except yaml.MarkedYAMLError as error:
        if lifted is not None:
            raise _Unlift from None
        _explain(document, error)
    return document


def _explain(document: Document, error: Exception) -> None:
    """Turn what the parser said into the document's fault."""
    from gradspec.spec.syntax_errors import explain

    document.faults.append(explain(document, error))
    document.view = None


def _parser(text: str) -> Any:
    yaml = load_yaml()
    return (yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)(text)


class _Builder:
    """One pass over the events of a parser."""

    def __init__(self, document: Document, parser: Any, lifted: Lifted | None, keep: bool) -> None:
        self.document = document
        self.parser = parser
        self.lists = dict(lifted.lists) if lifted is not None else {}
        self.keep = keep
        self.nodes = 0  # after alias expansion; a purely numeric list is one
        self.numbers = 0
        # anchor → (value, tree, numeric, nodes, numbers, height), or None while it is being read
        self.anchors: dict[str, tuple[Any, Any, bool, int, int, int] | None] = {}

    def build(self) -> None:
        from yaml import DocumentStartEvent, StreamEndEvent

        get_event = self.parser.get_event
        get_event()  # the stream's start
        event = get_event()
        if isinstance(event, StreamEndEvent):
            hint = "a spec begins with `gradspec: 1`"
            fault = self.document.fault_at("empty-file", "the file holds nothing", 0, hint=hint)
            self.document.faults.append(fault)
            raise _Stop
        self._check_directives(event)
        self.document.view, self.document.tree = self._root(get_event)
        get_event()  # the document's end
        event = get_event()
        if isinstance(event, DocumentStartEvent):
            hint = "write several specs as a list under `specs:`, without ---"
            self._stop("several-documents", "a second YAML document begins here", event, hint)
        if self.lists:
            raise _Unlift

    def _root(self, get_event: Any) -> tuple[Any, Any]:
        """The value of the document and its tree. One loop, one event a turn."""
        from yaml import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent
        from yaml import SequenceStartEvent as Sequence

        words, number_start, keep = WORDS, NUMBER_START, self.keep
        stack: list[tuple[Any, ...]] = []  # the containers around this one, put aside
        items: Any = []
        children: Any = []
        top = children
        in_map = False
        key: str | None = None
        key_event: Any = None
        pure = True  # only numbers, and lists of nothing else
        start: Any = None
        height = 0
        holes = False
        anchor: str | None = None
        nodes = numbers = 0
        while True:
            event = get_event()
            kind = event.__class__
            if kind is ScalarEvent:
                text = event.value
                if event.tag is not None:
                    if text in self.lists:
                        raise _Unlift
                    self._tagged(event)
                if in_map and key is None:
                    key, key_event = text, event
                    if text in children or text == "<<" or event.anchor is not None or MARK in text:
                        self._check_key(event, children)
                    continue
                tree: Any = event
                numeric = False
                inner = count = 0  # levels and numbers of a lifted list
                if event.style:
                    value: Any = text
                elif text in words:
                    value = words[text]
                    if value is None:
                        holes = holes or not text
                        # in a mapping the key is text
                        if in_map and not text and ":" in key and not key_event.style:  # type: ignore[operator]
                            self._missing_blank(key, key_event)
                    else:
                        numeric = True
                        if value.__class__ is float:
                            self.document.nonfinite = True
                elif text[0] in number_start:
                    try:
                        value = number(text)
                    except OddScalar as odd:
                        self._fault(odd.code, odd.message, event, odd.hint)
                        value = None
                    numeric = value.__class__ is not str and value is not None
                elif self.lists and text in self.lists:
                    value, count, inner = self.lists.pop(text)
                    if len(stack) + inner > MAX_DEPTH:
                        raise _Unlift
                    tree, numeric = Node(event, None), True
                    self.numbers += count
                    height = max(height, inner)
                    self.document.numeric.add(id(value))
                    self._check_budget(event)
                else:
                    value = text
                    if key == "op" and in_map and torn.unbalanced(text):
                        value = self._torn(event, text)
                if event.anchor is not None:
                    self.anchors[event.anchor] = (value, tree, numeric, 1, max(count, int(numeric)), inner)
            elif kind is MappingStartEvent or kind is Sequence:
                if event.tag is not None:
                    self._tagged(event)
                if in_map and key is None:
                    self._stop("bad-key", "a key must be plain text", event, "only `key: value` is used")
                if len(stack) >= MAX_DEPTH:
                    self._stop("too-deep", f"more than {MAX_DEPTH} levels of nesting", event)
                stack.append(
                    (items, children, key, key_event, pure, start, height, holes, anchor, nodes, numbers)
                )
                in_map = kind is MappingStartEvent
                items, children = ({}, {}) if in_map else ([], [])
                key, key_event, pure, start = None, None, not in_map, event
                height, holes, anchor, nodes, numbers = 0, False, event.anchor, self.nodes, self.numbers
                if anchor is not None:
                    self.anchors[anchor] = None
                continue
            elif kind is SequenceEndEvent or kind is MappingEndEvent:
                value, numeric = items, pure
                if numeric:
                    self.nodes = nodes + 1
                    self.numbers += len(items)
                    if self.numbers - numbers > _LONG_LIST:
                        self.document.numeric.add(id(items))
                    if len(items) > _LONG_LIST and not keep:
                        children = None
                else:
                    self.nodes += len(items)
                    if holes and in_map:
                        torn.drop_pieces(items, children)
                tree = Node(start, children)
                self._check_budget(start)
                height += 1
                if anchor is not None:
                    size = (self.nodes - nodes, self.numbers - numbers, height)
                    self.anchors[anchor] = (value, tree, numeric, *size)
                inner = height
                items, children, key, key_event, pure, start, height, holes, anchor, nodes, numbers = (
                    stack.pop()
                )
                height = max(height, inner)
                in_map = items.__class__ is dict
            elif kind is AliasEvent:
                if in_map and key is None:
                    self._stop("bad-key", "an alias cannot be a key", event)
                value, tree, numeric, more_nodes, more_numbers, inner = self._aliased(event)
                self.nodes += more_nodes
                self.numbers += more_numbers
                height = max(height, inner)
                self._check_budget(event)
                if len(stack) + inner > MAX_DEPTH:
                    message = f"more than {MAX_DEPTH} levels of nesting after alias expansion"
                    self._stop("too-deep", message, event)
            else:
                raise AssertionError(f"unexpected event {event!r}")
            if in_map:
                items[key] = value
                children[key] = (key_event, tree)
                key = None
            else:
                items.append(value)
                pure = pure and numeric
                children.append(tree if keep or not pure or len(children) < _LONG_LIST else None)
                if not stack:
                    return value, top[0]

    def _check_directives(self, event: Any) -> None:
        if event.version or event.tags:
            hint = "remove the line that begins with %"
            self._fault("yaml-directive", "YAML directives are not used", event, hint)

    def _check_key(self, event: Any, children: dict[str, Any]) -> None:
        text = event.value
        if text in self.lists:
            raise _Unlift
        if text == "<<" and not event.style:
            hint = "write the keys out, or use `defaults:`"
            self._fault("merge-key", "YAML 1.2 has no merge key <<", event, hint)
        elif text in children:
            first, _ = self.document.position(self.document.index_of(children[text][0].start_mark))
            self._fault("duplicate-key", f'the key "{text[:60]}" is already there, in line {first}', event)
        if event.anchor is not None:
            self.anchors[event.anchor] = (text, event, False, 1, 0, 0)

    def _missing_blank(self, key: str | None, event: Any) -> None:
        name, _, rest = (key or "").partition(":")
        self._fault(
            "missing-blank", f'"{(key or "")[:60]}" is one word to YAML', event,
            f"write {name[:30]}: {rest[:30]} with a blank after the colon",
        )  # fmt: skip

    def _torn(self, event: Any, text: str) -> Any:
        """None where YAML has cut a statement off; the text itself where only a bracket is missing."""
        document = self.document
        cut = torn.cut_off(document.text, document.index_of(event.end_mark))
        if not cut:
            return text
        self._fault("torn-statement", f"YAML ends this statement {cut}", event, torn.HINT)
        return None

    def _aliased(self, event: Any) -> tuple[Any, Any, bool, int, int, int]:
        name = event.anchor
        if name not in self.anchors:
            hint = "quote text that begins with *"
            self._stop("unknown-alias", f"no anchor &{name} stands before *{name}", event, hint)
        found: Any = self.anchors[name]
        if found is None:
            self._stop("recursive-alias", f"*{name} stands inside its own anchor &{name}", event)
        return found  # type: ignore[no-any-return]  # what `anchors` holds

    def _check_budget(self, event: Any) -> None:
        if self.nodes > MAX_NODES:
            self._stop("too-many-nodes", f"more than {MAX_NODES:,} nodes after alias expansion", event)
        if self.numbers > MAX_NUMBERS:
            self._stop("too-many-nodes", f"more than {MAX_NUMBERS:,} numbers after alias expansion", event)

    def _tagged(self, event: Any) -> None:
        hint = "types follow from the text"
        self._fault("explicit-tag", f"the tag {event.tag[:60]} is not used in specs", event, hint)

    def _fault(self, code: str, message: str, event: Any, hint: str = "") -> None:
        document = self.document
        start = document.index_of(event.start_mark)
        width = 1
        if hasattr(event, "value"):
            width = document.index_of(event.end_mark) - start
        document.faults.append(document.fault_at(code, message, start, hint=hint, width=width))
        if len(document.faults) >= MAX_FAULTS:
            message = "there may be more faults after this one"
            document.faults.append(document.fault_at("too-many-faults", message, start))
            raise _Stop

    def _stop(self, code: str, message: str, event: Any, hint: str = "") -> Any:
        self._fault(code, message, event, hint)
        raise _Stop
