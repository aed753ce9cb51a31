"""The list of deliveries: its rows, its filters, and how far it looked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.utils import timezone

from accounts.models import Tenant
from accounts.roles import Role
from accounts.staff import Staff
from jobs.admin import newest
from jobs.admin.ids import as_id
from jobs.admin.listing import Filter
from jobs.admin.telling import Moment, moment, short_id
from jobs.admin.verb_pages import tenants_of
from webhooks.admin.finding import LOOK, Found, Wish, find
from webhooks.admin.telling import answer_of, tone_of
from webhooks.admin.verbs import may_write
from webhooks.admin.ways import deliveries_link, delivery_link, endpoint_link, job_link
from webhooks.models import Delivery, Endpoint
from webhooks.policies import DELIVERED_EVENTS, DeliveryStatus

_NAMED = 60  # characters of a URL in a choice
_FILTERS = ("q", "status", "event", "endpoint", "tenant")


@dataclass(frozen=True, kw_only=True)
class Row:
    delivery: Delivery
    link: str
    endpoint_link: str
    endpoint_word: str  # why there is no link
    job_link: str
    short_job: str
    created: Moment | None
    tone: str
    answer: str
    may_act: bool


def listing(request: HttpRequest, person: Staff) -> dict[str, Any]:
    now, query = timezone.now(), request.GET
    tenants = tenants_of(person)
    found = _found(query, tenants, person)
    return {
        "rows": rows_of(found.deliveries, person, now),
        "filters": _filters(query, tenants, person),
        "q": query.get("q", ""),
        "is_narrowed": bool(newest.kept(query, _FILTERS)),
        "several_tenants": len(tenants) > 1,
        "may_act": person.may_somewhere(Role.OPERATOR),
        "back": query.urlencode(),
        "list_url": deliveries_link(),
        "looked": LOOK if found.looked else 0,
        **_ways(query, found),
    }


def rows_of(deliveries: Sequence[Delivery], person: Staff, now: datetime) -> list[Row]:
    return [
        Row(
            delivery=one,
            link=delivery_link(one.pk),
            endpoint_link="" if _word_of(one.endpoint) else endpoint_link(one.endpoint_id),
            endpoint_word=_word_of(one.endpoint),
            job_link=job_link(one.job_id) if one.job_id else "",
            short_job=short_id(one.job_id) if one.job_id else "",
            created=moment(one.created_at, now),
            tone=tone_of(one),
            answer=answer_of(one),
            may_act=may_write(person, one),
        )
        for one in deliveries
    ]


def _word_of(endpoint: Endpoint) -> str:
    if endpoint.is_of_jobs:
        return "the job's own"
    return "deleted" if endpoint.deleted_at else ""


def _found(query: QueryDict, tenants: Sequence[Tenant], person: Staff) -> Found:
    slug, text = query.get("tenant", ""), query.get("q", "").strip()
    endpoint = query.get("endpoint", "")
    wish = Wish(
        before=as_id(query.get("before", "")),
        id=as_id(text),
        is_nothing=bool((text and not as_id(text)) or (endpoint and not as_id(endpoint))),
        status=_one_of(DeliveryStatus.values, query.get("status", "")),
        event=_one_of(DELIVERED_EVENTS, query.get("event", "")),
        endpoint=as_id(endpoint),
    )
    chosen = [one.pk for one in tenants if slug in ("", one.slug)]
    return find(wish, chosen, everywhere=person.everywhere and not slug)


def _one_of(known: Collection[str], text: str) -> str:
    return text if text in known else ""


def _ways(query: QueryDict, found: Found) -> dict[str, str]:
    kept = newest.kept(query, _FILTERS)
    older = f"?{urlencode({**kept, 'before': found.older})}" if found.older else ""
    return {
        "older_url": "" if found.looked else older,
        "further_url": older if found.looked else "",
        "newest_url": f"?{urlencode(kept)}" if query.get("before") else "",
    }


def _filters(query: QueryDict, tenants: Sequence[Tenant], person: Staff) -> list[Filter]:
    choices = {
        "status": [(one, one) for one in DeliveryStatus.values],
        "event": [(one, one) for one in DELIVERED_EVENTS],
        "endpoint": _endpoints(query.get("endpoint", ""), person),
        "tenant": [(one.slug, one.slug) for one in tenants[: newest.MOST_CHOICES]],
    }
    if len(tenants) < 2:
        del choices["tenant"]
    return [
        Filter(name=name, label=name.capitalize(), value=query.get(name, ""), choices=offered)
        for name, offered in choices.items()
    ]


def _endpoints(chosen: str, person: Staff) -> list[tuple[str, str]]:
    """The newest of them, and the one that is chosen."""
    mine = person.narrow(Endpoint.objects.all(), Role.VIEWER)
    listed = mine.filter(deleted_at=None, is_of_jobs=False)
    offered = listed.order_by("-pk").values_list("pk", "url")[: newest.MOST_CHOICES]
    found = {str(key): url[:_NAMED] for key, url in offered}
    if chosen and chosen not in found:
        key = as_id(chosen)
        other = mine.filter(pk=key).values_list("url", flat=True).first() if key else None
        found[chosen] = (other or chosen)[:_NAMED]
    return sorted(found.items(), key=lambda one: one[1])
