"""The dispatcher: a small loop that keeps the broker shallow and the slots busy.

Any number of them run; one leads. Each tick, in one transaction that first locks the leader's
row: promote what is due, select, mark. Then, after the commit, publish. A crash between the two
leaves marked jobs without a message, which the watch for lost messages sends again.

More threads care for the rest while this process leads. What asks a storage of bytes has one of its
own, and so has what other apps want done: neither must keep anybody from rescuing jobs.
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
from django.utils import timezone

from jobs import broker, lifecycle
from jobs.dispatcher import upkeep
from jobs.dispatcher.choosing import Choosing
from jobs.dispatcher.chores import Chores
from jobs.dispatcher.every import Every
from jobs.dispatcher.leader import Held, Leader
from jobs.dispatcher.nudges import Nudges
from jobs.dispatcher.removals import Removals
from jobs.dispatcher.runtimes import Runtimes
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
STOP_SECONDS = 5.0  # for the threads beside the loop; what hangs is left behind
AGED_SECONDS = 5.0
PROMOTE_SECONDS = 0.05
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
        self._choosing = Choosing(self.runtimes.expected)
        self._promote_at = Every(PROMOTE_SECONDS)
        self._rescue = upkeep.Rescue()
        self._resend = upkeep.Resend(app)
        self._settle = upkeep.Settle()
        self._statistics = Statistics()
        self._removals = Removals()
        self._chores = Chores()
        self._settle_at, self._aged_at = Every(SETTLE_SECONDS), Every(AGED_SECONDS)

    def stop(self) -> None:
        self._stopping.set()
        self._nudges.stop()

    def run(self) -> None:
        self._nudges.start()
        beside = [
            self._beside("upkeep", self._care),
            self._beside("removals", self._remove),
            self._beside("chores", self._do_chores),
        ]
        while not self._stopping.is_set():
            self._pause(self._guarded(self.tick))
        self._guarded(self._resign)
        until = time.monotonic() + STOP_SECONDS
        for thread in beside:
            thread.join(timeout=max(0.0, until - time.monotonic()))
        connection.close()

    def _pause(self, sent: int) -> None:
        if self._leader.term is None:
            self._stopping.wait(TICK_SECONDS)  # nudges are for the leader
        elif sent:
            # A tick costs the same for one job as for fifty: let some come together.
            self._nudges.pause(SPACING_SECONDS)
        else:
            self._nudges.wait(min(TICK_SECONDS, self._choosing.look_again_within))

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
            self._choosing.forget()
            logger.info("leading the dispatch, term %s", self._leader.term)
        return taken

    def _mark(self) -> list[Dispatched]:
        """Decide what to send and mark it, in one transaction under the leader's row."""
        try:
            with transaction.atomic():
                held = self._leader.hold()
                if held is None:
                    logger.warning("no longer leading the dispatch")
                    return []
                if self._promote_at.is_due():
                    lifecycle.promote(PROMOTE_BATCH)
                return self._choose_and_mark(held)
        except Exception:
            self._choosing.forget()
            raise

    def _choose_and_mark(self, held: Held) -> list[Dispatched]:
        chosen = self._choosing.choose(held)
        if not chosen.jobs:
            return []
        sent = lifecycle.dispatch(list(chosen.priorities), chosen.priorities)
        self._choosing.book(sent, chosen)
        marked = {job.id: job for job in sent}
        return [marked[job.id] for job in chosen.jobs if job.id in marked]

    def _send(self, marked: list[Dispatched]) -> None:
        try:
            broker.publish(self._app, marked)
        except broker.PublishFailed as error:
            logger.warning("the broker takes no messages: %s", error)
            lifecycle.withdraw([FencedJob(job.id, job.fence) for job in marked])
            self._stopping.wait(_RETRY_SECONDS)

    def _recall(self) -> int:
        return self._choosing.recall(timezone.now())

    def _look_at_aged(self) -> int:
        self._choosing.look_at_aged(timezone.now())
        return 0

    def _resign(self) -> int:
        self._leader.resign()
        return 0

    def _care(self) -> None:
        rescued = self._guarded(self._rescue.run)
        resent = self._guarded(self._resend.run)
        recalled = self._guarded(self._recall)
        self._guarded(upkeep.expire)
        if self._aged_at.is_due():
            self._guarded(self._look_at_aged)
        if self._settle_at.is_due():
            self._guarded(self._settle.run)
        self._guarded(self._statistics.run)
        if rescued or resent or recalled:
            self._nudges.wake()

    def _remove(self) -> None:
        for step in self._removals.due():
            self._guarded(step)

    def _do_chores(self) -> None:
        for step in self._chores.due():
            self._guarded(step)

    def _beside(self, name: str, work: Callable[[], None]) -> threading.Thread:
        """A thread that does this each second while this process leads, on its own connection."""

        def repeat() -> None:
            while not self._stopping.wait(UPKEEP_SECONDS):
                if self._leader.term is not None:
                    work()
            connection.close()

        thread = threading.Thread(target=repeat, name=name, daemon=True)
        thread.start()
        return thread

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
