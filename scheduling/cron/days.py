"""Which days can fit an expression at all, and how close its moments can come."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from scheduling.cron.fields import Fields

_LENGTHS = {2: (28, 29), 4: (30,), 6: (30,), 9: (30,), 11: (30,)}
# In 28 years without a dropped leap day each kind of year is followed by each that can follow it.
_CYCLE = range(2001, 2030)
_DAY_MINUTES = 24 * 60


def ever_comes(fields: Fields) -> bool:
    """Whether any day fits. A month of each length begins on each weekday in some year."""
    lengths = {length for month in fields.months for length in _LENGTHS.get(month, (31,))}
    return any(_fitting(fields, weekday, n) for n in lengths for weekday in range(7))


def closest_seconds(fields: Fields) -> int | None:
    """The shortest time between two moments, by the clock and without summer time's changes.

    None where no two moments are in the same 28 years."""
    times = sorted(hour * 60 + minute for hour in fields.hours for minute in fields.minutes)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    if (days := _closest_days(fields)) is not None:
        gaps.append(days * _DAY_MINUTES - (times[-1] - times[0]))
    return min(gaps) * 60 if gaps else None


def _closest_days(fields: Fields) -> int | None:
    return min((later - earlier for earlier, later in pairwise(_cycle(fields))), default=None)


def _cycle(fields: Fields) -> Iterator[int]:
    """The days that fit in the cycle, each by its number in the calendar."""
    fitting: dict[tuple[int, int], list[int]] = {}
    for year in _CYCLE:
        for month in sorted(fields.months):
            kind = calendar.monthrange(year, month)
            if kind not in fitting:
                fitting[kind] = _fitting(fields, (kind[0] + 1) % 7, kind[1])
            eve = date(year, month, 1).toordinal() - 1
            yield from (eve + day for day in fitting[kind])


def _fitting(fields: Fields, first_weekday: int, length: int) -> list[int]:
    """The days that fit in a month of that length that begins on that weekday."""
    return [
        day
        for day in range(1, length + 1)
        if fields.fits(day, (first_weekday + day - 1) % 7, length)
    ]
