"""How many jobs are likely to go first, by the planner's statistics: at no cost that grows.

Ageing is taken into account: a job's effective priority follows from the stored one and from the
moment it became ready, and of both the planner knows the distribution.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from jobs.ageing import Ageing
from jobs.effective import configured
from jobs.models import Job
from jobs.priorities import HIGHEST, LOWEST
from jobs.states import Status
from jobs.stats.estimate import estimates
from jobs.stats.whose import EVERYBODYS

_MOST_STEPS = 30  # each is a condition; with smaller steps the last of them stand for the rest


def guessed_ahead(
    job: Job, effective: int, band: tuple[int, int], now: datetime, *, least: int, weights: float
) -> int:
    """Own jobs, at least so many, and of the others together what their weights let start
    meanwhile. `weights`: theirs, added up, in proportion to the one of the job's tenant."""
    waiting = Q(status=Status.QUEUED, queue=job.queue_id)
    mine, level = Q(tenant=job.tenant_id), _risen_to(*band, now)
    first = _risen_to(effective, effective, now) & Q(seq__lt=job.seq)
    if effective < band[1]:
        first |= _risen_to(effective + 1, band[1], now)
    guess = estimates(
        EVERYBODYS,
        {
            "own": waiting & mine & first,
            "mine": waiting & mine & level,
            "all": waiting & level,
        },
    )
    own = max(least, guess["own"])
    others = max(0, guess["all"] - guess["mine"])
    return own + min(others, round((own + 1) * weights))


def guessed_between(job: Job, lowest: int, highest: int, now: datetime) -> int:
    """Queued jobs of the job's queue with such an effective priority."""
    which = Q(status=Status.QUEUED, queue=job.queue_id) & _risen_to(lowest, highest, now)
    return estimates(EVERYBODYS, {"all": which})["all"]


def _risen_to(lowest: int, highest: int, now: datetime) -> Q:
    """Jobs whose effective priority is in this range, pauses apart."""
    ageing, found = configured(), Q(pk__in=[])
    bounds = _bounds(ageing, now)
    for index, since in enumerate(bounds):
        waited = (now - since).total_seconds() if index else 0.0
        stored = [
            each
            for each in range(LOWEST, HIGHEST + 1)
            if lowest <= ageing.effective(each, waited) <= highest
        ]
        if stored:
            until = {"queued_at__gt": bounds[index + 1]} if index + 1 < len(bounds) else {}
            since_then = {"queued_at__lte": since} if index else {}
            found |= Q(priority__range=(stored[0], stored[-1]), **since_then, **until)
    return found


def _bounds(ageing: Ageing, now: datetime) -> list[datetime]:
    """When a job has to have become ready to have risen by 0, 1, 2 … steps."""
    if not ageing.step:
        return [now]
    steps = min(_MOST_STEPS, -(-HIGHEST // ageing.step))
    first = ageing.begins_for(now)
    return [now] + [first - timedelta(seconds=ageing.every_seconds) * each for each in range(steps)]
