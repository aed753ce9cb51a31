"""What a calendar is told to be, and whether that can be. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from jobs.exceptions import FieldError

MOST_CHARACTERS = 255
MOST_DESCRIBED = 2_000
MOST_DATES = 1_000
_YEARS = range(1970, 2201)
_YEARLY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


@dataclass(frozen=True, kw_only=True)
class Days:
    """All that a caller decides of a calendar. `yearly`: MM-DD; `weekdays`: 1 is Monday."""

    name: str
    description: str = ""
    dates: Collection[date] = ()
    yearly: Collection[str] = ()
    weekdays: Collection[int] = ()


def mistakes_in(given: Days) -> Iterator[FieldError]:
    """Every broken rule."""
    if not 1 <= len(given.name) <= MOST_CHARACTERS or "\x00" in given.name:
        yield FieldError("/name", f"1 to {MOST_CHARACTERS} characters, none of them NUL")
    if len(given.description) > MOST_DESCRIBED or "\x00" in given.description:
        yield FieldError("/description", f"at most {MOST_DESCRIBED:,} characters, none of them NUL")
    if len(given.dates) > MOST_DATES:
        yield FieldError("/dates", f"at most {MOST_DATES:,}")
    elif any(day.year not in _YEARS for day in given.dates):
        yield FieldError("/dates", f"a year from {_YEARS[0]} to {_YEARS[-1]}")
    if not all(_is_day_of_year(day) for day in given.yearly):
        yield FieldError("/yearly", "each is a month and a day of it, as 12-25")
    if not all(1 <= day <= 7 for day in given.weekdays):
        yield FieldError("/weekdays", "each is a number from 1 (Monday) to 7 (Sunday)")
    elif len(set(given.weekdays)) == 7:
        yield FieldError("/weekdays", "leave no day to run on")


def _is_day_of_year(text: str) -> bool:
    if not _YEARLY.fullmatch(text):
        return False
    month, day = map(int, text.split("-"))
    try:
        date(2000, month, day)  # a leap year
    except ValueError:
        return False
    return True
