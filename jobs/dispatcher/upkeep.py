"""What the dispatcher does beside sending, each a small step that may be repeated at any time:
take back jobs of dead workers, send lost messages again, open jobs whose dependencies have ended,
end jobs that nobody started in time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from uuid import UUID

from celery import Celery
from django.conf import settings
from django.db import connection, transaction

from jobs import broker, lifecycle
from jobs.dispatcher.lost import Lane, LostMessages
from jobs.dispatcher.selection import on_their_way
from jobs.lifecycle import Move
from jobs.lifecycle.batches import Batches
from jobs.lifecycle.statement import run
from jobs.message import FencedJob

logger = logging.getLogger(__name__)

BATCH = 500
_LEASE_EXPIRED = {
    "type": "worker_lost",
    "message": "The worker stopped renewing its lease.",
    "details": {},
}


class Rescue:
    """Takes back jobs whose lease expired.

    An outage of the database stops every renewal, and would make every running job look lost. So
    for one lease after the server started, or after this process could not reach it for a while,
    nobody is rescued: living workers renew first.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._last_contact = float("-inf")
        self._not_before = float("-inf")

    def run(self) -> int:
        self._note_contact()
        if self._monotonic() < self._not_before:
            return 0
        moves = lifecycle.rescue(
            limit=BATCH, crash_limit=settings.CRASH_LIMIT, error=_LEASE_EXPIRED
        )
        for moved in moves:
            text = "job %s: lease expired, now %s"
            logger.warning(text, moved.id, moved.status.value, extra={"job_id": moved.id})
        return len(moves)

    def _note_contact(self) -> None:
        lease = settings.LEASE_SECONDS
        server_age = _server_age_seconds()
        now = self._monotonic()
        if now - self._last_contact > lease / 3:
            self._not_before = now + lease
        if server_age < lease:
            self._not_before = max(self._not_before, now + lease - server_age)
        self._last_contact = now


def _server_age_seconds() -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float"
        )
        (seconds,) = cursor.fetchone()
    return float(seconds)


class Resend:
    """Withdraws lost messages; the next tick sends their jobs again."""

    def __init__(self, app: Celery, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._monotonic = monotonic
        self._lost = LostMessages()

    def run(self) -> int:
        with self._app.connection_for_read() as broker_connection:

            def is_empty(lane: Lane) -> bool:
                return broker.is_empty(broker_connection, *lane)

            lost = self._lost.look(on_their_way(), now=self._monotonic(), is_empty=is_empty)
        if lost:
            logger.warning("%d messages were lost; sending them again", len(lost))
        return len(lifecycle.withdraw([FencedJob(sent.id, sent.fence) for sent in lost]))


def expire() -> int:
    """End jobs whose time to start is over."""
    return len(lifecycle.expire(BATCH))


# The page is cut from the index of open edges before any job is looked at, and LIMIT keeps the
# planner from turning the look-ups into one join with the whole table of jobs.
_NEXT_OPEN_EDGES = """
    SELECT page.depends_on_id, count(*), bool_or(ended.yes) IS TRUE
      FROM (SELECT depends_on_id FROM jobs_dependency
             WHERE settled_at IS NULL AND depends_on_id > %(after)s
             ORDER BY depends_on_id LIMIT %(limit)s) AS page
      LEFT JOIN LATERAL (
            SELECT true AS yes FROM jobs_job AS job
             WHERE job.id = page.depends_on_id
               AND job.status IN ('completed', 'failed', 'cancelled')
             LIMIT 1) AS ended ON true
     GROUP BY page.depends_on_id ORDER BY page.depends_on_id
"""
_BEFORE_ALL = UUID(int=0)
# The condition and the expression of the index `job_ended`; `statement_timestamp()` so that it is
# used, and OFFSET and LIMIT as above.
_ENDED_LATELY = """
    SELECT ended.id
      FROM (SELECT job.id FROM jobs_job AS job
             WHERE (job.completed_at IS NOT NULL OR job.cancelled_at IS NOT NULL)
               AND COALESCE(job.completed_at, job.cancelled_at)
                   > statement_timestamp() - interval '2 minutes'
             ORDER BY COALESCE(job.completed_at, job.cancelled_at) DESC LIMIT %(limit)s) AS ended
     CROSS JOIN LATERAL (
           SELECT FROM jobs_dependency AS edge
            WHERE edge.depends_on_id = ended.id AND edge.settled_at IS NULL LIMIT 1) AS open
"""


class Settle:
    """Takes in dependencies that ended while their dependant was being inserted.

    Each run looks at the jobs that ended in the last minutes, where such an edge is found soon. As
    a backstop it looks at the next so many open edges too, and after the last one begins anew; so
    it costs the same however many jobs wait. It goes by the job that is waited for, as the index
    of open edges does. What it cannot settle, since somebody holds a row, stops nothing else.
    """

    def __init__(self, edges_a_run: int = 10_000) -> None:
        self._limit = edges_a_run
        self._after = _BEFORE_ALL
        self._batches = Batches("settle")

    def run(self) -> int:
        lately = self._settle([job_id for (job_id,) in run(_ENDED_LATELY, limit=self._limit)])
        page = self._next_page()
        is_last = sum(edges for _, edges, _ in page) < self._limit
        self._after = _BEFORE_ALL if is_last else page[-1][0]
        return lately + self._settle([job_id for job_id, _, has_ended in page if has_ended])

    def _settle(self, ended: list[UUID]) -> int:
        if ended:
            with transaction.atomic():  # an edge settled without its job would block it for ever
                self._batches.move_shortly(ended, _settle_ended)
        return len(ended)

    def _next_page(self) -> list[tuple[UUID, int, bool]]:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT_OPEN_EDGES, {"after": self._after, "limit": self._limit})
            page: list[tuple[UUID, int, bool]] = cursor.fetchall()
        return page


def _settle_ended(ended: list[UUID]) -> list[Move]:
    lifecycle.settle_ended(ended)
    return []
