"""Schedules as the person at the terminal sees them: by name, as the API's documents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from accounts.access import Access
from accounts.api.moment import shown
from jobs.terminal.refusal import Refused
from scheduling.api.documents import schedule_document
from scheduling.api.reach import schedules_of
from scheduling.models import Firing, Schedule

_LATEST = 10


def found(text: str, access: Access) -> Schedule:
    """The schedule of this name or id. Raises Refused, also where tenants share the name."""
    schedule_id = _as_id(text)
    rows = schedules_of(access)
    named = rows.filter(pk=schedule_id) if schedule_id else rows.filter(name=text)
    known = list(named.order_by("pk")[:2])
    if not known:
        raise Refused(f"There is no schedule {text!r}; `schedules list` names them.")
    if len(known) > 1:
        raise Refused(f"More than one tenant has a schedule {text!r}; say whose with --tenant.")
    return known[0]


@contextmanager
def removal_in_words() -> Iterator[None]:
    """Turns a schedule that somebody removed meanwhile into `Refused`."""
    try:
        yield
    except Schedule.DoesNotExist as error:
        raise Refused("The schedule was removed meanwhile.") from error


def current(schedule: Schedule, access: Access) -> dict[str, Any]:
    """The document of the schedule as it is now."""
    return schedule_document(schedules_of(access).get(pk=schedule.pk), access)


def firings(schedule: Schedule) -> list[dict[str, Any]]:
    """What became of its latest moments, and of runs by hand, the newest decision first."""
    return [_firing(one) for one in schedule.firings.order_by("-pk")[:_LATEST]]


def _firing(firing: Firing) -> dict[str, Any]:
    return {
        "moment": shown(firing.moment),
        "until": shown(firing.until),
        "decision": firing.decision,
        "reason": firing.reason or None,
        "job_id": firing.job_id and str(firing.job_id),
        "late_seconds": firing.late_seconds,
        "by": firing.by or None,
        "decided_at": shown(firing.decided_at),
    }


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
