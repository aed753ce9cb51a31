"""Many jobs moved at once, of which one that cannot be moved does not stop the others.

A receiver of `job_moved` that fails undoes what it was told of. For a batch that would undo the
change of every job in it, and again with each try. So a batch that fails is halved until the job
at fault stands alone in its savepoint: it stays where it was, and is left out for a minute.

The same is done where somebody holds a row that must follow, a dependant or the counters of a
batch, and does not let go: the dispatcher's steps wait for it so shortly that of two who wait for
each other it is they who give way. Halving takes time then, so it ends after a while: what is not
told apart by then is left out together, for half a minute.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable

from jobs.lifecycle.statement import Move, run
from jobs.models import Job
from jobs.signals import job_event, job_moved

logger = logging.getLogger(__name__)

RETRY_SECONDS = 60.0
APART_SECONDS = 2.0  # for which those that wait for a lock are told apart
TOGETHER_SECONDS = 30.0  # for which those that were not are left out
MOST_REFUSED = 1000  # remembered; what is forgotten is only tried again sooner
_MOST_TOGETHER = 10_000
_NAMED_IN_LOG = 5
# Far less than the server's deadlock_timeout, a second.
_WAIT_SHORTLY = "SELECT set_config('lock_timeout', '200ms', true)"

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
        self._together: dict[UUID, float] = {}
        self._apart_until = 0.0
        self._unlogged: list[UUID] = []
        self._error: Exception | None = None
        self._log_at = float("-inf")

    def move_due(self, due: str, limit: int, act: Act) -> list[Move]:
        """Move the jobs that `due` finds, at most `limit`; those that failed lately are not among
        them, so they never fill the batch. From here on the transaction waits for locks but
        shortly."""
        ids = [row[0] for row in run(due, limit=limit, refused=self.refused())]
        if not ids:
            return []
        run(_WAIT_SHORTLY)
        return self._move_apart(ids, act)

    def move_shortly(self, ids: Iterable[UUID], act: Act) -> list[Move]:
        """`move_due` for jobs that are known already."""
        run(_WAIT_SHORTLY)
        return self._move_apart(ids, act)

    def move(self, ids: Iterable[UUID], act: Act) -> list[Move]:
        """`act` on these jobs together if that goes well, otherwise on all of those it can."""
        if not _somebody_listens():
            return act(list(ids))
        return self._move_apart(ids, act)

    def _move_apart(self, ids: Iterable[UUID], act: Act) -> list[Move]:
        refused = set(self.refused())
        self._apart_until = self._monotonic() + APART_SECONDS
        moves = self._halve([job_id for job_id in ids if job_id not in refused], act)
        self._log()
        return moves

    def refused(self) -> list[UUID]:
        """Jobs that failed lately."""
        now = self._monotonic()
        self._refused = {job: until for job, until in self._refused.items() if now < until}
        self._together = {job: until for job, until in self._together.items() if now < until}
        return [*self._refused, *self._together]

    def _halve(self, ids: list[UUID], act: Act) -> list[Move]:
        if not ids:
            return []
        try:
            with transaction.atomic():
                return act(ids)
        except Exception as error:
            waited = _waited_for_a_lock(error)
            if _is_connection_gone() or not (waited or _somebody_listens()):
                raise
            if len(ids) == 1:
                _remember(self._refused, ids, self._monotonic() + RETRY_SECONDS, MOST_REFUSED)
                return self._left_out(ids, error)
            if waited and self._monotonic() >= self._apart_until:
                until = self._monotonic() + TOGETHER_SECONDS
                _remember(self._together, ids, until, _MOST_TOGETHER)
                return self._left_out(ids, error)
        middle = len(ids) // 2
        return self._halve(ids[:middle], act) + self._halve(ids[middle:], act)

    def _left_out(self, ids: list[UUID], error: Exception) -> list[Move]:
        self._unlogged += ids
        self._error = error
        return []

    def _log(self) -> None:
        """Once a minute, however many jobs fail."""
        if self._unlogged and self._monotonic() >= self._log_at:
            self._log_at = self._monotonic() + RETRY_SECONDS
            logger.error(
                "%s: a receiver fails, or somebody holds a lock, for %d jobs, "
                "which stay as they are: %s",
                self._transition, len(self._unlogged),
                ", ".join(map(str, self._unlogged[:_NAMED_IN_LOG])),
                exc_info=self._error,
            )  # fmt: skip
            self._unlogged.clear()


def _somebody_listens() -> bool:
    return job_moved.has_listeners(Job) or job_event.has_listeners(Job)


def _remember(jobs: dict[UUID, float], ids: list[UUID], until: float, most: int) -> None:
    jobs |= dict.fromkeys(ids, until)
    while len(jobs) > most:
        del jobs[next(iter(jobs))]


def _waited_for_a_lock(error: Exception) -> bool:
    """In vain: the lock was not given in time, or never would have been."""
    return isinstance(error, OperationalError) and isinstance(
        error.__cause__, (LockNotAvailable, DeadlockDetected)
    )


def _is_connection_gone() -> bool:
    return connection.connection is None or bool(connection.connection.closed)
