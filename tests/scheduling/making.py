"""Schedules in the situations that tests need."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import Tenant
from jobs.operations import Actor
from scheduling import timing, verbs
from scheduling.definition import Definition
from scheduling.models import Firing, Schedule

BY = Actor(name="test")
ECHO = "diagnostics.echo"
_numbers = iter(range(1_000_000))


def new_name(what: str) -> str:
    """One that nothing else of this process has."""
    return f"{what} {next(_numbers)}"


def made(tenant: Tenant, expression: str = "@hourly", **fields: Any) -> Schedule:
    given = {"name": new_name("schedule"), "type": ECHO, **fields}
    return verbs.create(tenant, Definition(cron_expression=expression, **given), BY)


def since(tenant: Tenant, start: datetime, expression: str = "@hourly", **fields: Any) -> Schedule:
    """As if it had been made then, and nobody had looked at it since."""
    schedule = made(tenant, expression, **fields)
    schedule.created_at = schedule.effective_from = start
    schedule.next_moment = timing.next_moment(schedule, start)
    schedule.next_run_at = schedule.next_moment
    schedule.save()
    return schedule


def at(hour: int, minute: int = 0, second: int = 0, *, day: int = 10) -> datetime:
    """On a day in March 2026, in UTC."""
    return datetime(2026, 3, day, hour, minute, second, tzinfo=UTC)


def told(schedule: Schedule) -> list[tuple[datetime | None, str, str]]:
    """What became of its moments, by moment."""
    rows = Firing.objects.filter(schedule=schedule).order_by("moment", "id")
    return [(row.moment, row.decision, row.reason) for row in rows]


def fired(schedule: Schedule) -> list[datetime]:
    return [moment for moment, decision, _ in told(schedule) if decision == "fired" and moment]


HOUR = timedelta(hours=1)
