"""The list of jobs: its rows, its filters and what it says about itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone

from accounts.models import Tenant
from accounts.roles import Role
from accounts.staff import Staff
from jobs import registry
from jobs.admin.finding import DEEP, PAGE, Found, find
from jobs.admin.search import FORMS
from jobs.admin.telling import Moment, moment, run_time, short_id
from jobs.admin.verbs import BOOST, VERBS
from jobs.admin.wish import ANY_WAITING, DEAD, Wish, wish_of
from jobs.effective import priorities
from jobs.models import Job, Queue
from jobs.priorities import Level, level_of
from jobs.states import Status

LIST = "admin:jobs_job_changelist"
MOST_CHOICES = 200
_WITHIN = {
    "hour": "the last hour",
    "day": "the last day",
    "week": "the last 7 days",
    "month": "the last 30 days",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """A job in the list."""

    job: Job
    link: str
    short_id: str
    created: Moment | None
    took: str
    priority: int  # the effective one

    @property
    def level(self) -> Level:
        return level_of(self.priority)

    @property
    def runs(self) -> bool:
        return self.job.status == Status.PROCESSING


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A choice above the list; without choices a text of one's own."""

    name: str
    label: str
    value: str
    choices: Sequence[tuple[str, str]] = ()


def listing(request: HttpRequest, person: Staff) -> dict[str, Any]:
    """What the list's template shows."""
    now = timezone.now()
    query, wish = request.GET, wish_of(request.GET.dict(), now)
    tenants = list(person.narrow(Tenant.objects.order_by("slug"), Role.VIEWER, "pk"))
    named = Queue.objects.filter(internal=False).order_by("pk")
    queues = list(named.values_list("pk", flat=True))
    found = _found(wish, tenants, queues, person)
    return {
        "rows": rows_of(found.jobs, now),
        "filters": _filters(query, tenants, queues),
        "q": query.get("q", ""),
        "understood": wish.search.sentence,
        "search_forms": FORMS,
        "is_narrowed": bool(wish.search.sentence or _kept(query).keys() - {"q"}),
        "several_tenants": len(tenants) > 1,
        "verbs": [verb for verb in VERBS.values() if verb.in_list],
        "may_act": person.may_somewhere(Role.OPERATOR),
        "boost": BOOST,
        "back": query.urlencode(),
        "list_url": reverse(LIST),
        **_ways(query, wish, found),
    }


def rows_of(jobs: Sequence[Job], now: datetime) -> list[Row]:
    known = priorities(jobs, now)
    return [_row(job, known[job.pk], now) for job in jobs]


def _row(job: Job, priority: int, now: datetime) -> Row:
    return Row(
        priority=priority,
        job=job,
        link=page_link(job),
        short_id=short_id(job.pk),
        created=moment(job.created_at, now),
        took=run_time(job, now),
    )


def page_link(job: Job) -> str:
    return reverse("admin:jobs_job_change", args=[job.pk])


def list_link(**filters: str) -> str:
    return f"{reverse(LIST)}?{urlencode(filters)}"


def _found(wish: Wish, tenants: Sequence[Tenant], queues: Sequence[str], person: Staff) -> Found:
    chosen = [one.pk for one in tenants if wish.tenant in ("", one.slug)]
    if wish.queue and wish.queue not in queues:
        return Found()
    return find(wish, chosen, queues, everywhere=person.everywhere and not wish.tenant)


def _kept(query: QueryDict) -> dict[str, str]:
    """The filters that are set, without the place in the list."""
    return {
        name: value
        for name, value in ((name, str(query[name])) for name in query)
        if value and name not in ("before", "look", "all")
    }


def _ways(query: QueryDict, wish: Wish, found: Found) -> Mapping[str, Any]:
    """Where the page leads, and what it says about how far it looked."""
    kept = _kept(query)
    older = {**kept, "before": found.older}
    return {
        "older_url": f"?{urlencode(older)}" if found.older and not found.looked else "",
        "deeper_url": f"?{urlencode({**older, 'look': 'deep'})}" if found.looked else "",
        "newest_url": f"?{urlencode(kept)}" if wish.before else "",
        "looked": found.looked,
        "deeper": DEEP,
        "sampled": found.sampled,
        "page_size": PAGE,
    }


def _filters(query: QueryDict, tenants: list[Tenant], queues: list[str]) -> list[Filter]:
    choices = {
        "status": [
            *((status.value, status.value) for status in Status),
            (ANY_WAITING, "any that waits"),
            (DEAD, "dead letters"),
        ],
        "type": [(kind.name, kind.name) for kind in registry.public()],
        "queue": [(name, name) for name in queues],
        "level": [(level.value, level.value) for level in Level],
        "tenant": [(one.slug, one.slug) for one in tenants] if len(tenants) > 1 else [],
        "created": list(_WITHIN.items()),
    }
    labels = {"level": "Level, queued", "created": "Created in"}
    return [
        Filter(
            name=name,
            label=labels.get(name, name.capitalize()),
            value=query.get(name, ""),
            choices=offered if len(offered) <= MOST_CHOICES else (),
        )
        for name, offered in choices.items()
        if offered
    ]
