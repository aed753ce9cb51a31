"""Events are written, and each of their deliveries is handed in as an internal job.

A delivery waits behind the unfinished one before it of the same job and endpoint, whatever becomes
of that one: so an endpoint hears of a job in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from accounts.ids import new_id
from accounts.models import Tenant
from jobs import internal
from jobs.enqueue import JobRequest
from jobs.models import Job, OnFailure
from jobs.options import DependsOn, JobOptions
from webhooks.listening import Listener
from webhooks.models import Delivery, Event
from webhooks.policies import DELIVER, DeliveryStatus

MISSED = "endpoint_disabled"  # an error: it happened while the endpoint was disabled
_SLACK_SECONDS = 30  # of the job beyond the request's own deadline
_SPARE_RETRIES = 20  # for faults of ours, such as a database that is away: they count no attempt

Place = tuple[UUID | None, UUID]  # a job and an endpoint


@dataclass(frozen=True, kw_only=True)
class Due:
    """An event that is to be told to somebody."""

    event: Event
    listener: Listener


def hand_in(tenant_id: int, due: Sequence[Due]) -> list[Delivery]:
    """Write the events and their deliveries, in the caller's transaction; in this order they are
    sent to each endpoint. What an endpoint misses since it was disabled is written down as failed.
    """
    if not due:
        return []
    Event.objects.bulk_create({one.event.pk: one.event for one in due}.values())
    return tell(tenant_id, due)


def tell(tenant_id: int, due: Sequence[Due]) -> list[Delivery]:
    """`hand_in` for events that are written already."""
    now = timezone.now()
    rows = [_row(tenant_id, one, now) for one in due]
    send(tenant_id, [(row, one.listener) for row, one in zip(rows, due, strict=True)])
    Delivery.objects.bulk_create(rows)
    return rows


def _row(tenant_id: int, one: Due, now: datetime) -> Delivery:
    is_open = one.listener.is_open
    return Delivery(
        tenant_id=tenant_id,
        event=one.event,
        event_name=one.event.name,
        endpoint_id=one.listener.endpoint_id,
        job_id=one.event.job_id,
        status=DeliveryStatus.PENDING if is_open else DeliveryStatus.FAILED,
        ended_at=None if is_open else now,
        last_error="" if is_open else MISSED,
    )


def send(tenant_id: int, deliveries: Sequence[tuple[Delivery, Listener]]) -> None:
    """Hand in an internal job for each that is pending, and note its id in the row, which is the
    caller's to save."""
    pending = [(row, to) for row, to in deliveries if row.status == DeliveryStatus.PENDING]
    before = _unfinished(row for row, _ in pending)
    requests: list[JobRequest] = []
    tasks: list[UUID] = []
    for row, to in pending:
        place = (row.job_id, row.endpoint_id)
        requests.append(_request(row, to, before.get(place)))
        row.task_id = before[place] = new_id()
        tasks.append(row.task_id)
    internal.hand_in(Tenant(pk=tenant_id), requests, ids=tasks)


def _unfinished(rows: Iterable[Delivery]) -> dict[Place, UUID]:
    """The newest internal job of each place, where the job has such and it is still there. Without
    a job there is no order but that of the endpoint's queue."""
    places = [(row.job_id, row.endpoint_id) for row in rows if row.job_id]
    if not places:
        return {}
    # By the database's numbers: the clocks of those who make ids may differ.
    task = Job.objects.filter(pk=OuterRef("task_id"))
    found = (
        Delivery.objects.annotate(task_seq=Subquery(task.values("seq")))
        .filter(
            job_id__in={job for job, _ in places},
            endpoint_id__in={endpoint for _, endpoint in places},
            status=DeliveryStatus.PENDING,
            task_seq__isnull=False,
        )
        .order_by("task_seq")
        .values_list("job_id", "endpoint_id", "task_id")
    )
    return {(job, endpoint): task for job, endpoint, task in found if task is not None}


def _request(row: Delivery, to: Listener, behind: UUID | None) -> JobRequest:
    after = [DependsOn(job_id=behind, on_failure=OnFailure.RUN)] if behind and row.job_id else []
    return JobRequest(
        type_name=DELIVER,
        payload={
            "delivery_id": str(row.pk),
            "endpoint_id": str(row.endpoint_id),
            "attempts_before": row.attempts,
        },
        options=JobOptions(
            depends_on=after,
            max_retries=to.strategy.most_attempts - 1 + _SPARE_RETRIES,
            timeout_seconds=int(settings.WEBHOOK_TIMEOUT_LONGEST) + _SLACK_SECONDS,
        ),
    )
