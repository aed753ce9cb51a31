"""`@every 1h30m`: the same time from one moment to the next, whatever the clocks do."""

from __future__ import annotations

import re
from datetime import timedelta

from scheduling.cron.errors import CronError, shown

LONGEST = timedelta(days=3660)
_PARTS = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_MOST_DIGITS = 9


def read(text: str, *, least_seconds: int) -> timedelta:
    """The period that follows `@every`. Raises CronError."""
    found = _PARTS.fullmatch(text.lower())
    if not text or found is None:
        raise CronError(f"@every takes days, hours, minutes and seconds as 1d12h, not {_as(text)}")
    if any(number and len(number) > _MOST_DIGITS for number in found.groups()):
        raise CronError(f"@every takes numbers of at most {_MOST_DIGITS} digits")
    days, hours, minutes, seconds = (int(number or 0) for number in found.groups())
    period = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if period < timedelta(seconds=max(least_seconds, 1)):
        raise CronError(f"@every {shown(text)} is less than {max(least_seconds, 1)} seconds")
    if period > LONGEST:
        raise CronError(f"@every {shown(text)} is more than {LONGEST.days} days")
    return period


def _as(text: str) -> str:
    return repr(shown(text)) if text else "nothing"
