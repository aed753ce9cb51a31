"""Timestamps of the API: RFC 3339, in UTC, with six decimals and `Z`."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils.dateparse import parse_datetime

# Inside what PostgreSQL, Python and every time zone between them can hold and give back.
_YEARS = range(1970, 9000)


def shown(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parsed(text: object) -> datetime:
    """Raises ValueError, with a message for people, for anything but a moment with its offset."""
    moment = parse_datetime(text) if isinstance(text, str) else None
    if moment is None or moment.utcoffset() is None or moment.year not in _YEARS:
        raise ValueError("a timestamp looks like 2026-01-31T12:00:00Z")
    return moment.astimezone(UTC)
