"""The calls about webhooks, as the table in `test_apart` writes them, and what they work on.
`test_webhooks_apart.py` holds of them what that one holds of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from accounts.models import Tenant
from accounts.scopes import Scope
from jobs.operations import Actor
from webhooks import verbs
from webhooks.definition import Definition
from webhooks.models import Delivery, Endpoint, Event
from webhooks.policies import DeliveryStatus

READ, WRITE = Scope.WEBHOOKS_READ, Scope.WEBHOOKS_WRITE
BY = Actor(name="test")
URL = "https://hooks.example.invalid/x"  # a name that nobody has is taken
NEW: dict[str, Any] = {"url": URL}
SINCE: dict[str, Any] = {"since": "2026-01-01T00:00:00Z"}
ON_AN_ENDPOINT: list[tuple[str, str, Scope, Any]] = [
    ("GET", "/webhook-endpoints/{id}", READ, None),
    ("PATCH", "/webhook-endpoints/{id}", WRITE, {"description": "another"}),
    ("POST", "/webhook-endpoints/{id}/rotate-secret", WRITE, None),
    ("POST", "/webhook-endpoints/{id}/test", WRITE, None),
    ("POST", "/webhook-endpoints/{id}/enable", WRITE, None),
    ("POST", "/webhook-endpoints/{id}/replay", WRITE, SINCE),
    ("DELETE", "/webhook-endpoints/{id}", WRITE, None),
]
ON_A_DELIVERY: list[tuple[str, str, Scope, Any]] = [
    ("GET", "/webhook-deliveries/{id}", READ, None),
    ("POST", "/webhook-deliveries/{id}/redeliver", WRITE, None),
]
ON_NONE: list[tuple[str, str, Scope, Any]] = [
    ("GET", "/webhook-endpoints", READ, None),
    ("POST", "/webhook-endpoints", WRITE, NEW),
    ("POST", "/webhook-secret/rotate", WRITE, None),
    ("GET", "/webhook-deliveries", READ, None),
]
EVERY = [*ON_NONE, *ON_AN_ENDPOINT, *ON_A_DELIVERY]
WEBHOOK_CALLS = [(*call, None) for call in EVERY]


def made(tenant: Tenant, **fields: Any) -> Endpoint:
    return verbs.create(tenant, Definition(**{"url": URL, **fields}), BY).endpoint


def delivery(
    tenant: Tenant,
    endpoint: Endpoint | None = None,
    *,
    event: str = "job.completed",
    status: str = DeliveryStatus.FAILED,
    **fields: Any,
) -> Delivery:
    """One that is at its end, unless another status is said."""
    told = Event.objects.create(tenant=tenant, name=event, body=f'{{"event":"{event}"}}')
    ended = None if status == DeliveryStatus.PENDING else datetime(2026, 1, 1, tzinfo=UTC)
    return Delivery.objects.create(
        tenant=tenant, event=told, event_name=event, endpoint=endpoint or made(tenant),
        status=status, ended_at=ended, **fields,
    )  # fmt: skip
