"""The jobs of a schedule's runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case, When
from pydantic_core import PydanticCustomError

from accounts.models import Tenant
from jobs import lifecycle
from jobs.enqueue import DependsOn, Enqueued, JobOptions, JobRequest, enqueue_many
from jobs.exceptions import JobsError
from jobs.models import Job, OnFailure
from jobs.secret import masked, unmasked
from jobs.states import Status
from jobs.webhook_url import as_stored
from scheduling.jitter import jitter
from scheduling.models import Schedule
from scheduling.planning import Outcome, Plan
from scheduling.policies import Decision, Overlap

WAITS_ALREADY = "a job with its unique key has not ended"
UNREADABLE = "a secret of its payload was encrypted under a key that is no longer configured"
_MOST_REPLACED = 1_000
_LONGEST_REASON = 500


class _Run(NamedTuple):
    plan: Plan
    moment: datetime
    request: JobRequest
    replaced: Sequence[UUID]


def hand_in(plans: Sequence[Plan], now: datetime) -> int:
    """Make the jobs of all that is to run, and note in each plan what came of it. Returns how many
    were made. Tenants come one after the other in one order, so two processes never wait for each
    other in a circle."""
    wanted: dict[Tenant, list[_Run]] = defaultdict(list)
    for plan in sorted(plans, key=lambda one: one.schedule.tenant_id):
        wanted[plan.schedule.tenant] += _runs(plan)
    return sum(_hand_in(tenant, runs) for tenant, runs in wanted.items() if runs)


def _runs(plan: Plan) -> list[_Run]:
    schedule, moments = plan.schedule, [one.moment for one in plan.to_run]
    if not moments:
        return []
    try:
        payload = opened(schedule)
    except PydanticCustomError:
        refused = Outcome(decision=Decision.REFUSED, reason=UNREADABLE)
        plan.outcomes.update(dict.fromkeys(moments, refused))
        return []
    replaced = _unfinished(schedule) if schedule.overlap == Overlap.REPLACE else []
    return [
        _Run(plan, moment, request_for(schedule, moment, payload, after=replaced), replaced)
        for moment in moments
    ]


def _hand_in(tenant: Tenant, runs: Sequence[_Run]) -> int:
    """What is to be replaced is cancelled when there is what replaces it."""
    made = 0
    for run, result in zip(runs, enqueue_many(tenant, [one.request for one in runs]), strict=True):
        outcome = run.plan.outcomes[run.moment] = outcome_of(result)
        if outcome.decision is Decision.FIRED:
            made += 1
            if run.replaced:
                lifecycle.cancel_all(run.replaced, by=_name(run.plan.schedule))
    return made


def request_for(
    schedule: Schedule,
    moment: datetime | None,
    payload: Any,
    *,
    by: str = "",
    after: Sequence[UUID] = (),
) -> JobRequest:
    """The job of this moment, or of a run by hand, which has none. It begins when the jobs `after`
    have ended, whatever became of them. Jitter spreads all but those that somebody (`by`) asked
    for."""
    spread = 0 if by else schedule.jitter_seconds
    return JobRequest(
        type_name=schedule.type,
        payload=payload,
        options=JobOptions(
            queue=schedule.queue or None,
            priority=schedule.priority,
            run_at=moment and moment + jitter(schedule.pk, moment, most_seconds=spread),
            max_retries=schedule.max_retries,
            timeout_seconds=schedule.timeout_seconds,
            labels=schedule.labels,
            depends_on=[DependsOn(job_id=job, on_failure=OnFailure.RUN) for job in after],
            owner=schedule.owner,
            created_by=by or _name(schedule),
            webhook_url=as_stored(schedule.webhook_url),
            schedule_id=schedule.pk,
            scheduled_for=moment,
        ),
    )


def opened(schedule: Schedule) -> Any:
    """Its payload with its secrets, to be handed in."""
    return unmasked(masked(schedule.payload), schedule.payload)


def outcome_of(result: Enqueued | JobsError) -> Outcome:
    if isinstance(result, JobsError):
        return Outcome(decision=Decision.REFUSED, reason=str(result)[:_LONGEST_REASON])
    if not result.created:
        return Outcome(decision=Decision.SKIPPED, reason=WAITS_ALREADY, job_id=result.job.pk)
    return Outcome(decision=Decision.FIRED, job_id=result.job.pk)


def _unfinished(schedule: Schedule) -> list[UUID]:
    """Those of its jobs that a new one replaces: not what somebody ran by hand or filled in. The
    running ones first, where there are too many."""
    runs_first = Case(When(status=Status.PROCESSING, then=0), default=1)
    rows = Job.objects.active().filter(schedule_id=schedule.pk, created_by=_name(schedule))
    return list(rows.order_by(runs_first, "-seq").values_list("pk", flat=True)[:_MOST_REPLACED])


def _name(schedule: Schedule) -> str:
    return f"schedule:{schedule.pk}"
