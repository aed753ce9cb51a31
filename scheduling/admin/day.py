"""The coming day across schedules as the numbers that an SVG needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import QuerySet

from scheduling import timeline, timing
from scheduling.admin.telling import When, when
from scheduling.admin.ways import page_link
from scheduling.models import Schedule
from scheduling.timeline import Run

HOURS = 24
HOUR = 40.0  # units of the drawing
COLUMNS = HOURS + 1  # the first one is the hour that has begun
WIDTH = COLUMNS * HOUR
_MARK = 3.0


@dataclass(frozen=True, kw_only=True)
class Tick:
    """An hour of the axis."""

    x: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    x: float
    title: str


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One schedule's runs. From `goes_on` it has more than are drawn."""

    schedule: Schedule
    link: str
    in_words: str
    next: When | None
    marks: Sequence[Mark]
    goes_on: float | None

    @property
    def rest(self) -> float:
        return 0.0 if self.goes_on is None else WIDTH - self.goes_on


def day(rows: QuerySet[Schedule], now: datetime) -> dict[str, Any]:
    """What the page's template shows: the schedules with a run in the coming day, next one first.

    In UTC, since schedules have zones of their own; each mark names its own time as well.
    """
    origin = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    found = timeline.coming(rows.select_related("tenant"), now=now, hours=HOURS)
    key = _first_runs(found.runs)
    by_schedule = sorted(found.runs, key=lambda run: (key[run.schedule.pk], run.moment))
    grouped = groupby(by_schedule, key=lambda run: run.schedule.pk)
    return {
        "lanes": [_lane(list(runs), origin, now) for _, runs in grouped],
        "ticks": _ticks(origin),
        "now": _x(now, origin),
        "width": WIDTH,
        "mark": _MARK,
        "number": len(found.runs),
        "is_cut": found.complete_until < found.end,
        "complete_until": when(found.complete_until, "UTC", now),
        "most": timeline.MOST,
        "most_each": timeline.MOST_EACH,
    }


def _first_runs(runs: Iterable[Run]) -> dict[Any, tuple[datetime, str]]:
    first: dict[Any, tuple[datetime, str]] = {}
    for run in runs:
        first.setdefault(run.schedule.pk, (run.moment, str(run.schedule.pk)))
    return first


def _lane(runs: Sequence[Run], origin: datetime, now: datetime) -> Lane:
    schedule = runs[0].schedule
    marks = [_mark(run, origin, now) for run in runs]
    return Lane(
        schedule=schedule,
        link=page_link(schedule.pk),
        in_words=timing.words_of(schedule.cron_expression),
        next=when(runs[0].moment, schedule.timezone, now),
        marks=marks,
        goes_on=marks[-1].x if len(marks) >= timeline.MOST_EACH else None,
    )


def _mark(run: Run, origin: datetime, now: datetime) -> Mark:
    at = when(run.moment, run.schedule.timezone, now)
    assert at is not None
    title = f"{at.local} {run.schedule.timezone}, {at.text}"
    return Mark(x=_x(run.moment, origin), title=title)


def _ticks(origin: datetime) -> list[Tick]:
    hours = [origin + timedelta(hours=number) for number in range(COLUMNS)]
    return [Tick(x=_x(hour, origin), text=f"{hour:%H}") for hour in hours]


def _x(at: datetime, origin: datetime) -> float:
    return round((at - origin).total_seconds() / 3600 * HOUR, 1)
