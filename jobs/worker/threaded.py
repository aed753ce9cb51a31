"""What is different of a worker whose jobs run in threads of its own process."""

from __future__ import annotations

import signal
from typing import Any

from django.conf import settings

from jobs.worker.stop_signals import SOFT_STOPS
from jobs.worker.thread_keeper import ThreadKeeper
from jobs.worker.thread_pool import TaskPool


def is_threaded(worker: Any) -> bool:
    """Whether this worker of Celery's was started with `--pool=threads`."""
    return isinstance(worker.pool_cls, type) and issubclass(worker.pool_cls, TaskPool)


def stop_softly_on_signals(keeper: ThreadKeeper) -> None:
    """Take SIGQUIT, and SIGTERM where it means the same, over from Celery; the second one ends it
    at once.

    Celery waits for the end of a soft stop inside the signal's handler. There the main thread may
    hold any lock, that of the log for one, and the threads would wait for it all that time.
    """

    def begin(signum: int, frame: object) -> None:
        soft = 0.0 if keeper.stopping else settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT
        keeper.soft_stop_begins(soft)

    for number in SOFT_STOPS:
        signal.signal(number, begin)
