"""What the rule says, by looking at every minute: slow, simple, and nothing of the engine's.

Written from docs/reference/cron.md. It asks a zone only what its clocks show at an instant, never
when an instant is.
"""

from __future__ import annotations

import calendar
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
MARGIN = timedelta(hours=30)  # no leap is longer
MONTHS = ("-", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def numbers(term: str, least: int, most: int, names: Sequence[str]) -> set[int]:
    base, _, step = term.partition("/")

    def number(text: str) -> int:
        return names.index(text) if text in names else int(text)

    if base == "*":
        first, last = least, most
    elif "-" in base:
        first, last = (number(end) for end in base.split("-"))
    else:
        first = number(base)
        last = most if step else first
    return {n for n in range(first, last + 1) if (n - first) % int(step or 1) == 0}


def in_field(field: str, value: int, least: int, most: int, names: Sequence[str]) -> bool:
    return any(value in numbers(term, least, most, names) for term in field.split(","))


def day_of_month(term: str, day: date) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    if term == "L":
        return day.day == length
    if term == "LW":
        working = [
            n for n in range(1, length + 1) if date(day.year, day.month, n).isoweekday() <= 5
        ]
        return day.day == working[-1]
    return day.day in numbers(term, 1, 31, [])


def day_of_week(term: str, day: date) -> bool:
    names = WEEKDAYS
    length = calendar.monthrange(day.year, day.month)[1]
    if "#" in term:
        weekday, _, nth = term.partition("#")
        alike = [
            n for n in range(1, length + 1) if day_of_week(weekday, date(day.year, day.month, n))
        ]
        return alike.index(day.day) + 1 == int(nth) if day.day in alike else False
    if term.endswith("L"):
        return day_of_week(term[:-1], day) and day.day + 7 > length
    most = 7 if "*" not in term else 6
    return bool({day.isoweekday(), day.isoweekday() % 7} & numbers(term, 0, most, names))


def matcher(cron: str) -> Callable[[datetime], bool]:
    """Whether the five fields fit a time on the wall."""
    minute, hour, dom, month, dow = cron.upper().split()

    @cache
    def fits_day(day: date) -> bool:
        by_day = any(day_of_month(term, day) for term in dom.split(","))
        by_weekday = any(day_of_week(term, day) for term in dow.split(","))
        starred = dom.startswith("*") or dow.startswith("*")
        of_month = in_field(month, day.month, 1, 12, MONTHS)
        return of_month and ((by_day and by_weekday) if starred else (by_day or by_weekday))

    minutes = {n for n in range(60) if in_field(minute, n, 0, 59, [])}
    hours = {n for n in range(24) if in_field(hour, n, 0, 23, [])}
    return lambda wall: wall.minute in minutes and wall.hour in hours and fits_day(wall.date())


@lru_cache(maxsize=16)
def clocks(zone: ZoneInfo, begin: datetime, end: datetime) -> dict[datetime, list[datetime]]:
    """Each time on the wall with the instants that show it, over a stretch and some days more."""
    shown: dict[datetime, list[datetime]] = defaultdict(list)
    instant = begin - MARGIN
    while instant < end + MARGIN:
        shown[instant.astimezone(zone).replace(tzinfo=None, fold=0)].append(instant)
        instant += MINUTE
    return dict(shown)


@lru_cache(maxsize=16)
def leaps(zone: ZoneInfo, begin: datetime, end: datetime) -> dict[datetime, datetime]:
    """Each time that no clock shows in that stretch, with the first instant after it."""
    shown = clocks(zone, begin, end)
    walls = sorted(shown)
    missing = {}
    wall = walls[0]
    while wall < walls[-1]:
        if wall not in shown:
            missing[wall] = min(shown[walls[bisect_right(walls, wall)]])
        wall += MINUTE
    return missing


def forget() -> None:
    """Give back what the last stretches took."""
    clocks.cache_clear()
    leaps.cache_clear()


def moments(
    cron: str, zone: ZoneInfo, policy: str, begin: datetime, end: datetime
) -> list[datetime]:
    """The moments from `begin` on and before `end`, both at whole minutes in UTC."""
    fits = matcher(cron)
    minute, hour, *_ = cron.split()
    clock_bound = minute[0] != "*" and hour[0] != "*" and policy != "all"
    found: set[datetime] = set()
    for wall, instants in clocks(zone, begin, end).items():
        if fits(wall):
            found.update(instants[:1] if clock_bound else instants)
    if clock_bound and policy == "once":
        found.update(after for wall, after in leaps(zone, begin, end).items() if fits(wall))
    return sorted(moment for moment in found if begin <= moment < end)
