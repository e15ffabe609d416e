"""What libyaml complains about, in words that name the cause and the way out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gradspec.spec import torn

if TYPE_CHECKING:
    from gradspec.errors import Fault
    from gradspec.spec.document import Document

__all__ = ["explain"]

_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_STATEMENT = re.compile(r"(?:^|[\s{,])op[ \t]*:[ \t]")
_QUOTE = "text that holds `: `, ` #`, or begins with one of [ ] { } , & * ! | > ' \" % @ ` must be quoted"

# (a part of libyaml's or PyYAML's words, our message, hint)
_CAUSES = (
    ("mapping values are not allowed", 'a second ": " in one line', _QUOTE),
    ("found character '\\t'", "a tab where YAML wants blanks", "indent with blanks"),
    ("found a tab character", "a tab where YAML wants blanks", "indent with blanks"),
    ("unexpected end of stream", "a quote is opened here and never closed", ""),
    ("unexpected document indicator", "a quote is opened here and not closed before ---", ""),
    (
        "unknown escape character",
        "an unknown escape after a backslash",
        "use single quotes, where a backslash is plain text",
    ),
    (
        "expected hexdecimal number",
        "an escape with a wrong hexadecimal number",
        "use single quotes for plain text",
    ),
    ("invalid Unicode character escape", "an escape that is no character", ""),
    (
        "could not find expected ':'",
        "a key without its colon",
        "a key needs a colon and a blank: `key: value`",
    ),
    (
        "did not find expected ',' or '}'",
        "braces that are not closed, or text in them that needs quotes",
        _QUOTE,
    ),
    (
        "did not find expected ',' or ']'",
        "brackets that are not closed, or text in them that needs quotes",
        _QUOTE,
    ),
    (
        "did not find expected key",
        "this does not continue the mapping before it",
        "check the indentation and the quotes",
    ),
    (
        "did not find expected '-' indicator",
        "this does not continue the list before it",
        "check the indentation",
    ),
    (
        "block sequence entries are not allowed",
        'a "- " where no list can begin',
        "begin the list on a line of its own",
    ),
    ("block collections not allowed", "a block where no block can begin", "check the indentation"),
    ("block mapping keys", "this line is indented like nothing before it", "check the indentation"),
    ("cannot start any token", "a character that no plain text may begin with", _QUOTE),
    ("tag", "a tag that is not used in specs", "quote text that begins with !"),
    ("anchor", "an anchor or alias with a wrong name", "quote text that begins with & or *"),
    ("alias", "an anchor or alias with a wrong name", "quote text that begins with & or *"),
    ("directive", "YAML directives are not used", "quote text that begins with %"),
    (
        "did not find expected <document start>",
        "the text goes on after the document has ended",
        "check the indentation",
    ),
    (
        "did not find expected node content",
        "a value is missing, or begins with a character it may not begin with",
        _QUOTE,
    ),
)


def explain(document: Document, error: Any) -> Fault:
    """The one fault behind a parser's error: a text that is not YAML, or a character YAML forbids."""
    return _syntax(document, error) if hasattr(error, "problem_mark") else _character(document, error)


def _syntax(document: Document, error: Any) -> Fault:
    """The one fault for a text that is not YAML."""
    problem = error.problem or "not YAML"
    mark = error.problem_mark or error.context_mark
    message, hint = f"not YAML: {problem}", ""
    for words, our_message, our_hint in _CAUSES:
        if words in problem:
            message, hint = our_message, our_hint
            break
    unclosed = "unexpected end of stream" in problem or "unexpected document indicator" in problem
    if (unclosed or "could not find expected ':'" in problem) and error.context_mark is not None:
        mark = error.context_mark
    index = document.index_of(mark) if mark is not None else 0
    if index >= len(document.text) > 0 and error.context_mark is not None:
        index = document.index_of(error.context_mark)  # the open bracket says more than the end of the file
    code = "yaml-syntax"
    line, column = document.position(index)
    before = document.source(line)[: column - 1]
    if not unclosed and _STATEMENT.search(before) and "'" not in before and '"' not in before:
        code, message, hint = "torn-statement", "YAML cannot read this statement as one text", torn.HINT
    elif "directive" in problem:
        code = "yaml-directive"
    elif message.startswith("a tag"):
        code = "explicit-tag"
    return document.fault_at(code, message, index, hint=hint)


def _character(document: Document, error: Exception) -> Fault:
    """The fault for a character that YAML forbids."""
    found = _FORBIDDEN.search(document.text)
    if found is None:
        return document.fault_at("encoding", f"the text cannot be read: {error}", 0)
    character = ord(found.group())
    return document.fault_at(
        "encoding", f"the character U+{character:04X} is not allowed in YAML", found.start(),
        hint="remove it, or write it as an escape in double quotes",
    )  # fmt: skip
