"""Transitions that a person or a program asks for. A job whose status does not allow one is left
as it is, and `TransitionRefused` says so.

Each has a form for many jobs at once, `…_all`, which moves those it can and returns them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from jobs import fingerprint
from jobs.exceptions import TransitionRefused, UniqueKeyTaken
from jobs.lifecycle import unique_keys
from jobs.lifecycle.following import follow, record_attempts
from jobs.lifecycle.statement import Move, json, locked, move, moving, run
from jobs.models import AttemptOutcome
from jobs.models.job import UNIQUE_KEY_INDEX
from jobs.priorities import FLOORS
from jobs.states import TRANSITIONS, Status

_THESE = locked("job.id = ANY(%(ids)s)")

_CANCEL = moving(
    "cancel",
    sets="""
        status = CASE WHEN job.status = 'processing' THEN 'processing' ELSE 'cancelled' END,
        fence = CASE WHEN job.status = 'processing' THEN job.fence ELSE job.fence + 1 END,
        cancel_requested_at = COALESCE(job.cancel_requested_at, clock_timestamp()),
        cancelled_at = CASE WHEN job.status = 'processing' THEN NULL ELSE clock_timestamp() END,
        cancelled_by = CASE WHEN job.cancelled_by = '' THEN %(by)s ELSE job.cancelled_by END,
        dispatched_at = NULL, visible_at = NULL""",
    where=_THESE,
)


def cancel(job_id: UUID, *, by: str) -> Move:
    """A waiting job ends at once; a running one is asked to, and can no longer keep a result."""
    return _one(cancel_all([job_id], by=by))


def cancel_all(ids: Sequence[UUID], *, by: str) -> list[Move]:
    return _many("cancel", _CANCEL, ids, by=by)


def _level(priority: str) -> str:
    cases = " ".join(f"WHEN {priority} >= {floor} THEN {floor}" for floor in FLOORS.values())
    return f"CASE {cases} END"


_BOOSTED = "GREATEST(job.priority, LEAST(job.priority + %(by)s, %(highest)s))"
_SENT_IN = _level("COALESCE(job.sent_priority, job.priority)")
_CROSSES = f"(job.dispatched_at IS NOT NULL AND {_level(_BOOSTED)} > {_SENT_IN})"
_BOOST = moving(
    "boost",
    sets=f"""
        priority = {_BOOSTED},
        fence = CASE WHEN {_CROSSES} THEN job.fence + 1 ELSE job.fence END,
        dispatched_at = CASE WHEN {_CROSSES} THEN NULL ELSE job.dispatched_at END""",
    where=_THESE,
)


def boost(job_id: UUID, *, by: int, highest: int) -> Move:
    """Raise a waiting job's priority by `by`, at most to `highest`, never below what it has.

    A message already on its way in a lower level is taken back, so the boost acts at once.
    """
    return _one(boost_all([job_id], by=by, highest=highest))


def boost_all(ids: Sequence[UUID], *, by: int, highest: int) -> list[Move]:
    return _many("boost", _BOOST, ids, by=by, highest=highest)


_REVIVE = moving(
    "revive",
    sets="""
        status = 'queued', run = job.run + 1, fence = job.fence + 1, retry_count = 0,
        crash_count = 0, progress = 0, progress_message = '', result = NULL, error = NULL,
        fingerprint = '', actual_duration_seconds = NULL, visible_at = NULL,
        payload = COALESCE(%(payload)s::jsonb, job.payload), queued_at = clock_timestamp(),
        limit_key = COALESCE(%(limit_key)s, job.limit_key),
        unique_key = COALESCE(%(unique_key)s, job.unique_key),
        expires_at = NULL, completed_at = NULL, cancelled_at = NULL, cancelled_by = '',
        cancel_requested_at = NULL, discarded_at = NULL, worker = ''""",
    where=_THESE,
)


def revive(
    job_id: UUID,
    *,
    payload: Mapping[str, Any] | None = None,
    limit_key: str | None = None,
    unique_key: str | None = None,
) -> Move:
    """Run a failed or cancelled job again, as a new run with its counters cleared; with another
    payload and the keys that follow it, where they are given.

    Raises UniqueKeyTaken, and TransitionRefused also for a step of a workflow whose predecessors
    have not completed.
    """
    try:
        with transaction.atomic():
            unique_keys.lock_of([job_id], unique_key)
            _refuse_unfree(job_id, unique_key)
            return _one(_revive([job_id], payload, limit_key, unique_key))
    except IntegrityError as error:
        if UNIQUE_KEY_INDEX not in str(error):
            raise
        raise UniqueKeyTaken() from error


def _revive(
    ids: Sequence[UUID],
    payload: Mapping[str, Any] | None = None,
    limit_key: str | None = None,
    unique_key: str | None = None,
) -> list[Move]:
    """Locked first: their batches take back what each of them was."""
    given = {"payload": json(payload), "limit_key": limit_key, "unique_key": unique_key}
    with transaction.atomic():
        was = lock(ids)
        moves = move(_REVIVE, ids=list(ids), **given)
        moves = [moved._replace(was=was[moved.id]) for moved in moves]
        follow(moves, "revive")
    return moves


def _refuse_unfree(job_id: UUID, unique_key: str | None) -> None:
    if behind([job_id]):
        raise TransitionRefused("Steps before this one have not completed. Retry the workflow.")
    if unique_keys.taken([job_id], TRANSITIONS["revive"].sources, unique_key):
        raise UniqueKeyTaken()


# A predecessor that failed holds up nobody who waits for its end alone.
_BEHIND = """
    SELECT DISTINCT job.id
      FROM jobs_job AS job
      JOIN jobs_dependency AS edge ON edge.job_id = job.id
      JOIN jobs_job AS other
        ON other.id = edge.depends_on_id AND other.workflow_id = job.workflow_id
     WHERE job.id = ANY(%(ids)s) AND job.status IN ('failed', 'cancelled')
       AND other.status <> 'completed'
       AND NOT (edge.on_failure = 'run' AND other.status IN ('failed', 'cancelled'))
