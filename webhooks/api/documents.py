"""An endpoint as the API shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from accounts.access import Access
from accounts.api.moment import shown
from jobs.secret import MASK
from webhooks import statistics
from webhooks.models import Endpoint
from webhooks.policies import DisabledBecause, EventName
from webhooks.redelivering import Replayed
from webhooks.statistics import Statistics


class StatisticsDocument(BaseModel):
    """Of the deliveries of the last `window_seconds`, as they stand: of the newest 2,000 where
    there are more. `success_rate` is of those that ended. `seconds_p50`, `seconds_p95`: how long
    the newest 500 requests took. A page of endpoints shares these numbers among its items."""

    window_seconds: int
    pending: int
    delivered: int
    failed: int
    attempts: int
    success_rate: float | None
    seconds_p50: float | None
    seconds_p95: float | None


class SecretDocument(BaseModel):
    """That a secret signs, and until when; never the secret."""

    created_at: datetime
    expires_at: datetime | None


class EndpointDocument(BaseModel):
    """A URL that is told of events, as it stands.

    `events`, `types` and `queues` are empty where all are meant; the values of `headers` are not
    shown. Null in `timeout_seconds` and `retry` is as configured. `failing_since`: since then no
    request arrived. `secrets` sign each request, the newest first. `tenant` is there where all
    tenants were asked for.
    """

    id: UUID
    url: str
    description: str
    events: list[EventName]
    types: list[str]
    queues: list[str]
    headers: dict[str, str]
    timeout_seconds: int | None
    retry: dict[str, Any] | None
    enabled: bool
    disabled_because: DisabledBecause | None
    disabled_at: datetime | None
    consecutive_failures: int
    failing_since: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    secrets: list[SecretDocument]
    statistics: StatisticsDocument
    created_at: datetime
    updated_at: datetime
    created_by: str | None
    tenant: str | None = None


class EndpointPage(BaseModel):
    items: list[EndpointDocument]
    next_cursor: str | None


class NewEndpointDocument(EndpointDocument):
    """A new endpoint. `secret` signs what it is told; null where this answer is given again."""

    secret: str | None


class NewSecretDocument(BaseModel):
    """`secret`, null where this answer is given again, signs from now on. `expires_at`: until then
    the one before signs as well; null where there was none."""

    secret: str | None
    expires_at: datetime | None


class ReplayedDocument(BaseModel):
    """How many deliveries are sent again. `more`: there are others, so ask again, with `after`
    as `next` says."""

    deliveries: int
    more: bool
    next: UUID | None


class EnabledEndpointDocument(EndpointDocument):
    """`replayed` is there where `replay_since` was given."""

    replayed: ReplayedDocument | None = None


def endpoint_documents(rows: Sequence[Endpoint], access: Access) -> list[dict[str, Any]]:
    """`rows` as `webhooks.api.reach` reads them."""
    most = statistics.MOST_COUNTED // max(len(rows), 1)
    counted = statistics.of_endpoints([row.pk for row in rows], most=most)
    return [_document(row, counted.get(row.pk, Statistics()), access) for row in rows]


def endpoint_document(endpoint: Endpoint, access: Access) -> dict[str, Any]:
    return endpoint_documents([endpoint], access)[0]


def _document(endpoint: Endpoint, counted: Statistics, access: Access) -> dict[str, Any]:
    """A table, hence its length."""
    document = {
        "id": str(endpoint.pk),
        "url": endpoint.url,
        "description": endpoint.description,
        "events": endpoint.events,
        "types": endpoint.types,
        "queues": endpoint.queues,
        "headers": dict.fromkeys(endpoint.headers, MASK),
        "timeout_seconds": endpoint.timeout_seconds,
        "retry": endpoint.retry,
        "enabled": endpoint.enabled,
        "disabled_because": endpoint.disabled_because or None,
        "disabled_at": shown(endpoint.disabled_at),
        "consecutive_failures": endpoint.consecutive_failures,
        "failing_since": shown(endpoint.failing_since),
        "last_success_at": shown(endpoint.last_success_at),
        "last_failure_at": shown(endpoint.last_failure_at),
        "secrets": [_secret(one) for one in getattr(endpoint, "live_secrets", ())],
        "statistics": statistics_document(counted),
        "created_at": shown(endpoint.created_at),
        "updated_at": shown(endpoint.updated_at),
        "created_by": endpoint.created_by or None,
    }
    if access.tenant is None:
        document["tenant"] = endpoint.tenant.slug
    return document


def _secret(row: Any) -> dict[str, Any]:
    return {"created_at": shown(row.created_at), "expires_at": shown(row.expires_at)}


def replayed_document(done: Replayed) -> dict[str, Any]:
    beyond = None if done.next is None else str(done.next)
    return {"deliveries": done.deliveries, "more": done.more, "next": beyond}


def statistics_document(counted: Statistics) -> dict[str, Any]:
    return {
        "window_seconds": int(statistics.WINDOW.total_seconds()),
        "pending": counted.pending,
        "delivered": counted.delivered,
        "failed": counted.failed,
        "attempts": counted.attempts,
        "success_rate": counted.success_rate,
        "seconds_p50": counted.seconds_p50,
        "seconds_p95": counted.seconds_p95,
    }
