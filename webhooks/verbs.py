"""What a person or a program does to endpoints: the change and its audit entry, together.

REST, the admin and the commands are doors to these verbs. Names are resolved before anything is
locked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Tenant
from accounts.tenants import platform_of
from jobs.exceptions import QuotaExceeded
from jobs.operations import Actor
from jobs.policies import opening
from jobs.secret import MASK
from webhooks import auditing, bodies, handing_in, listening, secrets
from webhooks.definition import Definition, judged, looked_at
from webhooks.exceptions import EndpointClosed
from webhooks.handing_in import Due
from webhooks.models import Delivery, Endpoint, Event
from webhooks.policies import TEST_EVENT, DisabledBecause

_QUOTA_SECONDS = 3600
_HIDDEN = ("url", "headers")  # may read the same in the audit trail before and after


@dataclass(frozen=True, kw_only=True)
class WithSecret:
    """An endpoint and its new secret, which nobody can read again."""

    endpoint: Endpoint
    secret: str = field(repr=False)


def create(tenant: Tenant, given: Definition, by: Actor) -> WithSecret:
    """A new endpoint; it is told of what happens from now on. Raises InvalidEndpoint, and
    QuotaExceeded; then nothing was written."""
    columns = judged(given)
    platform_of(tenant)  # so that no change of a job has to make it
    with transaction.atomic():
        listening.lock(tenant.pk)
        _require_room(tenant)
        row = Endpoint(tenant=tenant, created_by=by.name, **columns)
        _switch(row, enabled=given.enabled)
        row.save(force_insert=True)
        row.refresh_from_db(fields=["created_at", "updated_at"])
        secret = secrets.rotate(tenant, row)
        listening.changed(tenant.pk)
        auditing.record("create", row, by, after=auditing.told(row))
    return WithSecret(endpoint=row, secret=secret)


def change(endpoint: Endpoint, changes: Mapping[str, Any], by: Actor) -> Endpoint:
    """The endpoint with these fields of `Definition` changed; `***` leaves the value of a header,
    and so does it not to be named here, but for a URL of another host. What is on its way already
    goes to the new URL. One that was disabled for its failures and is switched off is so by hand.
    Raises InvalidEndpoint, Endpoint.DoesNotExist."""
    if "url" in changes:
        changes = {**changes, "url": looked_at(changes["url"])}
    with _locked(endpoint) as row:
        given = Definition(**{**definition_of(row), **changes})
        columns = judged(given, row)
        before = auditing.told(row)
        hidden = [name for name in _HIDDEN if getattr(row, name) != columns[name]]
        for name, value in columns.items():
            setattr(row, name, value)
        if given.enabled != row.enabled or changes.get("enabled") is False:
            _switch(row, enabled=given.enabled)
        after = auditing.told(row)
        different = [name for name in after if name in hidden or after[name] != before[name]]
        if different:
            row.updated_at = timezone.now()
            row.save()
            listening.changed(row.tenant_id)
            auditing.record(
                "change", row, by,
                before={name: before[name] for name in different},
                after={name: after[name] for name in different},
            )  # fmt: skip
        if "url" in hidden or (row.enabled and "enabled" in different):
            _let_through(row)
    return row


def definition_of(endpoint: Endpoint) -> dict[str, Any]:
    """The fields of `Definition`, with `***` for the values of headers."""
    masked = {"headers": dict.fromkeys(endpoint.headers, MASK)}
    return {one.name: getattr(endpoint, one.name) for one in fields(Definition)} | masked


def delete(endpoint: Endpoint, by: Actor) -> None:
    """Nothing is sent to it from now on; its log stays as long as deliveries are kept."""
    with _locked(endpoint) as row:
        row.deleted_at = timezone.now()
        row.save(update_fields=["deleted_at"])
        listening.changed(row.tenant_id)
        auditing.record("delete", row, by, before=auditing.told(row))


def enable(endpoint: Endpoint, by: Actor) -> Endpoint:
    """Switch it on, whatever switched it off; it begins with a clean bill of health."""
    with _locked(endpoint) as row:
        if not row.enabled:
            _switch(row, enabled=True)
            row.save()
            listening.changed(row.tenant_id)
            auditing.record("enable", row, by)
        _let_through(row)
    return row


def rotate_secret(endpoint: Endpoint, by: Actor, *, keep_for: float = secrets.OVERLAP) -> str:
    """A new secret, shown this once. The one before signs as well for `keep_for` seconds."""
    with _locked(endpoint) as row:
        secret = secrets.rotate(row.tenant, row, keep_for=keep_for)
        auditing.record("rotate_secret", row, by)
    return secret


def rotate_own_secret(tenant: Tenant, by: Actor, *, keep_for: float = secrets.OVERLAP) -> str:
    """The same for what signs requests to the `webhook_url` of the tenant's jobs."""
    with transaction.atomic():
        listening.lock(tenant.pk)
        secret = secrets.rotate(tenant, None, keep_for=keep_for)
        auditing.record_own_secret(tenant, by)
    return secret


def test(endpoint: Endpoint, by: Actor) -> Delivery:
    """Send it `endpoint.test`, whatever it listens to. Raises EndpointClosed."""
    with _locked(endpoint) as row:
        if not row.enabled:
            raise EndpointClosed
        data = {"endpoint_id": str(row.pk), "message": "This is a test."}
        text = bodies.body(TEST_EVENT, timezone.now(), data)
        event = Event(tenant_id=row.tenant_id, name=TEST_EVENT, body=text)
        due = Due(event=event, listener=listening.listener_of(row))
        (delivery,) = handing_in.hand_in(row.tenant_id, [due])
        auditing.record("test", row, by)
        _let_through(row)
    return delivery


@contextmanager
def _locked(endpoint: Endpoint) -> Iterator[Endpoint]:
    """The row as it now is, held until the transaction ends. Raises Endpoint.DoesNotExist."""
    with transaction.atomic():
        listening.lock(endpoint.tenant_id)
        rows = Endpoint.objects.shown().select_for_update(of=("self",), no_key=True)
        yield rows.select_related("tenant").get(pk=endpoint.pk)


def _let_through(row: Endpoint) -> None:
    """Whatever the endpoint asked for, or its failures called for: somebody wants to see now."""
    opening.open_key(platform_of(row.tenant_id).pk, str(row.pk))


def _switch(row: Endpoint, *, enabled: bool) -> None:
    row.enabled = enabled
    row.disabled_because = "" if enabled else DisabledBecause.BY_HAND
    row.disabled_at = None if enabled else row.disabled_at or timezone.now()
    if enabled:
        row.consecutive_failures, row.failing_since = 0, None


def _require_room(tenant: Tenant) -> None:
    most = settings.WEBHOOK_ENDPOINTS_PER_TENANT
    if most and Endpoint.objects.shown().filter(tenant=tenant)[:most].count() >= most:
        text = f"The tenant has {most:,} endpoints, as many as it may."
        raise QuotaExceeded(text, retry_after=_QUOTA_SECONDS)
