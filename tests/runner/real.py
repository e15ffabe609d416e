"""Running gradspec as a process of its own, and seeing what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any, NamedTuple

from tests.fakes.misbehaving import SITE

ROOT = Path(__file__).parents[2]
SPEC = """\
  - id: {id}
    tensors: {{{name}: {{data: [1.0, 2.0], requires_grad: true}}}}
    steps:
      - op: y = sum({name} * {name})
      - backward: y
      - expect: {{{name}: {{grad: [2.0, {wanted}]}}}}
"""


def write_specs(
    folder: Path, count: int, trouble: tuple[int, ...] = (), files: int = 1, wrong: tuple[int, ...] = ()
) -> list[str]:
    """`count` specs in some files; those numbered in `trouble` have the tensor that upsets backends, those
    in `wrong` expect what is not."""
    (folder / "specs").mkdir(exist_ok=True)
    ids = [f"s{number:03}" for number in range(count)]
    for file in range(files):
        texts = [
            SPEC.format(
                id=ids[number],
                name="trouble" if number in trouble else "x",
                wanted=5.0 if number in wrong else 4.0,
            )
            for number in range(count)
            if number * files // count == file
        ]
        (folder / f"specs/f{file}.gradspec.yaml").write_text("gradspec: 1\nspecs:\n" + "".join(texts))
    return ids


class Done(NamedTuple):
    code: int
    out: str
    err: str
    report: dict[str, Any]
    mark: str

    def outcomes(self) -> dict[str, str]:
        return {result["id"]: result["outcome"] for result in self.report["results"]}

    def result(self, id: str) -> dict[str, Any]:
        (found,) = [result for result in self.report["results"] if result["id"] == id]
        return found


class Running:
    """A run that goes on while the test does something else. All its processes carry its mark."""

    def __init__(self, folder: Path, *words: str, sleep_s: float = 0.0, **more: Any) -> None:
        self.mark = uuid.uuid4().hex
        self.report = folder / f"report-{self.mark[:8]}.json"
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("GITHUB_ACTIONS", "CI", "GRADSPEC_DEBUG", "FORCE_COLOR")
        } | {
            "PYTHONPATH": os.pathsep.join([str(ROOT), SITE]), "GRADSPEC_TEST_MARK": self.mark,
            "GRADSPEC_TEST_SLEEP": str(sleep_s), "OMP_NUM_THREADS": "1", "COLUMNS": "100",
            **more.pop("env", {}),
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gradspec", "run", *words, "--report", f"json={self.report}"],
            cwd=folder, env=environment, text=True, encoding="utf-8", stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more,
        )  # fmt: skip

    def wait(self, timeout_s: float = 120.0) -> Done:
        out, err = self.process.communicate(timeout=timeout_s)
        assert "Traceback" not in out + err.replace("Traceback (most recent call first)", ""), out + err
        report = json.loads(self.report.read_text("utf-8")) if self.report.exists() else {}
        return Done(self.process.returncode, out, err, report, self.mark)

    def kill(self, signum: int) -> None:
        self.process.send_signal(signum)


def gradspec(folder: Path, *words: str, **more: Any) -> Done:
    """A whole run; afterwards none of its processes is left."""
    done = Running(folder, *words, **more).wait()
    assert left_over(done.mark) == []
    return done


def left_over(mark: str, patience_s: float = 30.0) -> list[str]:
    """What still runs with a mark, where the system tells; a process that is just ending has its time."""
    deadline = time.monotonic() + patience_s
    while found := _marked(mark):
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return found


def _marked(mark: str) -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:200])
        except OSError:
            continue
    return found


def timeless(report: dict[str, Any]) -> dict[str, Any]:
    """A report without what differs from one run to the next."""
    results = [result | {"duration_s": 0} for result in report["results"]]
    return report | {"results": results, "duration_s": 0, "started": ""}
