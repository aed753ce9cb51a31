"""The day, month and weekday fields in English."""

from __future__ import annotations

from scheduling.cron.fields import LAST, Fields
from scheduling.cron.words.lists import joined, runs

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", LAST: "last"}
_WORKING = {1, 2, 3, 4, 5}


def days_in_words(fields: Fields) -> str:
    """`every weekday`, `on the 1st of every month`, …; empty where it is every day of the year."""
    any_day, any_weekday = len(fields.days) == 31, len(fields.weekdays) == 7
    if (any_day and any_weekday) or (not fields.both_days and (any_day or any_weekday)):
        return "" if _all_year(fields) else f"every day{_in_months(fields)}"
    if any_day:
        return _on_weekdays(fields)
    if any_weekday:
        return _on_days(fields)
    if fields.both_days:
        return f"{_on_days(fields)} if it is {_a_weekday(fields)},"
    return f"{_on_days(fields)} and {_on_weekdays(fields)}"


def _on_days(fields: Fields) -> str:
    parts = runs(fields.days, _ordinal)
    parts[:1] = [f"the {first}" for first in parts[:1]]
    if fields.last_weekday:
        parts.append("the last weekday")
    if fields.last_day:
        parts.append("the last day")
    return f"on {joined(parts)} of {_months(fields)}"


def _on_weekdays(fields: Fields) -> str:
    parts = []
    if fields.weekdays:
        parts.append(f"every {_plain_weekdays(fields)}{_in_months(fields)}")
    if fields.nth_weekdays:
        parts.append(f"on {joined(_nth_weekdays(fields))} of {_months(fields)}")
    return joined(parts)


def _a_weekday(fields: Fields) -> str:
    plain = [f"a {_WEEKDAYS[day]}" for day in _from_monday(fields.weekdays)]
    if fields.weekdays == _WORKING:
        plain = ["a weekday"]
    nth = [f"{part} of the month" for part in _nth_weekdays(fields)]
    return joined(plain + nth, last="or")


def _plain_weekdays(fields: Fields) -> str:
    if fields.weekdays == _WORKING:
        return "weekday"
    return joined(_WEEKDAYS[day] for day in _from_monday(fields.weekdays))


def _nth_weekdays(fields: Fields) -> list[str]:
    ordered = sorted(fields.nth_weekdays, key=lambda pair: (pair[1] % 6, (pair[0] - 1) % 7))
    return [f"the {_NTH[nth]} {_WEEKDAYS[day]}" for day, nth in ordered]


def _from_monday(weekdays: frozenset[int]) -> list[int]:
    return sorted(weekdays, key=lambda day: (day - 1) % 7)


def _all_year(fields: Fields) -> bool:
    return len(fields.months) == 12


def _months(fields: Fields) -> str:
    if _all_year(fields):
        return "every month"
    return joined(runs(fields.months, lambda month: _MONTHS[month - 1]))


def _in_months(fields: Fields) -> str:
    return "" if _all_year(fields) else f" in {_months(fields)}"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number // 10 != 1 else "th"
    return f"{number}{ending}"
