"""Who holds a unique key, and what a newer request does to that job.

A key is held by an active job, which the unique index guards; and where a time was given, until
`unique_until` by a completed one as well. A failed or cancelled job holds none: the work that it
stood for was not done.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F, Q
from django.db.models.functions import Now

from jobs import duplicates, lifecycle
from jobs.exceptions import TransitionRefused
from jobs.files import references
from jobs.lifecycle import unique_keys
from jobs.models import Job
from jobs.options import JobOptions
from jobs.states import ACTIVE, WAITING, Status

_HOLDS = Q(status__in=ACTIVE) | Q(status=Status.COMPLETED, unique_until__gt=Now())

# What the job that waits takes from a newer request.
_TAKEN = (
    "payload", "labels", "limit_key", "priority", "base_priority", "max_retries", "retry_backoff",
    "timeout_seconds", "expires_at", "estimated_duration_seconds", "webhook_url",
)  # fmt: skip


def lock(jobs: Sequence[Job]) -> None:
    """Wait until every other transaction that hands in a job with the key of one of these has
    ended, where the key outlives its job: the unique index is no guard then."""
    unique_keys.lock((job.tenant_id, job.type, job.unique_key) for job in jobs if job.unique_until)


def holder_of(job: Job) -> Job | None:
    """The job that holds the key of `job`, an active one first."""
    same = Job.objects.filter(tenant=job.tenant_id, type=job.type, unique_key=job.unique_key)
    return same.filter(_HOLDS).order_by(F("completed_at").asc(nulls_first=True)).first()


def holders_of(jobs: Sequence[Job]) -> dict[tuple[str, str], Job]:
    """The jobs that hold the keys of these, which are one tenant's, by type and key; an active one
    rather than one that completed."""
    wanted = {(job.type, job.unique_key) for job in jobs}
    if not wanted:
        return {}
    rows = Job.objects.filter(
        _HOLDS,
        tenant=jobs[0].tenant_id,
        type__in=sorted({kind for kind, _ in wanted}),
        unique_key__in=sorted({key for _, key in wanted}),
    ).order_by(F("completed_at").desc(nulls_last=True))
    found = {(row.type, row.unique_key): row for row in rows}  # of two the later counts
    return {place: row for place, row in found.items() if place in wanted}


def may_replace(given: JobOptions, holder: Job) -> bool:
    """Whether the request wants it and may: a job of another owner stays as it is, and a step of
    a workflow."""
    if holder.workflow_id or holder.owner != given.owner:
        return False
    return duplicates.replaces(given) and holder.status in WAITING


def replace(holder: Job, job: Job, given: JobOptions) -> bool:
    """The waiting holder takes the wish of `job`; whether it still waited. Call it in a
    transaction where the type takes files."""
    start_at = duplicates.start_of(given, job.visible_at, holder.created_at)
    columns = {name: getattr(job, name) for name in _TAKEN}
    columns |= {"queue": job.queue_id, "run_at": start_at or job.run_at}
    try:
        lifecycle.replace(holder.pk, columns, start_at=start_at)
    except TransitionRefused:
        return False
    holder.payload = job.payload
    references.note_uses_anew(holder)
    return True
