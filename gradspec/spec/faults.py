"""Every fault a spec file can have: its code and what it means. Codes never change once published."""

from __future__ import annotations

__all__ = ["FAULT_CODES"]

_FILE = {
    "unreadable-file": "the file cannot be read",
    "encoding": "the file is not UTF-8 text, or holds a character that YAML forbids",
    "empty-file": "the file holds no spec",
    "too-large": "the file is larger than a spec may be",
    "duplicate-id": "two specs of one run have the same id",
}
_YAML = {
    "yaml-syntax": "the text is not YAML",
    "yaml-directive": "a YAML directive (%YAML, %TAG)",
    "several-documents": "more than one YAML document in a file",
    "explicit-tag": "an explicit tag (!!int, !name)",
    "merge-key": "the merge key <<, which YAML 1.2 does not have",
    "duplicate-key": "a mapping has the same key twice",
    "bad-key": "a key that is not text on one line",
    "missing-blank": "no blank after the colon of a key in braces",
    "torn-statement": "a statement that YAML has cut into pieces",
    "unknown-alias": "an alias (*name) without an anchor (&name) before it",
    "recursive-alias": "an alias inside its own anchor",
    "number-form": "a number in a form that YAML versions read differently (017, 1:30, 1_000)",
    "out-of-range": "a number too large or too small for its type",
    "too-deep": "more than 64 levels of nesting",
    "too-many-nodes": "more than 1,000,000 nodes, or 10,000,000 numbers, after alias expansion",
    "too-many-faults": "reading stopped because there were too many faults",
}
_SHAPE = {
    "unknown-key": "a key that means nothing here",
    "missing-key": "a key that must be there is missing",
    "wrong-type": "a value of another type than is wanted here",
    "bad-value": "a value that is not one of those allowed here",
    "bad-id": "an id that does not have the form of an id",
    "bad-name": "a name that is no identifier, or is reserved",
    "too-long": "a text or a list that is too long",
    "too-short": "a text, list or mapping with too little in it",
    "duplicate-item": "a list names something twice",
    "needs-format": "the file needs a newer format than this gradspec reads",
    "undeclared-format": "the file uses an addition of a later format than it names",
    "one-verb": "a step without a verb, or with several",
    "misplaced-step": "a step that has no meaning where it stands",
    "misplaced-modifier": "raises, warns or note where it has no meaning",
    "conflicting-keys": "keys that exclude each other",
    "unknown-code": "a code of an error or warning that does not exist",
}
_MEANING = {
    "bad-statement": "a statement that is not of the statement language",
    "unknown-op": "no op has this name",
    "unknown-name": "nothing has this name at this point of the program",
    "missing-argument": "a call lacks an argument the op needs",
    "surplus-argument": "a call has more arguments than the op takes",
    "unknown-argument": "the op has no argument of this name",
    "wrong-argument": "an argument is of a kind the op does not take",
    "bad-array": "an array in no known form",
    "ragged-array": "nested lists that are not rectangular",
    "bad-constant": "a constant expression that cannot be evaluated",
    "bad-dtype": "data that its dtype cannot hold",
    "bad-generator": "a generator with arguments that make no array",
    "bad-file-data": "a data file that is missing, unsafe or not what its hash says",
    "too-many-steps": "the rounds of a spec come to more than 200,000 steps",
    "left-open": "an expectation that is yet to be filled in",
    "bad-expectation": "an expectation that can never be checked",
}
FAULT_CODES = _FILE | _YAML | _SHAPE | _MEANING
