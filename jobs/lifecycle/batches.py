"""Many jobs moved at once, of which one that cannot be moved does not stop the others.

A receiver of `job_moved` that fails undoes what it was told of. For a batch that would undo the
change of every job in it, and again with each try. So a batch that fails is halved until the job
at fault stands alone in its savepoint: it stays where it was, and is left out for a minute.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from uuid import UUID

from django.db import connection, transaction

from jobs.lifecycle.statement import Move, run
from jobs.models import Job
from jobs.signals import job_moved

logger = logging.getLogger(__name__)

RETRY_SECONDS = 60.0
MOST_REFUSED = 1000  # remembered; what is forgotten is only tried again sooner
_NAMED_IN_LOG = 5

Act = Callable[[list[UUID]], list[Move]]


def due(condition: str, order: str) -> str:
    """SQL that locks the next jobs of a batch and returns their ids. Locked ones are skipped, so
    the order in which the others are locked matters to nobody."""
    return f"""
        SELECT id FROM jobs_job AS job
         WHERE {condition} AND NOT job.id = ANY (%(refused)s)
         ORDER BY job.{order} LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
    """  # noqa: S608 (constants of this package; values travel as parameters)


class Batches:
    """Of one transition, in this process. Call it inside the transaction of the change."""

    def __init__(self, transition: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._transition = transition
        self._monotonic = monotonic
        self._refused: dict[UUID, float] = {}  # job → when to try again
        self._unlogged: list[UUID] = []
        self._error: Exception | None = None
        self._log_at = float("-inf")

    def move_due(self, due: str, limit: int, act: Act) -> list[Move]:
        """Move the jobs that `due` finds, at most `limit`; those that failed lately are not among
        them, so they never fill the batch."""
        ids = [row[0] for row in run(due, limit=limit, refused=self.refused())]
        return self.move(ids, act) if ids else []

    def move(self, ids: Iterable[UUID], act: Act) -> list[Move]:
        """`act` on these jobs together if that goes well, otherwise on all of those it can."""
        if not job_moved.has_listeners(Job):
            return act(list(ids))
        refused = set(self.refused())
        moves = self._halve([job_id for job_id in ids if job_id not in refused], act)
        self._log()
        return moves

    def refused(self) -> list[UUID]:
        """Jobs that failed within the last minute."""
        now = self._monotonic()
        self._refused = {job: until for job, until in self._refused.items() if now < until}
        return list(self._refused)

    def _halve(self, ids: list[UUID], act: Act) -> list[Move]:
        if not ids:
            return []
        try:
            with transaction.atomic():
                return act(ids)
        except Exception as error:
            if _is_connection_gone():
                raise
            if len(ids) == 1:
                self._refuse(ids[0], error)
                return []
        middle = len(ids) // 2
        return self._halve(ids[:middle], act) + self._halve(ids[middle:], act)

    def _refuse(self, job_id: UUID, error: Exception) -> None:
        self._refused[job_id] = self._monotonic() + RETRY_SECONDS
        while len(self._refused) > MOST_REFUSED:
            del self._refused[next(iter(self._refused))]
        self._unlogged.append(job_id)
        self._error = error

    def _log(self) -> None:
        """Once a minute, however many jobs fail."""
        if self._unlogged and self._monotonic() >= self._log_at:
            self._log_at = self._monotonic() + RETRY_SECONDS
            logger.error(
                "%s: a receiver fails for %d jobs, which stay as they are: %s",
                self._transition, len(self._unlogged),
                ", ".join(map(str, self._unlogged[:_NAMED_IN_LOG])),
                exc_info=self._error,
            )  # fmt: skip
            self._unlogged.clear()


def _is_connection_gone() -> bool:
    return connection.connection is None or bool(connection.connection.closed)
