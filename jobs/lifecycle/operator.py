"""Transitions that a person or a program asks for. A job whose status does not allow one is left
as it is, and `TransitionRefused` says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from jobs.exceptions import TransitionRefused, UniqueKeyTaken
from jobs.lifecycle.following import follow, record_attempts
from jobs.lifecycle.statement import ONE, Move, json, move, moving, run
from jobs.models import AttemptOutcome
from jobs.models.job import UNIQUE_KEY_INDEX
from jobs.priorities import FLOORS
from jobs.states import Status

_CANCEL = moving(
    "cancel",
    sets="""
        status = CASE WHEN job.status = 'processing' THEN 'processing' ELSE 'cancelled' END,
        fence = CASE WHEN job.status = 'processing' THEN job.fence ELSE job.fence + 1 END,
        cancel_requested_at = COALESCE(job.cancel_requested_at, clock_timestamp()),
        cancelled_at = CASE WHEN job.status = 'processing' THEN NULL ELSE clock_timestamp() END,
        cancelled_by = CASE WHEN job.cancelled_by = '' THEN %(by)s ELSE job.cancelled_by END,
        dispatched_at = NULL, visible_at = NULL""",
    where=ONE,
)


def cancel(job_id: UUID, *, by: str) -> Move:
    """A waiting job ends at once; a running one is asked to, and can no longer keep a result."""
    return _one("cancel", _CANCEL, id=job_id, by=by)


def _level(priority: str) -> str:
    cases = " ".join(f"WHEN {priority} >= {floor} THEN {floor}" for floor in FLOORS.values())
    return f"CASE {cases} END"


_BOOSTED = "GREATEST(job.priority, LEAST(job.priority + %(by)s, %(highest)s))"
_CROSSES = f"(job.dispatched_at IS NOT NULL AND {_level(_BOOSTED)} <> {_level('job.priority')})"
_BOOST = moving(
    "boost",
    sets=f"""
        priority = {_BOOSTED},
        fence = CASE WHEN {_CROSSES} THEN job.fence + 1 ELSE job.fence END,
        dispatched_at = CASE WHEN {_CROSSES} THEN NULL ELSE job.dispatched_at END""",
    where=ONE,
)


def boost(job_id: UUID, *, by: int, highest: int) -> Move:
    """Raise a waiting job's priority by `by`, at most to `highest`, never below what it has.

    A message already on its way in a lower level is taken back, so the boost acts at once.
    """
    return _one("boost", _BOOST, id=job_id, by=by, highest=highest)


_REVIVE = moving(
    "revive",
    sets="""
        status = 'queued', run = job.run + 1, fence = job.fence + 1, retry_count = 0,
        crash_count = 0, progress = 0, progress_message = '', result = NULL, error = NULL,
        payload = COALESCE(%(payload)s::jsonb, job.payload), actual_duration_seconds = NULL,
        visible_at = NULL, queued_at = clock_timestamp(), expires_at = NULL, completed_at = NULL,
        cancelled_at = NULL, cancelled_by = '', cancel_requested_at = NULL, discarded_at = NULL,
        worker = ''""",
    where=ONE,
)


def revive(job_id: UUID, *, payload: Mapping[str, Any] | None = None) -> Move:
    """Run a failed or cancelled job again, as a new run with its counters cleared."""
    try:
        return _one("revive", _REVIVE, id=job_id, payload=json(payload))
    except IntegrityError as error:
        if UNIQUE_KEY_INDEX not in str(error):
            raise
        raise UniqueKeyTaken() from error


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
    where=ONE,
)
_FORCE_FAIL = moving(
    "force_fail",
    sets="""status = CASE WHEN job.cancel_requested_at IS NULL THEN 'failed' ELSE 'cancelled' END,
            completed_at = CASE WHEN job.cancel_requested_at IS NULL THEN clock_timestamp() END,
            error = %(error)s, """
    + _FORCED,
    where=ONE,
)
_LOCK = "SELECT status FROM jobs_job WHERE id = %(id)s FOR NO KEY UPDATE"


def force_queue(job_id: UUID, *, error: Mapping[str, Any]) -> Move:
    """Take a stuck job from whoever has it and put it back into its queue."""
    return _force("force_queue", _FORCE_QUEUE, job_id, error)


def force_fail(job_id: UUID, *, error: Mapping[str, Any]) -> Move:
    """End a stuck job as failed, fenced at once."""
    return _force("force_fail", _FORCE_FAIL, job_id, error)


def _force(transition: str, statement: str, job_id: UUID, error: Mapping[str, Any]) -> Move:
    with transaction.atomic():
        was = run(_LOCK, id=job_id)
        moved = _one(transition, statement, id=job_id, error=json(error))
        if was == [(Status.PROCESSING,)]:
            record_attempts([moved], AttemptOutcome.LOST, error)
    return moved


_DISCARD = moving(
    "discard",
    sets="discarded_at = COALESCE(job.discarded_at, clock_timestamp())",
    where=ONE,
)


def discard(job_id: UUID) -> Move:
    """Hide an ended job from the dead letters; retention removes it."""
    return _one("discard", _DISCARD, id=job_id)


def _one(transition: str, statement: str, **parameters: Any) -> Move:
    with transaction.atomic():
        moves = move(statement, **parameters)
        if not moves:
            raise TransitionRefused()
        follow(moves, transition)
    return moves[0]
