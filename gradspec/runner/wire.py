"""Verdicts as lines of JSON: what crosses between processes and what is kept on disk."""

from __future__ import annotations

import json
from typing import Any

from gradspec.errors import Place
from gradspec.runner.compare import Difference
from gradspec.runner.verdict import CheckResult, Counts, Shown, Verdict

__all__ = ["dumps", "loads", "pack", "unpack"]


def dumps(verdict: Verdict) -> str:
    """One line of ASCII, whatever the verdict's texts hold."""
    return json.dumps(pack(verdict))


def loads(text: str) -> Verdict:
    """The inverse of `dumps`; raises ValueError for a text that is none of it."""
    return unpack(json.loads(text))


def pack(verdict: Verdict) -> dict[str, Any]:
    """The fields by name; what they hold by position, as the types of `gradspec.runner.verdict` say."""
    return verdict._asdict()


def unpack(view: dict[str, Any]) -> Verdict:
    """The inverse of `pack` after JSON made lists of its tuples."""
    try:
        return Verdict(
            **view
            | {
                "checks": tuple(map(_check, view["checks"])),
                "counts": Counts(*view["counts"]),
                "follows": tuple(view["follows"]),
                "warnings": tuple(Shown(*shown) for shown in view["warnings"]),
            }
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no verdict: {error}") from error


def _check(values: list[Any]) -> CheckResult:
    check = CheckResult(*values)
    difference = check.difference and _difference(*check.difference)
    return check._replace(place=Place(*check.place), follows=tuple(check.follows), difference=difference)


def _difference(*values: Any) -> Difference:
    difference = Difference(*values)
    worst = None if difference.worst is None else tuple(difference.worst)
    return difference._replace(shape=tuple(difference.shape), worst=worst)
