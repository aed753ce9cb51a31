"""The one way into Celeriac: validate, deduplicate, insert. Always in the caller's transaction.

A job exists from the moment that transaction commits; until then nobody, no worker either, can
see it, and a rollback leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Tenant
from jobs import lifecycle, options, registry, unique, webhook_url
from jobs.duplicates import replaces
from jobs.exceptions import (
    FieldError,
    InvalidOptions,
    JobsError,
    QuotaExceeded,
    UnknownTenant,
)
from jobs.files import references
from jobs.job_type import JobType
from jobs.models import Dependency, Job
from jobs.models.job import UNIQUE_KEY_INDEX
from jobs.options import DependsOn, JobOptions
from jobs.quotas import Allowance, allowance
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

MOST_EDGES = 100_000  # of one call
MOST_REPLACING = 500  # items of one call: each takes statements of its own
_EDGES_A_STATEMENT = 10_000
_TRIES = 3  # at one INSERT of many keys, of which somebody else takes one meanwhile


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """One item of `enqueue_many`."""

    type_name: str
    payload: Mapping[str, Any]
    options: JobOptions = field(default_factory=JobOptions)


@dataclass(frozen=True, kw_only=True)
class Enqueued:
    """`created` is False where a job already held the unique key: `job` is that one. `replaced`:
    it waited, and takes what this request says."""

    job: Job
    created: bool
    replaced: bool = False


def enqueue(
    tenant: Tenant, type_name: str, payload: Mapping[str, Any], options: JobOptions | None = None
) -> Enqueued:
    """Hand in one job.

    Raises UnknownJobType, UnknownQueue, InvalidOptions, InvalidPayload, PayloadTooLarge and
    QuotaExceeded; then nothing was written.
    """
    asked = JobRequest(type_name=type_name, payload=payload, options=options or JobOptions())
    (request,) = webhook_url.judged([asked])
    with references.held(type_name), allowance(tenant) as allowed:
        job = prepared(tenant, request)
        if job.unique_key:
            return _insert_unique(job, request, allowed)
        allowed.require_room()
        insert_prepared([(job, request)])
        allowed.use()
        return Enqueued(job=job, created=True)


def enqueue_many(
    tenant: Tenant, requests: Sequence[JobRequest], *, batch_id: UUID | None = None
) -> list[Enqueued | JobsError]:
    """Hand in many jobs with one INSERT, as jobs of that batch. The answer has one entry a request,
    in its order: the job, or why it was refused. A refused one stops no other.

    Raises InvalidOptions where they have more than MOST_EDGES edges together, or more than
    MOST_REPLACING of them may replace a job that waits.
    """
    _refuse_too_many(requests)
    requests = webhook_url.judged(requests)
    outcomes: dict[int, Enqueued | JobsError] = {}
    plain: list[tuple[Job, JobRequest]] = []
    with_key: list[tuple[int, Job, JobRequest]] = []
    with transaction.atomic(), allowance(tenant) as allowed:
        known = known_of(tenant, [request.options for request in requests])
        for index, request in enumerate(requests):
            try:
                job = prepared(tenant, request, known=known)
                job.batch_id = batch_id
                if job.unique_key:
                    with_key.append((index, job, request))
                    continue
                allowed.require_room()
            except JobsError as error:
                outcomes[index] = error
                continue
            allowed.use()
            plain.append((job, request))
            outcomes[index] = Enqueued(job=job, created=True)
        # In the order of the keys: two calls that name the same keys never wait in a circle.
        with_key.sort(key=lambda one: (one[1].type, one[1].unique_key))
        unique.lock([job for _, job, _ in with_key])
        for each, some in groupby(with_key, key=lambda one: replaces(one[2].options)):
            insert = _insert_each if each else _insert_at_once
            outcomes |= insert(list(some), allowed)
        insert_prepared(plain)
    return [outcomes[index] for index in range(len(requests))]


def _refuse_too_many(requests: Sequence[JobRequest]) -> None:
    if sum(len(request.options.depends_on) for request in requests) > MOST_EDGES:
        text = f"at most {MOST_EDGES:,} of all jobs of a call together"
        raise InvalidOptions([FieldError("/depends_on", text)])
    if sum(replaces(request.options) for request in requests) > MOST_REPLACING:
        text = f"at most {MOST_REPLACING} jobs of a call may replace or debounce"
        raise InvalidOptions([FieldError("/on_duplicate", text)])


def _insert_at_once(
    with_key: list[tuple[int, Job, JobRequest]], allowed: Allowance
) -> dict[int, Enqueued | JobsError]:
    """One look for all holders and one INSERT for the others; once more where somebody takes one
    of the keys at this moment."""
    for _ in range(_TRIES):
        outcomes, fresh = _with_holders(with_key, allowed)
        if _inserted(fresh):
            allowed.use(len(fresh))
            return outcomes
    return _insert_each(with_key, allowed)


def _with_holders(
    with_key: list[tuple[int, Job, JobRequest]], allowed: Allowance
) -> tuple[dict[int, Enqueued | JobsError], list[tuple[Job, JobRequest]]]:
    """What becomes of each, and which of them are to be inserted for that."""
    holders = unique.holders_of([job for _, job, _ in with_key])
    fresh: list[tuple[Job, JobRequest]] = []
    outcomes: dict[int, Enqueued | JobsError] = {}
    for index, job, request in with_key:
        place = (job.type, job.unique_key)
        if place not in holders:
            try:
                allowed.require_room(beside=len(fresh))
            except QuotaExceeded as error:
                outcomes[index] = error
                continue
            holders[place] = job
            fresh.append((job, request))
        outcomes[index] = Enqueued(job=holders[place], created=holders[place] is job)
    return outcomes, fresh


def _insert_each(
    with_key: list[tuple[int, Job, JobRequest]], allowed: Allowance
) -> dict[int, Enqueued | JobsError]:
    outcomes: dict[int, Enqueued | JobsError] = {}
    for index, job, request in with_key:
        try:
            outcomes[index] = _insert_unique(job, request, allowed)
        except JobsError as error:
            outcomes[index] = error
    return outcomes


def enqueue_by_keywords(
    job_type: JobType[Any, Any], tenant: Tenant | str, keywords: Mapping[str, Any]
) -> Job:
    """`render.enqueue(tenant=…, priority="high", report_id=7)`: parameters win over options."""
    parameters = job_type.model.model_fields
    chosen = {name: keywords[name] for name in keywords if name in _OPTIONS - set(parameters)}
    payload = {name: value for name, value in keywords.items() if name not in chosen}
    return enqueue(tenant_of(tenant), job_type.name, payload, JobOptions(**chosen)).job


_OPTIONS = {option.name for option in fields(JobOptions)} - {"schedule_id", "scheduled_for"}


def tenant_of(tenant: Tenant | str) -> Tenant:
    """A tenant, given as itself or by its slug. Raises UnknownTenant."""
    if isinstance(tenant, Tenant):
        return tenant
    try:
        return Tenant.objects.get(slug=tenant)
    except Tenant.DoesNotExist as error:
        raise UnknownTenant(f"There is no tenant {tenant!r}.", slug=tenant) from error


def prepared(
    tenant: Tenant,
    request: JobRequest,
    job_type: JobType[Any, Any] | None = None,
    *,
    known: Collection[UUID] | None = None,
) -> Job:
    """The row to insert. Everything that can be refused is refused here; the platform's own types
    are for the platform's own tenants, and the others for all others. `job_type` where another
    form of the type is to judge the payload; `known` are the tenant's jobs among those it waits
    for, where they were looked up."""
    job_type = job_type or registry.get(request.type_name)
    if job_type.internal != (tenant.works_for_id is not None):
        raise registry.unknown(request.type_name)
    given = request.options
    decided = options.decide(given, job_type, tenant.plan, now=timezone.now())
    if given.depends_on:
        known = known_of(tenant, [given]) if known is None else known
        _refuse_unknown_dependencies(given, known)
    payload = references.sealed_payload(job_type, request.payload, tenant=tenant, owner=given.owner)
    unique_key = given.unique_key or job_type.unique_key_of(payload)
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
        unique_key=unique_key,
        unique_until=decided.unique_until if unique_key else None,
        limit_key=job_type.limit_key_of(payload),
        labels=dict(given.labels),
        estimated_duration_seconds=given.estimated_duration_seconds,
        owner=given.owner,
        created_by=given.created_by,
        webhook_url=str(given.webhook_url or ""),
        schedule_id=given.schedule_id,
        scheduled_for=given.scheduled_for,
    )


def _first_status(given: JobOptions, start_at: datetime | None) -> Status:
    if given.depends_on:
        return Status.BLOCKED
    return Status.SCHEDULED if start_at else Status.QUEUED


def insert_prepared(prepared: Sequence[tuple[Job, JobRequest]]) -> None:
    """Write what was `prepared`, with the edges it asks for. Unique keys are not looked at."""
    waiting = [(job, request) for job, request in prepared if request.options.depends_on]
    with transaction.atomic(savepoint=False) if waiting else nullcontext():
        jobs = [job for job, _ in prepared]
        lifecycle.create(jobs)
        references.note_uses(jobs)
        if waiting:
            _block([(job, request.options.depends_on) for job, request in waiting])


def _insert_unique(job: Job, request: JobRequest, allowed: Allowance) -> Enqueued:
    """Insert, or find the job that holds the key. The unique index decides between active jobs;
    the look before it only spares a failed INSERT. The holder may end in between, hence the loop.
    Where the key outlives its job, requests take turns."""
    with transaction.atomic() if job.unique_until else nullcontext():
        if job.unique_until:
            unique.lock([job])
        while True:
            if holder := unique.holder_of(job):
                if not unique.may_replace(request.options, holder):
                    return Enqueued(job=holder, created=False)
                if unique.replace(holder, job, request.options):
                    after = Job.objects.get(pk=holder.pk)
                    return Enqueued(job=after, created=False, replaced=True)
                continue
            allowed.require_room()
            if _inserted([(job, request)]):
                allowed.use()
                return Enqueued(job=job, created=True)


def _inserted(jobs: Sequence[tuple[Job, JobRequest]]) -> bool:
    """Whether their keys were free."""
    try:
        with transaction.atomic():
            insert_prepared(jobs)
    except IntegrityError as error:
        if UNIQUE_KEY_INDEX not in str(error):
            raise
        return False
    return True


def known_of(tenant: Tenant, given: Iterable[JobOptions]) -> set[UUID]:
    """The tenant's jobs among those that are waited for: another tenant's job is as unknown as one
    that does not exist."""
    wanted = {edge.job_id for options in given for edge in options.depends_on}
    if not wanted:
        return set()
    return set(Job.objects.filter(tenant=tenant, pk__in=wanted).values_list("pk", flat=True))


def _refuse_unknown_dependencies(given: JobOptions, known: Collection[UUID]) -> None:
    missing = sorted(str(edge.job_id) for edge in given.depends_on if edge.job_id not in known)
    if missing:
        raise InvalidOptions([FieldError("/depends_on", f"not found: {', '.join(missing)}")])


def _block(waiting: Sequence[tuple[Job, Sequence[DependsOn]]]) -> None:
    """Write the edges, then take in those whose job has ended already. One that ends while this
    transaction is open is found by the dispatcher's sweep."""
    rows = [
        Dependency(job=job, depends_on_id=edge.job_id, on_failure=edge.on_failure)
        for job, waits_for in waiting
        for edge in {edge.job_id: edge for edge in waits_for}.values()
    ]
    Dependency.objects.bulk_create(rows, batch_size=_EDGES_A_STATEMENT)
    others = {row.depends_on_id for row in rows}
    ended = Job.objects.filter(pk__in=others, status__in=FINAL)
    lifecycle.settle_ended(list(ended.values_list("pk", flat=True)))
