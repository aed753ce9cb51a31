"""The endpoints and deliveries that a request may see or change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from rest_framework.exceptions import NotFound

from accounts.access import Access
from accounts.api.path import as_id
from webhooks import secrets
from webhooks.models import Delivery, Endpoint


def endpoints_of(access: Access) -> QuerySet[Endpoint]:
    """Each with its tenant and, as `live_secrets`, when what signs for it was made."""
    signing = Prefetch("secrets", queryset=secrets.live(), to_attr="live_secrets")
    rows = Endpoint.objects.shown().select_related("tenant").prefetch_related(signing)
    return access.narrow(rows)


def endpoint_of(access: Access, endpoint_id: UUID | str) -> Endpoint:
    """Raises NotFound, the same for a malformed, a missing, a deleted and a foreign id."""
    found = endpoints_of(access).filter(pk=as_id(endpoint_id)).first()
    if found is None:
        raise NotFound
    return found


def deliveries_of(access: Access) -> QuerySet[Delivery]:
    """Each with its endpoint."""
    rows = Delivery.objects.select_related("tenant", "endpoint")
    return access.narrow(rows)


def delivery_of(access: Access, delivery_id: UUID | str) -> Delivery:
    found = deliveries_of(access).filter(pk=as_id(delivery_id)).first()
    if found is None:
        raise NotFound
    return found


@contextmanager
def removal_as_not_found() -> Iterator[None]:
    """What somebody removed meanwhile is as what never was."""
    try:
        yield
    except (Endpoint.DoesNotExist, Delivery.DoesNotExist):
        raise NotFound from None
