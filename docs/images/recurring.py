"""Schedules with a past, for the pictures: their firings name jobs that ran for other reasons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from accounts.models import Tenant
from jobs.models import Job
from jobs.operations import Actor
from jobs.states import Status
from scheduling import calendars, timing, verbs
from scheduling.calendar_days import Days
from scheduling.definition import Definition
from scheduling.models import Firing, Schedule
from scheduling.policies import Decision

_BY = Actor(name="user:ada")
_REPORT = {"report": "turnover", "pages": 40}
_MAIL = {"to": "team@example.com", "template": "summary"}
_SCHEDULES: Sequence[tuple[int, str, str, str, dict[str, Any], str]] = (
    (0, "stock report", "reports.render", "30 6 * * 1-5",
     {"report": "stock", "pages": 60}, "cccfcccccccc"),
    (1, "turnover of the month", "reports.render", "0 7 1 * *", _REPORT, "cccccccc"),
    (1, "weekly summary", "mail.send", "0 8 * * 1", _MAIL, "ccccmcccc"),
    (2, "supplier catalogue", "catalogue.import", "15 */4 * * *",
     {"supplier": "Mill & Co", "rows": 900}, "ccsccccsccsc"),
    (2, "reminders", "mail.send", "*/20 7-19 * * *",
     {**_MAIL, "template": "reminder"}, "cccccccccccf"),
    (0, "nightly clean-up", "images.resize", "0 2 * * *",
     {"image": "articles/all.jpg", "widths": [320]}, "ccrccccccccc"),
    (0, "price check", "catalogue.import", "0 */6 * * *",
     {"supplier": "Nordic Paper", "rows": 200}, "cccccc"),
)  # fmt: skip
_DECISIONS = {"s": Decision.SKIPPED, "m": Decision.MISSED, "r": Decision.REFUSED}
_REASONS = {
    "s": "overlap", "m": "misfire: skip", "r": "The tenant may hand in no more jobs now.",
}  # fmt: skip


def make_schedules(tenants: Sequence[Tenant]) -> Schedule:
    """Returns the one whose page is shown."""
    days = Days(name="bank holidays", yearly=["01-01", "12-25", "12-26"], dates=[])
    holidays = calendars.create(tenants[0], days, _BY)
    calendars.create(tenants[1], Days(name="weekends", weekdays=[6, 7]), _BY)
    made = [
        _made(tenants[of], name, kind, rule, payload, past)
        for of, name, kind, rule, payload, past in _SCHEDULES
    ]
    shown = {"calendar_ids": (holidays.pk,), "overlap": "skip", "labels": {"team": "stock"}}
    verbs.toggle(made[-1], _BY, enabled=False)
    return verbs.change(made[0], shown, _BY)


def _made(
    tenant: Tenant, name: str, kind: str, rule: str, payload: dict[str, Any], past: str
) -> Schedule:
    given = Definition(
        name=name, type=kind, cron_expression=rule, payload=payload, timezone="Europe/Amsterdam"
    )
    schedule = verbs.create(tenant, given, _BY)
    now = datetime.now(UTC)
    moments = list(islice(timing.timing_of(schedule).before(now), len(past)))[::-1]
    Firing.objects.bulk_create(
        _firing(schedule, moment, what) for moment, what in zip(moments, past, strict=True)
    )
    return schedule


def _firing(schedule: Schedule, moment: datetime, what: str) -> Firing:
    status = {"c": Status.COMPLETED, "f": Status.FAILED}.get(what)
    found = Job.objects.filter(tenant=schedule.tenant, status=status).first() if status else None
    return Firing(
        schedule=schedule,
        moment=moment,
        decision=_DECISIONS.get(what, Decision.FIRED),
        reason=_REASONS.get(what, ""),
        job_id=found.pk if found else None,
        late_seconds=0.4,
        decided_at=moment + timedelta(seconds=0.4),
    )
