"""Endpoints that want nothing any more, or fail for days, are disabled; the tenant is told."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.api.moment import shown
from jobs.lifecycle.statement import bound_waits
from jobs.operations import Actor
from jobs.webhook_url import without_path
from webhooks import auditing, listening, outbox
from webhooks.models import Endpoint
from webhooks.policies import DisabledBecause, EventName

_PLATFORM = Actor(name="platform:webhooks")
# In a row: two failed requests to an endpoint of which little is told may be days apart, and say
# nothing of the time between them.
LEAST_FAILURES = 10


def consider(endpoint: Endpoint, *, is_gone: bool) -> None:
    """Disable it where it said that it wants nothing any more, or has been failing for long. What
    jobs bring with them stays: each such URL is asked for by the job that brings it."""
    if endpoint.is_of_jobs:
        return
    if is_gone:
        disable(endpoint, DisabledBecause.GONE)
    elif _fails_for_long(endpoint):
        disable(endpoint, DisabledBecause.FAILING)


def _fails_for_long(endpoint: Endpoint) -> bool:
    since = timezone.now() - timedelta(seconds=settings.WEBHOOK_DISABLE_AFTER_SECONDS)
    failing = Endpoint.objects.filter(
        consecutive_failures__gte=LEAST_FAILURES, failing_since__lte=since
    )
    return failing.filter(pk=endpoint.pk).exists()


def disable(endpoint: Endpoint, because: DisabledBecause) -> bool:
    """False where it was disabled, or deleted, already. What happens from now on is kept, and sent
    when somebody enables it again and asks for it. It keeps no slot waiting for who changes the
    tenant's endpoints: OperationalError then, and the next failure asks again."""
    with transaction.atomic():
        bound_waits()
        listening.lock(endpoint.tenant_id)
        row = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        if not row.enabled or row.deleted_at:
            return False
        row.enabled, row.disabled_because, row.disabled_at = False, because, timezone.now()
        row.save(update_fields=["enabled", "disabled_because", "disabled_at"])
        listening.changed(row.tenant_id)
        auditing.record("disable", row, _PLATFORM, after={"because": because.value})
        outbox.tell(row.tenant_id, EventName.ENDPOINT_DISABLED, _told(row), but_not=row.pk)
    return True


def _told(endpoint: Endpoint) -> dict[str, object]:
    return {
        "endpoint_id": str(endpoint.pk),
        "url": without_path(endpoint.url),
        "because": endpoint.disabled_because,
        "failing_since": shown(endpoint.failing_since),
        "consecutive_failures": endpoint.consecutive_failures,
    }
