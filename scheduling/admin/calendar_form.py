"""The form of a calendar, and its days in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django import forms
from django.db import transaction

from accounts.models import Tenant
from jobs.admin.fields import LinedField
from jobs.admin.judged import SEEN, JudgedForm, SeenField, seen
from jobs.exceptions import JobsError
from jobs.operations import Actor
from scheduling import calendars
from scheduling.admin.fields import DatesField, LinesField
from scheduling.calendar_days import Days
from scheduling.models import Calendar

WEEKDAYS = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
_NAMED = 4  # days of a calendar in the list
_FIELDS = ("name", "description", "weekdays", "yearly", "dates")


class CalendarForm(JudgedForm):
    lists = frozenset({"dates", "yearly", "weekdays"})

    seen = SeenField()
    name = forms.CharField(max_length=255, strip=False)
    description = LinedField(rows=2)
    weekdays = forms.TypedMultipleChoiceField(
        label="Never on",
        required=False,
        coerce=int,
        choices=list(enumerate(WEEKDAYS, start=1)),
        widget=forms.CheckboxSelectMultiple,
    )
    yearly = LinesField(
        rows=6, placeholder="12-25", label="Each year", help_text="Month and day, one a line."
    )
    dates = DatesField(
        rows=6, placeholder="2026-04-06", label="Once", help_text="Year, month and day, one a line."
    )

    def __init__(self, data: Any = None, *, tenant: Tenant, calendar: Calendar | None = None):
        self.tenant, self.calendar = tenant, calendar
        super().__init__(data, initial=_initial(calendar) if calendar else {})

    def save(self, by: Actor) -> Calendar | None:
        """None where it was refused, and the fields say why. Raises Calendar.DoesNotExist where it
        was removed meanwhile."""
        given = {name: self.cleaned_data[name] for name in _FIELDS}
        try:
            if self.calendar is None:
                return calendars.create(self.tenant, Days(**given), by)
            changes = {name: given[name] for name in self.changed_data if name != SEEN}
            return self._change(self.calendar, changes, by)
        except JobsError as error:
            self.refuse(error)
        return None

    @transaction.atomic
    def _change(self, calendar: Calendar, changes: dict[str, Any], by: Actor) -> Calendar:
        held = Calendar.objects.select_for_update(of=("self",), no_key=True).get(pk=calendar.pk)
        self.require_as_seen(held.updated_at)
        return calendars.change(calendar, changes, by)


def _initial(calendar: Calendar) -> dict[str, Any]:
    fields = {name: getattr(calendar, name) for name in _FIELDS}
    return {**fields, SEEN: seen(calendar.updated_at)}


def in_words(calendar: Calendar, today: date) -> str:
    """“Saturday, Sunday, 12-25, 2026-04-06 and 3 more”; of single days those to come."""
    days = list(_days(calendar, today))
    rest = len(days) - _NAMED
    return ", ".join(days[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _days(calendar: Calendar, today: date) -> Iterator[str]:
    for number in calendar.weekdays:
        yield WEEKDAYS[number - 1]
    yield from calendar.yearly
    for day in calendar.dates:
        if day >= today:
            yield day.isoformat()
