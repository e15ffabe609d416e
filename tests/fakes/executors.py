"""Factories as `--executor` takes them."""

from __future__ import annotations

import atexit
import multiprocessing
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

__all__ = ["Refusing", "dask", "processes", "refusing", "something_else", "threads"]


def threads() -> Executor:
    return ThreadPoolExecutor(2)


def processes() -> Executor:
    return ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))


def dask() -> Executor:
    from distributed import Client, LocalCluster

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    client = Client(cluster)
    atexit.register(lambda: (client.close(), cluster.close()))
    return client.get_executor()


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
