"""Pauses and closed keys in the way of a job.

Who paused is not told: what a tenant's own people read here is for them, names of operators are
not.
"""

from __future__ import annotations

from datetime import datetime

from jobs.effective import place_of
from jobs.explain.naming import Named, named
from jobs.explain.reason import Code, Reason
from jobs.models import Job
from jobs.policies.buckets import buckets_of
from jobs.policies.rules import Held, Hold, Snapshot


def held(job: Job, policies: Snapshot, now: datetime) -> list[Reason]:
    """One for each pause, and for a key that is closed."""
    return [
        _reason(named(job, bucket), hold)
        for bucket in buckets_of(place_of(job))
        for hold in policies.holds_of(bucket, now)
    ]


def _reason(what: Named, hold: Hold) -> Reason:
    because = f": {hold.reason}" if hold.reason else ""
    match hold.why:
        case Held.PAUSED:
            by_itself = "It goes on by itself then; " if hold.until else ""
            return Reason(
                code=Code.PAUSED,
                detail=f"{what.first} is paused{because}.",
                until=hold.until,
                object=what.object,
                remedy=f"{by_itself}{'r' if by_itself else 'R'}esume {what.words} to end it now.",
            )
        case Held.CIRCUIT:
            return Reason(
                code=Code.CIRCUIT_OPEN,
                detail=f"The circuit breaker of {what.words} is open{because}.",
                until=hold.until,
                object=what.object,
                remedy="Mend what fails. Then one job is tried, and its success lets all go on.",
            )
    return Reason(
        code=Code.RATE_LIMITED,
        detail=f"{what.first} is closed for a while{because}.",
        until=hold.until,
        object=what.object,
        remedy="It opens by itself then.",
    )
