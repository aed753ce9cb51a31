"""All limits, pauses and closed keys in force, as the dispatcher and the explaining read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import Tenant
from jobs import registry
from jobs.models import KeyState, Pause, PauseKind, Queue
from jobs.policies import buckets, rate
from jobs.policies.buckets import Bucket, Place, buckets_of
from jobs.policies.rate import Rate

RESUMED_WITHIN = timedelta(days=1)  # a pause that ended before delays no ageing that matters


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


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What held at one moment. What ends by itself is asked with the time that it is."""

    limits: Mapping[Bucket, Limit] = field(default_factory=dict)  # of queues, types and tenants
    key_limits: Mapping[str, Limit] = field(default_factory=dict)  # type → of each of its keys
    holds: Mapping[Bucket, tuple[Hold, ...]] = field(default_factory=dict)
    tripped: frozenset[Bucket] = frozenset()  # keys whose circuit breaker is not closed
    resumed: Mapping[Bucket, datetime] = field(default_factory=dict)  # end of the last pause
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
            limit = self.key_limits.get(place.type)
            if limit:
                yield bucket, limit
            if bucket in self.tripped:
                yield bucket, PROBE

    def ready_since(self, place: Place, queued_at: datetime) -> datetime:
        """Since when such a job could have run: pauses do not count."""
        ended = (self.resumed.get(bucket) for bucket in buckets_of(place))
        return max((queued_at, *(moment for moment in ended if moment)))


def read() -> Snapshot:
    """Everything that is in force now, in four small queries."""
    queues = list(Queue.objects.all())
    closed, tripped = _keys()
    limits = {**_queue_limits(queues), **_type_limits(), **_tenant_limits()}
    return Snapshot(
        limits={bucket: limit for bucket, limit in limits.items() if limit},
        key_limits=_key_limits(),
        holds=_merged(_pauses(), closed),
        tripped=tripped,
        resumed=_resumed(),
        queue_weights={queue.name: queue.weight for queue in queues},
    )


def _queue_limits(queues: Iterable[Queue]) -> dict[Bucket, Limit]:
    return {
        buckets.of_queue(queue.name): Limit(
            concurrency=queue.max_concurrency, rate=rate.parse_or_none(queue.rate_limit)
        )
        for queue in queues
    }


def _type_limits() -> dict[Bucket, Limit]:
    return {
        buckets.of_type(kind.name): Limit(concurrency=kind.max_concurrency, rate=kind.rate_limit)
        for kind in registry.all()
    }


def _key_limits() -> dict[str, Limit]:
    limits = {
        kind.name: Limit(concurrency=kind.key_max_concurrency, rate=kind.key_rate_limit)
        for kind in registry.all()
    }
    return {name: limit for name, limit in limits.items() if limit}


def _tenant_limits() -> dict[Bucket, Limit]:
    limited = Tenant.objects.exclude(max_running=None, rate_limit="")
    return {
        buckets.of_tenant(tenant.pk): Limit(
            concurrency=tenant.max_running, rate=rate.parse_or_none(tenant.rate_limit)
        )
        for tenant in limited
    }


def bucket_of_pause(pause: Pause) -> Bucket:
    match PauseKind(pause.kind), pause.tenant_id:
        case PauseKind.TENANT, int(tenant):
            return buckets.of_tenant(tenant)
        case PauseKind.KEY, int(tenant):
            return buckets.of_key(tenant, pause.target)
        case PauseKind.QUEUE, _:
            return buckets.of_queue(pause.target)
    return buckets.of_type(pause.target)


def _pauses() -> list[tuple[Bucket, Hold]]:
    in_force = Pause.objects.filter(Q(until=None) | Q(until__gt=Now()), ended_at=None)
    return [
        (
            bucket_of_pause(pause),
            Hold(
                why=Held.PAUSED,
                until=pause.until,
                reason=pause.reason,
                by=pause.created_by,
                pause_id=str(pause.pk),
            ),
        )
        for pause in in_force
    ]


def _resumed() -> dict[Bucket, datetime]:
    ended = Pause.objects.annotate(now=Now()).filter(
        Q(ended_at__gt=F("now") - RESUMED_WITHIN)
        | Q(ended_at=None, until__lte=F("now"), until__gt=F("now") - RESUMED_WITHIN)
    )
    found: dict[Bucket, datetime] = {}
    for pause in ended:
        moment = pause.ended_at or pause.until
        if moment is not None:
            bucket = bucket_of_pause(pause)
            found[bucket] = max(moment, found.get(bucket, moment))
    return found


def _keys() -> tuple[list[tuple[Bucket, Hold]], frozenset[Bucket]]:
    states = KeyState.objects.filter(Q(closed_until__gt=Now()) | Q(opened_at__isnull=False))
    holds, tripped = [], set()
    for state in states:
        bucket = buckets.of_key(state.tenant_id, state.key)
        if state.closed_until:
            why = Held.CIRCUIT if state.opened_at else Held.CLOSED
            holds.append((bucket, Hold(why=why, until=state.closed_until, reason=state.reason)))
        if state.opened_at:
            tripped.add(bucket)
    return holds, frozenset(tripped)


def _merged(*sources: Iterable[tuple[Bucket, Hold]]) -> dict[Bucket, tuple[Hold, ...]]:
    found: dict[Bucket, tuple[Hold, ...]] = {}
    for source in sources:
        for bucket, hold in source:
            found[bucket] = (*found.get(bucket, ()), hold)
    return found
