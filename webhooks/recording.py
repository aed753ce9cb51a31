"""What came of an attempt is written down: the log, the delivery, the endpoint's health. In one
transaction, and only by the attempt that still holds its internal job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from jobs import JobContext
from jobs.control import LeaseLost
from jobs.lifecycle.statement import bound_waits
from jobs.models import Job
from jobs.states import Status
from webhooks.judging import Verdict
from webhooks.models import Delivery, DeliveryAttempt, Endpoint
from webhooks.policies import DeliveryStatus
from webhooks.sending import Sent

MOST_SHOWN = 1_024  # characters of an answer
_UNSTORABLE = "\x00"


def record(
    delivery: Delivery, sent: Sent, verdict: Verdict, *, context: JobContext, again: float | None
) -> None:
    """`again`: seconds until the next attempt; None where this was the last one."""
    with _held(delivery, context) as row:
        row.attempts += 1
        row.last_status_code = sent.answer.status
        row.last_error = verdict.error
        now = timezone.now()
        row.next_attempt_at = None if again is None else now + timedelta(seconds=again)
        if verdict.arrived:
            row.status, row.delivered_at, row.ended_at = DeliveryStatus.DELIVERED, now, now
        elif again is None:
            row.status, row.ended_at = DeliveryStatus.FAILED, now
        row.save(update_fields=_WRITTEN)
        DeliveryAttempt.objects.create(
            delivery=row,
            number=row.attempts,
            url=delivery.endpoint.url,
            started_at=sent.at,
            duration_seconds=sent.answer.duration_seconds,
            status_code=sent.answer.status,
            error=verdict.error,
            message=verdict.message,
            answer_start=_start(sent.answer.body),
        )
        _note_health(delivery.endpoint, sent.at, arrived=verdict.arrived)


_WRITTEN = [
    "attempts", "last_status_code", "last_error", "next_attempt_at", "status", "delivered_at",
    "ended_at",
]  # fmt: skip


def give_up(delivery: Delivery, why: str, context: JobContext) -> None:
    """Without an attempt: there is nobody to send it to any more."""
    with _held(delivery, context) as row:
        fail([row.pk], why)


def fail(deliveries: list[UUID], why: str) -> None:
    """These are at their end, where they were not."""
    Delivery.objects.filter(pk__in=deliveries, status=DeliveryStatus.PENDING).update(
        status=DeliveryStatus.FAILED, ended_at=Now(), next_attempt_at=None, last_error=why
    )


@contextmanager
def _held(delivery: Delivery, context: JobContext) -> Iterator[Delivery]:
    """The delivery's row, locked. Raises LeaseLost where another attempt may hold its job."""
    with transaction.atomic():
        bound_waits()
        fence = int(context.attempt_id.rpartition(":")[2])
        task = Job.objects.filter(pk=context.job_id, fence=fence, status=Status.PROCESSING)
        if not task.exists():
            raise LeaseLost
        row = Delivery.objects.select_for_update(no_key=True).get(pk=delivery.pk)
        if row.status != DeliveryStatus.PENDING or row.task_id != context.job_id:
            raise LeaseLost
        yield row


def _note_health(endpoint: Endpoint, at: datetime, *, arrived: bool) -> None:
    row = Endpoint.objects.filter(pk=endpoint.pk)
    if arrived:
        row.update(consecutive_failures=0, failing_since=None, last_success_at=at)
    else:
        row.update(
            consecutive_failures=F("consecutive_failures") + 1,
            failing_since=Coalesce("failing_since", at),
            last_failure_at=at,
        )


def _start(body: bytes) -> str:
    return body.decode(errors="replace").replace(_UNSTORABLE, "\N{REPLACEMENT CHARACTER}")[
        :MOST_SHOWN
    ]
