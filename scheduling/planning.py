"""What is to happen with each of some schedules whose moment has come."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from jobs.models import Job
from scheduling import timing
from scheduling.deciding import Decided, Rules, decide
from scheduling.left_out import left_out_of
from scheduling.models import Firing, Schedule
from scheduling.policies import Decision, Misfire, Overlap
from scheduling.timing import LeftOut

MOST_MOMENTS = 500  # of one transaction, about
MOST_BYTES = 16 * 1024 * 1024  # of the payloads that one transaction hands in
MOST_LATE = 100  # of one schedule that are told one by one where they are not to run
_ROW_BYTES = 1_000  # of a job beside its payload

_Due = tuple[list[datetime], datetime | None]


@dataclass(kw_only=True)
class Plan:
    """Of one schedule: a decision for each moment that has come, and when it is due next.

    `left_over_since`: before these more were missed, from then on, which are not told one by one.
    `outcomes` are filled in as jobs are made.
    """

    schedule: Schedule
    decided: list[Decided]
    left_over_since: datetime | None
    left_over_to: datetime | None
    next_moment: datetime | None
    next_run_at: datetime | None
    outcomes: dict[datetime, Outcome] = field(default_factory=dict)

    @property
    def to_run(self) -> list[Decided]:
        return [one for one in self.decided if one.decision is Decision.FIRED]

    def cut_after(self, runs: int) -> Plan:
        """The same with its first runs only; from there on it stays due. What is then decided about
        the rest is what was decided now."""
        last = self.to_run[runs - 1]
        place = self.decided.index(last) + 1
        if place == len(self.decided):
            return self
        following = self.decided[place].moment
        return replace(
            self, decided=self.decided[:place], next_moment=following, next_run_at=following
        )

    @property
    def missed(self) -> list[Decided]:
        """Those whose window passed before anybody was there."""
        return [one for one in self.decided if one.was_missed]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of handing in a job."""

    decision: Decision
    reason: str = ""
    job_id: UUID | None = None


def planned(schedules: Sequence[Schedule], now: datetime) -> list[Plan]:
    """For as many of them as fit into one transaction, the first at least; others stay due."""
    grace = timedelta(seconds=settings.SCHEDULE_GRACE_SECONDS)
    left_out = left_out_of(schedules)
    due: dict[UUID, _Due] = {}
    total = 0
    for one in schedules:
        due[one.pk] = timing.due_moments(
            one, now, on_time_from=now - grace, most_late=_most_late(one), left_out=left_out[one.pk]
        )
        total += len(due[one.pk][0])
        if total >= MOST_MOMENTS:
            break
    running = _running([one.pk for one in schedules if one.overlap == Overlap.SKIP])
    known = _decided_before({pk: moments for pk, (moments, _) in due.items()})
    plans = [
        _plan(one, due[one.pk], one.pk in running, known, left_out[one.pk], now)
        for one in schedules
        if one.pk in due and due[one.pk][0]
    ]
    return list(_as_many_as_fit(plans))


def _most_late(schedule: Schedule) -> int:
    """Those that may run are told one by one, and some at least."""
    run_all = schedule.misfire == Misfire.RUN_ALL
    return max(MOST_LATE, schedule.misfire_limit) if run_all else MOST_LATE


def _as_many_as_fit(plans: Sequence[Plan]) -> Iterator[Plan]:
    """Payloads are copied for each run: together they take MOST_BYTES at most. Of the first plan
    that alone is more, the first runs are made, and the others stay due."""
    left = MOST_BYTES
    for plan in plans:
        runs = plan.to_run
        size = len(json.dumps(plan.schedule.payload)) + _ROW_BYTES if runs else 0
        if size * len(runs) > left:
            if left == MOST_BYTES:
                yield plan.cut_after(max(1, MOST_BYTES // size))
            return
        left -= size * len(runs)
        yield plan


def _plan(
    schedule: Schedule,
    due: _Due,
    is_running: bool,
    known: Collection[tuple[UUID, datetime]],
    is_left_out: LeftOut,
    now: datetime,
) -> Plan:
    moments, since = due
    rules = Rules(
        overlap=Overlap(schedule.overlap),
        misfire=Misfire(schedule.misfire),
        misfire_limit=schedule.misfire_limit,
        grace=timedelta(seconds=settings.SCHEDULE_GRACE_SECONDS),
        is_running=is_running,
        is_left_out=is_left_out,
    )
    following = timing.next_moment(schedule, moments[-1])
    fresh = [moment for moment in moments if (schedule.pk, moment) not in known]
    return Plan(
        schedule=schedule,
        decided=decide(fresh, rules, now=now),
        left_over_since=since,
        left_over_to=moments[0] if since else None,
        next_moment=following,
        next_run_at=timing.next_run(schedule, following, is_left_out),
    )


def _running(schedules: Sequence[UUID]) -> set[UUID]:
    if not schedules:
        return set()
    rows = Job.objects.active().filter(schedule_id__in=schedules).order_by()
    found = rows.values_list("schedule_id", flat=True).distinct()
    return {schedule for schedule in found if schedule is not None}


def _decided_before(due: Mapping[UUID, Sequence[datetime]]) -> set[tuple[UUID, datetime]]:
    """Moments that have a firing already, as after a backup was restored: they never run again."""
    moments = {moment for some in due.values() for moment in some}
    rows = Firing.objects.filter(schedule__in=list(due), moment__in=moments)
    found = rows.values_list("schedule_id", "moment")
    return {(schedule, moment) for schedule, moment in found if moment is not None}
