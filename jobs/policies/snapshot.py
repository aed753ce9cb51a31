"""All limits, pauses and closed keys in force, as the dispatcher and the explaining read them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from accounts.models import Tenant
from jobs import registry
from jobs.models import KeyState, Pause, PauseKind, Queue
from jobs.policies import buckets, rate
from jobs.policies.buckets import Bucket
from jobs.policies.rate import Rate
from jobs.policies.rules import Held, Hold, Limit, Snapshot, Span

__all__ = [
    "Held",
    "Hold",
    "Limit",
    "Snapshot",
    "bucket_of_pause",
    "longest_rate",
    "read",
    "resumed",
]

logger = logging.getLogger(__name__)

RESUMED_WITHIN = timedelta(days=1)  # a pause that ended before delays no ageing that matters
LAPSED_AFTER = timedelta(days=1)  # of its wait, a circuit breaker that nobody tried
MOST_KEYS = 10_000  # that are closed or tripped at a time


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
        circuit_types=frozenset(kind.name for kind in registry.all() if kind.circuit),
        resumed=resumed(),
        queue_weights={queue.name: queue.weight for queue in queues},
    )


def _queue_limits(queues: Iterable[Queue]) -> dict[Bucket, Limit]:
    return {
        buckets.of_queue(queue.name): Limit(
            concurrency=queue.max_concurrency, rate=_rate(queue.rate_limit, queue)
        )
        for queue in queues
    }


def _rate(text: str, whose: Queue | Tenant) -> Rate | None:
    """What nobody can read (written past all checks) holds nothing up, and is told."""
    try:
        return rate.parse_or_none(text)
    except ValueError:
        logger.error("the rate limit %r of %s is none", text, whose)
        return None


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
    limited = Tenant.everyone.exclude(max_running=None, rate_limit="")
    return {
        buckets.of_tenant(tenant.pk): Limit(
            concurrency=tenant.max_running, rate=_rate(tenant.rate_limit, tenant)
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


def resumed() -> dict[Bucket, list[Span]]:
    """The pauses of each bucket that ended lately, from their begin to their end."""
    ended = Pause.objects.annotate(now=Now(), end=Coalesce("ended_at", "until")).filter(
        Q(ended_at__gt=F("now") - RESUMED_WITHIN)
        | Q(ended_at=None, until__lte=F("now"), until__gt=F("now") - RESUMED_WITHIN)
    )
    found: dict[Bucket, list[Span]] = {}
    for pause in ended:
        begin = min(pause.created_at, pause.end)
        found.setdefault(bucket_of_pause(pause), []).append(Span(begin, pause.end))
    return found


def _keys() -> tuple[list[tuple[Bucket, Hold]], frozenset[Bucket]]:
    """Those that are closed now, and those whose circuit breaker waits for a job to try."""
    in_force = Q(closed_until__gt=Now())
    waits = Q(opened_at__isnull=False, closed_until__gt=Now() - LAPSED_AFTER)
    states = list(
        KeyState.objects.filter(in_force | waits)
        .order_by("-closed_until")
        .values_list("tenant_id", "key", "closed_until", "reason", "opened_at")[: MOST_KEYS + 1]
    )
    if len(states) > MOST_KEYS:
        text = "more than %d keys are closed or tripped: the rest is not held back"
        logger.warning(text, MOST_KEYS)
    holds, tripped = [], set()
    for tenant, key, until, reason, opened_at in states[:MOST_KEYS]:
        bucket = buckets.of_key(tenant, key)
        why = Held.CIRCUIT if opened_at else Held.CLOSED
        holds.append((bucket, Hold(why=why, until=until, reason=reason)))
        if opened_at:
            tripped.add(bucket)
    return holds, frozenset(tripped)


def longest_rate() -> timedelta:
    """The longest time within which any rate in force counts."""
    limits = [*_queue_limits(Queue.objects.all()).values(), *_type_limits().values()]
    limits += [*_tenant_limits().values(), *_key_limits().values()]
    seconds = [limit.rate.seconds for limit in limits if limit.rate]
    return timedelta(seconds=max(seconds, default=0))


def _merged(*sources: Iterable[tuple[Bucket, Hold]]) -> dict[Bucket, tuple[Hold, ...]]:
    found: dict[Bucket, tuple[Hold, ...]] = {}
    for source in sources:
        for bucket, hold in source:
            found[bucket] = (*found.get(bucket, ()), hold)
    return found
