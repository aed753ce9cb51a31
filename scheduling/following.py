"""What is written down once it is decided: firings, the schedule's next moment, and the event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from django.db import connection
from django.db.models import F
from django_celery_beat.models import PeriodicTask

from jobs.signals import happened
from scheduling.deciding import Decided
from scheduling.models import Firing, Schedule
from scheduling.planning import Outcome, Plan
from scheduling.policies import Decision

MISSED_EVENT = "schedule.missed"
TOO_MANY = "misfire: too many to decide one by one"
_MOVED = ("next_moment", "next_run_at", "last_run_at", "last_job_id")

# Raw SQL: of a thousand schedules that are due in one second, the ORM's bulk_update would spend
# more time on its own expressions than everything else together takes.
_MOVE_ON = """
    UPDATE scheduling_schedule AS schedule
       SET next_moment = given.next_moment, next_run_at = given.next_run_at,
           last_run_at = given.last_run_at, last_job_id = given.last_job_id
      FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::uuid[])
           AS given(id, next_moment, next_run_at, last_run_at, last_job_id)
     WHERE schedule.id = given.id
"""


def follow(plans: Sequence[Plan], now: datetime) -> None:
    """In the transaction that made the jobs."""
    left_over = [row for plan in plans for row in _left_over(plan, now)]
    Firing.objects.bulk_create(left_over, ignore_conflicts=True)  # one stands there already
    Firing.objects.bulk_create([row for plan in plans for row in _rows(plan, now)])
    for plan in plans:
        _move_on(plan, now)
    _write([plan.schedule for plan in plans])
    ran = [plan.schedule.periodic_task_id for plan in plans if _made(plan)]
    rows = PeriodicTask.objects.filter(pk__in=[pk for pk in ran if pk is not None])
    rows.update(last_run_at=now, total_run_count=F("total_run_count") + 1)
    for plan in plans:
        if plan.missed or plan.left_over_since:
            _tell_missed(plan)


def outcome_for(plan: Plan, one: Decided) -> Outcome:
    """A job that could not be made changes what was decided."""
    return plan.outcomes.get(one.moment) or Outcome(decision=one.decision, reason=one.reason)


def _left_over(plan: Plan, now: datetime) -> Iterator[Firing]:
    if plan.left_over_since is not None and plan.left_over_to is not None:
        yield Firing(
            schedule=plan.schedule,
            moment=plan.left_over_since,
            until=plan.left_over_to,
            decision=Decision.MISSED,
            reason=TOO_MANY,
            late_seconds=(now - plan.left_over_since).total_seconds(),
            decided_at=now,
        )


def _rows(plan: Plan, now: datetime) -> Iterator[Firing]:
    for one in plan.decided:
        outcome = outcome_for(plan, one)
        yield Firing(
            schedule=plan.schedule,
            moment=one.moment,
            decision=outcome.decision,
            reason=outcome.reason,
            job_id=outcome.job_id,
            late_seconds=one.late.total_seconds(),
            decided_at=now,
        )


def _made(plan: Plan) -> list[Outcome]:
    return [one for one in plan.outcomes.values() if one.decision is Decision.FIRED]


def _move_on(plan: Plan, now: datetime) -> None:
    schedule, made = plan.schedule, _made(plan)
    schedule.next_moment, schedule.next_run_at = plan.next_moment, plan.next_run_at
    if made:
        schedule.last_run_at, schedule.last_job_id = now, made[-1].job_id


def _write(schedules: Sequence[Schedule]) -> None:
    columns = [[getattr(one, name) for one in schedules] for name in ("pk", *_MOVED)]
    with connection.cursor() as cursor:
        cursor.execute(_MOVE_ON, columns)


def _tell_missed(plan: Plan) -> None:
    schedule, missed = plan.schedule, plan.missed
    ran = sum(outcome_for(plan, one).decision is Decision.FIRED for one in missed)
    first = plan.left_over_since or missed[0].moment
    last = missed[-1].moment if missed else plan.left_over_to
    data = {
        "schedule_id": str(schedule.pk),
        "name": schedule.name,
        "missed": len(missed),
        "more_before": plan.left_over_since is not None,
        "run_late": ran,
        "first_moment": _told(first),
        "last_moment": _told(last) if last else None,
    }
    happened.send(Schedule, event=MISSED_EVENT, tenant_id=schedule.tenant_id, data=data)


def _told(moment: datetime) -> str:
    """As everywhere else that programs are told of one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
