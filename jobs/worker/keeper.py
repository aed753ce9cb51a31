"""The thread in a worker's main process that keeps its promises to the database.

A thread, because the main's timers stand still while Celery waits for a soft shutdown, and that
is when leases matter most. It renews leases, passes cancel requests on, ends what does not listen,
reports the worker, and records attempts whose child died.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from billiard.common import TERM_SIGNAL
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction

from jobs import lifecycle
from jobs.lifecycle.statement import bound_waits
from jobs.message import FencedJob
from jobs.models import Job
from jobs.states import Status
from jobs.worker.children import all_ended, end_children, is_child
from jobs.worker.deaths import Death, Deaths, first_line
from jobs.worker.identity import WorkerIdentity
from jobs.worker.slots import Running, Slots

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 2.0
_KILL_AFTER_TERMINATE_SECONDS = 3.0
_WATCHDOG_HEADSTART_SECONDS = 1.0
KILL_AFTER_STOP_SECONDS = 1.0  # Celery has asked the job's code to leave by then
# Less than a supervisor of ours waits: with what is to be written, and at the latest without.
_LEAVE_AFTER_STOP_SECONDS = 4.0
_LEAVE_UNWRITTEN_AFTER_STOP_SECONDS = 5.5
_DEAD_WITHIN_SECONDS = 2.0
_STOP_SECONDS = 8.0
T = TypeVar("T")


class Keeper:
    def __init__(
        self,
        identity: WorkerIdentity,
        slots: Slots,
        report: Callable[[], None],
        *,
        unfinished: Callable[[], Iterable[FencedJob]],
        put_back_tasks: Callable[[], None],
    ) -> None:
        """`unfinished` are the jobs of the messages that the worker has taken and not acknowledged;
        `put_back_tasks` gives the broker back those of ordinary tasks."""
        self._identity = identity
        self._slots = slots
        self._report = report
        self._unfinished = unfinished
        self._put_back_tasks = put_back_tasks
        self._deaths = Deaths(most_seconds=identity.lease_seconds / 6)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._cancelled_at: dict[FencedJob, float] = {}
        self._killed: dict[FencedJob, Death] = {}
        self._stops_at = float("inf")
        self._leaves = False
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()
        threading.Thread(target=self._end_at_last, name="last resort", daemon=True).start()

    def soft_stop_begins(self, seconds: float) -> None:
        """Running jobs have so long to end by themselves, or less if it was less already. Called in
        a signal handler, hence no locks; what runs on after that, and after Celery's own asking,
        is killed: Celery would wait for it without any limit. So it would for a child that is
        stuck elsewhere, or the broker: a little later the process ends without them, and should
        the database or the log not answer either, a little later all the same."""
        self._stops_at = min(self._stops_at, time.monotonic() + seconds)

    @property
    def stops_at(self) -> float:
        """When that time is over; infinity as long as nobody asked."""
        return self._stops_at

    @property
    def stopping(self) -> bool:
        return self._stops_at != float("inf")

    def stop(self) -> None:
        """Called when the pool has ended: give back what its children left, then end."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout=_STOP_SECONDS)

    def child_died(self, job: FencedJob, death: Death) -> None:
        running = self._slots.find(job)
        if self._leaves:  # it did not die by itself
            death = Death.STOPPED
        if running:
            if self._slots.expired(running):
                death = Death.EXPIRED
            self._slots.clear(running)
        self._deaths.note(job, self._killed.pop(job, death))
        self._wake.set()

    # --- the loop --------------------------------------------------------------------------

    def _run(self) -> None:
        lease = self._identity.lease_seconds
        pause = min(0.5, lease / 12)
        look_at = renew_at = 0.0
        while not self._stopping.is_set():
            now = time.monotonic()
            self._guarded(self._deaths.record)
            if now >= renew_at:
                renewed = self._guarded(self._renew)
                renew_at = now + (lease / 3 if renewed else pause)
            if now >= look_at:
                self._guarded(_bounded(self._report))
                self._guarded(_bounded(self._pass_on_cancels))
                look_at = now + min(LOOK_EVERY_SECONDS, lease / 3)
            self._end_what_does_not_listen()
            self._end_what_outlasts_the_stop()
            self._end_what_outlasts_its_lease()
            self._wake.wait(pause)
            self._wake.clear()
        self._guarded(self._give_back_the_rest)
        self._guarded(self._deaths.record)
        self._guarded(_bounded(self._report))
        connection.close()
        self._leave()

    def _leave(self) -> None:
        """The last act. As a rule the process ends by itself."""
        if self._leaves:
            self._guarded(self._put_back_tasks)
            _exit()

    def _end_at_last(self) -> None:
        """A thread of its own: the keeper may wait for the database, and for the log."""
        pause = threading.Event()
        while time.monotonic() < self._stops_at + _LEAVE_UNWRITTEN_AFTER_STOP_SECONDS:
            pause.wait(LOOK_EVERY_SECONDS / 4)
        _exit()

    def _guarded(self, step: Callable[[], object]) -> bool:
        try:
            close_old_connections()
            return step() is not False
        except (DatabaseError, InterfaceError) as error:
            logger.warning("keeper: %s", first_line(error))
            connection.close()
        except Exception:  # the leases of all jobs hang on this thread
            logger.exception("a step of the keeper failed")
        return False

    # --- leases ----------------------------------------------------------------------------

    def _renew(self) -> bool:
        """Renew every lease; False if some row was locked and is to be tried again soon.

        The deadline counts from before the statement was sent, so it never lies behind the lease.
        """
        running = {run.job: run for run in self._slots.running() if self._is_alive(run)}
        if not running:
            return True
        asked_at = time.monotonic()
        lease = self._identity.lease_seconds
        renewal = _bounded(lambda: lifecycle.renew(list(running), lease_seconds=lease))()
        deadline = asked_at + lease - self._identity.lease_margin
        for job in renewal.renewed:
            self._slots.extend(running[job], deadline)
        for job in renewal.lost:
            # Most often the job has just completed, and its run is over or about to be. A child
            # that writes an outcome is left alone: its code has ended, what it may write late is
            # refused, and its deadline stays.
            if not self._slots.is_writing(running[job]):
                self._end_lost(running[job])
        return not renewal.skipped

    def _end_lost(self, run: Running) -> None:
        if self._slots.extend(run, 0.0):
            text = "job %s: fence %s is no longer ours; its code is ended if it still runs"
            logger.warning(text, *run.job, extra={"job_id": run.job.id})

    def _is_alive(self, run: Running) -> bool:
        """A child that vanished without a word from the pool must not be renewed for ever."""
        try:
            os.kill(run.pid, 0)
        except ProcessLookupError:
            self.child_died(run.job, Death.CRASHED)
            return False
        return True

    # --- cancels ---------------------------------------------------------------------------

    def _pass_on_cancels(self) -> None:
        running = {run.job: run for run in self._slots.running()}
        asked = {
            FencedJob(*row)
            for row in Job.objects.filter(
                pk__in=[job.id for job in running],
                status=Status.PROCESSING,
                cancel_requested_at__isnull=False,
            ).values_list("pk", "fence")
        }
        now = time.monotonic()
        self._cancelled_at = {job: self._cancelled_at.get(job, now) for job in asked & set(running)}
        for job in self._cancelled_at:
            self._slots.ask_to_cancel(running[job])

    def _end_what_does_not_listen(self) -> None:
        """After the grace time an exception in the job's code, then the end of its process."""
        for job, since in list(self._cancelled_at.items()):
            patience = time.monotonic() - since - settings.CANCEL_GRACE_SECONDS
            running = self._slots.find(job)
            if running is None:
                del self._cancelled_at[job]
            elif patience > _KILL_AFTER_TERMINATE_SECONDS:
                self._kill(running, Death.CANCELLED)
            elif patience > 0:
                self._signal(running, TERM_SIGNAL)

    def _end_what_outlasts_the_stop(self) -> None:
        over = time.monotonic() - self._stops_at
        if over > KILL_AFTER_STOP_SECONDS:
            for running in list(self._slots.running()):
                self._kill(running, Death.STOPPED)
        if over > _LEAVE_AFTER_STOP_SECONDS:
            self._leaves = True
            self._stopping.set()
            logger.error("the stop does not come to an end; leaving without it")

    def _end_what_outlasts_its_lease(self) -> None:
        """The child's own watchdog goes first, but it is a thread: code that never lets go of the
        interpreter never lets it run."""
        for running in self._slots.overdue(time.monotonic() - _WATCHDOG_HEADSTART_SECONDS):
            self._kill(running, Death.EXPIRED)

    def _kill(self, running: Running, death: Death) -> None:
        self._killed[running.job] = death
        self._signal(running, signal.SIGKILL)

    def _signal(self, running: Running, number: int) -> None:
        if self._slots.ask_to_terminate(running):
            try:
                os.kill(running.pid, number)
            except ProcessLookupError:
                return

    # --- the end ------------------------------------------------------------------------------

    def _give_back_the_rest(self) -> None:
        """Only of children that are dead; another one's lease runs out and it is rescued. (As a
        rule the pool ends its children after this, when the interpreter does.)"""
        if self._leaves:
            self._give_back_all()
        left = list(self._slots.running())
        for run in left:
            if is_child(run.pid):
                self._kill(run, Death.STOPPED)
        patience = time.monotonic() + _DEAD_WITHIN_SECONDS
        for run in left:
            while is_child(run.pid) and time.monotonic() < patience:
                time.sleep(0.01)
            if is_child(run.pid):
                text = "job %s: its process %d does not end"
                logger.warning(text, run.job.id, run.pid, extra={"job_id": run.job.id})
            else:
                self.child_died(run.job, Death.STOPPED)

    def _give_back_all(self) -> None:
        """Also what no child has claimed yet, for the broker keeps no copy of a message. Once all
        children are dead none of them can claim it any more."""
        end_children()
        if all_ended(_DEAD_WITHIN_SECONDS / 4):
            for job in self._unfinished():
                self._deaths.note(job, Death.STOPPED)


def _bounded(step: Callable[[], T]) -> Callable[[], T]:
    """The step in a transaction that waits for nobody's lock for long."""

    def run() -> T:
        with transaction.atomic():
            bound_waits()
            return step()

    return run


def _exit() -> None:
    """Nothing that waits for a lock: the main thread may hold any."""
    try:
        end_children()
    finally:
        os._exit(0)
