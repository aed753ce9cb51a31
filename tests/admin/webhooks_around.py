"""Endpoints and deliveries for the tests of their admin: in any situation, and a great many."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.test import Client
from django.utils import timezone

from accounts.models import Tenant
from jobs.operations import Actor
from jobs.webhook_url import as_stored
from tests.support.copying import unchecked
from webhooks import verbs
from webhooks.definition import Definition
from webhooks.models import Delivery, DeliveryAttempt, Endpoint, Event

ENDPOINTS, DELIVERIES = "/admin/webhooks/endpoint/", "/admin/webhooks/delivery/"
URL = "https://hooks.example.invalid/in"
EVE = Actor(name="user:eve")


def made(tenant: Tenant, url: str = URL, **fields: Any) -> Endpoint:
    """Made by the verb; its URL is looked up nowhere."""
    return verbs.create(tenant, Definition(url=as_stored(url), **fields), EVE).endpoint


def told(
    endpoint: Endpoint,
    status: str = "delivered",
    event: str = "job.completed",
    job_id: UUID | None = None,
    body: str = "",
    **fields: Any,
) -> Delivery:
    """A delivery of which one attempt was made, or none where it is pending."""
    now = timezone.now()
    text = body or json.dumps({"event": event, "data": {}})
    happened = Event.objects.create(tenant=endpoint.tenant, name=event, job_id=job_id, body=text)
    given: dict[str, Any] = {"status": status, "job_id": job_id}
    if status != "pending":
        given |= {"attempts": 1, "ended_at": now, "last_status_code": 200}
    if status == "delivered":
        given["delivered_at"] = now
    if status == "failed":
        given |= {"last_status_code": 500, "last_error": "status"}
    return Delivery.objects.create(
        tenant=endpoint.tenant,
        event=happened,
        event_name=event,
        endpoint=endpoint,
        **given | fields,
    )


def attempted(delivery: Delivery, **fields: Any) -> DeliveryAttempt:
    given: dict[str, Any] = {
        "number": 1, "url": delivery.endpoint.url, "started_at": timezone.now(),
        "duration_seconds": 0.2, "status_code": 500, "error": "status",
        "message": "The endpoint answered 500.", "answer_start": "out of order",
    }  # fmt: skip
    return DeliveryAttempt.objects.create(delivery=delivery, **given | fields)


def failing(endpoint: Endpoint) -> None:
    since = timezone.now() - timedelta(hours=3)
    rows = Endpoint.objects.filter(pk=endpoint.pk)
    rows.update(consecutive_failures=4, failing_since=since, last_failure_at=timezone.now())


def page_of(row: Endpoint | Delivery, way: str = "change") -> str:
    return f"{ENDPOINTS if isinstance(row, Endpoint) else DELIVERIES}{row.pk}/{way}/"


def act(client: Client, verb: str, *endpoints: Endpoint, **fields: str) -> int:
    chosen = [str(one.pk) for one in endpoints]
    return client.post(f"{ENDPOINTS}act/{verb}/", {"endpoint": chosen, **fields}).status_code


def send_again(client: Client, *deliveries: Delivery, **fields: str) -> int:
    chosen = [str(one.pk) for one in deliveries]
    return client.post(f"{DELIVERIES}send-again/", {"delivery": chosen, **fields}).status_code


def ids_in(text: str, kind: str) -> list[str]:
    return [part.partition('"')[0] for part in text.split(f'data-{kind}-id="')[1:]]


# A tenth of the way from the oldest lies one that failed, of another event and of a job of its own.
_EVENTS = """
INSERT INTO webhooks_event (id, tenant_id, name, job_id, body, created_at)
SELECT {id}, (%(tenants)s::bigint[])[1 + n %% %(number)s],
       CASE WHEN rare THEN 'job.cancelled' ELSE 'job.completed' END, {job}, '{{}}', {at}
  FROM {rows}
"""
_DELIVERIES = """
INSERT INTO webhooks_delivery (
    id, tenant_id, event_id, event_name, endpoint_id, job_id, status, attempts, ended_at,
    last_error, created_at)
SELECT {id}, (%(tenants)s::bigint[])[1 + n %% %(number)s], {id},
       CASE WHEN rare THEN 'job.cancelled' ELSE 'job.completed' END,
       (%(endpoints)s::uuid[])[1 + n %% %(number)s], {job},
       CASE WHEN rare THEN 'failed' ELSE 'delivered' END, 1, {at}, '', {at}
  FROM {rows}
"""
_PARTS = {
    "id": "(lpad(to_hex((extract(epoch FROM {at}) * 1000)::bigint), 12, '0') || '7'"
    " || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid",
    "job": "md5('job' || n)::uuid",
    "at": "(%(now)s::timestamptz - (%(total)s - n) * interval '20 milliseconds')",
    "rows": "generate_series(1, %(total)s) AS n"
    " CROSS JOIN LATERAL (SELECT n = %(total)s / 10 AS rare) AS one",
}


def many(endpoints: list[Endpoint], total: int) -> Delivery:
    """In place of all there are, each of one of the endpoints. Returns the rare one."""
    given: dict[str, Any] = {
        "tenants": [one.tenant_id for one in endpoints],
        "endpoints": [one.pk for one in endpoints],
        "number": len(endpoints),
        "total": total,
        "now": timezone.now(),
    }
    parts = {name: text.replace("{at}", _PARTS["at"]) for name, text in _PARTS.items()}
    with unchecked() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else rows of this transaction hold it up
        cursor.execute("TRUNCATE webhooks_event, webhooks_delivery, webhooks_deliveryattempt")
        for statement in (_EVENTS, _DELIVERIES):
            cursor.execute(statement.format(**parts), given)
        cursor.execute("ANALYZE webhooks_event, webhooks_delivery")
    return Delivery.objects.select_related("event").get(status="failed")
