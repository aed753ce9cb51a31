"""The kit for testing schedules. docs/howto/testing.md

PostgreSQL's clock cannot be turned, and moving rows into the past, as `jobs.testing` does, would
not move two o'clock. But what fires takes the time as an argument.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Min

from jobs.models import Job
from scheduling import timing
from scheduling.declared import synchronise
from scheduling.firing import fire_due
from scheduling.models import Schedule

_MOST_ROUNDS = 10_000


def fire_between(start: datetime, end: datetime) -> list[Job]:
    """The jobs of every run from `start` on and before `end`, in order, as if each schedule that is
    switched on had been made at `start`, and each moment were looked at in time.

    What is declared in code is synchronised first. The jobs are rows, and wait for their time.
    """
    synchronise()
    _put_back(start)
    for _ in range(_MOST_ROUNDS):
        moment = Schedule.objects.filter(enabled=True).aggregate(first=Min("next_moment"))["first"]
        if moment is None or moment >= end:
            break
        fire_due(now=moment)
    else:
        raise ValueError(f"more than {_MOST_ROUNDS:,} moments; take a shorter time")
    jobs = Job.objects.filter(scheduled_for__gte=start, scheduled_for__lt=end)
    return list(jobs.order_by("scheduled_for", "seq"))


def _put_back(start: datetime) -> None:
    for schedule in Schedule.objects.filter(enabled=True):
        schedule.effective_from = start - timing.TICK
        schedule.next_moment = timing.next_moment(schedule, schedule.effective_from)
        schedule.save(update_fields=["effective_from", "next_moment"])
