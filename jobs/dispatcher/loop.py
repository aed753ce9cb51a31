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
from jobs.dispatcher.runtimes import Runtimes
from jobs.lifecycle import Dispatched
from jobs.message import FencedJob

logger = logging.getLogger(__name__)

DUTY = "dispatcher"
LEADER_LEASE_SECONDS = 5.0
TICK_SECONDS = 0.5  # at the latest; nudges come earlier
SPACING_SECONDS = 0.02  # between ticks while there is something to send
UPKEEP_SECONDS = 1.0
SETTLE_SECONDS = 5.0
PROMOTE_BATCH = 500
_RETRY_SECONDS = 1.0


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
        self._rescue = upkeep.Rescue()
        self._resend = upkeep.Resend(app)

    def stop(self) -> None:
        self._stopping.set()
        self._nudges.stop()

    def run(self) -> None:
        self._nudges.start()
        caring = threading.Thread(target=self._care, name="upkeep", daemon=True)
        caring.start()
        while not self._stopping.is_set():
            sent = self._guarded(self.tick)
            # A tick costs the same for one job as for fifty: let some come together.
            self._stopping.wait(SPACING_SECONDS) if sent else self._nudges.wait(TICK_SECONDS)
        self._guarded(self._resign)
        caring.join(timeout=5)
        connection.close()

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
            with connection.cursor() as cursor:
                # A mark that a crash of the database forgets is only made again.
                cursor.execute("SET LOCAL synchronous_commit = off")
            if not self._leader.hold():
                logger.warning("no longer leading the dispatch")
                return []
            lifecycle.promote(PROMOTE_BATCH)
            return self._select_and_mark()

    def _select_and_mark(self) -> list[Dispatched]:
        workers = selection.live_workers()
        if not workers:
            return []
        load = selection.load(selection.on_their_way())
        rooms = window.rooms(workers, load, self.runtimes.expected)
        candidates = selection.ready(rooms, workers)
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
        settle_at = 0.0
        while not self._stopping.wait(UPKEEP_SECONDS):
            if self._leader.term is None:
                continue
            rescued = self._guarded(self._rescue.run)
            resent = self._guarded(self._resend.run)
            self._guarded(upkeep.expire)
            if time.monotonic() >= settle_at:
                self._guarded(upkeep.settle)
                settle_at = time.monotonic() + SETTLE_SECONDS
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
