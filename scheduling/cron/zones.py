"""Time zones by the names of the tz database, and by no other."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from scheduling.cron.errors import CronError, shown

# Entries of the database that are no place: the machine's own setting, and "not set".
_NOT_ZONES = {"localtime", "Factory"}


def zone_of(name: str) -> ZoneInfo:
    """The zone of exactly that name, case and all. Raises CronError."""
    if name not in _names():
        raise CronError(f"{shown(name)!r} is not a time zone; write one such as Europe/Amsterdam")
    return ZoneInfo(name)


@cache
def _names() -> frozenset[str]:
    """Read once: the look through the database's directories takes milliseconds."""
    return frozenset(available_timezones()) - _NOT_ZONES
