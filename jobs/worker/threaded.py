"""What is different of a worker whose jobs run in threads of its own process."""

from __future__ import annotations

import signal
from typing import Any

from billiard.common import REMAP_SIGTERM
from celery.worker import state
from django.conf import settings

from jobs.message import FencedJob
from jobs.worker.misdelivery import named_jobs
from jobs.worker.thread_keeper import ThreadKeeper
from jobs.worker.thread_pool import TaskPool

_state: Any = state  # its published types are of another release


def is_threaded(worker: Any) -> bool:
    """Whether this worker of Celery's was started with `--pool=threads`."""
    return isinstance(worker.pool_cls, type) and issubclass(worker.pool_cls, TaskPool)


def unfinished_jobs() -> list[FencedJob]:
    """The jobs of the messages that Celery has taken and not yet acknowledged."""
    requests = tuple(_state.requests.values())  # in one go: other threads take from there
    return [job for request in requests for job in named_jobs(request.message)]


def stop_softly_on_signals(keeper: ThreadKeeper) -> None:
    """Take SIGQUIT, and SIGTERM where it means the same, over from Celery; the second one ends it
    at once.

    Celery waits for the end of a soft stop inside the signal's handler. There the main thread may
    hold any lock, that of the log for one, and the threads would wait for it all that time.
    """

    def begin(signum: int, frame: object) -> None:
        soft = 0.0 if keeper.stopping else settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT
        keeper.soft_stop_begins(soft)

    signal.signal(signal.SIGQUIT, begin)
    if REMAP_SIGTERM == "SIGQUIT":
        signal.signal(signal.SIGTERM, begin)
