"""Schedules that did not run in time, lately or now: for those who are to be told.

Each look goes along an index of its own, whatever else is in the tables. Of very many misses (a
long outage, thousands of schedules) it sees the newest of those asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Max, Min, Q, QuerySet
from django.db.models.functions import Now

from scheduling.models import Firing, Schedule
from scheduling.models.firing import LATE_FROM_SECONDS
from scheduling.policies import Decision

MOST_TOLD = 20
_LOOKED_AT = 2_000  # firings
_LEAST_GRACE = LATE_FROM_SECONDS  # beat may restart, and the dispatcher sweep up, in that time


@dataclass(frozen=True, kw_only=True)
class Missed:
    """Of one schedule: how many runs were left out, were refused, and were late, and since when."""

    schedule_id: UUID
    name: str
    left_out: int
    refused: int
    late: int
    since: datetime

    @property
    def runs(self) -> int:
        return self.left_out + self.refused + self.late


@dataclass(frozen=True, kw_only=True)
class Overdue:
    """A schedule whose moment has passed, and nobody decided about it."""

    schedule_id: UUID
    name: str
    since: datetime


def grace() -> timedelta:
    """Later than that is not in time."""
    return timedelta(seconds=max(settings.SCHEDULE_GRACE_SECONDS, _LEAST_GRACE))


def missed_lately(tenant: int | None = None, owner: str = "") -> Sequence[Missed]:
    """By schedule, the newest first, of the last ALERT_SCHEDULE_MISSED_SECONDS.

    Runs by hand and what was filled in later on are no misses.
    """
    since = Now() - timedelta(seconds=settings.ALERT_SCHEDULE_MISSED_SECONDS)
    newest = Firing.objects.filter(_not_in_time(), decided_at__gte=since).order_by("-decided_at")
    if tenant is not None:
        newest = newest.filter(schedule__tenant=tenant)
    if owner:
        newest = newest.filter(schedule__owner=owner)
    rows = Firing.objects.filter(pk__in=newest.values("pk")[:_LOOKED_AT])
    counted = rows.values("schedule_id", "schedule__name").annotate(
        left_out=Count("pk", filter=Q(decision=Decision.MISSED)),
        refused=Count("pk", filter=Q(decision=Decision.REFUSED)),
        late=Count("pk", filter=Q(decision=Decision.FIRED)),
        since=Min("moment"),
        newest=Max("decided_at"),
    )
    return [_missed(row) for row in counted.order_by("-newest", "schedule_id")[:MOST_TOLD]]


def overdue(tenant: int | None = None, owner: str = "") -> Sequence[Overdue]:
    """The longest overdue first."""
    rows = _overdue(tenant, owner).order_by("next_moment").values_list("pk", "name", "next_moment")
    return [
        Overdue(schedule_id=pk, name=name, since=moment)
        for pk, name, moment in rows[:MOST_TOLD]
        if moment is not None
    ]


def _not_in_time() -> Q:
    """Written as the index's condition is, so that it is used."""
    late = Q(late_seconds__gt=grace().total_seconds(), decision=Decision.FIRED)
    return Q(by="") & (Q(decision__in=[Decision.MISSED, Decision.REFUSED]) | late)


def _overdue(tenant: int | None, owner: str) -> QuerySet[Schedule]:
    rows = Schedule.objects.filter(
        enabled=True, next_moment__isnull=False, next_moment__lt=Now() - grace()
    )
    if tenant is not None:
        rows = rows.filter(tenant=tenant)
    return rows.filter(owner=owner) if owner else rows


def _missed(row: Mapping[str, Any]) -> Missed:
    named = {name: row[name] for name in ("schedule_id", "left_out", "refused", "late", "since")}
    return Missed(name=row["schedule__name"], **named)
