"""The page of one endpoint: what it hears, how it fares, and what it was sent last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.staff import Staff
from jobs import wording
from jobs.admin.page import Fact
from jobs.admin.telling import Moment, duration, moment
from jobs.admin.verb_pages import sees_several
from jobs.secret import MASK
from webhooks import secrets, statistics
from webhooks.admin.chart import last_day
from webhooks.admin.deliveries_listing import rows_of
from webhooks.admin.telling import event_label, hears, retry_words, state_of
from webhooks.admin.verbs import may_write, offered
from webhooks.admin.ways import deliveries_link, web_link
from webhooks.models import Delivery, Endpoint
from webhooks.statistics import Statistics

NEWEST = 10


@dataclass(frozen=True, kw_only=True)
class SecretRow:
    """That a secret signs, since when, and until when."""

    since: Moment | None
    until: Moment | None


def page(endpoint: Endpoint, person: Staff) -> dict[str, Any]:
    """What the page's template shows."""
    now = timezone.now()
    counted = statistics.of_endpoints([endpoint.pk]).get(endpoint.pk, Statistics())
    return {
        "endpoint": endpoint,
        "web_link": web_link(endpoint.url),
        "several_tenants": sees_several(person),
        "state": state_of(endpoint, now),
        "hears": hears(endpoint),
        "verbs": offered(person, endpoint),
        "may_write": may_write(person, endpoint),
        "tiles": list(_tiles(counted)),
        "of_newest": f"{statistics.MOST_COUNTED:,}" if counted.may_lack else "",
        "chart": last_day(endpoint.pk, now),
        "newest": rows_of(_newest(endpoint), person, now),
        "all_link": deliveries_link(endpoint=str(endpoint.pk)),
        "facts": [fact for fact in _facts(endpoint, now) if fact.text or fact.at],
        "headers": [(name, MASK) for name in sorted(endpoint.headers)],
        "secrets": _secrets(endpoint, now),
    }


def _tiles(counted: Statistics) -> Iterable[tuple[str, str]]:
    rate = counted.success_rate
    yield "Arrived", "–" if rate is None else f"{rate:.1%}"
    yield "Delivered", f"{counted.delivered:,}"
    yield "Failed", f"{counted.failed:,}"
    yield "Pending", f"{counted.pending:,}"
    yield "Attempts", f"{counted.attempts:,}"
    yield "Middle answer", duration(counted.seconds_p50) or "–"
    yield "Slowest of 20", duration(counted.seconds_p95) or "–"


def _newest(endpoint: Endpoint) -> Sequence[Delivery]:
    found = list(Delivery.objects.filter(endpoint=endpoint).order_by("-pk")[:NEWEST])
    for row in found:
        row.endpoint, row.tenant = endpoint, endpoint.tenant
    return found


def _secrets(endpoint: Endpoint, now: datetime) -> list[SecretRow]:
    found = secrets.live_until(endpoint.tenant, endpoint)
    return [SecretRow(since=moment(at, now), until=moment(until, now)) for at, until in found]


def _facts(endpoint: Endpoint, now: datetime) -> Iterable[Fact]:
    """A table, hence its length."""
    yield Fact(name="Events", text=", ".join(map(event_label, endpoint.events)) or "all")
    yield Fact(name="Types of jobs", text=", ".join(endpoint.types) or "all")
    yield Fact(name="Queues", text=", ".join(endpoint.queues) or "all")
    configured = "" if endpoint.timeout_seconds else ", as configured"
    seconds = endpoint.timeout_seconds or settings.WEBHOOK_TIMEOUT_SECONDS
    yield Fact(name="Time for an answer", text=f"{wording.span(seconds)}{configured}")
    own = "" if endpoint.retry else ", as configured"
    yield Fact(name="If it fails", text=f"{retry_words(endpoint.retry)}{own}")
    yield Fact(name="Last arrived", at=moment(endpoint.last_success_at, now))
    yield Fact(name="Last failed", at=moment(endpoint.last_failure_at, now))
    yield Fact(name="Failing since", at=moment(endpoint.failing_since, now))
    yield Fact(name="Disabled", at=moment(endpoint.disabled_at, now))
    yield Fact(name="Created", at=moment(endpoint.created_at, now))
    yield Fact(name="Created by", text=endpoint.created_by)
    yield Fact(name="Changed", at=moment(endpoint.updated_at, now))
