"""Times on a wall clock, and the instants at which a zone's clocks show them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from cronsim import CronSim

_SECOND = timedelta(seconds=1)


def ahead(cron: str, start: datetime) -> Iterator[datetime]:
    """The wall times that fit, from `start` on. Ends where none comes for 50 years."""
    return CronSim(cron, start - _SECOND)


def back(cron: str, start: datetime) -> Iterator[datetime]:
    """The wall times that fit, down from `start`, which may or may not be among them."""
    return CronSim(cron, start + _SECOND, reverse=True)


def showing(wall: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """The instants at which the clocks show that time: none, one or two, in UTC."""
    early, late = _offsets(wall, zone)
    if early == late:
        return (_instant(wall, early),)
    if early > late:
        return (_instant(wall, early), _instant(wall, late))
    return ()


def end_of_gap(wall: datetime, zone: tzinfo) -> datetime:
    """The instant at which the clocks leapt over a time that they never show."""
    early, late = _offsets(wall, zone)
    before, after = _instant(wall, late), _instant(wall, early)
    while after - before > _SECOND:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == late:
            after = middle
        else:
            before = middle
    return after


def overlap(moment: datetime, zone: tzinfo) -> timedelta:
    """How long the stretch is that the clocks show twice, if they show that moment's time so."""
    early, late = _offsets(on_the_wall(moment, zone), zone)
    return max(early - late, timedelta(0))


def on_the_wall(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _offsets(wall: datetime, zone: tzinfo) -> tuple[timedelta, timedelta]:
    """The offsets before and after a change of the clocks that this time is in; else the same."""
    early = zone.utcoffset(wall.replace(tzinfo=zone, fold=0))
    late = zone.utcoffset(wall.replace(tzinfo=zone, fold=1))
    assert early is not None
    assert late is not None
    return early, late


def _instant(wall: datetime, offset: timedelta) -> datetime:
    return (wall - offset).replace(tzinfo=UTC)
