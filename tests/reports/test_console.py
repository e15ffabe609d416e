"""What a run looks like on the terminal."""

from __future__ import annotations

import io

from gradspec.reports.console import Console
from gradspec.runner.events import Event
from tests.reports.samples import HELD, VERDICTS, events, verdict, wrong_grad


def shown(stream: list[Event] | None = None, **options) -> str:
    out = io.StringIO()
    console = Console(out.write, **options)
    for event in stream or events():
        console(event)
    return out.getvalue()


def run_of(*verdicts) -> list[Event]:
    return [event for event in events(verdicts) if type(event).__name__ != "BackendUnavailable"]


FAILURE = """\
FAIL ops.wrong  python  grad of "w" [2, 2] after backward 1 (line 16): 4 of 4 outside
  worst at (1, 0): expected 3.0, got 6.0 (abs 3 > 1e-05 + 1.3e-06·|3.0|), made by mul, line 12
  pattern: a factor of 2
  specs/ops/sqrt.gradspec.yaml:17:9
  rerun: gradspec run specs/ops/sqrt.gradspec.yaml --only ops.wrong -b python
"""
STEP = """\
FAIL ops.wrong  numpy  at `backward: y` (line 12)
  unexpected error graph-freed: again
  specs/ops/sqrt.gradspec.yaml:12:5
  not run because of this: 1 check
  rerun: gradspec run specs/ops/sqrt.gradspec.yaml --only ops.wrong -b numpy
"""
CRASH = """\
ERROR seed.one  numpy  the backend crashed
  ValueError: boom (x.py:1)
  specs/seed/one.gradspec.yaml:2
  rerun: GRADSPEC_DEBUG=1 gradspec run specs/seed/one.gradspec.yaml --only seed.one -b numpy
"""
TABLE = """\
               python                                   numpy
       specs   passed  emulated  failed  unsupported    passed  failed  error  unchecked
ops        3        1         .       1            1         1       1      .          1
seed       1        .         1       .            .         .       .      1          .
total      4        1         1       1            1         1       1      1          1
"""
CLOSING = (
    "4 specs × 2 backends: 2 passed, 1 emulated, 2 failed, 1 error, 1 unsupported, 1 unchecked,"
    " gone unavailable in 0.31 s\n"
)


def test_a_run_of_everything():
    text = shown(width=100)
    for part in (FAILURE, STEP, CRASH, CLOSING):
        assert part in text
    assert text.startswith('UNAVAILABLE backend "gone" needs what is not here: pip install gone\n')
    assert "left out as unsupported:\n  numpy: grad-fn (1 spec)\n  python: grad-fn (1 spec)\n" in text
    assert "unchecked, nothing is expected in them:\n  ops.un  specs/ops/sqrt.gradspec.yaml:2\n" in text
    assert "  seed.one line 7: complex-half: hm  (python)\n" in text
    assert " ".join(TABLE.split()) in " ".join(text.split())
    assert "\033" not in text


def test_columns_stand_under_their_backend():
    lines = shown(width=100).splitlines()
    head = next(k for k, line in enumerate(lines) if line.split() == ["python", "numpy"])
    assert lines[head].index("python") == lines[head + 1].index("passed")
    assert lines[head].index("numpy") == lines[head + 1].rindex("passed")


def test_passing_is_silent_but_for_the_closing_line():
    assert shown(run_of(verdict())) == "1 spec on python: 1 passed in 0.31 s\n"


def test_verbose_has_a_line_for_each():
    text = shown(verbose=True)
    assert "PASS ops.sqrt  python  1 of 1 checks\n" in text
    assert "PASS ops.sqrt  numpy  1 of 2 checks, without grad-fn, follows zero\n" in text
    assert "PASS seed.one  python  2 of 2 checks, 1 emulated\n" in text
    assert "UNSUPPORTED ops.un  python  0 of 1 checks, without grad-fn\n" in text
    assert "UNCHECKED ops.un  numpy\n" in text


def test_a_narrow_terminal_gets_one_table_a_backend():
    lines = shown(width=60).splitlines()
    heads = [line.strip() for line in lines if line.strip() in ("python", "numpy")]
    assert heads == ["python", "numpy"]
    start = next(k for k, line in enumerate(lines) if line.strip() == "python")
    assert all(len(line) <= 60 for line in lines[start:-1])


def test_the_same_failure_on_a_second_backend_is_told_once():
    text = shown(run_of(verdict((wrong_grad(),), "failed"), verdict((wrong_grad(),), "failed", "numpy")))
    assert text.count("worst at") == 1
    assert "FAIL ops.sqrt  numpy  the same as on python\n  rerun: gradspec run" in text
    text = shown(run_of(verdict((wrong_grad(),), "failed"), verdict((wrong_grad(3.0),), "failed", "numpy")))
    assert text.count("worst at") == 2


def test_many_failures_of_one_spec_are_cut_unless_verbose():
    bad = run_of(verdict((wrong_grad(),) * 6, "failed"))
    assert shown(bad).count("worst at") == 4
    assert "  and 2 more failed checks; --verbose shows all\n" in shown(bad)
    assert shown(bad, verbose=True).count("worst at") == 6


def test_long_messages_of_a_framework_are_cut_unless_verbose():
    long = HELD._replace(status="failed", field="raises", name="", summary="word " * 100 + "\nend")
    assert "…" in shown(run_of(verdict((long,), "failed")))
    assert "word end" in shown(run_of(verdict((long,), "failed")), verbose=True)


def test_colour_is_never_the_only_sign():
    plain, coloured = shown(), shown(color=True)
    assert "\033[1;31mFAIL\033[0m" in coloured
    import re

    assert re.sub(r"\033\[[0-9;]*m", "", coloured) == plain


def test_wide_letters_keep_the_columns():
    wide = [verdict(file=f"specs/{name}/a.gradspec.yaml", id=name) for name in ("日本", "é", "plain")]
    *_, total, _, _ = lines = shown(run_of(*wide)).splitlines()
    from gradspec.reports.table import width_of

    assert len({width_of(line) for line in lines[1:5]}) == 1, total


def test_everything_in_verdicts_is_counted_once():
    assert f"{len({v.id for v in VERDICTS})} specs" in shown()
