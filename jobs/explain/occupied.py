"""The jobs that run or were sent, and when they are likely to make room for another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum

from jobs.effective import place_of
from jobs.models import Job, Rollup
from jobs.policies.buckets import Bucket, Place, buckets_of
from jobs.states import Status

_MEASURED_OVER = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Occupied:
    """A job that counts against limits. `started_at` None: it was sent, and has not started."""

    place: Place
    started_at: datetime | None

    @property
    def buckets(self) -> frozenset[Bucket]:
        return frozenset(buckets_of(self.place))


def occupied() -> list[Occupied]:
    """All of them: slots and window bound how many there are."""
    names = ("queue_id", "type", "tenant_id", "limit_key", "status", "started_at")
    running = Job.objects.filter(status=Status.PROCESSING).values_list(*names)
    sent = Job.objects.in_flight().values_list(*names)
    return [
        Occupied(
            place=Place(queue=queue, type=job_type, tenant=tenant, key=key),
            started_at=started_at if status == Status.PROCESSING else None,
        )
        for queue, job_type, tenant, key, status, started_at in running.union(sent, all=True)
    ]


def room_at(
    in_use: Sequence[Occupied], most: int, first: int, job: Job, now: datetime
) -> datetime | None:
    """When so many of them have ended that `first` others and then the job may start; None where
    it is not known how long they run."""
    averages = _average_seconds([*(one.place for one in in_use), place_of(job)], now)
    lengths = [averages.get(one.place.type) for one in in_use]
    known = [length for length in lengths if length is not None]
    if len(known) < len(lengths):
        return None
    ends = sorted(_left(one, length, now) for one, length in zip(in_use, known, strict=True))
    turn = len(ends) - most + first
    if turn < len(ends):
        return now + timedelta(seconds=ends[turn])
    own = averages.get(job.type)
    if own is None:
        return None
    rounds = (turn - len(ends)) // most + 1
    return now + timedelta(seconds=ends[-1] + rounds * own)


def _left(one: Occupied, length: float, now: datetime) -> float:
    ran = (now - one.started_at).total_seconds() if one.started_at else 0.0
    return max(0.0, length - ran)


def _average_seconds(places: Sequence[Place], now: datetime) -> Mapping[str, float]:
    """How long jobs of each type ran lately, where any completed."""
    rows = Rollup.objects.filter(
        tenant_id__in={place.tenant for place in places},
        queue__in={place.queue for place in places},
        type__in={place.type for place in places},
        minute__gt=now - _MEASURED_OVER,
    )
    sums = rows.values("type").annotate(ran=Sum("run_seconds"), ended=Sum("completed"))
    return {row["type"]: row["ran"] / row["ended"] for row in sums if row["ended"]}
