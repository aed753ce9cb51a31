"""Calls that begin at the same moment, each in a thread with a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from django.db import connection, transaction

T = TypeVar("T")
PATIENCE_SECONDS = 30.0


def together(*calls: Callable[[], T]) -> list[T]:
    """The results, in the order of the calls. An exception of one of them is raised here."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=PATIENCE_SECONDS)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        running: list[Future[T]] = [pool.submit(run, call) for call in calls]
        return [each.result(timeout=PATIENCE_SECONDS) for each in running]


@contextmanager
def meanwhile(step: Callable[[], object]) -> Iterator[None]:
    """Somebody else did `step` in a transaction that stays open for the time of the block."""
    done, end = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with transaction.atomic():
                step()
                done.set()
                end.wait(timeout=PATIENCE_SECONDS)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        try:
            assert done.wait(timeout=PATIENCE_SECONDS) or running.result(timeout=1)
            yield
        finally:
            end.set()
        running.result(timeout=PATIENCE_SECONDS)
