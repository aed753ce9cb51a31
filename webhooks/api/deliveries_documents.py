"""A delivery as the API shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from accounts.access import Access
from accounts.api.moment import shown
from accounts.scopes import Scope
from webhooks.models import Delivery, DeliveryAttempt
from webhooks.policies import DeliveryStatus

MOST_ATTEMPTS_SHOWN = 200


class DeliveryDocument(BaseModel):
    """One event on its way to one URL.

    `event_id` is the header `webhook-id` of each request. `endpoint_id` is null where a job's own
    `webhook_url` is told. `url` is the endpoint's as it now is, to which the next request goes;
    where each one went stands in the log. `next_attempt_at` is there between attempts. `last_error`
    is one word; `endpoint_disabled`: it happened while the endpoint was disabled, and nothing was
    sent. `tenant` is there where all tenants were asked for.
    """

    id: UUID
    event_id: UUID
    event: str
    endpoint_id: UUID | None
    url: str
    job_id: UUID | None
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    last_status_code: int | None
    last_error: str | None
    created_at: datetime
    tenant: str | None = None


class DeliveryPage(BaseModel):
    items: list[DeliveryDocument]
    next_cursor: str | None


class DeliveryAttemptDocument(BaseModel):
    """One request. `error` is one word, null where it arrived; `message` says it in a sentence.
    `answer_start`: how the answer's body begins."""

    number: int
    url: str
    started_at: datetime
    duration_seconds: float
    status_code: int | None
    error: str | None
    message: str | None
    answer_start: str


class WholeDeliveryDocument(DeliveryDocument):
    """A delivery with its log, which is of its latest 200 attempts, and `body`: the very text that
    is sent. A token without `jobs:read` is shown null there, for it tells of jobs and what came of
    them."""

    log: list[DeliveryAttemptDocument]
    body: str | None


def delivery_document(delivery: Delivery, access: Access) -> dict[str, Any]:
    """`delivery` as `webhooks.api.reach` reads it."""
    endpoint = delivery.endpoint
    document = {
        "id": str(delivery.pk),
        "event_id": str(delivery.event_id),
        "event": delivery.event_name,
        "endpoint_id": None if endpoint.is_of_jobs else str(endpoint.pk),
        "url": endpoint.url,
        "job_id": None if delivery.job_id is None else str(delivery.job_id),
        "status": delivery.status,
        "attempts": delivery.attempts,
        "next_attempt_at": shown(delivery.next_attempt_at),
        "delivered_at": shown(delivery.delivered_at),
        "last_status_code": delivery.last_status_code,
        "last_error": delivery.last_error or None,
        "created_at": shown(delivery.created_at),
    }
    if access.tenant is None:
        document["tenant"] = delivery.tenant.slug
    return document


def whole_delivery_document(delivery: Delivery, access: Access) -> dict[str, Any]:
    latest = delivery.log.order_by("-number")[:MOST_ATTEMPTS_SHOWN]
    return {
        **delivery_document(delivery, access),
        "log": [_attempt(one) for one in reversed(latest)],
        "body": delivery.event.body if access.may(Scope.JOBS_READ) else None,
    }


def _attempt(attempt: DeliveryAttempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "url": attempt.url,
        "started_at": shown(attempt.started_at),
        "duration_seconds": attempt.duration_seconds,
        "status_code": attempt.status_code,
        "error": attempt.error or None,
        "message": attempt.message or None,
        "answer_start": attempt.answer_start,
    }
