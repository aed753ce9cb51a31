"""What the calendars of many schedules leave out. Each calendar is read once, however many name
it: it may hold a thousand dates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from scheduling import timing
from scheduling.models import Calendar, Schedule
from scheduling.timing import LeftOut


def left_out_of(
    schedules: Sequence[Schedule], *, instead: Iterable[Calendar] = ()
) -> dict[UUID, LeftOut]:
    """By schedule. `instead`: calendars as they are to be, not as they stand."""
    names = _names(schedules)
    known = Calendar.objects.in_bulk(list(set().union(*names.values()))) if names else {}
    known |= {one.pk: one for one in instead}
    found: dict[tuple[frozenset[UUID], str], LeftOut] = {}
    left_out = {}
    for schedule in schedules:
        key = frozenset(names.get(schedule.pk, ())), schedule.timezone
        if key not in found:
            calendars = [known[one] for one in key[0] if one in known]
            found[key] = timing.left_out_by(calendars, schedule.timezone)
        left_out[schedule.pk] = found[key]
    return left_out


def _names(schedules: Sequence[Schedule]) -> dict[UUID, set[UUID]]:
    """The calendars that each names; those without one are not there."""
    rows = Schedule.calendars.through.objects.filter(schedule__in=[one.pk for one in schedules])
    names = defaultdict(set)
    for schedule, calendar in rows.values_list("schedule_id", "calendar_id"):
        names[schedule].add(calendar)
    return names
