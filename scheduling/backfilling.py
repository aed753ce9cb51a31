"""Runs for a range that is past: what was missed, skipped, or lies before the schedule was made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice, takewhile
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from pydantic_core import PydanticCustomError

from accounts import audit
from jobs.enqueue import JobRequest, enqueue_many
from jobs.exceptions import FieldError
from jobs.lifecycle.statement import bound_waits
from jobs.models import Job
from jobs.operations import Actor
from jobs.states import Status
from scheduling import filled, handing_in, timing, verbs
from scheduling.clock import database_now
from scheduling.earlier import as_if_effective
from scheduling.exceptions import InvalidSchedule, NotRun
from scheduling.models import Firing, Schedule
from scheduling.planning import Outcome
from scheduling.policies import Decision

MOST_MOMENTS = 1_000
_MIB = 2**20
MOST_BYTES = 64 * _MIB  # of payloads
_LONGEST_IDLE = "60s"  # in a transaction


@dataclass(frozen=True, kw_only=True)
class Filled:
    """`outcome` is None for what was only looked at. `ran_before`: its job was made earlier."""

    moment: datetime
    outcome: Outcome | None = None
    ran_before: bool = False
    job_id: UUID | None = None


def backfill(
    schedule: Schedule, start: datetime, end: datetime, by: Actor, *, dry_run: bool = False
) -> list[Filled]:
    """A job for each moment from `start` to before `end` that has none, by the rule as it now is,
    without the days that calendars leave out. Overlap, misfire and jitter hold back none of them.

    A moment that was skipped or missed becomes a fired one; one that has a job is left alone, so
    this may be repeated; one whose job was cancelled has none. Raises InvalidSchedule for a range
    that is no past one, has more than MOST_MOMENTS moments, or payloads of more than MOST_BYTES.
    """
    with transaction.atomic():
        _bound_waits()
        row = verbs.locked(schedule)
        moments = _moments(row, start, end)
        known = {at: one for one in row.firings.filter(moment__in=moments) if (at := one.moment)}
        fired = _with_a_job(known)
        wanted = [moment for moment in moments if moment not in fired]
        _require_small(row, wanted)
        outcomes = {} if dry_run else _hand_in(row, wanted, known, by)
        if outcomes:
            _record(row, start, end, outcomes, by)
    return [
        Filled(moment=at, ran_before=True, job_id=fired[at].job_id)
        if at in fired
        else Filled(moment=at, outcome=outcomes.get(at))
        for at in moments
    ]


def _bound_waits() -> None:
    """Others wait for the schedule while it waits for its tenant's quota; but a thousand jobs take
    a while to make on a busy machine."""
    bound_waits()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [_LONGEST_IDLE]
        )


def _with_a_job(known: dict[datetime, Firing]) -> dict[datetime, Firing]:
    """One that retention removed counts: it ran."""
    fired = {at: one for at, one in known.items() if one.decision == Decision.FIRED}
    jobs = Job.objects.filter(pk__in=[one.job_id for one in fired.values()])
    cancelled = set(jobs.filter(status=Status.CANCELLED).values_list("pk", flat=True))
    return {at: one for at, one in fired.items() if one.job_id not in cancelled}


def _require_small(schedule: Schedule, moments: list[datetime]) -> None:
    """All of the jobs stand in memory together."""
    size = len(json.dumps(schedule.payload).encode()) * len(moments)
    if size > MOST_BYTES:
        text = f"would hand in {size / _MIB:,.0f} MiB; take a shorter range"
        raise InvalidSchedule([FieldError("/from", text)])


def _moments(schedule: Schedule, start: datetime, end: datetime) -> list[datetime]:
    now = database_now()
    undecided = schedule.next_moment if schedule.enabled else None
    past = min(now, undecided) if undecided else now
    if end > now:
        raise InvalidSchedule([FieldError("/to", "is not past")])
    if start >= end:
        raise InvalidSchedule([FieldError("/from", "is not before `to`")])
    found = list(islice(_between(schedule, start, min(end, past)), MOST_MOMENTS + 1))
    if len(found) > MOST_MOMENTS:
        text = f"has more than {MOST_MOMENTS:,} moments from there on; take a shorter range"
        raise InvalidSchedule([FieldError("/from", text)])
    return found


def _between(schedule: Schedule, start: datetime, end: datetime) -> Iterator[datetime]:
    """What is not decided yet is left to the scheduler."""
    is_left_out = timing.left_out_by(schedule.calendars.all(), schedule.timezone)
    earlier = as_if_effective(schedule, start)
    found = timing.runs_from(earlier, start, is_left_out)
    return takewhile(lambda moment: moment < end, found)


def _hand_in(
    schedule: Schedule, moments: list[datetime], known: dict[datetime, Firing], by: Actor
) -> dict[datetime, Outcome]:
    try:
        payload = handing_in.opened(schedule)
    except PydanticCustomError as error:
        raise NotRun(handing_in.UNREADABLE) from error
    requests = [_request(schedule, moment, payload, by) for moment in moments]
    results = enqueue_many(schedule.tenant, requests)
    outcomes = {
        moment: handing_in.outcome_of(result)
        for moment, result in zip(moments, results, strict=True)
    }
    filled.write(schedule, outcomes, known, by)
    return outcomes


def _request(schedule: Schedule, moment: datetime, payload: Any, by: Actor) -> JobRequest:
    request = handing_in.request_for(schedule, moment, payload, by=by.name)
    return replace(request, options=replace(request.options, run_at=None))


def _record(
    schedule: Schedule,
    start: datetime,
    end: datetime,
    outcomes: dict[datetime, Outcome],
    by: Actor,
) -> None:
    made = sum(one.decision is Decision.FIRED for one in outcomes.values())
    audit.record_done(
        "schedule.backfill",
        schedule,
        by,
        after={"from": start.isoformat(), "to": end.isoformat(), "jobs": made},
    )
