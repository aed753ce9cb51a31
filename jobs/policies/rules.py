"""Limits, holds and what they mean for a job, as data that held at one moment. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from jobs.policies import buckets
from jobs.policies.buckets import Bucket, Place, buckets_of
from jobs.policies.rate import Rate


class Held(StrEnum):
    """Why jobs are held back."""

    PAUSED = "paused"
    CLOSED = "closed"  # a job was told to come back later
    CIRCUIT = "circuit"


@dataclass(frozen=True, kw_only=True)
class Hold:
    """`until` None: until somebody resumes it. `pause_id`: of a pause."""

    why: Held
    until: datetime | None
    reason: str = ""
    by: str = ""
    pause_id: str | None = None

    def is_over(self, now: datetime) -> bool:
        return self.until is not None and self.until <= now


@dataclass(frozen=True, kw_only=True)
class Limit:
    """None: no limit of that kind."""

    concurrency: int | None = None
    rate: Rate | None = None

    def __bool__(self) -> bool:
        return self.concurrency is not None or self.rate is not None


NO_LIMIT = Limit()
PROBE = Limit(concurrency=1)  # of a key whose circuit breaker tries whether it may close


class Span(NamedTuple):
    """A stretch of time."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What held at one moment. What ends by itself is asked with the time that it is."""

    limits: Mapping[Bucket, Limit] = field(default_factory=dict)  # of queues, types and tenants
    key_limits: Mapping[str, Limit] = field(default_factory=dict)  # type → of each of its keys
    holds: Mapping[Bucket, tuple[Hold, ...]] = field(default_factory=dict)
    tripped: frozenset[Bucket] = frozenset()  # keys whose circuit breaker is not closed
    circuit_types: frozenset[str] = frozenset()  # those that declare a circuit breaker
    resumed: Mapping[Bucket, Sequence[Span]] = field(default_factory=dict)  # pauses that are over
    queue_weights: Mapping[str, int] = field(default_factory=dict)

    @property
    def has_limits(self) -> bool:
        return bool(self.limits or self.key_limits or self.tripped)

    @property
    def has_rates(self) -> bool:
        every = (*self.limits.values(), *self.key_limits.values())
        return any(limit.rate for limit in every)

    def holds_of(self, bucket: Bucket, now: datetime) -> list[Hold]:
        return [hold for hold in self.holds.get(bucket, ()) if not hold.is_over(now)]

    def is_held(self, bucket: Bucket, now: datetime) -> bool:
        return bool(self.holds_of(bucket, now))

    def limits_of(self, place: Place) -> Iterable[tuple[Bucket, Limit]]:
        """Each limit that counts for such a job."""
        for bucket in buckets_of(place):
            limit = self.limits.get(bucket)
            if limit:
                yield bucket, limit
        if place.key:
            bucket = buckets.of_key(place.tenant, place.key)
            for limit in self.key_limits_of(place.type, bucket):
                yield bucket, limit

    def key_limits_of(self, job_type: str, bucket: Bucket) -> Iterable[Limit]:
        """Of one key, for the jobs of this type."""
        limit = self.key_limits.get(job_type)
        if limit:
            yield limit
        if bucket in self.tripped and job_type in self.circuit_types:
            yield PROBE

    def ready_since(self, place: Place, queued_at: datetime) -> datetime:
        """Since when such a job would be ready had it waited at once for as long as it could
        have run: the time of pauses does not count."""
        if not self.resumed:
            return queued_at
        spans = sorted(
            span for bucket in buckets_of(place) for span in self.resumed.get(bucket, ())
        )
        since = counted_to = queued_at
        for begin, end in spans:
            if end > counted_to:
                since += end - max(begin, counted_to)
                counted_to = end
        return since
