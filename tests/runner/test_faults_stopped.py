"""A run that is ended from outside: what was done is told and kept, and can be gone on from."""

from __future__ import annotations

import json
import random
import signal
import sys
import time

import pytest

from tests.runner.real import Running, gradspec, left_over, timeless, write_specs

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs what Linux tells of processes")
WAYS = {"here": [], "isolate": ["--isolate"], "jobs": ["--jobs", "2"]}
KILLS = 50


def kept(folder):
    """The ids of which whole results lie on disk, in files of runs that have not finished."""
    found = set()
    for path in (folder / ".gradspec/runs").glob("*.part"):
        for line in path.read_text().splitlines(keepends=True):
            if line.endswith("\n") and '"verdict"' in line:
                found.add(json.loads(line)["verdict"]["id"])
    return found


def wait_for(condition, timeout_s=60.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def held(folder, count):
    """A run that has come so far, and goes on when the file called hold is taken away."""
    (folder / "hold").touch()
    running = Running(folder, "specs", "-b", "sleeps", env={"GRADSPEC_TEST_HOLD": str(count)})
    wait_for(lambda: len(kept(folder)) == count)
    return running


@pytest.mark.slow
@LINUX
def test_killed_at_random_moments(tmp_path):
    """SIGKILL fifty times: what is kept never grows less, nothing is left running, and when a run is
    let finish its report is that of one that nobody disturbed."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    ids = write_specs(tmp_path, 60, wrong=(7, 31), files=3)
    words = ["specs", "-b", "sleeps", "--resume"]
    undisturbed = timeless(gradspec(tmp_path, *words).report)
    longest_s, kills, finished = 1.0, 0, 0
    while kills < KILLS or not finished:
        way = WAYS[chance.choice(list(WAYS))]
        running = Running(tmp_path, *words, *way, sleep_s=0.01)
        before = kept(tmp_path)
        time.sleep(chance.uniform(0.0, longest_s))
        if kills < KILLS and running.process.poll() is None and chance.random() < 0.95:
            running.kill(signal.SIGKILL)
            running.process.communicate()
            kills += 1
            assert left_over(running.mark) == []
            if any((tmp_path / ".gradspec/runs").glob("*.part")):
                assert before <= kept(tmp_path), "results were lost"
            continue
        done = running.wait()
        finished += 1
        assert left_over(done.mark) == []
        assert (done.code, list(done.outcomes())) == (1, ids)
        assert timeless(done.report) == undisturbed
        assert kept(tmp_path) == set()


@LINUX
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_with_what_is_done(tmp_path, way, signum):
    ids = write_specs(tmp_path, 30, files=3)
    running = Running(tmp_path, "specs", "-b", "sleeps", *WAYS[way], sleep_s=0.2)
    wait_for(lambda: len(kept(tmp_path)) >= 3)
    running.kill(signum)
    done = running.wait()
    assert left_over(done.mark) == []
    assert done.code == 128 + signum
    assert "--resume" in done.err
    told = list(done.outcomes())
    assert len(told) >= 3
    assert told == [one for one in ids if one in told], "in order"
    assert set(told) == kept(tmp_path)
    assert done.report["exit_code"] == 128 + signum
    assert done.report["left"] == 30 - len(told)
    assert f"{len(told)} passed" in done.out
    assert f"{30 - len(told)} not run" in done.out
    whole = gradspec(tmp_path, "specs", "-b", "sleeps", "--resume", *WAYS[way])
    assert whole.code == 0
    assert f"{len(told)} results are those of a run that was ended early" in whole.err
    assert list(whole.outcomes()) == ids


@LINUX
def test_a_signal_while_a_spec_hangs(tmp_path):
    write_specs(tmp_path, 4, trouble=(2,))
    running = Running(tmp_path, "specs", "-b", "hangs-now-and-then", "--isolate")
    wait_for(lambda: len(kept(tmp_path)) == 2)
    time.sleep(0.2)
    running.kill(signal.SIGINT)
    done = running.wait(60)
    assert (done.code, done.report["left"]) == (130, 2)
    assert left_over(done.mark) == []


@LINUX
def test_the_workers_of_a_killed_run_end_though_they_hang(tmp_path):
    write_specs(tmp_path, 4, trouble=(0, 2), files=2)
    running = Running(tmp_path, "specs", "-b", "hangs-now-and-then", "--jobs", "2")
    wait_for(lambda: len(left_over(running.mark, 0)) == 3)
    time.sleep(0.5)
    running.kill(signal.SIGKILL)
    running.process.communicate()
    assert left_over(running.mark) == []


def test_what_was_changed_since_is_run_again(tmp_path):
    write_specs(tmp_path, 20, files=2)
    running = held(tmp_path, 12)
    running.kill(signal.SIGKILL)
    running.process.communicate()
    write_specs(tmp_path, 20, files=2, wrong=(3,))
    file = tmp_path / "specs/f0.gradspec.yaml"
    assert "5.0" in file.read_text()
    whole = gradspec(tmp_path, "specs", "-b", "sleeps", "--resume")
    assert whole.code == 1
    assert whole.outcomes()["s003"] == "failed", "changed after it was done"


def test_a_torn_last_line(tmp_path):
    ids = write_specs(tmp_path, 10)
    running = held(tmp_path, 4)
    running.kill(signal.SIGKILL)
    running.process.communicate()
    (part,) = (tmp_path / ".gradspec/runs").glob("*.part")
    text = part.read_text()
    part.write_text(text[: text.rindex('"outcome"')])
    assert len(kept(tmp_path)) == 3
    whole = gradspec(tmp_path, "specs", "-b", "sleeps", "--resume")
    assert (whole.code, list(whole.outcomes())) == (0, ids)
    assert "3 results are those" in whole.err


# Two at once


@LINUX
def test_two_runs_at_once(tmp_path):
    ids = write_specs(tmp_path, 20, files=2, wrong=(4,))
    one = Running(tmp_path, "specs", "-b", "sleeps", sleep_s=0.03)
    other = Running(tmp_path, "specs", "-b", "sleeps", "--jobs", "2", sleep_s=0.03)
    for running in (one, other):
        done = running.wait()
        assert (done.code, list(done.outcomes()), done.outcomes()["s004"]) == (1, ids, "failed")
    assert len(list((tmp_path / ".gradspec/runs").glob("*.jsonl"))) == 2
    assert kept(tmp_path) == set()


@LINUX
def test_a_run_does_not_take_what_another_is_writing(tmp_path):
    write_specs(tmp_path, 20)
    one = held(tmp_path, 3)
    other = gradspec(tmp_path, "specs", "-b", "sleeps", "--resume")
    assert (other.code, "no run was ended early" in other.err) == (0, True)
    assert one.process.poll() is None
    (tmp_path / "hold").unlink()
    done = one.wait()
    assert (done.code, done.err) == (0, "")
    assert len(done.outcomes()) == 20
    assert len(list((tmp_path / ".gradspec/runs").glob("*.jsonl"))) == 2


# Nowhere to write


@LINUX
@pytest.mark.parametrize("way", WAYS)
def test_a_full_disk(tmp_path, way):
    """Neither the report nor the results can be written: what is told is still true."""
    import resource

    ids = write_specs(tmp_path, 30, wrong=(3,))

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    done = Running(tmp_path, "specs", "-b", "sleeps", *WAYS[way], preexec_fn=full).wait()
    assert left_over(done.mark) == []
    assert done.report == {}
    assert "the report could not be written: File too large" in done.err
    assert "the results are not kept in .gradspec: File too large" in done.err
    assert done.code == 2
    assert "FAIL s003" in done.out
    assert done.out.splitlines()[-1].startswith(f"{len(ids)} specs on sleeps: 29 passed, 1 failed")
    assert not list(tmp_path.glob(".report*"))


@LINUX
def test_a_device_without_room(tmp_path):
    write_specs(tmp_path, 2)
    done = gradspec(tmp_path, "specs", "-b", "python", "--report", "junit=/dev/full")
    assert done.code == 2
    assert "No space left on device" in done.err
    assert done.outcomes() == {"s000": "passed", "s001": "passed"}, "the other report is whole"
    assert "2 passed" in done.out


def test_a_place_where_nothing_can_be_kept(tmp_path):
    write_specs(tmp_path, 2)
    (tmp_path / ".gradspec").write_text("a file where the directory would be")
    done = gradspec(tmp_path, "specs", "-b", "python")
    assert done.code == 0
    assert "the results are not kept in .gradspec" in done.err
    assert len(done.outcomes()) == 2


# --last-failed


def test_last_failed(tmp_path):
    write_specs(tmp_path, 6, wrong=(1, 4), files=2)
    gradspec(tmp_path, "specs", "-b", "python")
    done = gradspec(tmp_path, "specs", "-b", "python", "--last-failed")
    assert (done.code, list(done.outcomes())) == (1, ["s001", "s004"])
    write_specs(tmp_path, 7, wrong=(4,), files=2)  # one mended and one new, in files that changed
    done = gradspec(tmp_path, "specs", "-b", "python", "--last-failed")
    assert set(done.outcomes()) >= {"s001", "s004", "s006"}
    done = gradspec(tmp_path, "specs", "-b", "python", "--last-failed")
    assert list(done.outcomes()) == ["s004"]
    done = gradspec(tmp_path, "specs", "-b", "numpy", "--last-failed")
    assert len(done.outcomes()) == 7, "never run there"
    write_specs(tmp_path, 7, files=2)
    gradspec(tmp_path, "specs", "-b", "python", "--last-failed")
    done = gradspec(tmp_path, "specs", "-b", "python", "--last-failed")
    assert (done.code, done.out) == (0, "")
    assert "nothing is left to run" in done.err


def test_what_never_finished_counts_as_failed(tmp_path):
    ids = write_specs(tmp_path, 12)
    running = held(tmp_path, 4)
    running.kill(signal.SIGKILL)
    running.process.communicate()
    done = gradspec(tmp_path, "specs", "-b", "sleeps", "--last-failed")
    assert list(done.outcomes()) == ids[4:]
