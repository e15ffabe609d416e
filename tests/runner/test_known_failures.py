"""Lists of known failures: read strictly, strict both ways, and written by an update alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradspec.errors import SpecError, UsageError
from gradspec.runner.events import BackendReady, RunFinished, RunStarted, SpecFinished, Stale
from gradspec.runner.known_events import with_known_failures
from gradspec.runner.known_failures import KnownFailures, load
from gradspec.runner.known_file import Entry, entries_of, read_file, rewritten
from gradspec.runner.known_update import Update
from gradspec.runner.verdict import Verdict

TEXT = """\
# Made by hand.
gradspec: 1

# rounding
ops.b.*: its vjp is wrong   # https://example.org/1
ops.c: "known: yes"
# the end
"""


def verdict(name: str, outcome: str, backend: str = "one") -> Verdict:
    return Verdict(name, "a.gradspec.yaml", 1, "", backend, "float32", outcome)


def known(text: str = TEXT) -> KnownFailures:
    return KnownFailures({"one": entries_of(text, "one.yaml")})


def run(outcomes: dict[str, str], known: KnownFailures, *stale: Stale, left: int = 0) -> list[object]:
    """The events of a run with these outcomes, as they are with known failures; the last is its end."""
    events = [
        RunStarted("1", len(outcomes) + left, ("one",)),
        BackendReady("one", "1"),
        *(SpecFinished(verdict(name, outcome)) for name, outcome in outcomes.items()),
        RunFinished({}, 1, 0.1, left),
    ]
    return list(with_known_failures(iter(events), known, stale))


def test_entries_have_their_places() -> None:
    assert entries_of(TEXT, "f.yaml") == [
        Entry("ops.b.*", "its vjp is wrong", "f.yaml", 5),
        Entry("ops.c", "known: yes", "f.yaml", 6),
    ]


@pytest.mark.parametrize(
    ("text", "code", "line", "hint"),
    [
        ("", "empty-file", 1, "id-glob: reason"),
        ("a: b\n", "missing-key", 1, "gradspec: 1"),
        ("gradspec: 2\na: b\n", "needs-format", 1, "newer"),
        ("gradspec: '1'\n", "bad-value", 1, "gradspec: 1"),
        ("- a\n", "bad-value", 1, "id-glob: reason"),
        ("gradspec: 1\na:\n", "bad-value", 2, "why it fails"),
        ("gradspec: 1\na: 3\n", "bad-value", 2, "why it fails"),
        ("gradspec: 1\na: [why]\n", "bad-value", 2, "why it fails"),
        ("gradspec: 1\na: why\na: why\n", "duplicate-key", 3, ""),
        ("gradspec: 1\na: >\n  why\n", "bad-value", 3, "id-glob: reason"),
        ("gradspec: 1\n'a b': why\n", "bad-value", 2, "id-glob: reason"),
        ("gradspec: 1\n*.a: why\n", "yaml-syntax", 2, 'as "*.float16"'),
        ("gradspec: 1\na: }\n", "yaml-syntax", 2, ""),
    ],
)
def test_a_broken_file_is_told_with_its_place(text: str, code: str, line: int, hint: str) -> None:
    with pytest.raises(SpecError) as caught:
        entries_of(text, "f.yaml")
    fault = caught.value.faults[0]
    assert (fault.code, fault.place.line) == (code, line), fault
    assert hint in fault.hint


def test_an_unreadable_file_is_no_empty_one(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").mkdir()
    (tmp_path / "two.yaml").write_bytes(b"gradspec: 1\na: \xff\n")
    (tmp_path / "three.yaml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SpecError) as caught:
        load(str(tmp_path), ["one", "two", "three"])
    assert [fault.code for fault in caught.value.faults] == ["unreadable-file", "encoding", "unreadable-file"]


def test_where_files_are(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(TEXT)
    assert load(str(tmp_path), ["one", "two"]).match("ops.c", "one") == "known: yes"
    assert load(str(file), ["one", "two"]).match("ops.c", "two") == ""
    for path, backends in ((file, ["two"]), (tmp_path / "no", ["one"]), (tmp_path / "two.yaml", ["two"])):
        with pytest.raises(UsageError):
            load(str(path), backends)
    assert not load(str(tmp_path / "no"), ["one"], new=True)


def test_globs_fit_with_and_without_dtype() -> None:
    fits = known().match
    assert fits("ops.b.x", "one") == fits("ops.b.x@float16", "one") == "its vjp is wrong"
    assert fits("ops.c@float16", "one") == "known: yes"
    assert fits("ops.b", "one") == fits("ops.b.x", "two") == ""


def test_a_project_s_own_entries_come_before_a_plugin_s() -> None:
    both = KnownFailures(
        {"one": [Entry("a.*", "own", "f", 1)]}, {"one": [Entry("a.b", "brought", "plugin", 0)]}
    )
    assert both.match("a.b", "one") == "own"
    assert [stale.reason for stale in both.stale(["c"])] == ["own"]
    assert [stale.reason for stale in both.stale(["c"], plugins=True)] == ["own", "brought"]


@pytest.mark.parametrize("outcome", ["failed", "error", "crash", "timeout"])
def test_what_is_known_to_fail_is_as_expected(outcome: str) -> None:
    *_, finished, end = run({"ops.c": outcome}, known())
    assert isinstance(finished, SpecFinished) and isinstance(end, RunFinished)
    assert (finished.verdict.outcome, finished.verdict.known) == ("known-failure", "known: yes")
    assert (end.exit_code, end.totals["one"]["known-failure"]) == (0, 1)
    counts = end.scopes["one"]["core"]
    assert (counts["known-failure"], counts[outcome]) == (1, 0)


def test_an_unexpected_pass_fails_and_says_where_the_entry_is() -> None:
    *_, finished, end = run({"ops.c": "passed"}, known())
    assert isinstance(finished, SpecFinished) and isinstance(end, RunFinished)
    assert finished.verdict.outcome == "failed"
    assert finished.verdict.message == "passes, though one.yaml:6 has it as a known failure: known: yes"
    assert end.exit_code == 1


@pytest.mark.parametrize("outcome", ["unsupported", "unchecked"])
def test_what_did_not_show_either_way_stays_what_it_is(outcome: str) -> None:
    *_, finished, end = run({"ops.c": outcome}, known())
    assert isinstance(finished, SpecFinished) and isinstance(end, RunFinished)
    assert (finished.verdict.outcome, end.exit_code) == (outcome, 0)


def test_a_stale_entry_fails_a_run_that_came_to_its_end() -> None:
    stale = known().stale(["ops.c"])
    assert stale == (Stale("one", "ops.b.*", "its vjp is wrong", "one.yaml", 5),)
    end = run({"ops.c": "failed"}, known(), *stale)[-1]
    assert isinstance(end, RunFinished) and (end.exit_code, end.stale) == (1, stale)
    end = run({"ops.c": "failed"}, known(), *stale, left=1)[-1]
    assert isinstance(end, RunFinished) and (end.exit_code, end.stale) == (0, ())


def test_other_failures_still_fail() -> None:
    end = run({"ops.c": "failed", "other": "error"}, known())[-1]
    assert isinstance(end, RunFinished) and end.exit_code == 3


def updated(
    tmp_path: Path, outcomes: dict[str, str], *, stale: bool = False, ids: tuple[str, ...] = ()
) -> str:
    """The text of the file after an update by a run with these outcomes."""
    file = tmp_path / "one.yaml"
    file.write_text(TEXT)
    lists = load(str(tmp_path), ["one"])
    update = Update(lists, str(tmp_path), [*outcomes, *ids])
    for event in run(outcomes, lists, *(lists.stale(outcomes) if stale else ())):
        update(event)  # type: ignore[arg-type]
    update.write()
    read_file(str(file))
    return file.read_text()


def test_an_update_adds_in_order_and_keeps_what_it_did_not_reach(tmp_path: Path) -> None:
    text = updated(tmp_path, {"ops.bb": "failed", "ops.d": "failed", "ops.fine": "passed"})
    assert text.splitlines() == [
        "# Made by hand.",
        "gradspec: 1",
        "",
        "# rounding",
        "ops.b.*: its vjp is wrong   # https://example.org/1",
        "ops.bb: failed",
        'ops.c: "known: yes"',
        "ops.d: failed",
        "# the end",
    ]


def test_an_update_takes_out_what_holds_and_splits_globs(tmp_path: Path) -> None:
    outcomes = {"ops.b.1": "passed", "ops.b.2": "failed", "ops.c": "passed"}
    text = updated(tmp_path, outcomes, ids=("ops.b.0",))
    assert text.splitlines()[3:] == [
        "# rounding",
        "ops.b.0: its vjp is wrong",
        "ops.b.2: its vjp is wrong",
        "# the end",
    ]


def test_an_update_takes_out_stale_entries(tmp_path: Path) -> None:
    assert "ops.b" not in updated(tmp_path, {"ops.c": "failed"}, stale=True)


def test_an_update_with_nothing_to_say_changes_no_letter(tmp_path: Path) -> None:
    assert updated(tmp_path, {"ops.c": "failed"}) == TEXT


def test_a_run_that_was_ended_writes_nothing(tmp_path: Path) -> None:
    update = Update(KnownFailures(), str(tmp_path), ["a"])
    for event in run({"a": "failed"}, KnownFailures(), left=3):
        update(event)  # type: ignore[arg-type]
    assert "stay as they are" in update.write()[0]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("glob", ["a.b", "*.b", "[ab].c", "a?", "true", "1.5", "-a", "a#b"])
@pytest.mark.parametrize(
    "reason", ["why", "a: b", "a # b", "'", '"', "*", "null", "3", "ünïcode", "a\nb", " "]
)
def test_whatever_is_written_is_read_again(glob: str, reason: str) -> None:
    entries = entries_of(rewritten("", {}, {glob: reason}), "")
    assert [(entry.glob, entry.reason) for entry in entries] == [(glob, " ".join(reason.split()) or "fails")]


def test_line_ends_stay(tmp_path: Path) -> None:
    text = rewritten(TEXT.replace("\n", "\r\n"), {"ops.c": []}, {"ops.a": "why"})
    assert text.count("\r\n") == text.count("\n") == 7
