"""The deliveries of one page of the list, found at a cost that does not grow with their number.

What an index answers is found however far back it lies: deliveries of tenants or of an endpoint,
also by status or by event. The rest is looked for among the newest LOOK of those, and the page says
so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from webhooks.models import Delivery, Endpoint

PAGE = 50
LOOK = 2_000
MOST_STREAMS = 100  # tenants whose deliveries are found by status or by event
_MOST_OF_ONE = 1_000  # deliveries of a job


_SEEN = ("pk", "tenant_id", "status", "event_name")


class _Seen(NamedTuple):
    """A delivery, as far as a look at it goes."""

    pk: UUID
    tenant: int
    status: str
    event: str


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is looked for; what is empty is not asked. `id`: of a delivery, a job or an event.
    `is_nothing`: of no such thing there can be one."""

    before: UUID | None = None
    id: UUID | None = None
    is_nothing: bool = False
    status: str = ""
    event: str = ""
    endpoint: UUID | None = None

    @property
    def narrowed(self) -> dict[str, str]:
        """Values of columns that an index leads to, one at a time."""
        asked = {"status": self.status, "event_name": self.event}
        return {name: value for name, value in asked.items() if value}

    @property
    def likely_fewest(self) -> dict[str, str]:
        return dict(list(self.narrowed.items())[:1])


@dataclass(frozen=True, kw_only=True)
class Found:
    """`older`: where the next page begins, empty on the last one. `looked`: the look ended there,
    before the page was full."""

    deliveries: Sequence[Delivery] = ()
    older: str = ""
    looked: bool = False


def find(wish: Wish, tenants: Sequence[int], *, everywhere: bool) -> Found:
    """Those of `tenants` that the wish asks for, newest first. `everywhere`: these are all."""
    if wish.is_nothing or not tenants:
        return Found()
    if wish.endpoint and not everywhere and not _is_theirs(wish.endpoint, tenants):
        return Found()
    streams = _streams(wish, tenants, everywhere=everywhere)
    if wish.before is not None:
        streams = [rows.filter(pk__lt=wish.before) for rows in streams]
    is_known = wish.id is not None or wish.endpoint is not None
    has_index = is_known or not everywhere or len(tenants) <= MOST_STREAMS
    led_by = wish.likely_fewest if has_index else {}
    streams = [rows.filter(**led_by) for rows in streams]
    if len(led_by) < len(wish.narrowed):
        return _looked(wish, streams)
    return _page(_newest_keys(streams))


def _is_theirs(endpoint: UUID, tenants: Sequence[int]) -> bool:
    """Looked up first: by its deliveries another's would cost more than one that is not there."""
    return Endpoint.objects.filter(pk=endpoint, tenant__in=tenants).exists()


def _streams(
    wish: Wish, tenants: Sequence[int], *, everywhere: bool
) -> Sequence[QuerySet[Delivery]]:
    """Each is read newest first by an index of its own."""
    rows = Delivery.objects.all()
    if wish.id is not None or wish.endpoint is not None:
        mine = rows if everywhere else rows.filter(tenant__in=tenants)
        mine = mine.filter(pk__in=_named(wish.id)) if wish.id else mine
        return [mine.filter(endpoint=wish.endpoint) if wish.endpoint else mine]
    if everywhere and (len(tenants) > MOST_STREAMS or not wish.narrowed):
        return [rows]
    return [rows.filter(tenant=one) for one in tenants]


def _named(key: UUID) -> set[UUID]:
    """Three questions: one with OR might be answered by a look at every row."""
    of_job = Delivery.objects.filter(job_id=key).values_list("pk", flat=True)
    of_event = Delivery.objects.filter(event=key).values_list("pk", flat=True)
    return {key, *of_job[:_MOST_OF_ONE], *of_event[:_MOST_OF_ONE]}


def _newest_keys(streams: Sequence[QuerySet[Delivery]]) -> list[UUID]:
    rows = _newest(streams, PAGE + 1, "pk")
    return sorted((key for (key,) in rows), reverse=True)[: PAGE + 1]


def _newest(
    streams: Sequence[QuerySet[Delivery]], each: int, *columns: str
) -> QuerySet[Delivery, Any]:
    """At most `each` of every stream, in no order."""
    parts = [rows.order_by("-pk").values_list(*columns)[:each] for rows in streams]
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


def _looked(wish: Wish, streams: Sequence[QuerySet[Delivery]]) -> Found:
    """A match further back than each stream was looked at is left for the next page."""
    each = max(PAGE, LOOK // len(streams))
    rows = [_Seen(*row) for row in sorted(_newest(streams, each, *_SEEN), reverse=True)]
    whole = Counter(row.tenant for row in rows) if len(streams) > 1 else {0: len(rows)}
    ends = [
        min(row.pk for row in rows if tenant in (0, row.tenant))
        for tenant, number in whole.items()
        if number == each
    ]
    end = max(ends, default=None)
    seen = [row for row in rows if end is None or row.pk >= end]
    page = _page([row.pk for row in seen if _is_wanted(row, wish)])
    if page.older or end is None:
        return page
    return Found(deliveries=page.deliveries, older=str(end), looked=True)


def _is_wanted(row: _Seen, wish: Wish) -> bool:
    return wish.event in ("", row.event) and wish.status in ("", row.status)


def _page(keys: Sequence[UUID]) -> Found:
    """One key more than a page has says that there is a next page."""
    shown = keys[:PAGE]
    rows = Delivery.objects.select_related("tenant", "endpoint")
    by_id = rows.in_bulk(list(shown)) if shown else {}
    return Found(
        deliveries=[by_id[key] for key in shown if key in by_id],
        older=str(shown[-1]) if len(keys) > PAGE else "",
    )
