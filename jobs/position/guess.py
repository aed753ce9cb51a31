"""How many jobs are likely to go first, by the planner's statistics: at no cost that grows.

Ageing is taken into account: a job's effective priority follows from the stored one and from the
moment it became ready, and of both the planner knows the distribution. To ask it costs more than
all else about handing in a job, so the last answers are kept for a moment, in this process: the
statistics are older than that anyway.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from functools import lru_cache

from django.db.models import Q

from jobs.ageing import Ageing
from jobs.effective import configured
from jobs.models import Job
from jobs.priorities import HIGHEST, LOWEST
from jobs.states import Status
from jobs.stats.estimate import estimates
from jobs.stats.whose import ALL_THERE_ARE

KEPT_SECONDS = 1.0
_MOST_KEPT = 1_000
_SAME_AGE = 256  # neighbours in the order of acceptance share an answer
_MOST_STEPS = 30  # each is a condition; with smaller steps the last of them stand for the rest

Answer = dict[str, int]
_kept: dict[Hashable, tuple[float, Answer]] = {}


def forget() -> None:
    """Ask anew from now on. For tests."""
    _kept.clear()


def guessed_ahead(
    job: Job, effective: int, band: tuple[int, int], now: datetime, *, least: int, weights: float
) -> int:
    """Own jobs, at least so many, and of the others together what their weights let start
    meanwhile. `weights`: theirs, added up, in proportion to the one of the job's tenant."""
    place = (job.queue_id, job.tenant_id, effective, band, job.seq // _SAME_AGE)
    guess = _lately(place, lambda: _asked_ahead(job, effective, band, now))
    own = max(least, guess["own"])
    others = max(0, guess["all"] - guess["mine"])
    return own + min(others, round((own + 1) * weights))


def _asked_ahead(job: Job, effective: int, band: tuple[int, int], now: datetime) -> Answer:
    waiting = Q(status=Status.QUEUED, queue=job.queue_id)
    mine, level = Q(tenant=job.tenant_id), _risen_to(*band, now)
    first = _risen_to(effective, effective, now) & Q(seq__lt=job.seq)
    if effective < band[1]:
        first |= _risen_to(effective + 1, band[1], now)
    return estimates(
        ALL_THERE_ARE,
        {
            "own": waiting & mine & first,
            "mine": waiting & mine & level,
            "all": waiting & level,
        },
    )


def _lately(place: Hashable, ask: Callable[[], Answer]) -> Answer:
    now = time.monotonic()
    asked_at, answer = _kept.get(place, (-KEPT_SECONDS, {}))
    if now - asked_at >= KEPT_SECONDS:
        answer = ask()
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[place] = (now, answer)
    return answer


def guessed_between(job: Job, lowest: int, highest: int, now: datetime) -> int:
    """Queued jobs of the job's queue with such an effective priority."""
    which = Q(status=Status.QUEUED, queue=job.queue_id) & _risen_to(lowest, highest, now)
    return estimates(ALL_THERE_ARE, {"all": which})["all"]


def _risen_to(lowest: int, highest: int, now: datetime) -> Q:
    """Jobs whose effective priority is in this range, pauses apart."""
    ageing, found = configured(), Q(pk__in=[])
    bounds = _bounds(ageing, now)
    for index, since in enumerate(bounds):
        waited = (now - since).total_seconds() if index else 0.0
        stored = _stored(ageing, waited, lowest, highest)
        if stored:
            until = {"queued_at__gt": bounds[index + 1]} if index + 1 < len(bounds) else {}
            since_then = {"queued_at__lte": since} if index else {}
            found |= Q(priority__range=(stored[0], stored[-1]), **since_then, **until)
    return found


@lru_cache(maxsize=4096)
def _stored(ageing: Ageing, waited: float, lowest: int, highest: int) -> list[int]:
    """The stored priorities that have risen into this range after so long."""
    return [
        each
        for each in range(LOWEST, HIGHEST + 1)
        if lowest <= ageing.effective(each, waited) <= highest
    ]


def _bounds(ageing: Ageing, now: datetime) -> list[datetime]:
    """When a job has to have become ready to have risen by 0, 1, 2 … steps."""
    if not ageing.step:
        return [now]
    steps = min(_MOST_STEPS, -(-HIGHEST // ageing.step))
    first = ageing.begins_for(now)
    return [now] + [first - timedelta(seconds=ageing.every_seconds) * each for each in range(steps)]
