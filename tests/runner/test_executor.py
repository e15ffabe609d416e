"""Runs elsewhere give the report that a run here gives."""

from __future__ import annotations

import sys

import pytest

from tests.runner.real import gradspec, timeless, write_specs

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs what Linux tells of processes")
THREADS = ["--executor", "tests.fakes.executors:threads"]
PROCESSES = ["--executor", "tests.fakes.executors:processes"]
DASK = ["--executor", "tests.fakes.executors:dask"]
BUSY_DASK = ["--executor", "tests.fakes.executors:dask_closed_within_a_heartbeat"]


@pytest.fixture
def dask():
    pytest.importorskip("distributed")


@pytest.mark.parametrize(
    "way",
    [["--jobs", "2"], ["--jobs", "5"], ["--isolate"], THREADS, PROCESSES, [*THREADS, "--isolate"]],
    ids=lambda way: way[-1].rpartition(":")[2],
)
def test_the_same_report_everywhere(tmp_path, way):
    write_specs(tmp_path, 23, files=4, wrong=(0, 9, 22))
    words = ["specs", "-b", "python", "-b", "numpy", "-b", "nope"]
    here, there = gradspec(tmp_path, *words), gradspec(tmp_path, *words, *way)
    assert (here.code, there.code) == (4, 4)
    assert timeless(there.report) == timeless(here.report)
    assert there.out.rpartition(" in ")[0] == here.out.rpartition(" in ")[0]


def test_dask(tmp_path, dask):
    """A local cluster of two processes, of which nothing is heard when it is closed."""
    ids = write_specs(tmp_path, 23, files=4, wrong=(9,))
    words = ["specs", "-b", "python", "-b", "numpy"]
    here, there = gradspec(tmp_path, *words), gradspec(tmp_path, *words, *BUSY_DASK)
    assert (there.code, list(there.outcomes())) == (1, ids)
    assert timeless(there.report) == timeless(here.report)
    assert there.err == ""


def test_dask_with_a_spec_that_kills_its_process(tmp_path, dask):
    ids = write_specs(tmp_path, 5, trouble=(2,))
    done = gradspec(tmp_path, "specs", "-b", "segfaults", *DASK, "--isolate")
    assert done.code == 3
    assert done.outcomes() == dict.fromkeys(ids, "passed") | {"s002": "crash"}


@LINUX
def test_a_spec_that_breaks_the_pool(tmp_path):
    """Its neighbours, which broke with it, are run again; it alone is lost."""
    ids = write_specs(tmp_path, 12, trouble=(2, 7), files=2)
    done = gradspec(tmp_path, "specs", "-b", "exits", *PROCESSES)
    assert done.code == 3
    assert done.outcomes() == dict.fromkeys(ids, "passed") | {"s002": "crash", "s007": "crash"}
    assert "BrokenProcessPool" in done.result("s002")["message"]


@LINUX
@pytest.mark.parametrize("way", [THREADS, PROCESSES], ids=["threads", "processes"])
def test_isolated_there(tmp_path, way):
    ids = write_specs(tmp_path, 8, trouble=(2,))
    done = gradspec(tmp_path, "specs", "-b", "segfaults", *way, "--isolate")
    assert done.code == 3
    assert done.outcomes() == dict.fromkeys(ids, "passed") | {"s002": "crash"}
    assert "about to read address 0" in done.result("s002")["output"]


def test_a_tolerance_of_the_project_holds_there(tmp_path):
    write_specs(tmp_path, 4, wrong=(1,))
    (tmp_path / "pyproject.toml").write_text("[tool.gradspec]\ntolerance = {atol = 2.0}\n")
    for way in ([], ["--jobs", "2"], THREADS):
        assert gradspec(tmp_path, "specs", "-b", "python", *way).code == 0


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("refusing", 3, "the executor cannot do jobs: ModuleNotFoundError: No module named 'gradspec'"),
        ("something_else", 2, "'no executor', no concurrent.futures.Executor"),
        ("nothing", 2, "no attribute 'nothing'"),
    ],
)
def test_executors_that_are_none(tmp_path, name, code, told):
    write_specs(tmp_path, 2)
    done = gradspec(tmp_path, "specs", "-b", "python", "--executor", f"tests.fakes.executors:{name}")
    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert "bug" not in done.err


def test_a_factory_beside_the_specs(tmp_path):
    write_specs(tmp_path, 2)
    (tmp_path / "mine.py").write_text(
        "from concurrent.futures import ThreadPoolExecutor\n\ndef make():\n    return ThreadPoolExecutor(1)\n"
    )
    assert gradspec(tmp_path, "specs", "-b", "python", "--executor", "mine:make").code == 0
