"""Gives back jobs whose message came to a worker that does not know their type.

While a new version is rolled out, workers of both share the queues and the broker hands a message
to either. The wrong one withdraws it, so that it is sent again without waiting to be found lost.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable

from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction

from jobs import lifecycle
from jobs.lifecycle.statement import bound_waits
from jobs.message import FencedJob

logger = logging.getLogger(__name__)

# Between two rounds of one worker. The dispatcher sends again at once, perhaps to the same worker:
# without a pause the two would play ping-pong as fast as they can.
PAUSE_SECONDS = 1.0
MOST = 10_000  # kept in memory; what a flood washes away is found lost, as without all this


class Misdelivered:
    """Takes note in the consumer's thread, withdraws in one of its own: a database that hangs
    stops no consumer."""

    def __init__(self) -> None:
        self._jobs: deque[FencedJob] = deque(maxlen=MOST)
        self._arrived = threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, jobs: Iterable[FencedJob]) -> None:
        self._jobs.extend(jobs)
        if self._jobs:
            self._arrived.set()
            self._work()

    def _work(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="misdelivered", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while self._arrived.wait():
            self._arrived.clear()
            try:
                self.give_back()
            except Exception:  # a thread that ends would leave all further ones to be found lost
                logger.exception("messages for another worker could not be withdrawn")
            time.sleep(PAUSE_SECONDS)

    def give_back(self) -> int:
        """Withdraw what was noted, fenced: a job that went on meanwhile stays as it is. Returns
        how many jobs are ready again."""
        noted = [self._jobs.popleft() for _ in range(len(self._jobs))]
        close_old_connections()
        try:
            with transaction.atomic():
                bound_waits()
                moves = lifecycle.withdraw(noted)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("%d messages for another worker will be found lost: %s",
                           len(noted), type(error).__name__)  # fmt: skip
            return 0
        finally:
            connection.close()  # it is needed during a deploy and then for weeks no more
        if moves:
            logger.warning("gave back %d jobs of types that are not known here", len(moves))
        return len(moves)
