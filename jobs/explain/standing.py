"""What of a job's own state keeps it from running."""

from __future__ import annotations

from datetime import datetime, timedelta

from jobs import wording
from jobs.explain.reason import Code, Reason
from jobs.models import Dependency, Job
from jobs.states import Status

NAMED = 20  # jobs that are waited for
COUNTED = 1_000
_MOMENT = timedelta(seconds=1)  # well beyond what the dispatcher sends ahead


def ended(job: Job) -> Reason:
    again = job.status in (Status.FAILED, Status.CANCELLED)
    return Reason(
        code=Code.ENDED,
        detail=f"It is {job.status}.",
        until=job.completed_at or job.cancelled_at,
        remedy="A retry runs it again." if again else "",
    )


def is_next(job: Job, now: datetime) -> bool:
    """Whether it was sent just now: a slot is free for it, or will be in a moment."""
    return job.dispatched_at is not None and now - job.dispatched_at < _MOMENT


def running(job: Job, now: datetime) -> Reason:
    since = wording.span((now - job.started_at).total_seconds()) if job.started_at else "just now"
    asked = job.cancel_requested_at is not None
    return Reason(
        code=Code.RUNNING,
        detail=f"It runs, attempt {job.attempt}, for {since}."
        + (" It was asked to end." if asked else ""),
        object=f"worker:{job.worker}",
    )


def blocked(job: Job) -> list[Reason]:
    """One for each of the first jobs that it waits for."""
    edges = Dependency.objects.filter(job=job, settled_at=None)
    others = list(edges.order_by("pk").values_list("depends_on", flat=True)[: COUNTED + 1])
    if not others:
        detail = "What it waited for has ended; it goes on within seconds."
        return [Reason(code=Code.BLOCKED, detail=detail)]
    if len(others) > COUNTED:
        detail = f"It waits for more than {COUNTED:,} other jobs to end."
    elif len(others) == 1:
        detail = "It waits for another job to end."
    else:
        detail = f"It waits for {len(others):,} other jobs to end."
    remedy = "See why what it waits for has not ended."
    return [
        Reason(code=Code.BLOCKED, detail=detail, object=f"job:{other}", remedy=remedy)
        for other in others[:NAMED]
    ]


def scheduled(job: Job) -> Reason:
    retry = f"its next retry, {job.retry_count} of {job.max_retries}"
    return Reason(
        code=Code.SCHEDULED,
        detail=f"It waits for {retry if job.retry_count else 'its time'}.",
        until=job.visible_at,
        remedy="Run now starts it at once.",
    )


def old_lease(job: Job, now: datetime) -> list[Reason]:
    """A job that was taken from a worker by force waits until that one's lease is over."""
    if job.lease_expires_at is None or job.lease_expires_at <= now:
        return []
    return [
        Reason(
            code=Code.RUNNING,
            detail="Its former attempt may still run.",
            until=job.lease_expires_at,
            object=f"worker:{job.worker}",
            remedy="It goes on when the lease of that attempt is over.",
        )
    ]
