"""The schedules and calendars that a request may see or change."""

from __future__ import annotations

from typing import TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, OuterRef, QuerySet
from rest_framework.exceptions import NotFound, PermissionDenied

from accounts.access import Access
from accounts.api.path import as_id
from scheduling.models import Calendar, Schedule

M = TypeVar("M", bound=Model)
_NAMES = Schedule.calendars.through.objects.filter(schedule=OuterRef("pk"))
_CALENDAR_IDS = ArraySubquery(_NAMES.order_by("calendar_id").values("calendar_id"))


def schedules_of(access: Access) -> QuerySet[Schedule]:
    """In one query, each with its tenant and the ids of its calendars."""
    rows = Schedule.objects.select_related("tenant").annotate(named_calendars=_CALENDAR_IDS)
    return access.narrow(rows)


def schedule_of(access: Access, schedule_id: str) -> Schedule:
    """Raises NotFound, the same for a malformed, a missing and a foreign id."""
    return _the_one(schedules_of(access), schedule_id)


def held_schedule_of(access: Access, schedule_id: str) -> Schedule:
    """The same, and until the transaction ends nobody else changes, fires or removes it."""
    rows = Schedule.objects.select_for_update(of=("self",), no_key=True).select_related("tenant")
    return _the_one(access.narrow(rows), schedule_id)


def calendars_of(access: Access) -> QuerySet[Calendar]:
    return access.narrow(Calendar.objects.select_related("tenant"))


def calendar_of(access: Access, calendar_id: str) -> Calendar:
    return _the_one(calendars_of(access), calendar_id)


def held_calendar_of(access: Access, calendar_id: str) -> Calendar:
    rows = Calendar.objects.select_for_update(of=("self",), no_key=True).select_related("tenant")
    return _the_one(access.narrow(rows), calendar_id)


def owner_for(asked: str | None, access: Access) -> str:
    """Whose it is to be. Raises PermissionDenied where a token of one owner asks for another's."""
    bound = access.principal.owner
    if bound and asked not in (None, bound):
        raise PermissionDenied("This token makes schedules of its own owner only.")
    return bound or asked or ""


def _the_one(rows: QuerySet[M], name: str) -> M:
    found = rows.filter(pk=as_id(name)).first()
    if found is None:
        raise NotFound
    return found
