"""The minute and the hour fields in English."""

from __future__ import annotations

from scheduling.cron.fields import Fields
from scheduling.cron.words.lists import even_step, is_run, joined, runs

_MOST_LISTED = 6  # times of day, before a rhythm says it better


def times_in_words(fields: Fields) -> str:
    """`at 09:00 and 17:00`, `every 30 minutes from 09:00 to 17:30`, `at 5 minutes past …`."""
    minutes, hours = fields.minutes, fields.hours
    if minutes == {0} and (step := _hours_apart(hours)) is not None:
        return "every hour" if step == 1 else f"every {step} hours"
    if len(hours) == 1 and len(minutes) > 2 and is_run(minutes):
        return f"every minute{_span(hours, minutes)}"
    if len(minutes) * len(hours) <= _MOST_LISTED:
        return _listed(fields)
    if (rhythm := _rhythm(minutes)) is not None and (minutes != {0} or is_run(hours)):
        return rhythm + _in_hours(hours, minutes)
    return _listed(fields) if minutes == {0} else _past(minutes, hours)


def _hours_apart(hours: frozenset[int]) -> int | None:
    """Three times a day and more are a rhythm; fewer are times of day."""
    return even_step(hours, 24) if len(hours) > 2 else None


def _rhythm(minutes: frozenset[int]) -> str | None:
    step = even_step(minutes, 60)
    names = {1: "every minute", 60: "every hour"}
    return None if step is None else names.get(step, f"every {step} minutes")


def _in_hours(hours: frozenset[int], minutes: frozenset[int]) -> str:
    if len(hours) == 24:
        return ""
    if is_run(hours):
        return _span(hours, minutes)
    return f" in the hours {joined(runs(hours))}"


def _span(hours: frozenset[int], minutes: frozenset[int]) -> str:
    return f" from {_time(min(hours), min(minutes))} to {_time(max(hours), max(minutes))}"


def _listed(fields: Fields) -> str:
    times = [
        _time(hour, minute) for hour in sorted(fields.hours) for minute in sorted(fields.minutes)
    ]
    return f"at {joined(times)}"


def _past(minutes: frozenset[int], hours: frozenset[int]) -> str:
    unit = "minute" if minutes == {1} else "minutes"
    return f"at {joined(runs(minutes))} {unit} past {_hours(hours)}"


def _hours(hours: frozenset[int]) -> str:
    if len(hours) == 24:
        return "every hour"
    if len(hours) == 1:
        return f"hour {min(hours)}"
    if is_run(hours):
        return f"every hour from {min(hours)} to {max(hours)}"
    return f"the hours {joined(runs(hours))}"


def _time(hour: int, minute: int) -> str:
    return f"{hour:02}:{minute:02}"
