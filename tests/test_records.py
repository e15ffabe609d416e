"""Records behave as typing's named tuples do."""

from __future__ import annotations

import copy
import pickle
import typing

import pytest

from gradspec.records import NamedTuple


class Point(NamedTuple):
    """A place."""

    x: int
    y: int = 2
    name: str = ""

    @property
    def total(self) -> int:
        return self.x + self.y


class Typed(typing.NamedTuple):
    """A place."""

    x: int
    y: int = 2
    name: str = ""


class Nothing(NamedTuple):
    """No field."""


def test_is_made_and_read_as_typings_is() -> None:
    for point in (Point(1), Point(1, 2), Point(x=1), Point(1, y=2, name="")):
        assert point == (1, 2, "")
        assert (point.x, point.y, point.name, point.total) == (1, 2, "", 3)
    x, y, name = Point(1)
    assert (x, y, name) == (1, 2, "")
    assert not hasattr(Point(1), "__dict__")
    assert Nothing() == ()


def test_is_made_alike_however_often() -> None:
    class Often(NamedTuple):
        x: int
        y: int = 2

    for number in range(200):
        assert Often(number) == Often(x=number) == Often(number, 2) == Often(y=2, x=number) == (number, 2)
        with pytest.raises(TypeError, match="x"):
            Often(y=number)
        with pytest.raises(TypeError):
            Often(number, 1, 2)


@pytest.mark.parametrize("wrong", [((), {}), ((1, 2, "", 4), {}), ((1,), {"z": 1}), ((1,), {"x": 1})])
def test_refuses_what_typings_refuses(wrong: tuple[typing.Any, typing.Any]) -> None:
    values, named = wrong
    for record in (Point, Typed, Point):
        with pytest.raises(TypeError):
            record(*values, **named)


def test_shares_typings_interface() -> None:
    ours, theirs = Point(1, name="a"), Typed(1, name="a")
    for name in ("_fields", "_field_defaults", "__match_args__", "__doc__", "__slots__"):
        assert getattr(Point, name) == getattr(Typed, name)
    assert ours._asdict() == theirs._asdict()
    assert ours._replace(y=5) == theirs._replace(y=5)
    assert type(ours._replace(y=5)) is Point
    assert Point._make([1, 2, "b"]) == Typed._make([1, 2, "b"])
    assert repr(ours) == repr(theirs).replace("Typed", "Point")
    assert hash(ours) == hash(theirs)
    for wrong in ({"z": 1}, {"count": 1}):
        with pytest.raises((TypeError, ValueError)):
            ours._replace(**wrong)
    match ours:
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_survives_copies() -> None:
    for again in (copy.copy(Point(1)), copy.deepcopy(Point(1)), pickle.loads(pickle.dumps(Point(1)))):
        assert again == Point(1)
        assert type(again) is Point
