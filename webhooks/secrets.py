"""Signing secrets: made, replaced, used. Each is shown once, when it is made."""

from __future__ import annotations

import base64
import secrets as random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import Max, Q, Value
from django.db.models.functions import Least, Now
from django.utils import timezone

from accounts.models import Tenant
from jobs.secret import opened, sealed
from webhooks import listening
from webhooks.models import Endpoint, SigningSecret

PREFIX = "whsec_"
LONGEST_OVERLAP = 7 * 86_400
OVERLAP = 86_400  # seconds for which the secret before signs as well
_BYTES = 32
_MOST_LIVE = 5  # a receiver reads each signature of each request


def new() -> str:
    return PREFIX + base64.b64encode(random.token_bytes(_BYTES)).decode()


def rotate(tenant: Tenant, endpoint: Endpoint | None, *, keep_for: float = OVERLAP) -> str:
    """A new secret for the endpoint, or the tenant's own, beside the ones before, none of which
    signs for more than `keep_for` seconds. Returns it. Call it in a transaction that holds the
    tenant locked."""
    secret, now = new(), timezone.now()
    rows = _of(tenant.pk, endpoint)
    until = Least("expires_at", Value(now + timedelta(seconds=keep_for)))  # of NULL: the other
    rows.filter(_IS_LIVE).update(expires_at=until)
    SigningSecret.objects.create(tenant=tenant, endpoint=endpoint, sealed=sealed(secret))
    live = rows.filter(_IS_LIVE).order_by("-pk").values_list("pk", flat=True)
    rows.filter(pk__in=list(live)[_MOST_LIVE:]).update(expires_at=now)
    return secret


def signing(tenant_id: int, endpoint: Endpoint) -> list[str]:
    """All that sign a request to it at this moment, the newest first."""
    rows = _of(tenant_id, None if endpoint.is_of_jobs else endpoint).filter(_IS_LIVE)
    found = [str(opened(row.sealed)) for row in rows.order_by("-pk")]
    return found or [_own(tenant_id)]


def live_until(
    tenant: Tenant, endpoint: Endpoint | None
) -> Sequence[tuple[datetime, datetime | None]]:
    """Of each secret that signs now: when it was made, and until when; the newest first."""
    rows = _of(tenant.pk, endpoint).filter(_IS_LIVE).order_by("-pk")
    return list(rows.values_list("created_at", "expires_at"))


def former_until(tenant: Tenant, endpoint: Endpoint | None) -> datetime | None:
    """Until when any but the newest signs, or signed; None where there is no other."""
    found: datetime | None = _of(tenant.pk, endpoint).aggregate(last=Max("expires_at"))["last"]
    return found


_IS_LIVE = Q(expires_at=None) | Q(expires_at__gt=Now())


def live() -> models.QuerySet[SigningSecret]:
    """Of all endpoints what signs now, the newest first; without what it is."""
    return SigningSecret.objects.filter(_IS_LIVE).order_by("-pk").defer("sealed")


def _of(tenant_id: int, endpoint: Endpoint | None) -> models.QuerySet[SigningSecret]:
    if endpoint is None:
        return SigningSecret.objects.filter(tenant=tenant_id, endpoint=None)
    return SigningSecret.objects.filter(endpoint=endpoint)


def _own(tenant_id: int) -> str:
    """The tenant's own, made when it is first needed; nobody knows it before it is rotated."""
    with transaction.atomic():
        listening.lock(tenant_id)  # as who rotates it does
        rows = _of(tenant_id, None).filter(expires_at=None)
        row = rows.first() or SigningSecret.objects.create(
            tenant_id=tenant_id, sealed=sealed(new())
        )
    return str(opened(row.sealed))
