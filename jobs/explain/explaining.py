"""All reasons of one job, and when it is likely to start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from jobs.explain import attendance, standing
from jobs.explain.holds import held
from jobs.explain.limits import limited
from jobs.explain.reason import Code, Explanation, Reason, latest
from jobs.models import Job
from jobs.policies import snapshot
from jobs.position import Number, higher_than, position_of
from jobs.states import FINAL, Status
from jobs.stats import EVERYBODYS, expected_wait, measured


def explain(job: Job, now: datetime | None = None) -> Explanation:
    """Costs the same with a million waiting jobs as with ten thousand."""
    now = now or timezone.now()
    if job.status in FINAL:
        return Explanation(reasons=[standing.ended(job)])
    if job.status == Status.PROCESSING:
        return Explanation(reasons=[standing.running(job, now)])
    if job.status == Status.QUEUED:
        return _queued(job, now)
    if job.status == Status.BLOCKED:
        own = standing.blocked(job)
    else:
        own = [standing.scheduled(job), *attendance.absent(job)]
    reasons = [*own, *held(job, snapshot.read(), now)]
    return Explanation(reasons=reasons, expected_start_at=latest(reasons, now))


def _queued(job: Job, now: datetime) -> Explanation:
    ahead = _ahead(job, now)
    policies = snapshot.read()
    hard = [
        *standing.old_lease(job, now),
        *attendance.absent(job),
        *held(job, policies, now),
        *limited(job, policies, now, ahead=ahead.number),
    ]
    busy = [] if standing.is_next(job, now) else attendance.busy(job)
    return Explanation(
        reasons=[*hard, *_behind(job, ahead), *busy],
        runnable=not hard,
        ahead=ahead.number,
        ahead_exact=ahead.exact,
        expected_start_at=_expected_start(job, hard, ahead.number + len(busy), now),
    )


def _ahead(job: Job, now: datetime) -> Number:
    """Those that go first in its level, and all of the higher levels."""
    position, higher = position_of(job, now), higher_than(job, now)
    first = position.place - 1 if position.place else 0
    return Number(number=first + higher.number, exact=bool(position.exact) and higher.exact)


def _behind(job: Job, ahead: Number) -> list[Reason]:
    if not ahead.number or job.dispatched_at:
        return []
    about = "" if ahead.exact else "About "
    several = f"{about}{ahead.number:,} jobs of its queue go first."
    return [
        Reason(
            code=Code.QUEUED_BEHIND,
            detail=several if ahead.number > 1 else "One job of its queue goes first.",
            object=f"queue:{job.queue_id}",
            remedy="A boost lets it go earlier; more workers shorten the queue.",
        )
    ]


def _expected_start(job: Job, hard: Sequence[Reason], ahead: int, now: datetime) -> datetime | None:
    """When those that go first are worked off as fast as of late, and nothing holds it any more."""
    free_at = latest(hard, now)
    if free_at is None:
        return None
    wait = expected_wait(ahead, measured(EVERYBODYS, queue=job.queue_id)) if ahead else 0.0
    return None if wait is None else max(free_at, now + timedelta(seconds=wait))
