"""The dispatcher: a small loop that keeps the broker shallow and the slots busy.

Any number of them run; one leads. Each tick, in one transaction that first locks the leader's
row: promote what is due, select, mark. Then, after the commit, publish. A crash between the two
leaves marked jobs without a message, which the watch for lost messages sends again.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable

from celery import Celery
from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)

from jobs import broker, lifecycle
from jobs.dispatcher import selection, upkeep, window
from jobs.dispatcher.leader import Leader
from jobs.dispatcher.nudges import Nudges
from jobs.dispatcher.ready import Ready
from jobs.dispatcher.runtimes import Runtimes
from jobs.dispatcher.window import LiveWorker
from jobs.files import sweeping
from jobs.lifecycle import Dispatched
from jobs.message import FencedJob
from jobs.models.leadership import DISPATCH
from jobs.stats.upkeep import Statistics

logger = logging.getLogger(__name__)

DUTY = DISPATCH
LEADER_LEASE_SECONDS = 5.0
TICK_SECONDS = 0.5  # at the latest; nudges come earlier
SPACING_SECONDS = 0.02  # between ticks while there is something to send
UPKEEP_SECONDS = 1.0
SETTLE_SECONDS = 5.0
FILES_SECONDS = 10.0
PROMOTE_SECONDS = 0.05
PROMOTE_BATCH = 500
WORKERS_SECONDS = 1.0  # they report themselves every two
_RETRY_SECONDS = 1.0


class Every:
    """Says once in a while that something is due, at once to begin with."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._next = float("-inf")

    def is_due(self) -> bool:
        now = self._monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


class Dispatcher:
    """One dispatcher process. `run` returns after `stop` was called, from a signal handler too."""

    def __init__(self, app: Celery, *, holder: str | None = None) -> None:
        self._app = app
        self._leader = Leader(
            duty=DUTY,
            holder=holder or f"{socket.gethostname()}:{os.getpid()}",
            lease_seconds=LEADER_LEASE_SECONDS,
        )
        self.runtimes = Runtimes()
        self._nudges = Nudges(self.runtimes)
        self._stopping = threading.Event()
        self._ready = Ready()
        self._workers: list[LiveWorker] = []
        self._workers_at = Every(WORKERS_SECONDS)
        self._promote_at = Every(PROMOTE_SECONDS)
        self._rescue = upkeep.Rescue()
        self._resend = upkeep.Resend(app)
        self._settle = upkeep.Settle()
        self._statistics = Statistics()
        self._orphans = sweeping.Orphans()

    def stop(self) -> None:
        self._stopping.set()
        self._nudges.stop()

    def run(self) -> None:
        self._nudges.start()
        caring = threading.Thread(target=self._care, name="upkeep", daemon=True)
        caring.start()
        while not self._stopping.is_set():
            self._pause(self._guarded(self.tick))
        self._guarded(self._resign)
        caring.join(timeout=5)
        connection.close()

    def _pause(self, sent: int) -> None:
        if self._leader.term is None:
            self._stopping.wait(TICK_SECONDS)  # nudges are for the leader
        elif sent:
            # A tick costs the same for one job as for fifty: let some come together.
            self._nudges.pause(SPACING_SECONDS)
        else:
            self._nudges.wait(min(TICK_SECONDS, self._ready.look_again_within))

    def tick(self) -> int:
        """One round: lead or try to, mark, publish. Returns how many jobs were sent."""
        if self._leader.term is None and not self._take_over():
            return 0
        marked = self._mark()
        if marked:
            self._send(marked)
        return len(marked)

    def _take_over(self) -> bool:
        taken = self._leader.take()
        if taken:
            logger.info("leading the dispatch, term %s", self._leader.term)
        return taken

    def _mark(self) -> list[Dispatched]:
        """Decide what to send and mark it, in one transaction under the leader's row."""
        with transaction.atomic():
            if not self._leader.hold():
                logger.warning("no longer leading the dispatch")
                return []
            if self._promote_at.is_due():
                lifecycle.promote(PROMOTE_BATCH)
            return self._select_and_mark()

    def _select_and_mark(self) -> list[Dispatched]:
        if self._workers_at.is_due():
            self._workers = selection.live_workers()
        workers = self._workers
        if not workers:
            return []
        load = selection.load()
        rooms = window.rooms(workers, load, self.runtimes.expected)
        candidates = self._ready.select(rooms)
        chosen = window.choose(candidates, workers, load, self.runtimes.expected)
        if not chosen:
            return []
        marked = {job.id: job for job in lifecycle.dispatch([job.id for job in chosen])}
        return [marked[job.id] for job in chosen if job.id in marked]

    def _send(self, marked: list[Dispatched]) -> None:
        try:
            broker.publish(self._app, marked)
        except broker.PublishFailed as error:
            logger.warning("the broker takes no messages: %s", error)
            lifecycle.withdraw([FencedJob(job.id, job.fence) for job in marked])
            self._stopping.wait(_RETRY_SECONDS)

    def _resign(self) -> int:
        self._leader.resign()
        return 0

    def _care(self) -> None:
        """The second thread: upkeep, while this process leads."""
        settle_at, files_at = Every(SETTLE_SECONDS), Every(FILES_SECONDS)
        while not self._stopping.wait(UPKEEP_SECONDS):
            if self._leader.term is None:
                continue
            rescued = self._guarded(self._rescue.run)
            resent = self._guarded(self._resend.run)
            self._guarded(upkeep.expire)
            if settle_at.is_due():
                self._guarded(self._settle.run)
            if files_at.is_due():
                self._guarded(sweeping.sweep_expired)
                self._guarded(self._orphans.run)
            self._guarded(self._statistics.run)
            if rescued or resent:
                self._nudges.wake()
        connection.close()

    def _guarded(self, step: Callable[[], int]) -> int:
        """Run a step; an outage of the database or the broker ends the step, not the dispatcher."""
        try:
            close_old_connections()
            return step()
        except (OperationalError, InterfaceError) as error:
            logger.warning("the database does not answer: %s", str(error).partition("\n")[0])
            connection.close()
        except Exception:
            logger.exception("a step of the dispatcher failed")
        self._stopping.wait(_RETRY_SECONDS)
        return 0
