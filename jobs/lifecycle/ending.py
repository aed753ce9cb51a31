"""Every way out of `processing`: by the worker that holds the job, or by rescue.

Each names the job with the attempt's fence. Who lost the fence moves nothing: the functions then
raise `AttemptLost`, and the caller drops what it meant to write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from jobs import fingerprint, nudge
from jobs.artifacts.rows import put_row
from jobs.artifacts.stored import Stored
from jobs.exceptions import AttemptLost
from jobs.lifecycle.batches import Batches, due
from jobs.lifecycle.following import follow, record_attempts
from jobs.lifecycle.statement import (
    ALONE,
    HELD,
    RETURNING_ALONE,
    Move,
    bound_waits,
    json,
    move,
    moving,
)
from jobs.live import telling
from jobs.message import FencedJob
from jobs.models import AttemptOutcome, Job
from jobs.models.artifact import ArtifactKind
from jobs.signals import job_moved
from jobs.states import Status

Error = Mapping[str, Any]


def _leaving(target: str) -> str:
    """Assignments shared by every way out of processing.

    `target` is an SQL expression for the new status; where a cancel was requested the UPDATE
    itself ends the job as cancelled, so that no order of events can keep a result.
    """
    return f"""
        fence = job.fence + 1, lease_expires_at = NULL,
        queued_at = CASE WHEN {target} = 'queued' THEN clock_timestamp() ELSE job.queued_at END,
        actual_duration_seconds = extract(epoch FROM clock_timestamp() - job.started_at),
        status = CASE WHEN job.cancel_requested_at IS NULL THEN {target} ELSE 'cancelled' END,
        completed_at = CASE WHEN job.cancel_requested_at IS NULL
                             AND {target} IN ('completed', 'failed') THEN clock_timestamp() END,
        cancelled_at = CASE WHEN job.cancel_requested_at IS NOT NULL THEN clock_timestamp() END
    """


_COMPLETING = (
    _leaving("'completed'")
    + """, result = CASE WHEN job.cancel_requested_at IS NULL THEN %(result)s::jsonb END,
           progress = CASE WHEN job.cancel_requested_at IS NULL THEN 100 ELSE job.progress END"""
)
_COMPLETE = moving("complete", sets=_COMPLETING, where=HELD)
_COMPLETE_STORED = moving(
    "complete",
    sets=_COMPLETING + """, has_artifacts = job.has_artifacts OR job.cancel_requested_at IS NULL""",
    where=HELD,
)
# Most jobs have nobody waiting for them, no batch and nobody listening. Their completion is one
# statement and one round trip, without BEGIN and COMMIT; it leaves alone what needs more.
_COMPLETE_ALONE = moving(
    "complete",
    sets=_COMPLETING,
    where=f"{HELD} AND job.cancel_requested_at IS NULL AND {ALONE}",
    returning=RETURNING_ALONE,
)


def _failing(target: str) -> str:
    """As `_leaving`, for an end that may be a failure; such a job is found with its like."""
    return (
        _leaving(target)
        + f""", error = %(error)s,
           fingerprint = CASE WHEN job.cancel_requested_at IS NULL AND {target} = 'failed'
                              THEN {fingerprint.SQL} ELSE '' END"""
    )


_FAIL = moving("fail", sets=_failing("'failed'"), where=HELD)
_RETRY_LATER = moving(
    "retry_later",
    sets=_leaving("'scheduled'")
    + """, error = %(error)s,
           retry_count = job.retry_count + (job.cancel_requested_at IS NULL)::int,
           visible_at = CASE WHEN job.cancel_requested_at IS NULL
                             THEN clock_timestamp() + %(delay)s * interval '1 second' END""",
    where=HELD,
)
_SNOOZE = moving(
    "snooze",
    sets=_leaving("'scheduled'")
    + """, visible_at = CASE WHEN job.cancel_requested_at IS NULL
                             THEN clock_timestamp() + %(delay)s * interval '1 second' END""",
    where=HELD,
)
_RELEASE = moving("release", sets=_leaving("'queued'"), where=HELD)
_CONFIRM_CANCEL = moving(
    "confirm_cancel",
    sets="""fence = job.fence + 1, lease_expires_at = NULL, status = 'cancelled',
            actual_duration_seconds = extract(epoch FROM clock_timestamp() - job.started_at),
            cancelled_at = clock_timestamp(), error = %(error)s,
            cancelled_by = CASE WHEN job.cancelled_by = '' THEN %(by)s ELSE job.cancelled_by END""",
    where=HELD,
)
_LOST_TARGET = "CASE WHEN job.crash_count + 1 >= %(crash_limit)s THEN 'failed' ELSE 'queued' END"
_LOSE = moving(
    "lose",
    sets=_failing(_LOST_TARGET) + ", crash_count = job.crash_count + 1",
    where=HELD,
)
_RESCUE = moving(
    "rescue",
    sets=_failing(_LOST_TARGET) + ", crash_count = job.crash_count + 1",
    where="job.id = ANY(%(ids)s)",
)
_TO_RESCUE = due(
    "job.status = 'processing' AND job.lease_expires_at < clock_timestamp()", order="id"
)
_rescues = Batches("rescue")


def _leave(
    transition: str,
    statement: str,
    held: FencedJob,
    outcome: AttemptOutcome | None,
    *,
    error: Error | None = None,
    also: Callable[[Move], None] | None = None,
    **parameters: Any,
) -> Move:
    """One fenced way out of processing, with its history and what follows, or AttemptLost."""
    with transaction.atomic():
        bound_waits()
        moves = move(statement, id=held.id, fence=held.fence, error=json(error), **parameters)
        if not moves:
            raise AttemptLost(job_id=held.id, fence=held.fence)
        (moved,) = moves
        if outcome is not None or moved.status == "cancelled":
            record_attempts(moves, outcome or AttemptOutcome.CANCELLED, error)
        if also is not None:
            also(moved)
        follow(moves, transition)
    nudge.slot_freed(moved.type, moved.duration or 0.0)
    return moved


def complete(held: FencedJob, *, result: Any, stored: Stored | None = None) -> Move:
    """The job is done; `result` is JSON, or lies in the storage as `stored` tells."""
    if stored is not None:
        keep = partial(_keep_stored, held, stored)
        return _leave("complete", _COMPLETE_STORED, held, None, result=None, also=keep)
    return _complete_alone(held, result) or _leave(
        "complete", _COMPLETE, held, None, result=json(result)
    )


def _keep_stored(held: FencedJob, stored: Stored, moved: Move) -> None:
    """A cancelled job keeps no result; the sweep finds its bytes."""
    if moved.status == Status.COMPLETED:
        put_row(held, ArtifactKind.RESULT, stored)


def _complete_alone(held: FencedJob, result: Any) -> Move | None:
    """The completion where nothing follows from it; None where something may."""
    if job_moved.has_listeners(Job):
        return None
    moves = move(_COMPLETE_ALONE, id=held.id, fence=held.fence, result=json(result))
    if not moves:
        return None
    telling.moved(moves, "complete")
    nudge.slot_freed(moves[0].type, moves[0].duration or 0.0)
    return moves[0]


def fail(held: FencedJob, *, error: Error) -> Move:
    cause = fingerprint.cause_of(error)
    return _leave("fail", _FAIL, held, AttemptOutcome.FAILED, error=error, cause=cause)


def retry_later(held: FencedJob, *, delay_seconds: float, error: Error) -> Move:
    return _leave(
        "retry_later", _RETRY_LATER, held, AttemptOutcome.RETRIED, error=error, delay=delay_seconds
    )


def snooze(held: FencedJob, *, delay_seconds: float) -> Move:
    """Wait and run again; no retry is spent."""
    return _leave("snooze", _SNOOZE, held, AttemptOutcome.SNOOZED, delay=delay_seconds)


def release(held: FencedJob, *, error: Error) -> Move:
    """Give the job back although it did not fail (the worker stops); nothing is counted."""
    return _leave("release", _RELEASE, held, AttemptOutcome.RELEASED, error=error)


def confirm_cancel(held: FencedJob, *, by: str, error: Error | None = None) -> Move:
    """The job's code ended because of a cancel, or cancelled itself."""
    return _leave(
        "confirm_cancel", _CONFIRM_CANCEL, held, AttemptOutcome.CANCELLED, error=error, by=by
    )


def lose(held: FencedJob, *, crash_limit: int, error: Error) -> Move:
    """The attempt's process died; at the crash limit the job fails instead of looping."""
    limits: dict[str, Any] = {"crash_limit": crash_limit, "cause": fingerprint.cause_of(error)}
    return _leave("lose", _LOSE, held, AttemptOutcome.LOST, error=error, **limits)


def rescue(*, limit: int, crash_limit: int, error: Error) -> list[Move]:
    """Take back jobs whose lease expired, at most `limit`."""

    def act(ids: list[UUID]) -> list[Move]:
        cause = fingerprint.cause_of(error)
        moves = move(_RESCUE, ids=ids, crash_limit=crash_limit, error=json(error), cause=cause)
        record_attempts(moves, AttemptOutcome.LOST, error)
        follow(moves, "rescue")
        return moves

    with transaction.atomic():
        return _rescues.move_due(_TO_RESCUE, limit, act)
