"""The list of endpoints: its rows, its filters, and how far it looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from accounts.models import Tenant
from accounts.roles import Role
from accounts.staff import Staff
from jobs.admin import newest
from jobs.admin.ids import as_id
from jobs.admin.listing import Filter
from jobs.admin.newest import Found
from jobs.admin.verb_pages import tenants_of
from webhooks import statistics
from webhooks.admin.telling import State, hears, state_of
from webhooks.admin.verbs import VERBS, may_write
from webhooks.admin.ways import endpoint_link, endpoints_link
from webhooks.models import Endpoint
from webhooks.statistics import MOST_COUNTED, Statistics

_KEPT = ("q", "state", "tenant")
_STATES = {
    "delivering": Q(enabled=True, consecutive_failures=0),
    "failing": Q(enabled=True, consecutive_failures__gt=0),
    "disabled": Q(enabled=False),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    endpoint: Endpoint
    link: str
    state: State
    hears: str
    counted: Statistics
    may_act: bool

    @property
    def rate(self) -> str:
        rate = self.counted.success_rate
        return "–" if rate is None else f"{rate:.1%}"


def listing(request: HttpRequest, rows: QuerySet[Endpoint], person: Staff) -> dict[str, Any]:
    """Newest first; ids sort by time."""
    now, query = timezone.now(), request.GET
    tenants = tenants_of(person)
    found, kept = _found(query, rows), newest.kept(query, _KEPT)
    return {
        "rows": _rows(found.rows, person, now),
        "filters": _filters(query, tenants),
        "q": query.get("q", ""),
        "is_narrowed": bool(kept),
        "several_tenants": len(tenants) > 1,
        "verbs": [verb for verb in VERBS.values() if verb.in_list],
        "may_act": person.may_somewhere(Role.OPERATOR),
        "back": query.urlencode(),
        "list_url": endpoints_link(),
        "looked": newest.LOOK,
        **newest.ways(query, found, kept),
    }


def _rows(endpoints: Sequence[Endpoint], person: Staff, now: datetime) -> list[Row]:
    """The figures of a page are of no more deliveries than those of one endpoint."""
    most = MOST_COUNTED // max(len(endpoints), 1)
    counted = statistics.of_endpoints([one.pk for one in endpoints], most=most)
    return [
        Row(
            endpoint=one,
            link=endpoint_link(one.pk),
            state=state_of(one, now),
            hears=hears(one),
            counted=counted.get(one.pk, Statistics()),
            may_act=may_write(person, one),
        )
        for one in endpoints
    ]


def _found(query: QueryDict, rows: QuerySet[Endpoint]) -> Found[Endpoint]:
    mine = newest.narrowed(rows, query)
    shown = mine.select_related("tenant").defer("headers", "retry")
    return newest.find(mine, _condition(query), shown=shown)


def _condition(query: QueryDict) -> Q:
    wanted = _STATES.get(query.get("state", ""), Q())
    if text := newest.clean(query.get("q", "")):
        key = as_id(text)
        wanted &= Q(url__icontains=text) | Q(description__icontains=text) | Q(pk=key)
    return wanted


def _filters(query: QueryDict, tenants: Sequence[Tenant]) -> list[Filter]:
    choices: dict[str, tuple[str, Sequence[tuple[str, str]]]] = {
        "state": ("State", [(name, name) for name in _STATES]),
        "tenant": ("Tenant", [(one.slug, one.slug) for one in tenants[: newest.MOST_CHOICES]]),
    }
    if len(tenants) < 2:
        del choices["tenant"]
    return [
        Filter(name=name, label=label, value=query.get(name, ""), choices=offered)
        for name, (label, offered) in choices.items()
    ]
