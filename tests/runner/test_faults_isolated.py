"""What a spec may do to its process is the outcome of that spec alone. Real processes, real faults."""

from __future__ import annotations

import sys
import time

import pytest

from tests.runner.real import gradspec, write_specs

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs what Linux tells of processes")
WAYS = {"isolate": ["--isolate"], "jobs": ["--jobs", "2"]}


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


def others_passed(done, ids, lost):
    assert list(done.outcomes()) == ids, "every spec once, in order"
    assert {done.outcomes()[one] for one in ids if one not in lost} == {"passed"}


@LINUX
@pytest.mark.parametrize(
    ("backend", "outcome", "message", "output"),
    [
        ("segfaults", "crash", "killed by SIGSEGV", "about to read address 0"),
        ("exits", "crash", "ended with exit code 0", "goodbye"),
        ("exits-politely", "error", "SystemExit: 0", ""),
        ("unpicklable", "error", "Strange: its text cannot be told", ""),
    ],
)
def test_a_process_that_is_lost(tmp_path, way, backend, outcome, message, output):
    ids = write_specs(tmp_path, 6, trouble=(2, 5))
    done = gradspec(tmp_path, "specs", "-b", backend, *way)
    assert done.code == 3
    others_passed(done, ids, ("s002", "s005"))
    for lost in ("s002", "s005"):
        result = done.result(lost)
        assert result["outcome"] == outcome
        assert message in result["message"]
        assert output in result.get("output", "")
        assert "\x1b" not in result.get("output", "")
    assert done.report["totals"][backend][outcome] == 2
    assert done.report["exit_code"] == 3
    assert message in done.out
    assert "4 passed" in done.out.splitlines()[-1]


@LINUX
def test_a_hang(tmp_path, way):
    ids = write_specs(tmp_path, 4, trouble=(1,))
    start = time.monotonic()
    done = gradspec(tmp_path, "specs", "-b", "hangs-now-and-then", "--timeout", "2", *way)
    assert time.monotonic() - start < 120
    assert done.code == 3
    others_passed(done, ids, ("s001",))
    result = done.result("s001")
    assert (result["outcome"], result["message"]) == ("timeout", "no answer within 2 s")
    assert "waiting for a lock" in result["output"]
    assert "in trouble" in result["output"], "the place where it hangs"


@LINUX
def test_a_timeout_isolates_by_itself(tmp_path):
    ids = write_specs(tmp_path, 3, trouble=(0,))
    done = gradspec(tmp_path, "specs", "-b", "hangs-now-and-then", "--timeout", "2")
    assert done.code == 3
    others_passed(done, ids, ("s000",))


@LINUX
def test_eight_gibibytes_under_a_limit(tmp_path, way):
    ids = write_specs(tmp_path, 4, trouble=(1,))
    done = gradspec(tmp_path, "specs", "-b", "allocates", "--memory-limit", "512MiB", *way)
    assert done.code == 3
    others_passed(done, ids, ("s001",))
    assert done.result("s001")["outcome"] == "crash"
    assert "MemoryError" in done.result("s001")["message"]


@LINUX
def test_a_backend_that_asks_for_isolation_gets_it(tmp_path):
    ids = write_specs(tmp_path, 3, trouble=(1,))
    done = gradspec(tmp_path, "specs", "-b", "python", "-b", "asks-for-isolation")
    assert done.code == 3
    outcomes = [(r["id"], r["backend"], r["outcome"]) for r in done.report["results"]]
    assert outcomes == [
        (one, backend, "crash" if (one, backend) == ("s001", "asks-for-isolation") else "passed")
        for one in ids
        for backend in ("python", "asks-for-isolation")
    ]


@LINUX
def test_every_spec_takes_its_process_with_it(tmp_path, way):
    ids = write_specs(tmp_path, 5, trouble=(0, 1, 2, 3, 4), files=2)
    done = gradspec(tmp_path, "specs", "-b", "exits", *way)
    assert done.code == 3
    assert done.outcomes() == dict.fromkeys(ids, "crash")


@LINUX
def test_a_backend_that_dies_when_it_is_loaded_is_not_available(tmp_path, way):
    write_specs(tmp_path, 2)
    done = gradspec(tmp_path, "specs", "-b", "dies-when-loaded", "-b", "python", *way)
    assert done.code == 4
    assert "killed by SIGKILL" in done.out
    assert done.outcomes() == {"s000": "passed", "s001": "passed"}


@LINUX
def test_a_backend_that_dies_when_it_is_loaded_again(tmp_path):
    """What the first process could load kills each later one: that is told of the specs it was for."""
    ids = write_specs(tmp_path, 4)
    env = {"GRADSPEC_TEST_ONCE": str(tmp_path / "once")}
    done = gradspec(tmp_path, "specs", "-b", "dies-when-loaded-again", "--jobs", "2", env=env)
    crashed = [r for r in done.report["results"] if r["outcome"] == "crash"]
    assert list(done.outcomes()) == ids
    assert all("while the backend was loaded" in r["message"] and "SIGABRT" in r["message"] for r in crashed)
    assert done.code == (3 if crashed else 0)


@pytest.mark.parametrize("way", [[], ["--isolate"], ["--jobs", "2"]], ids=["here", "isolate", "jobs"])
def test_noise_on_stdout(tmp_path, way):
    """It is neither in the report nor in the protocol; what this process heard of it goes to stderr."""
    ids = write_specs(tmp_path, 4, trouble=(0, 3))
    done = gradspec(tmp_path, "specs", "-b", "chatters", *way)
    assert done.code == 0
    assert done.outcomes() == dict.fromkeys(ids, "passed")
    assert "NOISE" not in done.out
    assert "noise" not in done.out
    assert len(done.out.splitlines()) == 1
    assert done.err.count("NOISE") == (0 if way else 4)


@pytest.mark.parametrize("backend", ["unpicklable", "exits-politely"])
def test_exceptions_of_any_kind_in_this_process(tmp_path, backend):
    ids = write_specs(tmp_path, 3, trouble=(1,))
    done = gradspec(tmp_path, "specs", "-b", backend)
    assert done.code == 3
    others_passed(done, ids, ("s001",))
    assert done.result("s001")["outcome"] == "error"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--jobs", "0"], "no number of processes"),
        (["--jobs", "two"], "no number of processes"),
        (["--timeout", "-1"], "no time in seconds"),
        (["--timeout", "nan"], "no time in seconds"),
        (["--memory-limit", "much"], "no size"),
        (["--executor", "nowhere"], "module:function"),
        (["--executor", "no_such_module:make"], "no_such_module"),
        (["--executor", "json:dumps", "--jobs", "2"], "leave --jobs away"),
    ],
)
def test_options_that_make_no_sense(tmp_path, words, told):
    write_specs(tmp_path, 1)
    done = gradspec(tmp_path, "specs", "-b", "python", *words)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
