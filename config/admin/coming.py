"""The next runs of schedules, on the first page of the admin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduling import timing
from scheduling.admin.ways import page_link
from scheduling.models import Schedule

MOST = 6


@dataclass(frozen=True, kw_only=True)
class ComingRow:
    name: str
    url: str
    in_words: str
    at: datetime


def coming_rows(tenant: int | None) -> Sequence[ComingRow]:
    """Of one tenant or of all; the next first."""
    rows = Schedule.objects.filter(enabled=True, next_moment__isnull=False)
    if tenant is not None:
        rows = rows.filter(tenant=tenant)
    near = rows.order_by("next_moment")[:MOST]
    return [
        ComingRow(
            name=one.name,
            url=page_link(one.pk),
            in_words=timing.words_of(one.cron_expression),
            at=one.next_run_at,
        )
        for one in sorted(near, key=_when)
        if one.next_run_at is not None
    ]


def _when(schedule: Schedule) -> tuple[bool, datetime | None]:
    return schedule.next_run_at is None, schedule.next_run_at
