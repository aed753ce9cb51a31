"""Sending again: one delivery, those of an endpoint that failed, or all since a time.

It is the same delivery with the same id and body, signed anew; its log goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from jobs.operations import Actor
from webhooks import auditing, handing_in
from webhooks.by_time import highest_id, lowest_id
from webhooks.exceptions import EndpointClosed
from webhooks.listening import listener_of
from webhooks.models import Delivery, Endpoint
from webhooks.policies import DeliveryStatus

MOST_AT_ONCE = 1_000
MOST_CALLS = 10
_ANEW: Mapping[str, Any] = {
    "status": DeliveryStatus.PENDING, "ended_at": None, "delivered_at": None,
    "next_attempt_at": None,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """How many were handed in, and whether there are more: then ask again, `after` the `next`."""

    deliveries: int
    more: bool
    next: UUID | None = None


def redeliver(delivery: Delivery, by: Actor) -> Delivery:
    """Send it again; one that is on its way already stays as it is. Raises EndpointClosed, and
    Delivery.DoesNotExist for one that was removed meanwhile."""
    with transaction.atomic():
        row = next(iter(_locked([delivery.pk])), None)
        if row is None:
            raise Delivery.DoesNotExist
        _require_open(row.endpoint)
        _send([row])
        told = {"delivery_id": str(row.pk)}
        auditing.record("redeliver", row.endpoint, by, after=told)
    return row


def replay(
    endpoint: Endpoint,
    by: Actor,
    *,
    since: datetime,
    until: datetime | None = None,
    failed_only: bool = True,
    after: UUID | None = None,
) -> Replayed:
    """Send what was to be told since then again, oldest first: what failed or was missed, or all
    of it. At most MOST_AT_ONCE in one go; the next ones come `after` what the answer says. Raises
    EndpointClosed."""
    with transaction.atomic():
        row = Endpoint.objects.select_related("tenant").get(pk=endpoint.pk)
        _require_open(row)
        found = _to_replay(row, since, until, failed_only=failed_only, after=after)
        some = found[:MOST_AT_ONCE]
        number, more = len(some), len(found) > len(some)
        _send(_locked(some))
        told = {"since": since.isoformat(), "deliveries": number, "failed_only": failed_only}
        auditing.record("replay", row, by, after=told)
    return Replayed(deliveries=number, more=more, next=some[-1] if more else None)


def replay_on(
    endpoint: Endpoint,
    by: Actor,
    *,
    since: datetime,
    until: datetime | None = None,
    failed_only: bool = True,
    most_calls: int = MOST_CALLS,
) -> Replayed:
    """`replay`, again and again as long as there are more; each go is a transaction of its own.
    Raises EndpointClosed, before which some may have been sent."""
    number, last = 0, Replayed(deliveries=0, more=True)
    for _ in range(most_calls):
        last = replay(
            endpoint, by, since=since, until=until, failed_only=failed_only, after=last.next
        )
        number += last.deliveries
        if not last.more:
            break
    return replace(last, deliveries=number)


def _to_replay(
    endpoint: Endpoint,
    since: datetime,
    until: datetime | None,
    *,
    failed_only: bool,
    after: UUID | None,
) -> list[UUID]:
    statuses = [DeliveryStatus.FAILED]
    if not failed_only:
        statuses.append(DeliveryStatus.DELIVERED)
    rows = Delivery.objects.filter(endpoint=endpoint, status__in=statuses, created_at__gte=since)
    rows = rows.filter(pk__gte=lowest_id(since))
    if until is not None:
        rows = rows.filter(created_at__lt=until, pk__lte=highest_id(until))
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return list(rows.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])


def _locked(ids: Sequence[UUID]) -> list[Delivery]:
    rows = Delivery.objects.select_for_update(of=("self",), no_key=True)
    rows = rows.select_related("event", "endpoint__tenant").defer("event__body")
    return list(rows.filter(pk__in=ids).order_by("pk"))


def _require_open(endpoint: Endpoint) -> None:
    if endpoint.deleted_at or not endpoint.enabled:
        raise EndpointClosed


def _send(rows: Sequence[Delivery]) -> None:
    """Those that are at their end begin anew."""
    ended = [row for row in rows if row.status != DeliveryStatus.PENDING]
    for row in ended:
        for name, value in _ANEW.items():
            setattr(row, name, value)
    if ended:
        handing_in.send(ended[0].tenant_id, [(row, listener_of(row.endpoint)) for row in ended])
        Delivery.objects.filter(pk__in=[row.pk for row in ended]).update(**_ANEW)
        Delivery.objects.bulk_update(ended, ["task_id"])  # each field costs it more than all else
