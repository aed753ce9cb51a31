"""The page of one delivery: its facts, each request and its answer, and what is told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.staff import Staff
from jobs.admin.page import Fact
from jobs.admin.telling import Moment, duration, moment
from jobs.admin.verb_pages import sees_several
from jobs.models import Job
from webhooks.admin.telling import answer_of, answer_to, event_label, tone_of
from webhooks.admin.verbs import may_write
from webhooks.admin.ways import endpoint_link, job_link, web_link
from webhooks.models import Delivery, DeliveryAttempt

MOST_ATTEMPTS = 200
SHOWN = 20_000  # characters of a body; the file has all of it


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One request, and the start of what was answered. `url` where it was another than now."""

    number: int
    tone: str
    at: Moment | None
    took: str
    answer: str
    message: str
    answer_start: str
    url: str


def page(delivery: Delivery, person: Staff) -> dict[str, Any]:
    """What the page's template shows."""
    now = timezone.now()
    body = _pretty(delivery.event.body)
    return {
        "delivery": delivery,
        "event": event_label(delivery.event_name),
        "web_link": web_link(delivery.endpoint.url),
        "several_tenants": sees_several(person),
        "tone": tone_of(delivery),
        "answer": answer_of(delivery),
        "next": moment(delivery.next_attempt_at, now),
        "may_write": may_write(person, delivery),
        "attempts": _attempts(delivery, now),
        "facts": [fact for fact in _facts(delivery, now, person) if fact.text or fact.at],
        "body": body[:SHOWN],
        "is_cut": len(body) > SHOWN,
    }


def _attempts(delivery: Delivery, now: datetime) -> list[Attempt]:
    """The latest, oldest first."""
    latest = list(delivery.log.order_by("-number")[:MOST_ATTEMPTS])
    return [_attempt(one, delivery, now) for one in reversed(latest)]


def _attempt(one: DeliveryAttempt, delivery: Delivery, now: datetime) -> Attempt:
    return Attempt(
        number=one.number,
        tone="failed" if one.error else "completed",
        at=moment(one.started_at, now),
        took=duration(one.duration_seconds),
        answer=answer_to(one),
        message=one.message,
        answer_start=one.answer_start,
        url="" if one.url == delivery.endpoint.url else one.url,
    )


def _facts(delivery: Delivery, now: datetime, person: Staff) -> Iterable[Fact]:
    endpoint = delivery.endpoint
    yield Fact(name="Event", text=delivery.event_name)
    yield Fact(name="webhook-id", text=str(delivery.event_id))
    if endpoint.is_of_jobs:
        yield Fact(name="Endpoint", text="the job's own webhook_url")
    elif endpoint.deleted_at:
        yield Fact(name="Endpoint", text="deleted")
    else:
        text = endpoint.description[:80] or str(endpoint.pk)
        yield Fact(name="Endpoint", text=text, link=endpoint_link(endpoint.pk))
    if delivery.job_id:
        link = job_link(delivery.job_id) if _is_there(delivery.job_id) else ""
        yield Fact(name="Job", text=str(delivery.job_id), link=link)
    yield Fact(name="Attempts", text=str(delivery.attempts))
    yield Fact(name="Created", at=moment(delivery.created_at, now))
    yield Fact(name="Next attempt", at=moment(delivery.next_attempt_at, now))
    yield Fact(name="Delivered", at=moment(delivery.delivered_at, now))
    if delivery.ended_at != delivery.delivered_at:
        yield Fact(name="Given up", at=moment(delivery.ended_at, now))
    if person.everywhere and delivery.task_id and _is_there(delivery.task_id):
        yield Fact(name="Internal job", text="Open", link=job_link(delivery.task_id))


def _is_there(job_id: Any) -> bool:
    """Jobs are removed sooner than deliveries, and those of the platform soonest."""
    return Job.objects.filter(pk=job_id).exists()


def _pretty(body: str) -> str:
    """For people: the same JSON, indented."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:  # digits without end
        return body
