"""Verdicts survive the way between processes as they are."""

from __future__ import annotations

import pytest

from gradspec.runner import wire
from tests.reports.samples import VERDICTS, verdict


@pytest.mark.parametrize("one", VERDICTS, ids=lambda one: f"{one.id}-{one.outcome}")
def test_there_and_back(one):
    text = wire.dumps(one)
    assert text.isascii()
    assert "\n" not in text
    back = wire.loads(text)
    assert back == one
    assert repr(back) == repr(one), "types too"


def test_texts_of_any_kind():
    one = verdict(message="λ\n\0\ud800\x1b", output="a\r\nb", known="why")
    assert wire.loads(wire.dumps(one)) == one


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "1", '{"checks": 1}'])
def test_what_is_none(text):
    with pytest.raises(ValueError, match=r"\w"):
        wire.loads(text)
