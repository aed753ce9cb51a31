"""Jobs in any situation, brought there by the engine's own verbs alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db.models.functions import Now

from accounts.models import Tenant
from jobs import lifecycle
from jobs.enqueue import DependsOn, JobOptions, enqueue
from jobs.lifecycle import ClaimedJob
from jobs.message import FencedJob
from jobs.models import Job
from jobs.states import Status
from tests.jobs.kinds import ECHO

LEASE_SECONDS = 30.0
WORKER = "worker-1@test"
INCARNATION = UUID("0199a1c0-0000-7000-8000-000000000001")
ERROR = {"type": "OSError", "message": "no", "details": {}}


def queued(tenant: Tenant, *, payload: dict[str, Any] | None = None, **options: Any) -> Job:
    """A job as `enqueue` left it, whatever its first status; read back from the database."""
    made = enqueue(tenant, ECHO, payload or {}, JobOptions(**options)).job
    return Job.objects.get(pk=made.pk)


def scheduled(tenant: Tenant) -> Job:
    return queued(tenant, delay_seconds=3600)


def blocked(tenant: Tenant, *waits_for: Job, **options: Any) -> Job:
    """A job behind others; behind one that is still queued if none is given."""
    edges = [DependsOn(job_id=job.pk) for job in waits_for or (queued(tenant),)]
    return queued(tenant, **{"depends_on": edges, **options})


def send(job: Job) -> FencedJob:
    """Mark a queued job as sent; what its message would say."""
    (marked,) = lifecycle.dispatch([job.pk])
    return FencedJob(marked.id, marked.fence)


def take(sent: FencedJob, *, incarnation: UUID = INCARNATION) -> ClaimedJob | None:
    return lifecycle.claim(
        sent, worker=WORKER, incarnation=incarnation, lease_seconds=LEASE_SECONDS
    )


def start(job: Job) -> FencedJob:
    """Send and claim; the attempt's right to the job."""
    claimed = take(send(job))
    assert claimed is not None
    return claimed.held


def complete(job: Job, result: Any = "done") -> Job:
    lifecycle.complete(start(job), result=result)
    return fresh(job)


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def row(job: Job) -> dict[str, Any]:
    """Every column of the job."""
    return dict(Job.objects.filter(pk=job.pk).values().get())


def held(job: Job) -> FencedJob:
    """The right to the job that its present fence gives."""
    return FencedJob(job.pk, Job.objects.values_list("fence", flat=True).get(pk=job.pk))


def stranger() -> FencedJob:
    """A right to a job that does not exist."""
    return FencedJob(uuid4(), 1)


def let_pass(job: Job, *columns: str) -> None:
    """Move these moments of the job a second into the past, in place of waiting for them."""
    past = Now() - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(**dict.fromkeys(columns, past))


def _dispatched(tenant: Tenant) -> Job:
    job = queued(tenant)
    send(job)
    return job


def _processing(tenant: Tenant) -> Job:
    job = queued(tenant)
    start(job)
    return job


def _asked_to_cancel(tenant: Tenant) -> Job:
    job = _processing(tenant)
    lifecycle.cancel(job.pk, by="user:eve")
    return job


def _failed(tenant: Tenant) -> Job:
    job = queued(tenant)
    lifecycle.fail(start(job), error=ERROR)
    return job


def _cancelled(tenant: Tenant) -> Job:
    job = queued(tenant)
    lifecycle.cancel(job.pk, by="user:eve")
    return job


# Statuses, each with the distinctions that a transition makes within it.
SITUATIONS: dict[str, tuple[Status, Callable[[Tenant], Job]]] = {
    "blocked": (Status.BLOCKED, blocked),
    "scheduled": (Status.SCHEDULED, scheduled),
    "ready": (Status.QUEUED, queued),
    "dispatched": (Status.QUEUED, _dispatched),
    "processing": (Status.PROCESSING, _processing),
    "asked to cancel": (Status.PROCESSING, _asked_to_cancel),
    "completed": (Status.COMPLETED, lambda tenant: complete(queued(tenant))),
    "failed": (Status.FAILED, _failed),
    "cancelled": (Status.CANCELLED, _cancelled),
}


def in_situation(tenant: Tenant, situation: str) -> Job:
    """A job in one of SITUATIONS."""
    status, make = SITUATIONS[situation]
    job = fresh(make(tenant))
    assert job.status == status
    return job
