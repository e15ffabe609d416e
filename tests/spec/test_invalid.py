"""The damaged specs of invalid/: each gives exactly the one fault that its first line names."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gradspec.errors import SpecError
from gradspec.spec.faults import FAULT_CODES
from gradspec.spec.load import load_file

CORPUS = sorted((Path(__file__).parent / "invalid").glob("*.gradspec.yaml"))
# Faults that lie outside one file's text, and the one that only follows from many others.
_ELSEWHERE = {"unreadable-file", "too-large", "too-many-faults"}


def _expected(path: Path) -> tuple[str, int]:
    """(code, line) of `# expect: CODE LINE`."""
    with path.open("rb") as stream:
        mark, word, code, line = stream.readline().decode("ascii").split()
    assert (mark, word) == ("#", "expect:")
    return code, int(line)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name.partition(".")[0])
def test_damaged_spec(path: Path) -> None:
    started = time.process_time()
    with pytest.raises(SpecError) as caught:
        load_file(str(path))
    assert time.process_time() - started < 2
    faults = caught.value.faults
    assert [(fault.code, fault.place.line) for fault in faults] == [_expected(path)], str(caught.value)
    (fault,) = faults
    assert fault.message and fault.place.file == str(path)
    assert fault.place.column >= 1 and fault.place.width >= 1
    assert len(str(fault).splitlines()[0]) < 400
    str(fault).encode("utf-8")


def test_the_corpus_is_large_and_has_every_code() -> None:
    assert len(CORPUS) >= 200
    assert len({path.read_bytes().partition(b"\n")[2] for path in CORPUS}) == len(CORPUS)
    assert {_expected(path)[0] for path in CORPUS} == set(FAULT_CODES) - _ELSEWHERE
