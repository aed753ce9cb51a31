"""An expression in English: what it means, however it is spelt.

CronSim's own `explain` and cron-descriptor were tried. Both say what is not so: that `*/7` is
every 7 minutes, that `0 0 13 * 5` runs on Fridays only, "the 21th".
"""

from __future__ import annotations

from datetime import timedelta

from scheduling.cron import fields
from scheduling.cron.expression import Expression
from scheduling.cron.words.days import days_in_words
from scheduling.cron.words.lists import joined
from scheduling.cron.words.times import times_in_words


def in_words(expression: Expression) -> str:
    """One sentence without a full stop, as "Every weekday at 09:00"; 24 hours a day."""
    if expression.period is not None:
        return f"Every {_period(expression.period)}"
    assert expression.cron is not None
    read = fields.read(expression.cron.split())
    days, times = days_in_words(read), times_in_words(read)
    if times.startswith("at ") and " past " not in times:
        words = f"{days or 'every day'} {times}"
    else:
        words = f"{days}, {times}" if days else times
    return words[0].upper() + words[1:]


def _period(period: timedelta) -> str:
    hours, seconds = divmod(period.seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    counts = {"day": period.days, "hour": hours, "minute": minutes, "second": seconds}
    parts = [(count, unit) for unit, count in counts.items() if count]
    if len(parts) == 1 and parts[0][0] == 1:
        return parts[0][1]
    return joined(f"{count} {unit}{'s' if count > 1 else ''}" for count, unit in parts)
