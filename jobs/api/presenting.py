"""Jobs and attempts as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.access import Access
from accounts.api.moment import shown
from accounts.scopes import Scope
from jobs.api.left import artifact_documents, result_url
from jobs.artifacts.reading import NOTHING, Left, left_by
from jobs.effective import priorities, priority_of
from jobs.explain import estimated_wait
from jobs.models import Attempt, Job
from jobs.position import UNKNOWN, Position, position_of
from jobs.priorities import level_of
from jobs.retention import result_of
from jobs.secret import masked
from jobs.states import Status


def job_documents(jobs: Sequence[Job], access: Access) -> list[dict[str, Any]]:
    """A page of jobs; their effective priorities, and what they left, are looked up together."""
    known = priorities(jobs)
    left = left_by(jobs)
    return [
        job_document(job, access, priority=known[job.pk], left=left.get(job.pk, NOTHING))
        for job in jobs
    ]


def job_document(
    job: Job,
    access: Access,
    position: Position = UNKNOWN,
    *,
    priority: int | None = None,
    wait: float | None = None,
    left: Left | None = None,
) -> dict[str, Any]:
    """The job as `JobDocument`, without what this caller may not see. `priority`: the effective
    one, if it is known; `wait`: how many seconds it is likely to. A table, hence its length."""
    priority = priority_of(job) if priority is None else priority
    left = left_by([job]).get(job.pk, NOTHING) if left is None else left
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
        "result_url": result_url(job, left),
        "artifacts": artifact_documents(job, left),
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
        "schedule_id": None if job.schedule_id is None else str(job.schedule_id),
        "scheduled_for": shown(job.scheduled_for),
        "position": position.place,
        "position_exact": position.exact,
        "estimated_wait_seconds": None if wait is None else round(wait, 3),
        "estimated_duration_seconds": job.estimated_duration_seconds,
        "actual_duration_seconds": job.actual_duration_seconds,
        "worker": job.worker or None,
        "lease_expires_at": shown(job.lease_expires_at) if leased else None,
        "webhook_url": job.webhook_url or None,
        "webhook_delivered": job.webhook_delivered,
        "webhook_attempts": job.webhook_attempts,
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


def placed_document(job: Job, access: Access) -> dict[str, Any]:
    """The same with its place in the queue, and how long it is likely to wait there."""
    position, priority = position_of(job), priority_of(job)
    wait = estimated_wait(job, position, priority)
    return job_document(job, access, position, priority=priority, wait=wait)


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
