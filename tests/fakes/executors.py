"""Factories as `--executor` takes them."""

from __future__ import annotations

import asyncio
import atexit
import logging
import multiprocessing
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

__all__ = [
    "Refusing",
    "dask",
    "dask_closed_within_a_heartbeat",
    "processes",
    "refusing",
    "something_else",
    "threads",
]


def threads() -> Executor:
    return ThreadPoolExecutor(2)


def processes() -> Executor:
    return ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))


def dask() -> Executor:
    """A cluster of this machine, made as docs/guides/parallel.md says."""
    return _local_cluster().get_executor()


def dask_closed_within_a_heartbeat() -> Executor:
    """The same, so busy that its processes wait for the answer to a heartbeat when it is closed."""
    client = _local_cluster()
    waiting = []

    async def no_answer(**heartbeat: Any) -> None:
        waiting.append(heartbeat)
        await asyncio.sleep(3600)

    client.cluster.scheduler.handlers["heartbeat_worker"] = no_answer
    while len(waiting) < 2:
        time.sleep(0.01)
    return client.get_executor()


def _local_cluster() -> Any:
    from distributed import Client

    client = Client(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL)
    atexit.register(client.close)
    return client


class Refusing(Executor):
    """Every job fails in it."""

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_exception(ModuleNotFoundError("No module named 'gradspec'"))
        return future


def refusing() -> Executor:
    return Refusing()


def something_else() -> str:
    return "no executor"
