"""The request: what stands in it, and that it leaves by the one way out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from jobs import egress
from jobs.egress import Answer
from jobs.secret import opened
from jobs.version import VERSION
from webhooks import secrets
from webhooks.models import Delivery, Endpoint
from webhooks.signing import signed_headers

MOST_OF_ANSWER = 4_096  # bytes that are read of it


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A request that was made, or tried, and its answer."""

    at: datetime
    answer: Answer


def send(delivery: Delivery) -> Sent:
    """Never raises for the network's sake."""
    endpoint, event = delivery.endpoint, delivery.event
    at = datetime.now(UTC)
    signing = secrets.signing(delivery.tenant_id, endpoint)
    request = egress.Request(
        url=endpoint.url,
        method="POST",
        body=event.body.encode(),
        headers={
            **opened_headers(endpoint),
            "Content-Type": "application/json",
            "User-Agent": f"Celeriac/{VERSION}",
            **signed_headers(event.pk, at, event.body, signing),
        },
        timeout_seconds=timeout_of(endpoint),
        most_bytes=MOST_OF_ANSWER,
        party=str(delivery.tenant_id),
    )
    return Sent(at=at, answer=egress.send(request))


def timeout_of(endpoint: Endpoint) -> float:
    return float(endpoint.timeout_seconds or settings.WEBHOOK_TIMEOUT_SECONDS)


def opened_headers(endpoint: Endpoint) -> dict[str, str]:
    """The endpoint's own headers, readable."""
    return {name: opened(value) for name, value in endpoint.headers.items()}
