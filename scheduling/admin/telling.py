"""Moments of a schedule in words for people: by the clock of its own zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from jobs import wording


@dataclass(frozen=True, kw_only=True)
class When:
    """`local` as the clock shows it there, `text` relative to now, `exact` in UTC, `machine` as
    HTML wants it."""

    local: str
    text: str
    exact: str
    machine: str


def when(at: datetime | None, zone: str, now: datetime) -> When | None:
    if at is None:
        return None
    there, utc = at.astimezone(ZoneInfo(zone)), at.astimezone(UTC)
    return When(
        local=f"{there:%a} {there.day} {_month(there, now)}, {_clock(there)}",
        text=wording.ago(at, now),
        exact=f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        machine=utc.isoformat(timespec="seconds"),
    )


def _month(at: datetime, now: datetime) -> str:
    """With the year where it is another."""
    return f"{at:%b}" if at.year == now.year else f"{at:%b %Y}"


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
