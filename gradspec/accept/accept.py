"""What a backend answers, as changes of a spec file's text that hold when they are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gradspec.accept import text
from gradspec.accept.seen import Answer, seen_by
from gradspec.accept.source import Source
from gradspec.dense import Dense
from gradspec.records import NamedTuple
from gradspec.runner.compare import compare
from gradspec.runner.select import fits

if TYPE_CHECKING:
    from gradspec.runner.support import Support
    from gradspec.spec.document import Path

__all__ = ["Changes", "accept"]

_Edits = dict["Path", dict["Path", str]]  # path of an expectation → path of a value → its new text
_PRECISION = ("bfloat16", "float16", "complex64", "float32", "complex128", "float64")


class Changes(NamedTuple):
    """`new` is the text of the file with everything accepted, `accepted` the number of expectations that
    is. `left` has a line for everything that differs or is open and was not accepted; `alone` is how many
    of the accepted no witness could judge."""

    source: Source
    new: str
    accepted: int
    left: tuple[str, ...]
    alone: int


def accept(source: Source, of: Support, witnesses: Sequence[Support], only: Sequence[str] = ()) -> Changes:
    """What `of` answers where the file is open or expects something else, as far as it can be written.

    A change is only made if all specs of the file that share the place then hold on `of`, and on every
    witness that can judge them. Raises Crashed where a backend crashes.
    """
    wanted = _wanted(source, of, only)
    left = {path: answer.why for path, answer in wanted.items() if answer.why}
    edits: _Edits = {}
    for path, answer in wanted.items():
        if path not in left:
            made = _edit(source, answer)
            if all(one in source.marks and not source.marks[one].shared for one in made):
                edits[path] = made
            else:
                left[path] = "what stands there is shared through an anchor"
    judged: set[Path] = set()
    for backend in (of, *witnesses):
        while edits:
            wrong, held = _judged(source, edits, backend, strictly=backend is of)
            if not wrong:
                judged |= held if backend is not of else set()
                break
            left |= wrong
            edits = {path: made for path, made in edits.items() if path not in wrong}
    told = [_told(source, wanted[path], left[path]) for path in wanted if path in left]
    return Changes(source, _spliced(source, edits), len(edits), tuple(told), len(edits.keys() - judged))


def _wanted(source: Source, of: Support, only: Sequence[str]) -> dict[Path, Answer]:
    """What differs or is open, by path; of several dtypes the answer in the most precise one."""
    found: dict[Path, list[Answer]] = {}
    for spec in source.specs:
        if not only or any(fits(spec.id, glob) for glob in only):
            for answer in seen_by(spec, of, source.path):
                found.setdefault(answer.path, []).append(answer)
    wanted = {}
    for path, answers in found.items():
        failed = any(answer.status == "failed" for answer in answers)
        if path in source.open or failed:
            usable = [answer for answer in answers if not answer.why] or answers
            chosen = max(usable, key=lambda answer: _precision(answer.dtype))
            if any(answer.spec == chosen.spec and answer.value != chosen.value for answer in usable):
                chosen = chosen._replace(why="it differs from round to round")
            wanted[path] = chosen
    return wanted


def _precision(dtype: str) -> int:
    return _PRECISION.index(dtype) if dtype in _PRECISION else -1


def _edit(source: Source, answer: Answer) -> dict[Path, str]:
    """The texts that make the file expect the answer: of an array of the same shape only the elements that
    differ, so that its layout stays."""
    path, got, expected = answer.path, answer.value, answer.expected
    if answer.field == "hook" and isinstance(got, tuple):
        return {path: text.gradients(got, source.column(path))}
    if not isinstance(got, Dense):
        return {path: text.word(got)}
    if (
        isinstance(source.at(path), list)
        and isinstance(expected, Dense)
        and expected.shape == got.shape
        and answer.bound is not None
    ):
        return {(*path, *index): new for index, new in _elements(expected, got, answer)}
    if not got.size:
        return {path: f"{{zeros: {text.word(got.shape)}}}"}
    return {path: text.array(got, source.column(path))}


def _elements(expected: Dense, got: Dense, answer: Answer) -> Iterator[tuple[tuple[int, ...], str]]:
    """(index, text) of the elements that are not as expected."""
    assert answer.bound is not None
    for at, (old, new) in enumerate(zip(expected.flat(), got.flat(), strict=True)):
        one, other = Dense(expected.dtype, (), [old]), Dense(got.dtype, (), [new])
        if compare(one, other, answer.bound, answer.bare) is not None:
            index, rest = [], at
            for size in reversed(got.shape):
                rest, k = divmod(rest, size)
                index.append(k)
            yield tuple(reversed(index)), text.number(new, got.dtype)


def _spliced(source: Source, edits: _Edits) -> str:
    return source.spliced({path: new for made in edits.values() for path, new in made.items()})


def _judged(
    source: Source, edits: _Edits, backend: Support, strictly: bool
) -> tuple[dict[Path, str], set[Path]]:
    """What of the changed file does not hold on a backend, and why; and what of it does. `strictly`: what
    cannot be judged does not hold either."""
    changed = Source(_spliced(source, edits), source.file)
    wrong: dict[Path, str] = {}
    held: set[Path] = set()
    name = backend.backend.name
    for spec in changed.specs:
        for answer in seen_by(spec, backend, changed.path):
            if answer.path not in edits or answer.status == "passed":
                held.add(answer.path)
            elif answer.status == "failed" or strictly:
                what = "answers otherwise" if strictly else "is a witness against it"
                wrong.setdefault(answer.path, f"{name} {what} ({answer.spec}: {answer.summary})")
    return wrong, held & edits.keys()


def _told(source: Source, answer: Answer, why: str) -> str:
    mark = source.marks[answer.path]
    line = source.text[: mark.start].count("\n") + 1
    return f"{source.file}:{line}: {answer.field}: {why}"
