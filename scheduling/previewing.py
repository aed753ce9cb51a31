"""What a rule would mean, before anybody makes a schedule of it. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from accounts.models import Tenant
from scheduling import timing
from scheduling.definition import Definition, judge_rule
from scheduling.models import Schedule

MOST = 100
_FURTHEST = timedelta(days=50 * 366)  # for what comes on some leap days only


@dataclass(frozen=True, kw_only=True)
class Preview:
    """`next`: fewer than were asked for, where the others lie beyond its end or fifty years."""

    next: list[datetime]
    in_words: str


def preview(tenant: Tenant, given: Definition, *, now: datetime, count: int) -> Preview:
    """The first runs of a schedule with this rule, were it made now. Raises InvalidSchedule."""
    calendars = judge_rule(tenant, given)
    schedule = _as_if_made(given, now)
    first = timing.next_moment(schedule, now)
    is_left_out = timing.left_out_by(calendars, given.timezone)
    found = timing.runs_from(schedule, first, is_left_out)
    return Preview(next=list(islice(found, count)), in_words=timing.words_of(given.cron_expression))


def _as_if_made(given: Definition, now: datetime) -> Schedule:
    """Not to be saved."""
    last = max(now, given.starts_at or now) + _FURTHEST
    return Schedule(
        cron_expression=given.cron_expression,
        timezone=given.timezone,
        dst_policy=given.dst_policy,
        starts_at=given.starts_at,
        ends_at=min(given.ends_at or last, last),
        created_at=now,
        effective_from=now,
    )
