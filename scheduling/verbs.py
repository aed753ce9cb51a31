"""What a person or a program does to a schedule: the change and its audit entry, together.

REST, the admin and the commands are doors to these verbs. Each locks the row, so it stands before
or after a firing, never within one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django_celery_beat.models import PeriodicTask
from pydantic_core import PydanticCustomError

from accounts.models import Tenant
from jobs.enqueue import Enqueued, enqueue
from jobs.exceptions import FieldError, QuotaExceeded
from jobs.lifecycle.statement import bound_waits
from jobs.models import Job
from jobs.operations import Actor
from jobs.secret import masked, unmasked
from jobs.webhook_url import Judge
from scheduling import auditing, beat_rows, calendars, handing_in, overtaken, timing
from scheduling.clock import database_now
from scheduling.definition import Definition, Judged, definition_of, judge
from scheduling.exceptions import DeclaredInCode, InvalidSchedule, NameTaken, NotRun
from scheduling.models import Firing, Schedule
from scheduling.policies import Decision

# A change of one of these is another rule: what came before it is over.
_RULE = frozenset({"cron_expression", "timezone", "dst_policy", "starts_at"})
_QUOTA_SECONDS = 3600


def create(tenant: Tenant, given: Definition, by: Actor, *, declared: bool = False) -> Schedule:
    """A new schedule; its first run is the first moment after now.

    Raises InvalidSchedule, NameTaken and QuotaExceeded; then nothing was written.
    """
    given = replace(given, webhook_url=Judge()(given.webhook_url))
    with transaction.atomic():
        _require_room(tenant)
        judged = judge(tenant, given)
        now = database_now()
        schedule = Schedule(
            tenant=tenant, created_by=by.name, created_at=now, updated_at=now, effective_from=now,
            declared=declared, **judged.columns,
        )  # fmt: skip
        _write(schedule, judged)
        auditing.record("create", schedule, by, after=auditing.told(schedule))
    return schedule


def change(schedule: Schedule, changes: Mapping[str, Any], by: Actor) -> Schedule:
    """The schedule with these fields of `Definition` changed; `***` in a payload leaves a secret as
    it is. Another rule, zone or start, and being switched on, begin now: no moment before is run.

    To switch it off and no more is always possible, however invalid the rest became.

    Raises InvalidSchedule, NameTaken, and DeclaredInCode where anything but `enabled` is changed.
    """
    changes = _judged(changes)
    with transaction.atomic():
        row = locked(schedule)
        if row.declared and set(changes) - {"enabled"}:
            raise DeclaredInCode
        return _changed(row, changes, by)


def redeclare(schedule: Schedule, changes: Mapping[str, Any], by: Actor) -> Schedule:
    """`change`, for what is declared in code."""
    changes = _judged(changes)
    with transaction.atomic():
        return _changed(locked(schedule), changes, by)


def toggle(schedule: Schedule, by: Actor, *, enabled: bool | None = None) -> Schedule:
    """Switch it on or off; without `enabled`, over."""
    with transaction.atomic():
        row = locked(schedule)
        wanted = not row.enabled if enabled is None else enabled
        return _changed(row, {"enabled": wanted}, by)


def delete(schedule: Schedule, by: Actor, *, declared_too: bool = False) -> None:
    """Its jobs stay. Raises DeclaredInCode for what the next start would make again."""
    with transaction.atomic():
        row = locked(schedule)
        if row.declared and not declared_too:
            raise DeclaredInCode
        auditing.record("delete", row, by, before=auditing.told(row))
        beat_rows.remove(row)
        row.delete()


def run(schedule: Schedule, by: Actor) -> Job:
    """A run by hand, now. It has no moment, and neither overlap nor calendars hold it back. Where a
    job with its unique key has not ended, that one is returned.

    Raises what `jobs.enqueue.enqueue` raises, and NotRun where a secret can no longer be read.
    """
    return hand_in(schedule, by).job


def hand_in(schedule: Schedule, by: Actor) -> Enqueued:
    """`run`, telling also whether the job is a new one."""
    with transaction.atomic():
        bound_waits()  # others wait for the schedule while it waits for its tenant's quota
        row = locked(schedule)
        try:
            request = handing_in.request_for(row, None, handing_in.opened(row), by=by.name)
        except PydanticCustomError as error:
            raise NotRun(handing_in.UNREADABLE) from error
        done = enqueue(row.tenant, row.type, request.payload, request.options)
        Firing.objects.create(
            schedule=row,
            decision=Decision.FIRED if done.created else Decision.SKIPPED,
            reason="" if done.created else handing_in.WAITS_ALREADY,
            job_id=done.job.pk,
            by=by.name,
        )
        if done.created:
            row.last_run_at, row.last_job_id = database_now(), done.job.pk
            row.save(update_fields=["last_run_at", "last_job_id"])
        auditing.record("run", row, by, after={"job_id": str(done.job.pk)})
    return done


def locked(schedule: Schedule) -> Schedule:
    """The row as it now is, held until the transaction ends. Raises Schedule.DoesNotExist."""
    rows = Schedule.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("tenant", "periodic_task").get(pk=schedule.pk)


def _judged(changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Before the row is locked: a name may have to be looked up."""
    url = changes.get("webhook_url")
    return {**changes, "webhook_url": Judge()(url)} if url else changes


