"""The one way into Celeriac: validate, deduplicate, insert. Always in the caller's transaction.

A job exists from the moment that transaction commits; until then nobody, no worker either, can
see it, and a rollback leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Tenant
from jobs import lifecycle, options, registry
from jobs.exceptions import FieldError, InvalidOptions, JobsError
from jobs.files import references
from jobs.job_type import JobType
from jobs.models import Dependency, Job
from jobs.models.job import UNIQUE_KEY_INDEX
from jobs.options import DependsOn, JobOptions
from jobs.states import FINAL, Status

__all__ = [
    "DependsOn",
    "Enqueued",
    "JobOptions",
    "JobRequest",
    "enqueue",
    "enqueue_by_keywords",
    "enqueue_many",
    "tenant_of",
]


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """One item of `enqueue_many`."""

    type_name: str
    payload: Mapping[str, Any]
    options: JobOptions = field(default_factory=JobOptions)


@dataclass(frozen=True, kw_only=True)
class Enqueued:
    """`created` is False where an active job already held the unique key: `job` is that one."""

    job: Job
    created: bool


def enqueue(
    tenant: Tenant, type_name: str, payload: Mapping[str, Any], options: JobOptions | None = None
) -> Enqueued:
    """Hand in one job.

    Raises UnknownJobType, UnknownQueue, InvalidOptions, InvalidPayload, PayloadTooLarge; then
    nothing was written.
    """
    request = JobRequest(type_name=type_name, payload=payload, options=options or JobOptions())
    with references.held(type_name):
        job = _prepared(tenant, request)
        if not job.unique_key:
            _insert([(job, request)])
            return Enqueued(job=job, created=True)
        return _insert_unique(job, request)


def enqueue_many(tenant: Tenant, requests: Sequence[JobRequest]) -> list[Enqueued | JobsError]:
    """Hand in many jobs with one INSERT. The answer has one entry a request, in its order: the
    job, or why it was refused. A refused one stops no other."""
    outcomes: dict[int, Enqueued | JobsError] = {}
    plain: list[tuple[Job, JobRequest]] = []
    unique: list[tuple[int, Job, JobRequest]] = []
    with transaction.atomic():
        for index, request in enumerate(requests):
            try:
                job = _prepared(tenant, request)
            except JobsError as error:
                outcomes[index] = error
                continue
            if job.unique_key:
                unique.append((index, job, request))
            else:
                plain.append((job, request))
                outcomes[index] = Enqueued(job=job, created=True)
        # In the order of the keys: two calls that name the same keys never wait in a circle.
        for index, job, request in sorted(unique, key=lambda one: (one[1].type, one[1].unique_key)):
            outcomes[index] = _insert_unique(job, request)
        _insert(plain)
    return [outcomes[index] for index in range(len(requests))]


def enqueue_by_keywords(
    job_type: JobType[Any, Any], tenant: Tenant | str, keywords: Mapping[str, Any]
) -> Job:
    """`render.enqueue(tenant=…, priority="high", report_id=7)`: parameters win over options."""
    parameters = job_type.model.model_fields
    chosen = {name: keywords[name] for name in keywords if name in _OPTIONS - set(parameters)}
    payload = {name: value for name, value in keywords.items() if name not in chosen}
    return enqueue(tenant_of(tenant), job_type.name, payload, JobOptions(**chosen)).job


_OPTIONS = {option.name for option in fields(JobOptions)}


def tenant_of(tenant: Tenant | str) -> Tenant:
    """A tenant, given as itself or by its slug. Raises Tenant.DoesNotExist."""
    return tenant if isinstance(tenant, Tenant) else Tenant.objects.get(slug=tenant)


def _prepared(tenant: Tenant, request: JobRequest) -> Job:
    """The row to insert. Everything that can be refused is refused here."""
    job_type = registry.get(request.type_name)
    given = request.options
    decided = options.decide(given, job_type, tenant.plan, now=timezone.now())
    if given.depends_on:
        _refuse_unknown_dependencies(tenant, given)
    payload = references.sealed_payload(job_type, request.payload, tenant=tenant, owner=given.owner)
    return Job(
        tenant=tenant,
        type=job_type.name,
        queue_id=decided.queue,
        payload=payload,
        status=_first_status(given, decided.start_at),
        priority=decided.priority,
        base_priority=decided.priority,
        max_retries=decided.max_retries,
        retry_backoff=decided.retry_backoff,
        timeout_seconds=decided.timeout_seconds,
        run_at=given.run_at or decided.start_at,
        visible_at=None if given.depends_on else decided.start_at,
        expires_at=given.expires_at,
        unique_key=given.unique_key,
        limit_key=job_type.limit_key_of(payload),
        labels=dict(given.labels),
        estimated_duration_seconds=given.estimated_duration_seconds,
        owner=given.owner,
        created_by=given.created_by,
    )


def _first_status(given: JobOptions, start_at: datetime | None) -> Status:
    if given.depends_on:
        return Status.BLOCKED
    return Status.SCHEDULED if start_at else Status.QUEUED


def _insert(prepared: Sequence[tuple[Job, JobRequest]]) -> None:
    waiting = [(job, request) for job, request in prepared if request.options.depends_on]
    with transaction.atomic(savepoint=False) if waiting else nullcontext():
        jobs = [job for job, _ in prepared]
        lifecycle.create(jobs)
        references.note_uses(jobs)
        for job, request in waiting:
            _block(job, request.options.depends_on)


def _insert_unique(job: Job, request: JobRequest) -> Enqueued:
    """Insert, or find the active job that holds the key. The unique index decides; the look
    before it only spares a failed INSERT. The holder may end in between, hence the loop."""
    while True:
        holder = (
            Job.objects.active()
            .filter(tenant=job.tenant, type=job.type, unique_key=job.unique_key)
            .first()
        )
        if holder:
            return Enqueued(job=holder, created=False)
        try:
            with transaction.atomic():
                _insert([(job, request)])
        except IntegrityError as error:
            if UNIQUE_KEY_INDEX not in str(error):
                raise
        else:
            return Enqueued(job=job, created=True)


def _refuse_unknown_dependencies(tenant: Tenant, given: JobOptions) -> None:
    """Another tenant's job is as unknown as one that does not exist."""
    wanted = {edge.job_id for edge in given.depends_on}
    known = set(Job.objects.filter(tenant=tenant, pk__in=wanted).values_list("pk", flat=True))
    if missing := sorted(str(job_id) for job_id in wanted - known):
        raise InvalidOptions([FieldError("/depends_on", f"not found: {', '.join(missing)}")])


def _block(job: Job, waits_for: Sequence[DependsOn]) -> None:
    """Write the edges, then take in those whose job has ended already. One that ends while this
    transaction is open is found by the dispatcher's sweep."""
    edges = {edge.job_id: edge for edge in waits_for}.values()
    Dependency.objects.bulk_create(
        Dependency(job=job, depends_on_id=edge.job_id, on_failure=edge.on_failure) for edge in edges
    )
    ended = Job.objects.filter(pk__in=[edge.job_id for edge in edges], status__in=FINAL)
    lifecycle.settle_ended(list(ended.values_list("pk", flat=True)))
