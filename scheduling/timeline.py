"""The coming runs of many schedules, by time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from scheduling import timing
from scheduling.left_out import left_out_of
from scheduling.models import Schedule
from scheduling.timing import LeftOut

MOST = 500
MOST_EACH = 50  # of one schedule
LONGEST_HOURS = 168


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    moment: datetime
    schedule: Schedule


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """`complete_until`: before it no run is left out; `end` where none is at all."""

    start: datetime
    end: datetime
    complete_until: datetime
    runs: list[Run]


def coming(rows: QuerySet[Schedule], *, now: datetime, hours: int) -> Timeline:
    """What is to run from now on, without what calendars leave out.

    At most MOST runs, MOST_EACH of one schedule. Where there are more, each schedule's next run
    goes before any other's second one, so that one of each minute does not fill it alone.
    """
    end = now + timedelta(hours=hours)
    schedules, known_until = _soonest(rows, now, end)
    left_out = left_out_of(schedules)
    streams = [_stream(one, left_out[one.pk], now, end) for one in schedules]
    heads: list[tuple[int, datetime, int]] = []  # how many before it, when, of which schedule
    _push(heads, streams, range(len(streams)), rank=0)
    runs: list[Run] = []
    left = [known_until]  # and the first of each schedule that had its share
    while heads and len(runs) < MOST:
        rank, moment, place = heapq.heappop(heads)
        if rank == MOST_EACH:
            left.append(moment)
            continue
        runs.append(Run(moment=moment, schedule=schedules[place]))
        _push(heads, streams, [place], rank=rank + 1)
    left += [moment for _, moment, _ in heads]
    return Timeline(
        start=now,
        end=end,
        complete_until=min(left),
        runs=sorted(runs, key=lambda run: run.moment),
    )


def _soonest(
    rows: QuerySet[Schedule], now: datetime, end: datetime
) -> tuple[list[Schedule], datetime]:
    """Those that run next, and until when there are no others. Overdue ones are counted by
    themselves, as they would stand before all others and may not run again for long."""
    wanted = rows.filter(enabled=True, next_moment__lt=end, next_run_at__lt=end)
    wanted = wanted.defer("payload", "labels", "description").order_by("next_run_at", "pk")
    due = wanted.filter(next_run_at__lt=now)[: MOST + 1]
    later = wanted.filter(next_run_at__gte=now)[: MOST + 1]
    found = list(later.union(due, all=True).order_by("next_run_at", "id"))
    overdue = [one for one in found if one.next_run_at is not None and one.next_run_at < now]
    ahead = found[len(overdue) :]
    until = end
    if len(ahead) > MOST and ahead[-1].next_run_at is not None:
        until = ahead[-1].next_run_at
    return [*ahead, *overdue], now if len(overdue) > MOST else until


def _push(
    heads: list[tuple[int, datetime, int]],
    streams: list[Iterator[datetime]],
    places: range | list[int],
    *,
    rank: int,
) -> None:
    for place in places:
        moment = next(streams[place], None)
        if moment is not None:
            heapq.heappush(heads, (rank, moment, place))


def _stream(
    schedule: Schedule, is_left_out: LeftOut, now: datetime, end: datetime
) -> Iterator[datetime]:
    """Its runs before `end`. The first one is known, and most have no other."""
    known = schedule.next_run_at
    assert known is not None
    if known >= now:
        yield known
    for moment in timing.runs_from(schedule, max(known + timing.TICK, now), is_left_out):
        if moment >= end:
            return
        yield moment