"""


def behind(ids: Sequence[UUID]) -> set[UUID]:
    """Ended steps of workflows that cannot run again by themselves: a step before them has not
    completed."""
    return {row[0] for row in run(_BEHIND, ids=list(ids))}


# Of jobs with the same unique key the first can run again, if no other one holds the key.
_FREE = f"""
    SELECT id FROM (
        SELECT job.id, job.tenant_id, job.type, job.unique_key,
               row_number() OVER (PARTITION BY tenant_id, type, unique_key ORDER BY seq) AS place
          FROM jobs_job AS job
         WHERE job.id = ANY(%(ids)s) AND job.status IN ('failed', 'cancelled')) AS job
     WHERE job.unique_key = '' OR (job.place = 1 AND NOT EXISTS (
        SELECT 1 FROM jobs_job AS holder
         WHERE holder.tenant_id = job.tenant_id AND holder.type = job.type
           AND holder.unique_key = job.unique_key AND holder.unique_key <> ''
           AND {unique_keys.HOLDS}))
"""  # noqa: S608 (constants of this package; values travel as parameters)


def revive_all(ids: Sequence[UUID]) -> list[Move]:
    """All but those whose unique key is taken, and those that are `behind` others. A key that is
    taken at this very moment costs only its own job, which is found by halves."""
    with transaction.atomic():
        unique_keys.lock_of(ids)
        waiting = behind(ids)
        return _revive_free([job_id for job_id in ids if job_id not in waiting])


def _revive_free(ids: Sequence[UUID]) -> list[Move]:
    free = [row[0] for row in run(_FREE, ids=list(ids))]
    try:
        return _revive(free)
    except IntegrityError as error:
        if UNIQUE_KEY_INDEX not in str(error):
            raise
    middle = len(free) // 2
    return _revive_free(free[:middle]) + _revive_free(free[middle:]) if middle else []


_FORCED = """fence = job.fence + 1, dispatched_at = NULL, visible_at = NULL,
             actual_duration_seconds = CASE WHEN job.status = 'processing'
                 THEN extract(epoch FROM clock_timestamp() - job.started_at)
                 ELSE job.actual_duration_seconds END,
             cancelled_at = CASE WHEN job.cancel_requested_at IS NOT NULL
                            THEN clock_timestamp() END"""
# The old lease stays: the next claim waits until it ends, so a forced job never runs twice at once.
_FORCE_QUEUE = moving(
    "force_queue",
    sets="status = CASE WHEN job.cancel_requested_at IS NULL THEN 'queued' ELSE 'cancelled' END, "
    "queued_at = clock_timestamp(), " + _FORCED,
    where=_THESE,
)
_FORCE_FAIL = moving(
    "force_fail",
    sets=f"""status = CASE WHEN job.cancel_requested_at IS NULL THEN 'failed' ELSE 'cancelled' END,
            completed_at = CASE WHEN job.cancel_requested_at IS NULL THEN clock_timestamp() END,
            fingerprint = CASE WHEN job.cancel_requested_at IS NULL
                               THEN {fingerprint.SQL} ELSE '' END,
            error = %(error)s, """
    + _FORCED,
    where=_THESE,
)
_LOCK = """
    SELECT id, status FROM jobs_job WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE
"""


def force_queue(job_id: UUID, *, error: Mapping[str, Any]) -> Move:
    """Take a stuck job from whoever has it and put it back into its queue."""
    return _one(force_queue_all([job_id], error=error))


def force_queue_all(ids: Sequence[UUID], *, error: Mapping[str, Any]) -> list[Move]:
    return _force("force_queue", _FORCE_QUEUE, ids, error)


def force_fail(job_id: UUID, *, error: Mapping[str, Any]) -> Move:
    """End a stuck job as failed, fenced at once."""
    return _one(force_fail_all([job_id], error=error))


def force_fail_all(ids: Sequence[UUID], *, error: Mapping[str, Any]) -> list[Move]:
    return _force("force_fail", _FORCE_FAIL, ids, error)


def _force(
    transition: str, statement: str, ids: Sequence[UUID], error: Mapping[str, Any]
) -> list[Move]:
    cause = fingerprint.cause_of(error)
    with transaction.atomic():
        ran = {job_id for job_id, status in lock(ids).items() if status == Status.PROCESSING}
        moves = _many(transition, statement, ids, error=json(error), cause=cause)
        record_attempts([one for one in moves if one.id in ran], AttemptOutcome.LOST, error)
    return moves


def lock(ids: Sequence[UUID]) -> dict[UUID, Status]:
    """Hold these jobs until the transaction ends; the status of each that is there."""
    return {job_id: Status(status) for job_id, status in run(_LOCK, ids=list(ids))}


_DISCARD = moving(
    "discard",
    sets="discarded_at = COALESCE(job.discarded_at, clock_timestamp())",
    where=_THESE,
)


def discard(job_id: UUID) -> Move:
    """Hide an ended job from the dead letters; retention removes it."""
    return _one(discard_all([job_id]))


def discard_all(ids: Sequence[UUID]) -> list[Move]:
    return _many("discard", _DISCARD, ids)


def _many(transition: str, statement: str, ids: Sequence[UUID], **parameters: Any) -> list[Move]:
    with transaction.atomic():
        moves = move(statement, ids=list(ids), **parameters)
        follow(moves, transition)
    return moves


def _one(moves: list[Move]) -> Move:
    if not moves:
        raise TransitionRefused()
    return moves[0]
