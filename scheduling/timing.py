"""The moments of a schedule: its rule, between its start and its end.

Every moment that anybody sees comes from here: what fires, `next_run_at`, previews, backfills.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from scheduling import cron
from scheduling.cron import DstPolicy, Timing
from scheduling.models import Calendar, Schedule

MOST_DUE = 2_000  # of one schedule are decided one by one, whatever its limit
TICK = timedelta(microseconds=1)
_MOST_LEFT_OUT = 60  # moments looked at in a row, before nobody looks further
_STEPS = 3  # from one to the next; then a leap over all days that are left out
_LONGEST_LEAP = 3_660  # days


def words_of(expression: str) -> str:
    return cron.in_words(_parsed(expression))


def timing_of(schedule: Schedule) -> Timing:
    return Timing(
        expression=_parsed(schedule.cron_expression),
        zone=cron.zone_of(schedule.timezone),
        dst=DstPolicy(schedule.dst_policy),
        anchor=schedule.anchor,
    )


@lru_cache(maxsize=10_000)
def _parsed(text: str) -> cron.Expression:
    """It was judged when it was accepted: a minimum that was raised since does not stop it."""
    return cron.parse(text, min_interval_seconds=1)


def moments_after(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """Its moments after this one, in order, within its start and end; not before it is effective,
    and without regard to calendars."""
    start = schedule.effective_from
    if schedule.starts_at is not None and schedule.starts_at > start:
        start = schedule.starts_at - TICK
    for moment in timing_of(schedule).after(max(after, start)):
        if schedule.ends_at is not None and moment > schedule.ends_at:
            return
        yield moment


def next_moment(schedule: Schedule, after: datetime) -> datetime | None:
    return next(moments_after(schedule, after), None)


def runs_from(
    schedule: Schedule, first: datetime | None, is_left_out: LeftOut
) -> Iterator[datetime]:
    """Its moments from this one on that no calendar leaves out. Ends where that takes long."""
    moments = iter(()) if first is None else moments_after(schedule, first - TICK)
    left_out = 0
    while (moment := next(moments, None)) is not None and left_out < _MOST_LEFT_OUT:
        if not is_left_out(moment):
            left_out = 0
            yield moment
            continue
        left_out += 1
        if left_out % _STEPS == 0:
            end = is_left_out.end(moment)
            moments = iter(()) if end is None else moments_after(schedule, end - TICK)


def next_run(schedule: Schedule, first: datetime | None, is_left_out: LeftOut) -> datetime | None:
    return next(runs_from(schedule, first, is_left_out), None)


def due_moments(
    schedule: Schedule, now: datetime, *, on_time_from: datetime, most_late: int, left_out: LeftOut
) -> tuple[list[datetime], datetime | None]:
    """What has come and was not decided yet, by time: all that is in time, and of what is late the
    last `most_late` that no calendar leaves out, MOST_DUE in all. And the first of those left over,
    where there were more."""
    first = schedule.next_moment
    if first is None or first > now:
        return [], None
    second = next_moment(schedule, first)
    if second is None or second > now:
        return [first], None
    last = now if schedule.ends_at is None else min(now, schedule.ends_at)
    newest: list[datetime] = []
    late = 0
    for moment in _backwards(schedule, last, first):
        if late >= most_late or len(newest) >= MOST_DUE:
            return newest[::-1], first
        newest.append(moment)
        late += moment < on_time_from and not left_out(moment)
    return newest[::-1], None


def _backwards(schedule: Schedule, last: datetime, first: datetime) -> Iterator[datetime]:
    for moment in timing_of(schedule).before(last + TICK):
        if moment < first:
            return
        yield moment


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """Whether a moment falls, in this zone, on a day that a calendar leaves out."""

    zone: ZoneInfo
    dates: frozenset[date] = frozenset()
    yearly: frozenset[str] = frozenset()
    weekdays: frozenset[int] = frozenset()

    def __call__(self, moment: datetime) -> bool:
        return self._has(moment.astimezone(self.zone).date())

    def end(self, moment: datetime) -> datetime | None:
        """When the first day after it begins that is not left out; None: not for ten years."""
        day = moment.astimezone(self.zone).date()
        for _ in range(_LONGEST_LEAP):
            day += timedelta(days=1)
            if not self._has(day):
                return datetime.combine(day, time.min, self.zone).astimezone(UTC)
        return None

    def _has(self, day: date) -> bool:
        return (
            day.isoweekday() in self.weekdays
            or day in self.dates
            or bool(self.yearly and f"{day:%m-%d}" in self.yearly)
        )


def left_out_by(calendars: Iterable[Calendar], zone: str) -> LeftOut:
    given = list(calendars)
    return LeftOut(
        zone=cron.zone_of(zone),
        dates=frozenset(day for one in given for day in one.dates),
        yearly=frozenset(day for one in given for day in one.yearly),
        weekdays=frozenset(day for one in given for day in one.weekdays),
    )
