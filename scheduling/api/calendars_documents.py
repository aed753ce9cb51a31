"""What the calls about calendars take and answer."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from accounts.access import Access
from accounts.api import bodies
from accounts.api.bodies import saying
from accounts.api.moment import shown
from jobs.api.bounds import ShortText
from scheduling.api.bodies import Description, Name, require_something
from scheduling.calendar_days import MOST_DATES, Days
from scheduling.models import Calendar

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class CalendarDocument(BaseModel):
    """Days on which the schedules that name it do not run, each in the schedule's own zone: certain
    dates, days of each year as MM-DD, and weekdays from 1 (Monday) to 7 (Sunday).

    `tenant` is there where all tenants were asked for.
    """

    id: UUID
    name: str
    description: str
    owner: str | None
    dates: list[date]
    yearly: list[str]
    weekdays: list[int]
    created_at: datetime
    updated_at: datetime
    created_by: str | None
    tenant: str | None = None


class CalendarPage(BaseModel):
    items: list[CalendarDocument]
    next_cursor: str | None


def _date(value: object) -> date:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("a date looks like 2026-12-25")


def _told(**schema: Any) -> Any:
    return Field(json_schema_extra=schema)


_Day = Annotated[
    date, BeforeValidator(saying(_date)), WithJsonSchema({"type": "string", "format": "date"})
]
_Dates = Annotated[list[_Day], Field(max_length=MOST_DATES)]
_Yearly = Annotated[
    list[Annotated[str, _told(pattern="^[0-9]{2}-[0-9]{2}$", examples=["12-25"])]],
    Field(max_length=366),
]
_Weekdays = Annotated[list[Annotated[int, _told(minimum=1, maximum=7)]], Field(max_length=7)]


class _Body(bodies.Body):
    read_only = frozenset(CalendarDocument.model_fields)


class WholeCalendar(_Body):
    """A calendar, whole. What is left out is empty."""

    name: Name
    description: Description = ""
    dates: _Dates = Field(default_factory=list)
    yearly: _Yearly = Field(default_factory=list)
    weekdays: _Weekdays = Field(default_factory=list)

    @property
    def changes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in WholeCalendar.model_fields}


class NewCalendar(WholeCalendar):
    """A new calendar. `owner` stays as it is made: one of an owner is for that owner's schedules
    alone, one of nobody for all."""

    owner: ShortText | None = None

    @property
    def days(self) -> Days:
        return Days(**self.changes)


_LEFT_OUT: Any = None  # what `model_fields_set` tells apart from any value


class CalendarChange(_Body):
    """What is left out stays."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    name: Name = _LEFT_OUT
    description: Description = _LEFT_OUT
    dates: _Dates = _LEFT_OUT
    yearly: _Yearly = _LEFT_OUT
    weekdays: _Weekdays = _LEFT_OUT

    @model_validator(mode="after")
    def _something(self) -> CalendarChange:
        require_something(self)
        return self

    @property
    def changes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}


def calendar_document(calendar: Calendar, access: Access) -> dict[str, Any]:
    document = {
        "id": str(calendar.pk),
        "name": calendar.name,
        "description": calendar.description,
        "owner": calendar.owner or None,
        "dates": [day.isoformat() for day in calendar.dates],
        "yearly": calendar.yearly,
        "weekdays": calendar.weekdays,
        "created_at": shown(calendar.created_at),
        "updated_at": shown(calendar.updated_at),
        "created_by": calendar.created_by or None,
    }
    if access.tenant is None:
        document["tenant"] = calendar.tenant.slug
    return document
