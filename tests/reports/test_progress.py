"""The bar: silent for a second, only then drawn, and never in the way of other output."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from gradspec.reports.progress import PlainBar, Progress, RichBar
from gradspec.runner.events import BackendUnavailable, RunFinished, RunStarted, SpecFinished
from tests.reports.samples import verdict, wrong_grad

ROOT = Path(__file__).parents[2]
BAD = verdict((wrong_grad(),), "failed")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(step_s: float, n: int, **options) -> tuple[str, str]:
    out, err, clock = io.StringIO(), Terminal(), Clock()
    progress = Progress(out.write, err, clock=clock, **options)
    progress(RunStarted("0", n, ("python", "gone")))
    progress(BackendUnavailable("gone", ""))
    for k in range(n):
        clock.now += step_s
        if k == n // 2:
            progress.write("FAIL\n")
        progress(SpecFinished(BAD if k == 0 else verdict()))
    progress(RunFinished({}, 0, 1.0))
    return out.getvalue(), err.getvalue()


def test_a_short_run_draws_nothing():
    assert run(0.01, 90, bar=PlainBar) == ("FAIL\n", "")


def test_a_long_run_draws_and_cleans_up():
    out, err = run(0.05, 100, bar=PlainBar)
    assert out == "FAIL\n"
    assert "\r\033[2K20 of 100  1 failed  ops.sqrt python" in err
    assert err.endswith("\r\033[2K")
    assert err.count(" of 100") <= 50  # ten a second at most


def test_with_rich(monkeypatch):
    pytest.importorskip("rich")
    for name in ("NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    out, err = run(0.05, 40, bar=RichBar)
    assert out == "FAIL\n"
    assert "38/40" in err
    assert err.count("\033[?25l") == err.count("\033[?25h") > 0  # a hidden cursor comes back


def test_without_rich(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    _, err = run(0.05, 100)
    assert "20 of 100" in err


SLOW = """
import sys, time
from gradspec.backends.python import PythonBackend
run = PythonBackend.run
def slow(self, program):
    time.sleep(0.15)
    return run(self, program)
PythonBackend.run = slow
from gradspec.cli import main
sys.exit(main(sys.argv[1:]))
"""
SPEC = """\
gradspec: 1
specs:
"""
ONE = """\
  - id: a.n{k}
    tensors: {{x: {{data: 1.0, requires_grad: true}}}}
    steps: [{{op: y = x * 2}}, {{backward: y}}, {{expect: {{x: {{grad: 2.0}}}}}}]
"""


@pytest.mark.slow
@pytest.mark.parametrize("terminal", [True, False])
def test_only_a_terminal_is_drawn_on(tmp_path, terminal):
    (tmp_path / "a.gradspec.yaml").write_text(SPEC + "".join(ONE.format(k=k) for k in range(12)))
    command = [sys.executable, "-c", SLOW, "run", str(tmp_path), "-b", "python"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}
    master, slave = pty.openpty()
    told = slave if terminal else subprocess.PIPE
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=told, text=True)
    os.close(slave)
    seen = b""
    while terminal:
        try:
            part = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    out, err = child.communicate(timeout=60)
    os.close(master)
    assert child.returncode == 0
    assert out.startswith("12 specs on python: 12 passed in")
    assert (b"/12" in seen or b" of 12" in seen) if terminal else err == ""