def _changed(row: Schedule, changes: Mapping[str, Any], by: Actor) -> Schedule:
    if dict(changes) == {"enabled": False}:
        return _switched_off(row, by)
    before, was = auditing.told(row), definition_of(row)
    wanted = {name: getattr(was, name) for name in Definition.__dataclass_fields__} | dict(changes)
    wanted["payload"] = _with_secrets(wanted["payload"], row.payload)
    judged = judge(row.tenant, Definition(**wanted))
    now = database_now()
    another_rule = any(getattr(row, name) != judged.columns[name] for name in _RULE)
    if _overtake(row, now, off=not judged.columns["enabled"], another_rule=another_rule):
        row = locked(row)
    if another_rule or row.next_moment is None:  # None: it was off, or had ended
        row.effective_from, row.next_moment = now, None
    for name, value in judged.columns.items():
        setattr(row, name, value)
    row.updated_at = now
    _write(row, judged)
    auditing.record_change(row, by, before, auditing.told(row), hidden=auditing.hidden(was, row))
    return row


def _overtake(row: Schedule, now: datetime, *, off: bool, another_rule: bool) -> bool:
    """Whether the row was changed in the database."""
    if off:
        return overtaken.close(row, now)
    return another_rule and overtaken.decide(row, now)


def _switched_off(row: Schedule, by: Actor) -> Schedule:
    """Nothing is judged and no secret opened: what became invalid can be switched off."""
    if not row.enabled:
        return row
    now = database_now()
    if overtaken.close(row, now):
        row = locked(row)
    row.enabled, row.next_moment, row.next_run_at, row.updated_at = False, None, None, now
    row.save(update_fields=["enabled", "next_moment", "next_run_at", "updated_at"])
    PeriodicTask.objects.filter(pk=row.periodic_task_id).update(enabled=False)
    if row.periodic_task is not None:
        row.periodic_task.enabled = False
    auditing.record_change(row, by, {"enabled": True}, {"enabled": False})
    return row


def _with_secrets(given: Any, stored: Any) -> Any:
    try:
        return unmasked(masked(given), stored)
    except PydanticCustomError as error:
        raise InvalidSchedule([FieldError("/payload", f"a secret {error.message()}")]) from error


def _write(schedule: Schedule, judged: Judged) -> None:
    """The row, its calendars and its row among beat's, with its next moment."""
    first = schedule.next_moment or timing.next_moment(schedule, schedule.effective_from)
    if schedule.ends_at is not None and first is not None and first > schedule.ends_at:
        first = None
    if first is None and schedule.enabled and schedule._state.adding:
        raise InvalidSchedule([_never_runs(schedule)])
    is_left_out = timing.left_out_by(judged.calendars, schedule.timezone)
    schedule.next_moment = first if schedule.enabled else None
    schedule.next_run_at = timing.next_run(schedule, schedule.next_moment, is_left_out)
    try:
        with transaction.atomic():
            schedule.save()
    except IntegrityError as error:
        if "schedule_name_once" not in str(error):
            raise
        raise NameTaken from None
    calendars.hold(judged.calendars)
    schedule.calendars.set(judged.calendars)
    schedule.periodic_task = beat_rows.put(schedule)
    schedule.save(update_fields=["periodic_task"])


def _never_runs(schedule: Schedule) -> FieldError:
    if schedule.ends_at is not None:
        return FieldError("/ends_at", "is over before the first run")
    return FieldError("/cron_expression", "never runs in this time zone, with this dst_policy")


def _require_room(tenant: Tenant) -> None:
    most = settings.SCHEDULES_PER_TENANT
    if most and Schedule.objects.filter(tenant=tenant)[:most].count() >= most:
        text = f"The tenant has {most:,} schedules, as many as it may."
        raise QuotaExceeded(text, retry_after=_QUOTA_SECONDS)
