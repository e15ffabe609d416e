"""The reference pages that are made from the code are what the code would make now."""

from __future__ import annotations

import pytest

from tools.docs import made_pages

MADE = made_pages()


@pytest.mark.parametrize("page", MADE, ids=lambda page: page.name)
def test_fresh(page) -> None:  # type: ignore[no-untyped-def]
    assert page.exists(), "not made yet; run `make docs`"
    assert page.read_text() == MADE[page], "stale; run `make docs`"
