"""Endpoints with a past, for the pictures: what they are told is of jobs that ran for real."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.ids import first_id_of, new_id
from accounts.models import Tenant
from jobs.models import Job
from jobs.operations import Actor
from jobs.states import Status
from jobs.webhook_url import as_stored
from webhooks import bodies, disabling, verbs
from webhooks.definition import Definition
from webhooks.models import Delivery, DeliveryAttempt, Endpoint, Event
from webhooks.policies import DisabledBecause

_BY = Actor(name="user:ada")
_RANDOM = (1 << 80) - 1  # the part of an id that does not tell the time
_FEW = ("job.completed", "job.failed")
# Whose, where, what for, what it hears, and how its deliveries went: d delivered, r delivered by a
# second attempt, f failed, p pending.
_ENDPOINTS: Sequence[tuple[int, str, str, dict[str, Any], str]] = (
    (0, "https://shop.harbour.example/celeriac", "Web shop: shows customers what became of it",
     {"events": _FEW, "types": ["mail.send", "invoices.charge"],
      "headers": {"X-Shop": "harbour"}}, "ddddrdddddddfddddddrdddddddddddp"),
    (1, "https://books.orchard.example/in/jobs", "Bookkeeping",
     {"events": ["job.completed"], "types": ["reports.render"]}, "dddddddd"),
    (1, "https://alerts.orchard.example/hook", "Pages whoever is on call",
     {"events": ["job.failed", "schedule.missed"], "retry": {"schedule": [5, 60, 600]}},
     "ddfffpp"),
    (2, "https://till.bakery.example/celeriac", "The old till", {}, "ddddff"),
    (2, "https://wall.bakery.example/events", "Dashboard on the wall",
     {"events": ["job.started", *_FEW]}, "dddddddddddd"),
)  # fmt: skip
_ANSWERS = {
    "d": (200, "", "", '{"ok": true}'),
    "f": (503, "status", "The endpoint answered 503.", "<h1>Service unavailable</h1>"),
}


def make_endpoints(tenants: Sequence[Tenant]) -> tuple[Endpoint, Delivery]:
    """Returns those whose pages are shown."""
    made = [
        _made(tenants[of], url, description, fields, past)
        for of, url, description, fields, past in _ENDPOINTS
    ]
    now = datetime.now(UTC)
    for endpoint, failures in ((made[0], 0), (made[1], 0), (made[2], 9), (made[4], 0)):
        since = now - timedelta(hours=2, minutes=10) if failures else None
        Endpoint.objects.filter(pk=endpoint.pk).update(
            consecutive_failures=failures, failing_since=since, last_success_at=now,
            last_failure_at=since,
        )  # fmt: skip
    disabling.disable(made[3], DisabledBecause.GONE)
    shown = Delivery.objects.filter(endpoint=made[0], attempts=2, job_id__isnull=False)
    return made[0], shown.order_by("-pk")[0]


def _made(
    tenant: Tenant, url: str, description: str, fields: dict[str, Any], past: str
) -> Endpoint:
    given = Definition(url=as_stored(url), description=description, **fields)
    endpoint = verbs.create(tenant, given, _BY).endpoint
    jobs = list(Job.objects.filter(tenant=tenant, status__in=[Status.COMPLETED, Status.FAILED]))
    told = bodies.of_jobs(tenant.pk, jobs)
    for number, what in enumerate(past):
        at = datetime.now(UTC) - timedelta(minutes=8 + 40 * (len(past) - 1 - number))
        _told(endpoint, jobs[number % len(jobs)], told, what, at)
    return endpoint


def _told(endpoint: Endpoint, job: Job, told: dict[Any, Any], what: str, at: datetime) -> None:
    name = f"job.{job.status}"
    event = Event.objects.create(
        tenant=endpoint.tenant, name=name, job_id=job.pk, created_at=at,
        body=bodies.body(name, at, told[job.pk]),
    )  # fmt: skip
    codes = {"d": "d", "r": "fd", "f": "fff", "p": ""}[what]
    ended = at + timedelta(seconds=30 * len(codes)) if codes else None
    status = {"": "pending", "f": "failed"}.get(codes[-1:], "delivered")
    delivery = Delivery.objects.create(
        id=_id_of(at), tenant=endpoint.tenant, event=event, event_name=name, endpoint=endpoint,
        job_id=job.pk, status=status, attempts=len(codes), ended_at=ended, created_at=at,
        delivered_at=ended if status == "delivered" else None,
        last_status_code=_ANSWERS[codes[-1]][0] if codes else None,
        last_error=_ANSWERS[codes[-1]][1] if codes else "",
    )  # fmt: skip
    DeliveryAttempt.objects.bulk_create(
        _attempt(delivery, number, code, at) for number, code in enumerate(codes, start=1)
    )


def _id_of(at: datetime) -> UUID:
    """As one that was made then."""
    return UUID(int=first_id_of(at).int | new_id().int & _RANDOM)


def _attempt(delivery: Delivery, number: int, code: str, at: datetime) -> DeliveryAttempt:
    status, error, message, answer = _ANSWERS[code]
    return DeliveryAttempt(
        delivery=delivery, number=number, url=delivery.endpoint.url, status_code=status,
        started_at=at + timedelta(seconds=30 * (number - 1)), error=error, message=message,
        duration_seconds=0.11 + 0.037 * (number % 7), answer_start=answer,
    )  # fmt: skip
