"""What a statement means: instructions over names, one op or attribute each, in the order of evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from gradspec.spec.model import Call

__all__ = [
    "Alias",
    "Do",
    "Get",
    "Instruction",
    "MakeLeaf",
    "Number",
    "Problem",
    "Put",
    "Statement",
    "Target",
    "Temp",
    "Use",
]


class Use(NamedTuple):
    """A tensor by its name, and where in the text it is used."""

    name: str
    offset: int
    width: int


class Temp(NamedTuple):
    """The k-th intermediate result of the statement."""

    k: int


class Number(NamedTuple):
    """A literal in the place of a tensor."""

    value: Any


Target = str | Temp


class Do(NamedTuple):
    """An op. `key` tells calls apart where equality would not (1, 1.0 and True)."""

    call: Call
    key: str
    inputs: tuple[Use | Temp | Number, ...]
    out: tuple[Target, ...]


class MakeLeaf(NamedTuple):
    """`tensor(...)`: `data` is a number or nested lists, `dtype` a word or None."""

    data: Any
    dtype: str | None
    requires_grad: bool
    out: Target
    offset: int
    width: int


class Get(NamedTuple):
    """An attribute that is no op: grad or data."""

    of: Use | Temp
    name: str
    out: Target


class Put(NamedTuple):
    """An attribute written; `value` is a Use, a Temp, None or a bool."""

    of: Use | Temp
    name: str
    value: Any


class Alias(NamedTuple):
    """`y = x`: a second name of the same tensor."""

    name: str
    of: Use


Instruction = Do | MakeLeaf | Get | Put | Alias


class Problem(NamedTuple):
    """One fault of a statement: its code and the characters it is about."""

    code: str
    message: str
    offset: int
    width: int
    hint: str = ""


class Statement(NamedTuple):
    """A parsed statement. `targets` are the names it binds (also where it has problems)."""

    text: str
    instructions: tuple[Instruction, ...]
    targets: tuple[str, ...]
    temps: int
    problems: tuple[Problem, ...]
