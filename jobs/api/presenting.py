"""Jobs and attempts as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.access import Access
from accounts.scopes import Scope
from jobs.api.moment import shown
from jobs.effective import priorities, priority_of
from jobs.models import Attempt, Job
from jobs.position import UNKNOWN, Position
from jobs.priorities import level_of
from jobs.retention import result_of
from jobs.secret import masked
from jobs.states import Status


def job_documents(jobs: Sequence[Job], access: Access) -> list[dict[str, Any]]:
    """A page of jobs; their effective priorities are looked up together."""
    known = priorities(jobs)
    return [job_document(job, access, priority=known[job.pk]) for job in jobs]


def job_document(
    job: Job, access: Access, position: Position = UNKNOWN, *, priority: int | None = None
) -> dict[str, Any]:
    """The job as `JobDocument`, without what this caller may not see. `priority`: the effective
    one, if it is known. A table, hence its length."""
    priority = priority_of(job) if priority is None else priority
    leased = job.status == Status.PROCESSING
    retrying = job.status == Status.SCHEDULED and job.retry_count > 0
    document = {
        "id": str(job.id),
        "type": job.type,
        "status": str(job.status),
        "queue": job.queue_id,
        "owner": job.owner or None,
        "priority": priority,
        "base_priority": job.base_priority,
        "level": str(level_of(priority)),
        "payload": masked(job.payload),
        "progress": job.progress,
        "progress_message": job.progress_message,
        "result": result_of(job),
        "result_url": None,
        "artifacts": [],
        "error": error_document(job.error, access),
        "attempt": job.attempt,
        "retry_count": job.retry_count,
        "crash_count": job.crash_count,
        "max_retries": job.max_retries,
        "next_retry_at": shown(job.visible_at) if retrying else None,
        "run_at": shown(job.run_at),
        "visible_at": shown(job.visible_at),
        "expires_at": shown(job.expires_at),
        "timeout_seconds": job.timeout_seconds,
        "unique_key": job.unique_key or None,
        "labels": job.labels,
        "batch_id": None if job.batch_id is None else str(job.batch_id),
        "workflow_id": None if job.workflow_id is None else str(job.workflow_id),
        "depends_on": [str(other) for other in getattr(job, "waits_for", ())],
        "schedule_id": None,
        "position": position.place,
        "position_exact": position.exact,
        "estimated_wait_seconds": None,
        "estimated_duration_seconds": job.estimated_duration_seconds,
        "actual_duration_seconds": job.actual_duration_seconds,
        "worker": job.worker or None,
        "lease_expires_at": shown(job.lease_expires_at) if leased else None,
        "webhook_url": None,
        "webhook_delivered": None,
        "webhook_attempts": 0,
        "created_at": shown(job.created_at),
        "started_at": shown(job.started_at),
        "completed_at": shown(job.completed_at),
        "cancel_requested_at": shown(job.cancel_requested_at),
        "cancelled_at": shown(job.cancelled_at),
        "cancelled_by": job.cancelled_by or None,
        "updated_at": shown(job.updated_at),
        "created_by": job.created_by or None,
    }
    if access.tenant is None:
        document["tenant"] = job.tenant.slug
    return document


def error_document(error: Mapping[str, Any] | None, access: Access) -> dict[str, Any] | None:
    if error is None:
        return None
    keys = ["type", "message", "details"]
    if access.may(Scope.ADMIN) and "traceback" in error:
        keys.append("traceback")
    return {key: error.get(key) for key in keys}


def attempt_document(attempt: Attempt, access: Access) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "worker": attempt.worker or None,
        "started_at": shown(attempt.started_at),
        "ended_at": shown(attempt.ended_at),
        "outcome": attempt.outcome,
        "error": error_document(attempt.error, access),
    }


def own_attempt_document(job: Job, outcome: str | None) -> dict[str, Any]:
    """The attempt that the job's own row tells of."""
    return {
        "number": job.attempt,
        "worker": job.worker or None,
        "started_at": shown(job.started_at),
        "ended_at": shown(job.completed_at),
        "outcome": outcome,
        "error": None,
    }
