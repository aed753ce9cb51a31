"""How the engine joins Celery's worker: one bootstep, and a few signals."""

from __future__ import annotations

import atexit
import logging
import os
import time
from datetime import timedelta
from typing import Any

import psutil
from billiard.exceptions import TimeLimitExceeded
from celery import Celery, bootsteps, signals
from celery.worker import state
from django.conf import settings
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from jobs import registry
from jobs.message import MalformedMessage, decode
from jobs.models import Wish, Worker
from jobs.version import VERSION
from jobs.worker import process
from jobs.worker.children import is_child
from jobs.worker.consumer import GuardedConsumer, dropped_messages
from jobs.worker.deaths import Death
from jobs.worker.intake import Intake
from jobs.worker.keeper import Keeper
from jobs.worker.obeying import (
    Obedience,
    begin_anew,
    is_stopping,
    is_terminating,
    may_begin_anew,
)
from jobs.worker.slots import Slots
from jobs.worker.stop_signals import StopSignals
from jobs.worker.taken import put_back_tasks, unfinished_jobs
from jobs.worker.task import JobTask
from jobs.worker.thread_keeper import ThreadKeeper
from jobs.worker.threaded import is_threaded, stop_softly_on_signals

logger = logging.getLogger(__name__)

_state: Any = state  # its published types are of another release
_SPARE_SLOTS = 16  # children that exist beside the pool's size while it is replaced or grown
_SILENCE = timedelta(seconds=10)
_IDLE_SECONDS = 0.5
_LOOK_SECONDS = 0.05


class KeeperStep(bootsteps.StartStopStep):
    """Makes the shared memory before the pool forks, and runs the keeper beside it."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        slots = int(worker.concurrency)
        most = slots * 2 + _SPARE_SLOTS
        self.identity, self._shared = process.become_worker(worker.hostname, most)
        self._intake: Intake = worker.intake
        self._obedience = Obedience(worker, self._intake)
        self._slots = slots
        self._pid = os.getpid()
        self.keeper = self._make_keeper(worker)
        self._hear_of_soft_stop(worker)

    def _make_keeper(self, worker: Any) -> Keeper:
        known = (self.identity, self._shared, self.report)
        if not is_threaded(worker):
            return Keeper(*known, unfinished=unfinished_jobs, put_back_tasks=put_back_tasks)
        keeper = ThreadKeeper(
            *known,
            finish=self._obedience.finish,
            unfinished=unfinished_jobs,
            put_back_tasks=put_back_tasks,
        )
        process.become_crew(lambda: keeper.stops_at)
        return keeper

    def start(self, parent: Any) -> None:
        _register(self.identity.name, self.identity.incarnation)
        self.keeper.start()
        if isinstance(self.keeper, ThreadKeeper):
            stop_softly_on_signals(self.keeper)
        else:
            parent.stop_signals.take_over(
                announce=self._soft_stop_begins,
                hasten=lambda: self.keeper.soft_stop_begins(0),
                must_wait=lambda: self._is_amid_message(parent),
            )
        signals.task_failure.connect(self._on_failure, weak=False)
        # When the process ends, not on `worker_shutdown`: Celery leaves that out of a cold
        # shutdown, which every soft one ends in.
        atexit.register(self._end)

    def _end(self) -> None:
        self.keeper.stop()
        if self._comes_back() and may_begin_anew(self.identity) and self._comes_back():
            begin_anew()

    def _comes_back(self) -> bool:
        """A signal to stop has the last word, also while the database is asked."""
        return self._obedience.comes_back and not self.keeper.stopping

    def _hear_of_soft_stop(self, worker: Any) -> None:
        """In place of Celery's wait, which announces a soft stop only when it is over, and sleeps
        through the whole of it though all ends sooner. As there, without a message there is none.
        It may be called in a signal handler, hence no locks."""

        def wait() -> None:
            self._soft_stop_begins()
            if tuple(_state.active_requests):
                seconds = max(0.0, self.keeper.stops_at - time.monotonic())
                logger.warning("soft stop: what runs has %.3g seconds to end", seconds)
                _wait_until_idle(self._shared, self.keeper)

        worker.wait_for_soft_shutdown = wait

    def _is_amid_message(self, worker: Any) -> bool:
        """A large one goes to its child in parts, with other steps in between. A child that takes
        none of them is not waited for when the time is over."""
        pool = worker.pool._pool
        return bool(pool and pool._active_writers) and time.monotonic() < self.keeper.stops_at

    def _soft_stop_begins(self) -> None:
        self.keeper.soft_stop_begins(settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT)

    def report(self) -> None:
        """Bring the worker's row up to date, and follow what it asks."""
        self._intake.look_for_new_queues()
        row = self._write_row()
        for wish in row.values_list("wish", flat=True):
            self._obedience.follow(Wish(wish))

    def _write_row(self) -> QuerySet[Worker]:
        facts = {
            "queues": self._intake.queues,
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
        return row

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


def _wait_until_idle(slots: Slots, keeper: Keeper) -> None:
    """Until no child handles a message and none begins for a moment: one may be on its way."""
    idle_since = time.monotonic()
    while (now := time.monotonic()) < keeper.stops_at and now - idle_since < _IDLE_SECONDS:
        time.sleep(_LOOK_SECONDS)
        if any(map(is_child, slots.handling())):
            idle_since = time.monotonic()


def _death(exception: BaseException) -> Death:
    if isinstance(exception, TimeLimitExceeded):
        return Death.TIMED_OUT
    return Death.STOPPED if is_terminating() else Death.CRASHED


def _is_taken(name: str) -> bool:
    """Whether another incarnation of this name lives: it reports itself every two seconds."""
    return Worker.objects.filter(pk=name, seen_at__gt=Now() - _SILENCE).exists()


def _register(name: str, incarnation: Any) -> None:
    Worker.objects.update_or_create(
        name=name,
        defaults={
            "incarnation": incarnation,
            "started_at": Now(),
            "stopping": False,
            "wish": Wish.RUN,
            "wished_at": None,
        },
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


def install(app: Celery) -> None:
    """Make `app`'s workers run jobs."""
    app.conf.worker_consumer = f"{GuardedConsumer.__module__}:{GuardedConsumer.__qualname__}"
    app.steps["worker"].add(KeeperStep)
    signals.worker_init.connect(_before_pool, weak=False)
    signals.worker_process_init.connect(_in_child, weak=False)


def _before_pool(sender: Any, **_: Any) -> None:
    sender.intake = Intake(sender)
    sender.stop_signals = StopSignals()


def _in_child(**_: Any) -> None:
    process.become_child()
