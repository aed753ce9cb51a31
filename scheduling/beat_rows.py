"""Each schedule's row among django-celery-beat's periodic tasks, kept in step with it.

It shows the schedule where Celery's people look for it. Beat does not go by it: the schedule says
when, in a finer language than Celery's crontab, and `scheduling.scheduler` reads that.
"""

from __future__ import annotations

import json

from celery.schedules import ParseException
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from scheduling import cron
from scheduling.models import Schedule

TASK = "scheduling.run"  # what "run selected tasks" of Celery's page sends: a run by hand
_NAME_LENGTH = 200
_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


def put(schedule: Schedule) -> PeriodicTask:
    """Make the row, or bring it up to date. The caller saves `schedule.periodic_task`."""
    row = schedule.periodic_task or PeriodicTask()
    whole = f"{schedule.tenant.slug}: {schedule.name}"
    row.name = f"{whole[: _NAME_LENGTH - 40]} ({schedule.pk})"
    row.task, row.args = TASK, json.dumps([str(schedule.pk)])
    row.enabled, row.description = schedule.enabled, schedule.description
    row.start_time, row.expires = schedule.starts_at, schedule.ends_at
    row.last_run_at = schedule.last_run_at
    row.interval, row.crontab = None, None
    _set_rule(row, schedule)
    row.no_changes = True  # beat need not read all its rows anew
    row.save()
    return row


def remove(schedule: Schedule) -> None:
    if schedule.periodic_task is not None:
        schedule.periodic_task.no_changes = True
        schedule.periodic_task.delete()


def _set_rule(row: PeriodicTask, schedule: Schedule) -> None:
    """As near to the schedule's as Celery's words come; where they do not, each minute."""
    expression = cron.parse(schedule.cron_expression, min_interval_seconds=1)
    if expression.period is not None:
        row.interval = _interval(int(expression.period.total_seconds()))
        return
    assert expression.cron is not None
    minute, hour, day, month, weekday = expression.cron.split()
    crontab = CrontabSchedule(
        minute=minute, hour=hour, day_of_month=day, month_of_year=month,
        day_of_week=weekday, timezone=schedule.timezone,
    )  # fmt: skip
    row.crontab = _known(crontab)
    if row.crontab is None:
        row.interval = _interval(60)


def _interval(seconds: int) -> IntervalSchedule:
    named = {"every": seconds, "period": IntervalSchedule.SECONDS}
    return IntervalSchedule.objects.filter(**named).first() or IntervalSchedule.objects.create(
        **named
    )


def _known(crontab: CrontabSchedule) -> CrontabSchedule | None:
    """None for what Celery's crontab cannot say (`L`, `#`, Sunday as 7), or has no room for."""
    if any(len(getattr(crontab, name)) > _room(name) for name in _FIELDS):
        return None
    try:
        crontab.schedule  # noqa: B018 (parses)
    except (ParseException, ValueError):
        return None
    given = {name: getattr(crontab, name) for name in (*_FIELDS, "timezone")}
    same = CrontabSchedule.objects.filter(**given)
    found: CrontabSchedule | None = same.first()
    if found is None:
        crontab.save()
    return found or crontab


def _room(name: str) -> int:
    return int(CrontabSchedule._meta.get_field(name).max_length or 0)
