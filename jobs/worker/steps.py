"""How the engine joins Celery's worker: one bootstep, and a few signals."""

from __future__ import annotations

import atexit
import os
from datetime import timedelta
from typing import Any

import psutil
from billiard.exceptions import TimeLimitExceeded
from celery import Celery, bootsteps, signals
from celery.worker import state as worker_state
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from jobs import broker, registry
from jobs.message import MalformedMessage, decode
from jobs.models import Queue, Worker
from jobs.version import VERSION
from jobs.worker import process
from jobs.worker.consumer import GuardedConsumer, dropped_messages
from jobs.worker.keeper import Death, Keeper
from jobs.worker.task import JobTask

_SPARE_SLOTS = 16  # children that exist beside the pool's size while it is replaced or grown
_SILENCE = timedelta(seconds=10)


class KeeperStep(bootsteps.StartStopStep):
    """Makes the shared memory before the pool forks, and runs the keeper beside it."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        slots = int(worker.concurrency)
        self.identity, shared = process.become_worker(worker.hostname, slots * 2 + _SPARE_SLOTS)
        self._queues = broker.queue_names(worker.app.amqp.queues.consume_from)
        self._slots = slots
        self._pid = os.getpid()
        self.keeper = Keeper(self.identity, shared, self.report)
        self._hear_of_soft_stop(worker)

    def start(self, parent: Any) -> None:
        _register(self.identity.name, self.identity.incarnation)
        self.keeper.start()
        signals.task_failure.connect(self._on_failure, weak=False)
        # When the process ends, not on `worker_shutdown`: Celery leaves that out of a cold
        # shutdown, which every soft one ends in.
        atexit.register(self.keeper.stop)

    def _hear_of_soft_stop(self, worker: Any) -> None:
        """Celery announces a soft stop only when it is over."""
        wait = worker.wait_for_soft_shutdown

        def tell_and_wait() -> None:
            self.keeper.soft_stop_begins(settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT)
            wait()

        worker.wait_for_soft_shutdown = tell_and_wait

    def report(self) -> None:
        """The worker's row, as it is now."""
        facts = {
            "queues": self._queues,
            "types": [job_type.name for job_type in registry.all()],
            "slots": self._slots,
            "pid": os.getpid(),
            "version": VERSION,
            "memory_bytes": _memory_bytes(),
            "stopping": is_stopping() or self.keeper.stopping,
            "dropped_messages": F("dropped_messages") + dropped_messages.take(),
            "seen_at": Now(),
        }
        row = Worker.objects.filter(pk=self.identity.name, incarnation=self.identity.incarnation)
        # The row is gone, or an old one is back, when the database was restored from a backup.
        if not row.update(**facts) and not _is_taken(self.identity.name):
            _register(self.identity.name, self.identity.incarnation)
            row.update(**facts)

    def _on_failure(self, sender: Any, args: Any, exception: BaseException, **_: Any) -> None:
        """Fires in the main process when a child is lost or a hard time limit has struck (then
        twice); job code's own exceptions never get this far. (Replaced children inherit this
        receiver, but not the keeper's thread.)"""
        if not isinstance(sender, JobTask) or os.getpid() != self._pid:
            return
        try:
            jobs = decode(args[0])
        except (MalformedMessage, IndexError, TypeError, KeyError):
            return
        for job in jobs:
            self.keeper.child_died(job, _death(exception))


def _death(exception: BaseException) -> Death:
    if isinstance(exception, TimeLimitExceeded):
        return Death.TIMED_OUT
    return Death.STOPPED if is_stopping() else Death.CRASHED


def is_stopping() -> bool:
    return worker_state.should_stop not in (None, False) or worker_state.should_terminate not in (
        None,
        False,
    )


def _is_taken(name: str) -> bool:
    """Whether another incarnation of this name lives: it reports itself every two seconds."""
    return Worker.objects.filter(pk=name, seen_at__gt=Now() - _SILENCE).exists()


def _register(name: str, incarnation: Any) -> None:
    Worker.objects.update_or_create(
        name=name,
        defaults={"incarnation": incarnation, "started_at": Now(), "stopping": False},
    )


def _memory_bytes() -> int:
    """Resident memory of the main and its children."""
    main = psutil.Process()
    total = 0
    for member in [main, *main.children(recursive=True)]:
        try:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def consume_all_levels(instance: Any, **_: Any) -> None:
    """Turn the queues a worker was asked for into the broker's queues, level by level.

    `-Q reports,default` or WORKER_QUEUES name queues; without either a worker takes all of them.
    """
    queues = instance.app.amqp.queues
    asked = broker.queue_names(queues.consume_from) or settings.WORKER_QUEUES
    names = asked or list(Queue.objects.values_list("name", flat=True)) or registry.queues()
    queues.select(broker.consumed_queues(names))


def install(app: Celery) -> None:
    """Make `app`'s workers run jobs."""
    app.conf.worker_consumer = f"{GuardedConsumer.__module__}:{GuardedConsumer.__qualname__}"
    app.steps["worker"].add(KeeperStep)
    signals.worker_init.connect(_before_pool, weak=False)
    signals.worker_process_init.connect(_in_child, weak=False)


def _before_pool(sender: Any, **_: Any) -> None:
    consume_all_levels(sender)


def _in_child(**_: Any) -> None:
    process.become_child()
