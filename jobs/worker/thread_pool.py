"""Celery's pool of threads (`--pool=threads`), of our own making.

Celery's own cannot be left while a thread runs: the interpreter waits for it before all else, also
for code that hangs. And nobody closes the database connections of its threads.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any

from celery.concurrency import base
from django.db import connections

logger = logging.getLogger(__name__)

_BasePool: Any = base.BasePool  # its published types lack what is used here
_Work = Callable[[], None]


class TaskPool(_BasePool):  # type: ignore[misc]
    """As many threads as jobs at a time, for as long as the worker lives."""

    body_can_be_buffer = True
    signal_safe = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: SimpleQueue[_Work | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def on_start(self) -> None:
        for number in range(self.limit):
            name = f"jobs-{number + 1}"
            self._threads.append(threading.Thread(target=self._serve, name=name, daemon=True))
            self._threads[-1].start()

    def on_apply(
        self,
        target: Callable[..., Any],
        args: Any = None,
        kwargs: Any = None,
        callback: Callable[..., Any] | None = None,
        accept_callback: Callable[..., Any] | None = None,
        **_: Any,
    ) -> None:
        """Time limits are left out: they are not Celery's to enforce on a thread."""
        self._waiting.put(
            partial(base.apply_target, target, args, kwargs, callback, accept_callback)
        )

    def on_stop(self) -> None:
        """Wait for what runs, however long it takes. In a soft stop the keeper does not."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """Nothing: the process that would be ended is the worker."""

    def _serve(self) -> None:
        try:
            while (work := self._waiting.get()) is not None:
                self._do(work)
        finally:
            connections.close_all()  # they belong to threads

    def _do(self, work: _Work) -> None:
        try:
            work()
        except BaseException:  # a thread that ended would be missed for good
            logger.exception("a message could not be handled")

    def _get_info(self) -> dict[str, Any]:
        alive = sum(thread.is_alive() for thread in self._threads)
        return {**super()._get_info(), "max-concurrency": self.limit, "threads": alive}
