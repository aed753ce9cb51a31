"""The jobs that entries name, as watchers are shown them: each is loaded and written once for all
of them. These run in a thread."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import close_old_connections
from django.db.models import QuerySet

from accounts.access import Access
from accounts.models import Tenant
from accounts.principal import Kind, Principal
from jobs.api.batches_documents import batch_document
from jobs.api.presenting import job_documents
from jobs.api.reach import jobs_of
from jobs.batches import with_counts
from jobs.models import Batch, Job
from jobs.position import position_of
from jobs.states import FINAL, Status

if TYPE_CHECKING:
    from jobs.live.grant import Grant, Wanted

NEWEST = 50  # jobs that a watcher of many is shown first


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A job, or a batch, at the moment it was loaded. `shown` is what a tenant's admin sees."""

    id: UUID
    owner: str
    batch: UUID | None
    status: str
    shown: Mapping[str, Any]

    @property
    def is_final(self) -> bool:
        return self.status in FINAL


def load(tenant_id: int, ids: Collection[UUID]) -> dict[UUID, Row]:
    """Those of these jobs that the tenant has."""
    close_old_connections()
    return {row.id: row for row in _rows(tenant_id, jobs_of(_all_of(tenant_id)).filter(pk__in=ids))}


def load_batch(tenant_id: int, batch_id: UUID) -> Row | None:
    close_old_connections()
    known = with_counts(Batch.objects.filter(tenant=tenant_id))
    batch = known.filter(pk=batch_id).first()
    if batch is None:
        return None
    shown = batch_document(batch, _all_of(tenant_id))
    return Row(id=batch.pk, owner=batch.owner, batch=batch.pk, status="", shown=shown)


def newest(grant: Grant) -> list[Row]:
    """What a watcher is shown first, oldest first: the jobs it names, or the newest of those it
    wants. A single job has its place in the queue."""
    close_old_connections()
    wanted = grant.wanted
    rows = _wanted(jobs_of(grant.access), wanted)
    if not wanted.by_name:
        rows = rows.order_by("-seq")[:NEWEST]
    found = _rows(grant.tenant_id, rows)
    return [placed(row) for row in found] if len(wanted.jobs) == 1 else found[::-1]


def _wanted(jobs: QuerySet[Job], wanted: Wanted) -> QuerySet[Job]:
    if wanted.by_name:
        jobs = jobs.filter(pk__in=wanted.jobs)
    if wanted.batch is not None:
        jobs = jobs.filter(batch=wanted.batch)
    return jobs if wanted.owner is None else jobs.filter(owner=wanted.owner)


def may_see(grant: Grant, job_id: UUID) -> bool:
    close_old_connections()
    jobs: QuerySet[Job] = Job.objects.filter(pk=job_id)
    if grant.bound:
        jobs = _wanted(jobs, grant.wanted)
    return grant.access.narrow(jobs).exists()


def placed(row: Row) -> Row:
    """The same with its place in the queue, which is counted anew."""
    if row.status != Status.QUEUED:
        return row
    job = Job.objects.defer("payload", "result").filter(pk=row.id).first()
    if job is None:
        return row
    place = position_of(job)
    shown = {**row.shown, "position": place.place, "position_exact": place.exact}
    return Row(id=row.id, owner=row.owner, batch=row.batch, status=row.status, shown=shown)


def _rows(tenant_id: int, jobs: QuerySet[Job]) -> list[Row]:
    """Payloads and results, which may be large, are not even read."""
    light = list(jobs.defer("payload", "result"))
    for job in light:
        job.payload, job.result = {}, None
    return [
        Row(
            id=job.pk,
            owner=job.owner,
            batch=job.batch_id,
            status=job.status,
            shown={key: value for key, value in shown.items() if key not in _LEFT_OUT},
        )
        for job, shown in zip(light, job_documents(light, _all_of(tenant_id)), strict=True)
    ]


_LEFT_OUT = frozenset({"payload", "result"})


def _all_of(tenant_id: int) -> Access:
    tenant = Tenant(pk=tenant_id)
    return Access(principal=Principal(kind=Kind.TOKEN, name="", tenant=tenant), tenant=tenant)
