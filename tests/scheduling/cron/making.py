"""Timings made short, and moments written short."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import takewhile

from scheduling.cron import DstPolicy, Timing, parse, zone_of

ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)


def timing(text: str, zone: str = "UTC", dst: str = "once", *, anchor: datetime = ANCHOR) -> Timing:
    return Timing(expression=parse(text), zone=zone_of(zone), dst=DstPolicy(dst), anchor=anchor)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def until(moments: Iterable[datetime], end: datetime) -> list[datetime]:
    return list(takewhile(lambda moment: moment < end, moments))


def down_to(moments: Iterator[datetime], begin: datetime) -> list[datetime]:
    return list(takewhile(lambda moment: moment >= begin, moments))


def on_the_wall(moments: Iterable[datetime], zone: str) -> list[str]:
    """What the clocks show, with the offset, as `03-29 03:00+02:00`."""
    return [moment.astimezone(zone_of(zone)).isoformat(" ", "minutes")[5:] for moment in moments]
