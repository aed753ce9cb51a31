"""What the pages about batches show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from accounts.staff import Staff
from jobs.admin.listing import list_link
from jobs.admin.telling import Moment, moment, short_id
from jobs.batches import BatchStatus, counts_of, progress_of, status_of, with_counts
from jobs.batches.figures import CONDITIONS
from jobs.models import Batch, Job

PAGE = 50
# A running batch is shown like a running job.
_TONES: Mapping[str, str] = {BatchStatus.RUNNING: "processing"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """A batch in the list."""

    batch: Batch
    link: str
    name: str
    status: str
    tone: str
    progress: int
    counts: Sequence[tuple[str, int]]
    created: Moment | None


@dataclass(frozen=True, kw_only=True)
class Callback:
    """A job that follows from the batch; `link` where it was handed in and is still there."""

    when: str
    type: str
    link: str
    state: str


def listing(request: HttpRequest, rows: QuerySet[Batch], person: Staff) -> dict[str, Any]:
    """Newest first; ids sort by time."""
    status, before = request.GET.get("status", ""), _as_id(request.GET.get("before", ""))
    if status in BatchStatus.values:
        rows = rows.filter(CONDITIONS[BatchStatus(status)])
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(with_counts(rows).select_related("tenant").order_by("-pk")[: PAGE + 1])
    shown, now = found[:PAGE], timezone.now()
    older = {"status": status, "before": str(shown[-1].pk)} if len(found) > PAGE else None
    return {
        "rows": [_row(batch, now) for batch in shown],
        "statuses": BatchStatus.values,
        "status": status,
        "several_tenants": person.everywhere or len(person.tenants(Role.VIEWER) or ()) > 1,
        "older_url": f"?{urlencode(older)}" if older else "",
        "newest_url": f"?{urlencode({'status': status})}" if before else "",
        "list_url": reverse("admin:jobs_batch_changelist"),
    }


def page(batch: Batch) -> dict[str, Any]:
    """`batch` comes from `with_counts`."""
    now = timezone.now()
    return {
        "batch": batch,
        "row": _row(batch, now),
        "jobs_link": _jobs(batch),
        "counts": [
            (status, number, _jobs(batch, status=status))
            for status, number in counts_of(batch).items()
        ],
        "callbacks": list(_callbacks(batch)),
        "finished": moment(batch.finished_at, now),
    }


def _row(batch: Batch, now: Any) -> Row:
    status = status_of(batch)
    return Row(
        batch=batch,
        link=reverse("admin:jobs_batch_change", args=[batch.pk]),
        name=batch.name or short_id(batch.pk),
        status=status.value,
        tone=_TONES.get(status, status.value),
        progress=progress_of(batch),
        counts=[(name, number) for name, number in counts_of(batch).items() if number],
        created=moment(batch.created_at, now),
    )


def _jobs(batch: Batch, **filters: str) -> str:
    return list_link(q=f"batch:{batch.pk}", **filters)


def _callbacks(batch: Batch) -> Sequence[Callback]:
    wishes = (
        ("When all have ended", batch.on_complete, batch.on_complete_job),
        ("At the first failure", batch.on_failure, batch.on_failure_job),
    )
    handed_in = [job_id for _, _, job_id in wishes if job_id is not None]
    there = dict(
        Job.objects.filter(tenant=batch.tenant_id, pk__in=handed_in).values_list("pk", "status")
    )
    return [
        Callback(
            when=when,
            type=wish["columns"]["type"],
            link=reverse("admin:jobs_job_change", args=[job_id]) if job_id in there else "",
            state=_state(job_id, there),
        )
        for when, wish, job_id in wishes
        if wish is not None
    ]


def _state(job_id: UUID | None, there: Mapping[UUID, str]) -> str:
    if job_id is None:
        return "not handed in yet"
    return there.get(job_id, "handed in, and removed since")


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
