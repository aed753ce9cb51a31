"""The firings of what was filled in later on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from jobs.operations import Actor
from scheduling import timing
from scheduling.clock import database_now
from scheduling.earlier import as_if_effective
from scheduling.models import Firing, Schedule
from scheduling.planning import Outcome

_REWRITTEN = ("decision", "reason", "job_id", "by", "decided_at", "late_seconds")


def write(
    schedule: Schedule,
    outcomes: Mapping[datetime, Outcome],
    known: Mapping[datetime, Firing],
    by: Actor,
) -> None:
    """One for each moment, in the place of what is known of it. A row that stands for many moments
    goes on to stand for those that are left."""
    for row in known.values():
        if row.until is not None and row.moment in outcomes:
            _move_on(schedule, row, outcomes)
    alone = {at: row for at, row in known.items() if row.until is None and at in outcomes}
    now = database_now()
    fresh = [Firing(schedule=schedule, moment=at) for at in outcomes if at not in alone]
    for row in (*fresh, *alone.values()):
        assert row.moment is not None
        outcome = outcomes[row.moment]
        row.decision, row.reason, row.job_id = outcome.decision, outcome.reason, outcome.job_id
        row.by, row.decided_at = by.name, now
        row.late_seconds = (now - row.moment).total_seconds()
    Firing.objects.bulk_create(fresh)
    Firing.objects.bulk_update(alone.values(), _REWRITTEN)


def _move_on(schedule: Schedule, many: Firing, outcomes: Mapping[datetime, Outcome]) -> None:
    """To the first moment that is not filled in, now or before."""
    assert many.moment is not None
    assert many.until is not None
    told = set(
        schedule.firings.filter(moment__gt=many.moment, moment__lt=many.until).values_list(
            "moment", flat=True
        )
    )
    earlier = as_if_effective(schedule, many.moment)
    for moment in timing.moments_after(earlier, many.moment):
        if moment >= many.until:
            break
        if moment not in outcomes and moment not in told:
            many.moment = moment
            many.save(update_fields=["moment"])
            return
    many.delete()
