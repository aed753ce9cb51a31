"""Reading the log of deliveries: newest first, at a cost that neither filters nor depth raise.

Indexes lead to the newest deliveries of a tenant or of an endpoint, to those of one status there or
of one event, and to those of a job. Where that is not all that is asked for, WINDOW deliveries are
looked through, and it is said where that stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import Access
from webhooks.api.reach import deliveries_of
from webhooks.by_time import highest_id, lowest_id
from webhooks.models import Delivery, Endpoint

WINDOW = 2_000


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for. None: any."""

    endpoint_id: UUID | None = None
    job_id: UUID | None = None
    event: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Found:
    """The newest deliveries; `seen_to`: none older than this one was looked at, there are more."""

    deliveries: list[Delivery]
    seen_to: UUID | None = None


def find(search: Search, access: Access, *, below: UUID | None, most: int) -> Found:
    """At most `most` deliveries older than `below`."""
    if not _has_endpoint(search, access):
        return Found(deliveries=[])
    led_by = _led_by(search, access)
    rows = _led_to(search, _in_time(search, deliveries_of(access), below), led_by)
    matching = _matching(search, rows)
    end = None if _is_covered(search, led_by) else _end_of_window(rows)
    if end is not None:
        matching = matching.filter(pk__gte=end)
    found = list(matching[:most])
    return Found(deliveries=found, seen_to=end if len(found) < most else None)


def _has_endpoint(search: Search, access: Access) -> bool:
    """So that what is asked of a stranger's endpoint costs what one costs that nobody has, however
    long its log is."""
    if search.endpoint_id is None:
        return True
    rows = Endpoint.objects.filter(pk=search.endpoint_id, is_of_jobs=False)  # removed ones too
    return access.narrow(rows).exists()


def _in_time(search: Search, rows: QuerySet[Delivery], below: UUID | None) -> QuerySet[Delivery]:
    rows = rows.order_by("-pk")  # ids sort by time
    if below is not None:
        rows = rows.filter(pk__lt=below)
    if search.since is not None:
        rows = rows.filter(pk__gte=lowest_id(search.since))
    if search.until is not None:
        rows = rows.filter(pk__lte=highest_id(search.until))
    return rows


def _led_by(search: Search, access: Access) -> Mapping[str, str]:
    """The value that an index leads to. Without one tenant or endpoint there is none to those of a
    status or of an event, and none to both at once; those of a status are likely to be fewer."""
    if access.tenant is None and search.endpoint_id is None:
        return {}
    if search.status is not None:
        return {"status": search.status}
    return {} if search.event is None else {"event_name": search.event}


def _led_to(
    search: Search, rows: QuerySet[Delivery], led_by: Mapping[str, str]
) -> QuerySet[Delivery]:
    """By an index."""
    if search.job_id is not None:
        rows = rows.filter(job_id=search.job_id)
    if search.endpoint_id is not None:
        rows = rows.filter(endpoint=search.endpoint_id)
    return rows.filter(**led_by)


def _matching(search: Search, rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    if search.status is not None:
        rows = rows.filter(status=search.status)
    if search.event is not None:
        rows = rows.filter(event_name=search.event)
    if search.since is not None:
        rows = rows.filter(created_at__gte=search.since)
    if search.until is not None:
        rows = rows.filter(created_at__lt=search.until)
    return rows


def _is_covered(search: Search, led_by: Mapping[str, str]) -> bool:
    """Whether every delivery that the index leads to fits, or these are few."""
    if search.job_id is not None:
        return True
    asked = {"status": search.status, "event_name": search.event}
    rest = [value for name, value in asked.items() if name not in led_by]
    return not any((*rest, search.since, search.until))


def _end_of_window(rows: QuerySet[Delivery]) -> UUID | None:
    """The last delivery of the window; None where there are not so many."""
    ids = rows.select_related(None).values_list("pk", flat=True)
    return ids[WINDOW - 1 : WINDOW].first()
