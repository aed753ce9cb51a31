"""Schedules that are declared beside their job type. The engine only keeps the declarations:
`scheduling` makes schedules of them, and is where mistakes in them are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jobs.exceptions import DeclarationError


@dataclass(frozen=True, kw_only=True)
class DeclaredSchedule:
    """The fields of a schedule, as in the API. What is left out means what it means there."""

    type: str
    cron_expression: str
    name: str
    tenant: str = "default"  # slug
    description: str = ""
    timezone: str = "UTC"
    dst_policy: str = "once"
    payload: Mapping[str, Any] = field(default_factory=dict)
    queue: str | None = None
    priority: int | str | None = None
    max_retries: int | None = None
    timeout_seconds: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    webhook_url: str = ""
    owner: str = ""
    overlap: str = "allow"
    misfire: str = "run_once"
    misfire_limit: int = 100
    jitter_seconds: int = 0
    calendars: tuple[str, ...] = ()  # names
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    enabled: bool = True  # when it is first made; afterwards that is the operators'


_declared: dict[tuple[str, str], DeclaredSchedule] = {}


def declare(schedule: DeclaredSchedule) -> None:
    """Of one tenant a name is declared once; a second, other one is a mistake."""
    place = (schedule.tenant, schedule.name)
    known = _declared.get(place)
    if known is not None and known.type != schedule.type:
        raise DeclarationError(
            f"schedule {schedule.name!r} is declared twice: of {known.type} and {schedule.type}"
        )
    _declared[place] = schedule


def forget(tenant: str, name: str) -> None:
    """Undo a declaration; for tests that declare schedules of their own."""
    _declared.pop((tenant, name), None)


def all() -> list[DeclaredSchedule]:
    """Every declared schedule, by tenant and name."""
    return [_declared[place] for place in sorted(_declared)]
