"""Limits that have no room for a job: how much of each is used, and when there is room again."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from jobs import wording
from jobs.effective import place_of
from jobs.explain.naming import Named, named
from jobs.explain.occupied import Occupied, occupied, room_at
from jobs.explain.reason import Code, Reason
from jobs.models import Job, RateUse
from jobs.policies import buckets
from jobs.policies.buckets import Bucket
from jobs.policies.rate import Rate
from jobs.policies.rules import PROBE, Limit, Snapshot

COUNTED = 1_000  # jobs of a key that go first


def limited(job: Job, policies: Snapshot, now: datetime, *, ahead: int) -> list[Reason]:
    """One for each limit that is used up. A job that was sent has its room already. `ahead`: the
    jobs of its queue that go first."""
    limits = [] if job.dispatched_at else list(policies.limits_of(place_of(job)))
    if not limits:
        return []
    in_use = occupied() if any(limit.concurrency is not None for _, limit in limits) else []
    found = []
    for bucket, limit in limits:
        first = _ahead_in(job, bucket, ahead)
        found += _concurrency(job, bucket, limit, in_use, first, now)
        found += _rate(job, bucket, limit.rate, first, now)
    return found


def _concurrency(
    job: Job, bucket: Bucket, limit: Limit, in_use: list[Occupied], first: int, now: datetime
) -> list[Reason]:
    own = [one for one in in_use if bucket in one.buckets]
    if limit.concurrency is None or len(own) < limit.concurrency:
        return []
    what = named(job, bucket)
    code, detail, remedy = _told(what, limit, len(own), all(one.started_at for one in own))
    return [
        Reason(
            code=code,
            detail=detail,
            object=what.object,
            remedy=remedy,
            likely_until=room_at(own, limit.concurrency, first, job, now),
        )
    ]


def _told(what: Named, limit: Limit, used: int, all_run: bool) -> tuple[Code, str, str]:
    run = "run" if all_run else "run or are on their way to a worker"
    if limit is PROBE:
        detail = f"The circuit breaker of {what.words} tries one job; the others wait for its end."
        return Code.CIRCUIT_OPEN, detail, "Its success lets all go on."
    detail = (
        f"The limit of {limit.concurrency} for {what.words} is used up."
        if what.is_shared
        else f"{used} of {limit.concurrency} jobs of {what.words} {run}."
    )
    if what.object.startswith("tenant:"):
        return Code.QUOTA, detail, "It goes on when one of them ends; a greater max_running helps."
    remedy = f"It goes on when one of them ends; a greater limit of {what.words} helps."
    return Code.CONCURRENCY_LIMITED, detail, remedy


def _rate(job: Job, bucket: Bucket, rate: Rate | None, first: int, now: datetime) -> list[Reason]:
    if rate is None:
        return []
    length = timedelta(seconds=rate.seconds)
    uses = RateUse.objects.filter(
        Q(started_at__gt=now - length) | Q(started_at=None), bucket=bucket
    )
    # What was sent and has not started counts, from now at the earliest.
    starts = sorted(at or now for at in uses.values_list("started_at", flat=True))
    if len(starts) < rate.starts:
        return []
    next_free = starts[len(starts) - rate.starts] + length
    what, free = named(job, bucket), wording.ago(next_free, now)
    within = wording.span(rate.seconds)
    used = "All" if what.is_shared else f"{len(starts):,} of"
    return [
        Reason(
            code=Code.RATE_LIMITED,
            detail=f"{used} {rate.starts:,} starts of {what.words} within {within} are used; "
            f"the next is free {free}.",
            object=what.object,
            until=None if first else next_free,
            likely_until=next_free + first // rate.starts * length,
            remedy=f"It goes on by itself; a greater rate of {what.words} helps.",
        )
    ]


def _ahead_in(job: Job, bucket: Bucket, ahead: int) -> int:
    """Jobs that go first and need room of this limit too, as far as that is cheap to know."""
    if bucket == buckets.of_queue(job.queue_id):
        return ahead
    if not job.limit_key or bucket != buckets.of_key(job.tenant_id, job.limit_key):
        return 0
    of_key = Job.objects.ready().filter(
        queue=job.queue_id, tenant=job.tenant_id, limit_key=job.limit_key, type=job.type
    )
    first = Q(priority__gt=job.priority) | Q(priority=job.priority, seq__lt=job.seq)
    return of_key.exclude(limit_key="").filter(first)[:COUNTED].count()
