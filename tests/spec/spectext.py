"""Specs as text for the tests of this folder."""

from __future__ import annotations

import textwrap

from gradspec.errors import Fault
from gradspec.spec.build import build_document
from gradspec.spec.model import Spec
from gradspec.spec.reader import read

__all__ = ["built", "faults_of"]

HEAD = "gradspec: 1\nid: a.b\n"


def _document(text: str, file: str) -> tuple[list[Spec], list[Fault]]:
    text = textwrap.dedent(text).lstrip("\n")
    document = read(text if text.startswith("gradspec:") else HEAD + text, file)
    assert not document.faults, [str(fault) for fault in document.faults]
    return build_document(document), document.faults


def built(text: str, file: str = "t.gradspec.yaml") -> list[Spec]:
    """The specs of a text without faults; `gradspec` and `id` may be left out."""
    specs, faults = _document(text, file)
    assert not faults, "\n".join(map(str, faults))
    return specs


def faults_of(text: str, file: str = "t.gradspec.yaml") -> list[tuple[str, str]]:
    """(code, the characters under the caret) of every fault of a text, in the order found."""
    return [
        (fault.code, fault.source[fault.place.column - 1 : fault.place.column - 1 + fault.place.width])
        for fault in _document(text, file)[1]
    ]
