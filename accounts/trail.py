"""Reading the audit trail: newest first, at a cost that neither filters nor depth raise.

An index leads to the newest entries of a tenant, and to those of an action, an actor or an object;
none to two of these together. So a search for more than one looks through WINDOW entries along one
index, and says where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from accounts.ids import first_id_of
from accounts.models import AuditEntry, Tenant

WINDOW = 5_000
# Which index is likely to lead to the fewest entries.
_NARROWEST_FIRST = ("object_id", "actor", "action")
# Between the moment in an entry's id and its time: a long transaction, clocks that differ.
_APART = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for; without a tenant in all of them, and in the platform's own entries.

    `exact` are values of `action`, `actor`, `object_type` and `object_id`.
    """

    tenant: Tenant | None
    exact: Mapping[str, str] = field(default_factory=dict)
    after: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Found:
    """The newest entries; `seen_to`: no entry older than this one was looked at, there are more."""

    entries: list[AuditEntry]
    seen_to: UUID | None = None


def find(search: Search, *, below: UUID | None, most: int) -> Found:
    """At most `most` entries older than `below`.

    1. Along the index of the narrowest filter. That may lead through other tenants' entries, of
       which nothing may show; so it counts if it came to the end or found enough.
    2. Else along the tenant's own entries, as far as WINDOW goes.
    """
    rows = _in_time(search, below)
    led_by = next((name for name in _NARROWEST_FIRST if name in search.exact), None)
    if led_by is not None:
        found = _look(rows.filter(**{led_by: search.exact[led_by]}), search, {led_by}, most)
        if found.seen_to is None or len(found.entries) == most or search.tenant is None:
            return found
    if search.tenant is not None:
        rows = rows.filter(tenant=search.tenant)
    return _look(rows, search, {"tenant"}, most)


def _in_time(search: Search, below: UUID | None) -> QuerySet[AuditEntry]:
    """By the ids, which begin with the time and end every index; a little too many."""
    rows = AuditEntry.objects.select_related("tenant").order_by("-id")
    if below is not None:
        rows = rows.filter(id__lt=below)
    if search.after is not None:
        rows = rows.filter(id__gte=first_id_of(search.after - _APART))
    if search.before is not None:
        rows = rows.filter(id__lt=first_id_of(search.before + _APART))
    return rows


def _look(rows: QuerySet[AuditEntry], search: Search, led_by: set[str], most: int) -> Found:
    """Those of `rows`, which an index leads to, that all of the search fits."""
    matching = _matching(rows, search)
    end = None if _is_covered(search, led_by) else _end_of_window(rows)
    if end is not None:
        matching = matching.filter(id__gte=end)
    entries = list(matching[:most])
    return Found(entries=entries, seen_to=end if len(entries) < most else None)


def _matching(rows: QuerySet[AuditEntry], search: Search) -> QuerySet[AuditEntry]:
    rows = rows.filter(**search.exact)
    if search.tenant is not None:
        rows = rows.filter(tenant=search.tenant)
    if search.after is not None:
        rows = rows.filter(at__gt=search.after)
    if search.before is not None:
        rows = rows.filter(at__lt=search.before)
    return rows


def _is_covered(search: Search, led_by: set[str]) -> bool:
    """Whether every entry that the index leads to fits."""
    asked = set(search.exact) | ({"tenant"} if search.tenant else set())
    return asked <= led_by and search.after is None and search.before is None


def _end_of_window(rows: QuerySet[AuditEntry]) -> UUID | None:
    """The last entry of the window; None where there are not so many."""
    return rows.select_related(None).values_list("id", flat=True)[WINDOW - 1 : WINDOW].first()
