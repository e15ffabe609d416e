"""--color, then NO_COLOR, then FORCE_COLOR, then the terminal."""

from __future__ import annotations

import pytest

from gradspec.reports.color import wants_color


@pytest.mark.parametrize(
    ("option", "environ", "tty", "colour"),
    [
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, True, False),
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
    ],
)
def test_precedence(option, environ, tty, colour):
    assert wants_color(option, environ, tty) is colour
