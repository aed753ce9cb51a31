"""Moments that have come when a change would overtake them: each is decided before it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from jobs.lifecycle.statement import bound_waits
from scheduling import firing, timing
from scheduling.models import Firing, Schedule
from scheduling.policies import Decision

logger = logging.getLogger(__name__)
SWITCHED_OFF = "switched off before it ran"


def decide(schedule: Schedule, now: datetime) -> bool:
    """By the rule that they came under; returns whether the row was changed by that. Where they
    cannot be decided, the change goes on without."""
    if not _is_due(schedule, now):
        return False
    try:
        fired = firing.fire_due(firing.Among(only=schedule.pk)).schedules > 0
    except Exception as error:
        if connection.needs_rollback:  # the database is away
            raise
        logger.warning("schedule %s could not be fired before a change: %r", schedule.pk, error)
        return False
    bound_waits()  # a change may wait longer than firing does
    return fired


def close(schedule: Schedule, now: datetime) -> bool:
    """`decide`, before it is switched off: who does that wants no run that is late."""
    late = now - timedelta(seconds=settings.SCHEDULE_GRACE_SECONDS)
    if schedule.next_moment is None or schedule.next_moment >= late:
        return decide(schedule, now)
    if _is_due(schedule, now):
        Firing.objects.bulk_create([_left_out(schedule, now)], ignore_conflicts=True)
    return False


def _is_due(schedule: Schedule, now: datetime) -> bool:
    return schedule.enabled and schedule.next_moment is not None and schedule.next_moment <= now


def _left_out(schedule: Schedule, now: datetime) -> Firing:
    """One row for all of them."""
    assert schedule.next_moment is not None
    second = timing.next_moment(schedule, schedule.next_moment)
    return Firing(
        schedule=schedule,
        moment=schedule.next_moment,
        until=now if second is not None and second <= now else None,
        decision=Decision.MISSED,
        reason=SWITCHED_OFF,
        late_seconds=(now - schedule.next_moment).total_seconds(),
        decided_at=now,
    )
