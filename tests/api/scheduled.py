"""The calls about schedules and calendars, as the table in `test_apart` writes them, and what they
work on. `test_schedules_apart.py` holds of them what that one holds of its own."""

from __future__ import annotations

from typing import Any

from accounts.models import Tenant
from accounts.scopes import Scope
from jobs.operations import Actor
from scheduling import calendars, verbs
from scheduling.calendar_days import Days
from scheduling.definition import Definition
from scheduling.models import Calendar, Schedule
from tests.api import kinds
from tests.scheduling.making import new_name

READ, WRITE = Scope.SCHEDULES_READ, Scope.SCHEDULES_WRITE
BY = Actor(name="test")
NEW: dict[str, Any] = {
    "name": "nightly",
    "type": kinds.report.name,
    "cron_expression": "0 2 * * *",
    "payload": {"report_id": 7},
}
PREVIEW: dict[str, Any] = {"cron_expression": "0 2 * * *", "timezone": "UTC", "count": 3}
RANGE: dict[str, Any] = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-03T00:00:00Z"}
HOLIDAYS: dict[str, Any] = {"name": "holidays", "yearly": ["12-25"]}
ON_A_SCHEDULE: list[tuple[str, str, Scope, Any]] = [
    ("GET", "/schedules/{id}", READ, None),
    ("PUT", "/schedules/{id}", WRITE, NEW),
    ("PATCH", "/schedules/{id}", WRITE, {"description": "another"}),
    ("POST", "/schedules/{id}/toggle", WRITE, None),
    ("POST", "/schedules/{id}/run", WRITE, None),
    ("POST", "/schedules/{id}/backfill", WRITE, RANGE),
    ("GET", "/schedules/{id}/firings", READ, None),
    ("DELETE", "/schedules/{id}", WRITE, None),
]
ON_A_CALENDAR: list[tuple[str, str, Scope, Any]] = [
    ("GET", "/calendars/{id}", READ, None),
    ("PUT", "/calendars/{id}", WRITE, HOLIDAYS),
    ("PATCH", "/calendars/{id}", WRITE, {"weekdays": [7]}),
    ("DELETE", "/calendars/{id}", WRITE, None),
]
ON_NONE: list[tuple[str, str, Scope, Any]] = [
    ("GET", "/schedules", READ, None),
    ("POST", "/schedules", WRITE, NEW),
    ("POST", "/schedules/preview", READ, PREVIEW),
    ("GET", "/schedules/timeline", READ, None),
    ("GET", "/calendars", READ, None),
    ("POST", "/calendars", WRITE, HOLIDAYS),
]
EVERY = [*ON_NONE, *ON_A_SCHEDULE, *ON_A_CALENDAR]
SCHEDULE_CALLS = [(*call, None) for call in EVERY]


def made(tenant: Tenant, expression: str = "0 2 * * *", **fields: Any) -> Schedule:
    given = {
        "name": new_name("schedule"),
        "type": kinds.report.name,
        "payload": {"report_id": 7},
        **fields,
    }
    return verbs.create(tenant, Definition(cron_expression=expression, **given), BY)


def calendar(tenant: Tenant, *, owner: str = "", **days: Any) -> Calendar:
    given = {"name": new_name("calendar"), **days}
    return calendars.create(tenant, Days(**given), BY, owner=owner)
