"""Many schedules at once in an arena, and what should have become of each of their moments."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts.ids import new_id
from accounts.models import Tenant
from jobs.models import Job
from scheduling import timing
from scheduling.beat_rows import TASK
from scheduling.models import Firing, Schedule
from scheduling.policies import Decision
from tests.support.waiting import wait_for

Moment = tuple[UUID, datetime]


def crowd(
    tenant: Tenant, number: int, *, seconds: int, since: timedelta | None = None, **fields: Any
) -> list[Schedule]:
    """Schedules of `@every {seconds}s`: made just now by the database's clock, their moments spread
    over that time; or all made so long ago, and nobody has looked at them since."""
    interval = IntervalSchedule.objects.create(every=seconds, period="seconds")
    names = [f"schedule {new_id()}" for _ in range(number)]
    tasks = [PeriodicTask(name=name, task=TASK, interval=interval) for name in names]
    PeriodicTask.objects.bulk_create(tasks)
    start = clock() - (since or timedelta())
    spread = timedelta() if since else timedelta(seconds=seconds)
    rows = [
        Schedule(
            tenant=tenant, name=name, type="diagnostics.echo", periodic_task=task,
            cron_expression=f"@every {seconds}s", effective_from=start,
            created_at=start - spread * place / number, **fields,
        )
        for place, (name, task) in enumerate(zip(names, tasks, strict=True))
    ]  # fmt: skip
    for row in rows:
        row.next_moment = row.next_run_at = timing.next_moment(row, start)
    return Schedule.objects.bulk_create(rows)


def check_each_fired_once(schedules: list[Schedule], until: datetime) -> None:
    """Each moment of each up to then has one firing and one job, and nothing else has."""
    wait_until_decided(until)
    expected = {moment for schedule in schedules for moment in _moments(schedule, until)}
    assert expected, "nothing was due"
    jobs = Counter(Job.objects.filter(scheduled_for__lte=until).values_list(*_JOB))
    firings = Firing.objects.filter(moment__lte=until, decision=Decision.FIRED)
    assert not [moment for moment, number in jobs.items() if number > 1], "doubled"
    assert not expected - set(jobs), "missed"
    assert not set(jobs) - expected, "never due"
    assert set(firings.values_list("schedule_id", "moment")) == expected
    assert not Firing.objects.filter(moment__lte=until).exclude(decision=Decision.FIRED).exists()


def wait_until_decided(until: datetime) -> None:
    left = Schedule.objects.filter(enabled=True, next_moment__lte=until)
    wait_for(lambda: not left.exists(), seconds=60, what="all that was due is decided")


def clock() -> datetime:
    """The database's, which decides."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    assert row is not None
    now: datetime = row[0]
    return now


_JOB = ("schedule_id", "scheduled_for")


def _moments(schedule: Schedule, until: datetime) -> list[Moment]:
    """By counting, without the engine."""
    period = timedelta(seconds=int(schedule.cron_expression.split()[1].rstrip("s")))
    found, moment = [], schedule.created_at + period
    while moment <= until:
        if moment > schedule.effective_from:
            found.append((schedule.pk, moment))
        moment += period
    return found
