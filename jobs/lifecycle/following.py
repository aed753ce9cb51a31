"""What follows from a change of status, in its transaction: history, dependants, the signal; and
after it, the word to the dispatcher."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from jobs import nudge
from jobs.lifecycle.batches import Batches
from jobs.lifecycle.statement import Move, json, move, moving, run
from jobs.models import Attempt, AttemptOutcome, Job, OnFailure
from jobs.signals import job_moved
from jobs.states import FINAL, Status


def follow(moves: list[Move], transition: str) -> None:
    """Everything that a change of status brings with it. Call it in the change's transaction."""
    _tell(moves, transition)
    settle_dependants([moved for moved in moves if moved.status in FINAL and moved.has_dependants])


def _tell(moves: list[Move], transition: str) -> None:
    if moves and job_moved.has_listeners(Job):
        job_moved.send(Job, moves=moves, transition=transition)
    ready = [moved.priority for moved in moves if moved.status == Status.QUEUED]
    if ready:
        transaction.on_commit(partial(nudge.work_waits, max(ready)))


def record_attempts(
    moves: Iterable[Move], outcome: AttemptOutcome, error: Mapping[str, Any] | None
) -> None:
    """History of attempts that did not complete."""
    Attempt.objects.bulk_create(
        Attempt(
            job_id=moved.id,
            fence=moved.held_fence,
            number=moved.attempt,
            run=moved.run,
            worker=moved.worker,
            started_at=moved.started_at or moved.moved_at,
            ended_at=moved.moved_at,
            outcome=AttemptOutcome.CANCELLED if moved.status == Status.CANCELLED else outcome,
            error=error,
        )
        for moved in moves
    )


_LOCK_DEPENDANTS = """
    SELECT job.id FROM jobs_job AS job
     WHERE job.id IN (SELECT edge.job_id FROM jobs_dependency edge
                       WHERE edge.depends_on_id = ANY(%(ended)s) AND edge.settled_at IS NULL)
     ORDER BY job.id FOR NO KEY UPDATE
"""
_SETTLE_EDGES = """
    UPDATE jobs_dependency AS edge SET settled_at = clock_timestamp()
      FROM jobs_job AS ended
     WHERE edge.depends_on_id = ended.id AND ended.id = ANY(%(ended)s)
       AND edge.settled_at IS NULL AND edge.job_id = ANY(%(dependants)s)
    RETURNING edge.job_id,
              CASE WHEN ended.status = 'completed' THEN 'run' ELSE edge.on_failure END
"""
_DEPENDENCY_FAILED = {
    "type": "dependency_failed",
    "message": "A job that this one waited for did not complete.",
    "details": {},
}
_OPEN = moving(
    "settle",
    sets="""status = CASE WHEN job.run_at > clock_timestamp() THEN 'scheduled' ELSE 'queued' END,
            visible_at = CASE WHEN job.run_at > clock_timestamp() THEN job.run_at END,
            queued_at = clock_timestamp(),
            fence = job.fence + 1""",
    where="""job.id = ANY(%(ids)s) AND NOT EXISTS (
                 SELECT 1 FROM jobs_dependency edge
                  WHERE edge.job_id = job.id AND edge.settled_at IS NULL)""",
)
_FAIL_WITH_DEPENDENCY = moving(
    "settle",
    sets="""status = 'failed', completed_at = clock_timestamp(), error = %(error)s,
            visible_at = NULL, fence = job.fence + 1""",
    where="job.id = ANY(%(ids)s)",
)
_CANCEL_WITH_DEPENDENCY = moving(
    "settle",
    sets="""status = 'cancelled', cancelled_at = clock_timestamp(), cancelled_by = 'dependency',
            visible_at = NULL, fence = job.fence + 1""",
    where="job.id = ANY(%(ids)s)",
)
_settlements = Batches("settle")


def settle_dependants(ended: list[Move]) -> None:
    """Move the jobs that waited for `ended`, and those that waited for them in turn.

    The dependants are locked before their edges are counted: of two dependencies that end at
    the same moment the second then sees the first one's edge settled, and opens the job.
    """
    settle_ended([moved.id for moved in ended])


def settle_ended(ended_ids: list[UUID]) -> None:
    """The same, for jobs known by their ids to have ended. A dependant that cannot be moved keeps
    its edges open: the dispatcher's sweep comes back to them."""
    while ended_ids:
        dependants = [row[0] for row in run(_LOCK_DEPENDANTS, ended=ended_ids)]
        if not dependants:
            return
        moves = _settlements.move(dependants, partial(_settle, ended_ids))
        ended_ids = [moved.id for moved in moves if moved.status in FINAL]


def _settle(ended_ids: list[UUID], dependants: list[UUID]) -> list[Move]:
    """Settle the edges between these jobs and move the dependants as the edges say."""
    by_verdict: dict[str, set[Any]] = {verdict: set() for verdict in OnFailure.values}
    for job_id, verdict in run(_SETTLE_EDGES, ended=ended_ids, dependants=dependants):
        by_verdict[verdict].add(job_id)
    failed = move(
        _FAIL_WITH_DEPENDENCY, ids=list(by_verdict[OnFailure.FAIL]), error=json(_DEPENDENCY_FAILED)
    )
    cancelled = move(_CANCEL_WITH_DEPENDENCY, ids=list(by_verdict[OnFailure.CANCEL]))
    opened = move(_OPEN, ids=list(by_verdict[OnFailure.RUN]))
    moves = failed + cancelled + opened
    _tell(moves, "settle")
    return moves
