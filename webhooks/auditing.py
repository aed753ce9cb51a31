"""What the audit trail is told of an endpoint. Secrets, the values of headers and what follows the
host of a URL never."""

from __future__ import annotations

from typing import Any

from accounts import audit
from accounts.models import Tenant
from jobs.operations import Actor
from jobs.secret import MASK
from jobs.webhook_url import without_path
from webhooks.models import Endpoint


def record(what: str, endpoint: Endpoint, by: Actor, **sides: Any) -> None:
    audit.record_done(f"endpoint.{what}", endpoint, by, **sides)


def record_own_secret(tenant: Tenant, by: Actor) -> None:
    """The tenant's own secret was replaced."""
    audit.record(
        actor=by.name,
        action="webhook_secret.rotate",
        object_type="tenant",
        object_id=tenant.slug,
        tenant=tenant,
        address=by.address,
    )


def told(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "url": without_path(endpoint.url),
        "description": endpoint.description,
        "events": endpoint.events,
        "types": endpoint.types,
        "queues": endpoint.queues,
        "headers": dict.fromkeys(endpoint.headers, MASK),
        "timeout_seconds": endpoint.timeout_seconds,
        "retry": endpoint.retry,
        "enabled": endpoint.enabled,
        "disabled_because": endpoint.disabled_because,
    }
