"""What is said to fit the schema does, and nearly everything that does is said to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from gradspec.spec.fits import fits
from gradspec.spec.format import FIRST, NEWEST, Format
from gradspec.spec.load import find_files
from gradspec.spec.reader import decode
from gradspec.spec.schema import schema, validator
from gradspec.spec.shape import json_view
from tests.spec.test_mutations import SEVERAL, VERBS

ROOT = Path(__file__).parents[2]
SEED = 15
ROUNDS = 3000
FOREIGN: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 2**63 - 1, 2**70, 1.0, -0.5, 1e300, "", "x", "x.grad", "_x", "X y", "é",
    "x\n", "\x1c", "a b", "float32", "not-scalar", [], [1], ["x", "x"], [1.5, "2"], {}, {"x": 1}, {"of": "x"},
    {"tensor": "y"}, {"data": [1], "dtype": "float32"}, "0" * 64, "t" * 201, list(range(70)),
)  # fmt: skip


def views(folder: str) -> Iterator[tuple[str, Any]]:
    for file in find_files(str(ROOT / folder)):
        document = decode(Path(file).read_bytes(), file)
        if document.view is not None:
            yield file, json_view(document.view, document.numeric)


def test_the_suite_fits_without_a_doubt() -> None:
    found = list(views("specs"))
    assert found
    assert not [file for file, view in found if not fits(view) and validator().is_valid(view)]


def test_no_faulty_file_is_said_to_fit() -> None:
    found = [fits(view) for file, view in views("tests/spec/invalid") if not validator().is_valid(view)]
    assert len(found) > 50
    assert not any(found)


@pytest.mark.parametrize("format", [FIRST, NEWEST], ids=["first", "newest"])
@pytest.mark.parametrize("text", [VERBS, SEVERAL], ids=["verbs", "several"])
def test_agrees_with_the_validator_on_damaged_views(text: str, format: Format) -> None:
    document = decode(text.encode(), "t.gradspec.yaml")
    view = json_view(document.view, document.numeric)
    assert fits(view)
    if not fits(view, format):
        del view["defaults"]["scope"]  # the one addition in it
        assert fits(view, format)
    draw = random.Random(SEED)
    words = sorted(
        {*schema()["properties"], *schema()["$defs"]["step"]["properties"], "rtol", "ulp", "one_of"}
    )
    outcomes = {(True, True): 0, (False, True): 0, (False, False): 0}
    for number in range(ROUNDS):
        damaged = deepcopy(view)
        _damage(draw, damaged, words)
        said, truth = fits(damaged, format), validator(format).is_valid(damaged)
        assert (said, truth) in outcomes, f"seed {SEED}, round {number}: {damaged}"
        outcomes[said, truth] += 1
    assert outcomes[True, True] > 10 * outcomes[False, True] > 0, outcomes
    assert outcomes[False, False] > ROUNDS / 4, outcomes


def _damage(draw: random.Random, view: Any, words: list[str]) -> None:
    """Replace, remove or add something anywhere in a view."""
    places = [(view, key) for key in view]
    for container, key in places:
        inner = container[key]
        if isinstance(inner, dict):
            places += [(inner, name) for name in inner]
        elif isinstance(inner, list):
            places += [(inner, index) for index in range(len(inner))]
    container, key = draw.choice(places)
    value = draw.choice((*FOREIGN, deepcopy(draw.choice(places)[0])))
    how = draw.random()
    if how < 0.7:
        container[key] = value
    elif how < 0.8:
        del container[key]
    elif isinstance(container, dict):
        container[draw.choice((*words, "é", "x y", "x.grad", "x\n"))] = value
    else:
        container.append(value)
