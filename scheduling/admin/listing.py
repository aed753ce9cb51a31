"""The list of schedules: its rows, its filters, and how far it looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from accounts.models import Tenant
from accounts.roles import Role
from accounts.staff import Staff
from jobs import registry
from jobs.admin import newest
from jobs.admin.ids import as_id
from jobs.admin.listing import Filter
from jobs.admin.newest import Found
from jobs.admin.verb_pages import tenants_of
from scheduling import timing
from scheduling.admin.strip import Mark, strips
from scheduling.admin.telling import When, when
from scheduling.admin.verbs import VERBS, may_write
from scheduling.admin.ways import list_link, page_link
from scheduling.models import Firing, Schedule
from scheduling.policies import Decision

_KEPT = ("q", "state", "type", "last", "tenant")
_STATES = (("on", "on"), ("off", "off"))


@dataclass(frozen=True, kw_only=True)
class Row:
    schedule: Schedule
    link: str
    in_words: str
    next: When | None
    marks: Sequence[Mark]
    may_act: bool

    @property
    def last(self) -> Mark | None:
        return self.marks[-1] if self.marks else None


def listing(request: HttpRequest, rows: QuerySet[Schedule], person: Staff) -> dict[str, Any]:
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
        "list_url": list_link(),
        "looked": newest.LOOK,
        **newest.ways(query, found, kept),
    }


def _rows(schedules: Sequence[Schedule], person: Staff, now: datetime) -> list[Row]:
    marks = strips(schedules)
    return [
        Row(
            schedule=one,
            link=page_link(one.pk),
            in_words=timing.words_of(one.cron_expression),
            next=when(one.next_run_at, one.timezone, now),
            marks=marks[one.pk],
            may_act=may_write(person, one),
        )
        for one in schedules
    ]


def _found(query: QueryDict, rows: QuerySet[Schedule]) -> Found[Schedule]:
    mine, condition = newest.narrowed(rows, query), _condition(query)
    shown = mine.select_related("tenant").defer("payload", "labels", "description")
    if condition:
        last = Firing.objects.filter(schedule=OuterRef("pk")).order_by("-pk").values("decision")
        shown = shown.annotate(last_decision=Subquery(last[:1]))
    return newest.find(mine, condition, shown=shown)


def _condition(query: QueryDict) -> Q:
    wanted = Q()
    if text := newest.clean(query.get("q", "")):
        wanted &= Q(name__icontains=text) | Q(type__icontains=text) | _by_id(text)
    if query.get("state") in dict(_STATES):
        wanted &= Q(enabled=query["state"] == "on")
    if kind := newest.clean(query.get("type", "")):
        wanted &= Q(type=kind)
    if query.get("last") in Decision.values:
        wanted &= Q(last_decision=query["last"])
    return wanted


def _by_id(text: str) -> Q:
    key = as_id(text)
    return Q(pk=key) if key else Q()


def _filters(query: QueryDict, tenants: Sequence[Tenant]) -> list[Filter]:
    choices: dict[str, tuple[str, Sequence[tuple[str, str]]]] = {
        "state": ("State", _STATES),
        "type": ("Type", [(kind.name, kind.name) for kind in registry.public()]),
        "last": ("Last time", [(each.value, each.value) for each in Decision]),
        "tenant": ("Tenant", [(one.slug, one.slug) for one in tenants[: newest.MOST_CHOICES]]),
    }
    if len(tenants) < 2:
        del choices["tenant"]
    return [
        Filter(name=name, label=label, value=query.get(name, ""), choices=offered)
        for name, (label, offered) in choices.items()
    ]
