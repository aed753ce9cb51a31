"""Endpoints, jobs that end, and deliveries that are sent, in this process."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from standardwebhooks.webhooks import Webhook

from accounts.models import Tenant
from jobs.enqueue import JobOptions, enqueue
from jobs.models import Job
from jobs.operations import Actor
from jobs.testing import drain, run_inline
from tests.support.receiver import Received, Receiver
from webhooks import verbs
from webhooks.definition import Definition
from webhooks.models import Delivery
from webhooks.verbs import WithSecret

EVE = Actor(name="user:eve")


def endpoint(tenant: Tenant, receiver: Receiver, **fields: Any) -> WithSecret:
    return verbs.create(tenant, Definition(url=receiver.url, **fields), EVE)


def echoed(tenant: Tenant, **options: Any) -> Job:
    """A job that has completed."""
    return run_inline(waiting(tenant, **options))


def failed(tenant: Tenant, **options: Any) -> Job:
    """A job that has failed."""
    given = JobOptions(max_retries=0, **options)
    return run_inline(enqueue(tenant, "diagnostics.fail", {"times": 5}, given).job)


def waiting(tenant: Tenant, **options: Any) -> Job:
    return enqueue(tenant, "diagnostics.echo", {"n": 1}, JobOptions(**options)).job


def send(*, skip_waits: bool = False) -> None:
    """All deliveries that are due; with `skip_waits` until each is at its end."""
    drain("webhooks", skip_waits=skip_waits)


def deliveries(job_id: UUID | None = None) -> list[Delivery]:
    rows = Delivery.objects.select_related("event", "endpoint").order_by("pk")
    return list(rows.filter(job_id=job_id) if job_id else rows)


def verified(request: Received, secret: str) -> dict[str, Any]:
    """What the request says, by the independent library; raises where its signature is wrong."""
    Webhook(secret).verify(request.body, dict(request.headers))
    told: dict[str, Any] = json.loads(request.body)
    return told
