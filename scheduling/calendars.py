"""What a person or a program does to a calendar: the change and its audit entry, together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from typing import Any

from django.db import IntegrityError, connection, transaction

from accounts import audit
from accounts.models import Tenant
from jobs.exceptions import FieldError, QuotaExceeded
from jobs.operations import Actor
from jobs.options import check_short_text
from scheduling import timing
from scheduling.calendar_days import Days, mistakes_in
from scheduling.clock import database_now
from scheduling.exceptions import CalendarInUse, InvalidSchedule, NameTaken
from scheduling.left_out import left_out_of
from scheduling.models import Calendar, Schedule

MOST_OF_TENANT = 1_000
_QUOTA_SECONDS = 3600
_AT_ONCE = 500  # schedules that are read, and written, together


def create(tenant: Tenant, given: Days, by: Actor, *, owner: str = "") -> Calendar:
    """Raises InvalidSchedule, NameTaken and QuotaExceeded; then nothing was written."""
    with transaction.atomic():
        _require_room(tenant)
        calendar = Calendar(tenant=tenant, created_by=by.name, owner=owner)
        calendar.created_at = database_now()
        _fill(calendar, given)
        _save(calendar)
        _record("create", calendar, by, after=told(calendar))
    return calendar


def change(calendar: Calendar, changes: Mapping[str, Any], by: Actor) -> Calendar:
    """The calendar with these fields of `Days` changed, and the next run of each schedule that
    names it. What a firing decided already stays. Raises InvalidSchedule and NameTaken."""
    with transaction.atomic():
        row = Calendar.objects.select_for_update(of=("self",), no_key=True).get(pk=calendar.pk)
        before, days_before = told(row), _days(row)
        _fill(row, replace(_given(row), **changes))
        if _days(row) != days_before:
            _move_next_runs(row)
        _save(row)  # last: another name is waited for by whoever names the calendar
        after = told(row)
        if before != after:
            different = sorted(name for name in after if before[name] != after[name])
            _record(
                "change", row, by,
                before={name: before[name] for name in different},
                after={name: after[name] for name in different},
            )  # fmt: skip
    return row


def delete(calendar: Calendar, by: Actor) -> None:
    """Raises CalendarInUse while a schedule names it."""
    with transaction.atomic():
        row = Calendar.objects.select_for_update().get(pk=calendar.pk)
        naming = row.schedules.count()
        if naming:
            raise CalendarInUse.by(naming)
        _record("delete", row, by, before=told(row))
        row.delete()


# Raw SQL: the ORM has no FOR KEY SHARE, the lock of a foreign key, which only a removal waits for.
_HOLD = "SELECT id FROM scheduling_calendar WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"


def hold(calendars: Collection[Calendar]) -> None:
    """None of them is removed before the transaction ends. Raises InvalidSchedule where one was
    removed meanwhile."""
    if not calendars:
        return
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [[one.pk for one in calendars]])
        held = cursor.rowcount
    if held < len(calendars):
        raise InvalidSchedule([FieldError("/calendar_ids", "one of them was removed just now")])


def told(calendar: Calendar) -> dict[str, Any]:
    """For the audit trail."""
    return {
        **asdict(_given(calendar)),
        "dates": [day.isoformat() for day in calendar.dates],
        "owner": calendar.owner,
    }


def _given(calendar: Calendar) -> Days:
    return Days(
        name=calendar.name,
        description=calendar.description,
        dates=calendar.dates,
        yearly=calendar.yearly,
        weekdays=calendar.weekdays,
    )


def _days(calendar: Calendar) -> tuple[object, ...]:
    return calendar.dates, calendar.yearly, calendar.weekdays


def _fill(calendar: Calendar, given: Days) -> None:
    errors = list(mistakes_in(given))
    check_short_text("owner", calendar.owner, errors)
    if errors:
        raise InvalidSchedule(errors)
    calendar.name, calendar.description = given.name, given.description
    calendar.dates = sorted(set(given.dates))
    calendar.yearly = sorted(set(given.yearly))
    calendar.weekdays = sorted(set(given.weekdays))


def _save(calendar: Calendar) -> None:
    calendar.updated_at = database_now()
    try:
        with transaction.atomic():
            calendar.save()
    except IntegrityError as error:
        if "calendar_name_once" not in str(error):
            raise
        raise NameTaken from None


def _move_next_runs(calendar: Calendar) -> None:
    """By id, so that two changes never wait in a circle, and some at a time."""
    rows = Schedule.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
    rows = rows.filter(calendars=calendar, next_moment__isnull=False)
    last = None
    while some := list((rows.filter(pk__gt=last) if last else rows)[:_AT_ONCE]):
        left_out = left_out_of(some, instead=[calendar])
        for one in some:
            one.next_run_at = timing.next_run(one, one.next_moment, left_out[one.pk])
        Schedule.objects.bulk_update(some, ["next_run_at"])
        last = some[-1].pk


def _require_room(tenant: Tenant) -> None:
    if Calendar.objects.filter(tenant=tenant)[:MOST_OF_TENANT].count() >= MOST_OF_TENANT:
        text = f"The tenant has {MOST_OF_TENANT:,} calendars, as many as it may."
        raise QuotaExceeded(text, retry_after=_QUOTA_SECONDS)


def _record(what: str, calendar: Calendar, by: Actor, **sides: Any) -> None:
    audit.record_done(f"calendar.{what}", calendar, by, **sides)
