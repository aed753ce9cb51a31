"""Messages on their way that had better not be: withdrawn before a worker claims them.

- held back: their queue, type, tenant or key was paused or closed since;
- too many: a limit was lowered since;
- too low: ageing has raised the job above the level in which its message waits;
- outranked: the limit is full of messages that nobody claims, and a job of a higher level waits
  for the same key or queue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from jobs import lifecycle
from jobs.dispatcher import usage
from jobs.dispatcher.limits import Ledger, Usage
from jobs.message import FencedJob
from jobs.models import Job
from jobs.policies.buckets import Place, buckets_of, of_queue
from jobs.policies.rules import Snapshot
from jobs.priorities import FLOORS, level_of

Effective = Callable[[Place, int, datetime], int]
_HEADS_OF_QUEUE = 20  # tenants' first jobs that are compared with what is on its way


@dataclass(frozen=True, kw_only=True)
class Unclaimed:
    """A message on its way."""

    sent: FencedJob
    place: Place
    priority: int
    sent_priority: int
    queued_at: datetime
    dispatched_at: datetime


@dataclass(frozen=True, kw_only=True)
class Head:
    """The first waiting job of a key, or of a queue's tenant."""

    place: Place
    priority: int


def recall(
    snapshot: Snapshot,
    now: datetime,
    effective: Effective,
    *,
    can_run: Callable[[Place], bool] = lambda place: True,
) -> int:
    """Withdraw what had better not be claimed. Returns how many messages.

    `can_run`: whether a live worker would take such a job; nothing makes way for others.
    """
    unclaimed = _on_their_way()
    if not unclaimed:
        return 0
    running, keys = usage.running()
    used = Usage(running=running, keys=keys)
    found = {
        *_held(unclaimed, snapshot, now),
        *_too_many(unclaimed, snapshot, running),
        *_too_low(unclaimed, effective),
    }
    if not found and snapshot.has_limits:
        found = set(_outranked(unclaimed, snapshot, used, now, can_run))
    return len(lifecycle.withdraw(sorted(found))) if found else 0


def _on_their_way() -> list[Unclaimed]:
    rows = Job.objects.in_flight().order_by("-dispatched_at")
    return [
        Unclaimed(
            sent=FencedJob(job.pk, job.fence),
            place=Place(job.queue_id, job.type, job.tenant_id, job.limit_key),
            priority=job.priority,
            sent_priority=job.priority if job.sent_priority is None else job.sent_priority,
            queued_at=job.queued_at,
            dispatched_at=job.dispatched_at,
        )
        for job in rows.defer("payload", "result", "error")
        if job.dispatched_at is not None
    ]


def _held(sent: Iterable[Unclaimed], snapshot: Snapshot, now: datetime) -> Iterator[FencedJob]:
    for one in sent:
        if any(snapshot.is_held(bucket, now) for bucket in buckets_of(one.place)):
            yield one.sent


def _too_many(
    sent: Iterable[Unclaimed], snapshot: Snapshot, running: Counter[str]
) -> Iterator[FencedJob]:
    """The latest first."""
    left = Counter(running)
    for one in sent:
        limits = [(bucket, limit.concurrency) for bucket, limit in snapshot.limits_of(one.place)]
        if any(most is not None and left[bucket] > most for bucket, most in limits):
            left.subtract({bucket for bucket, _ in limits})
            yield one.sent


def _too_low(sent: Iterable[Unclaimed], effective: Effective) -> Iterator[FencedJob]:
    for one in sent:
        priority = effective(one.place, one.priority, one.queued_at)
        if FLOORS[level_of(priority)] > FLOORS[level_of(one.sent_priority)]:
            yield one.sent


def _outranked(
    sent: Sequence[Unclaimed],
    snapshot: Snapshot,
    used: Usage,
    now: datetime,
    can_run: Callable[[Place], bool],
) -> Iterator[FencedJob]:
    limited = [one for one in sent if _is_full(one.place, snapshot, used)]
    done: set[str] = set()  # one of each limit at a time
    for one in sorted(limited, key=lambda one: one.sent_priority):
        buckets = {bucket for bucket, _ in snapshot.limits_of(one.place)}
        if done & buckets:
            continue
        without = Counter(used.running)
        without.subtract(buckets)
        ledger = Ledger(snapshot, Usage(running=without, keys=used.keys), now)
        level = FLOORS[level_of(one.sent_priority)]
        if any(
            FLOORS[level_of(head.priority)] > level
            and can_run(head.place)
            and ledger.has_room(head.place)
            for head in _rivals(one.place, snapshot)
        ):
            done |= buckets
            yield one.sent


def _is_full(place: Place, snapshot: Snapshot, used: Usage) -> bool:
    return any(
        limit.concurrency is not None and used.running.get(bucket, 0) >= limit.concurrency
        for bucket, limit in snapshot.limits_of(place)
    )


_HEAD_OF_KEY = """
    SELECT job.queue, job.type, job.tenant_id, job.limit_key, job.priority FROM jobs_job AS job
     WHERE job.status = 'queued' AND job.dispatched_at IS NULL AND job.limit_key <> ''
       AND job.queue = %(queue)s AND job.tenant_id = %(tenant)s AND job.limit_key = %(key)s
       AND job.type = %(type)s
     ORDER BY job.queue, job.tenant_id, job.limit_key, job.type, job.priority DESC, job.seq LIMIT 1
"""
_HEADS_OF_TENANTS = f"""
    WITH RECURSIVE head AS (
        (SELECT job.queue, job.type, job.tenant_id, job.limit_key, job.priority, 1 AS number
           FROM jobs_job AS job
          WHERE job.status = 'queued' AND job.dispatched_at IS NULL AND job.queue = %(queue)s
          ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq LIMIT 1)
        UNION ALL
        SELECT next.*, head.number + 1 FROM head, LATERAL (
               SELECT job.queue, job.type, job.tenant_id, job.limit_key, job.priority
                 FROM jobs_job AS job
                WHERE job.status = 'queued' AND job.dispatched_at IS NULL
                  AND job.queue = head.queue AND job.tenant_id > head.tenant_id
                ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq LIMIT 1) AS next
         WHERE head.number < {_HEADS_OF_QUEUE}
    )
    SELECT queue, type, tenant_id, limit_key, priority FROM head
"""  # noqa: S608 (constants of this module; values travel as parameters)


def _rivals(place: Place, snapshot: Snapshot) -> Iterator[Head]:
    """Who waits for the same limit and might have gone first."""
    names: dict[str, str | int] = {
        "queue": place.queue,
        "tenant": place.tenant,
        "key": place.key,
        "type": place.type,
    }
    statements = [_HEAD_OF_KEY] if place.key else []
    if of_queue(place.queue) in snapshot.limits:
        statements.append(_HEADS_OF_TENANTS)
    for statement in statements:
        with connection.cursor() as cursor:
            cursor.execute(statement, names)
            rows = cursor.fetchall()
        for *where, priority in rows:
            yield Head(place=Place(*where), priority=priority)
