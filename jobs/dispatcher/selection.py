"""What the dispatcher reads: workers, load, and the ready jobs in the order to send them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from jobs.dispatcher.lost import Sent
from jobs.dispatcher.window import Candidate, LiveWorker, Load, Room
from jobs.models import Job, Worker
from jobs.priorities import FLOORS, Level, level_of

WORKER_SILENT_AFTER = timedelta(seconds=10)


def live_workers() -> list[LiveWorker]:
    """Workers that reported themselves lately and do not stop."""
    rows = Worker.objects.filter(stopping=False, seen_at__gt=Now() - WORKER_SILENT_AFTER)
    return [
        LiveWorker(
            incarnation=row.incarnation,
            queues=frozenset(row.queues),
            types=frozenset(row.types),
            slots=row.slots,
        )
        for row in rows
    ]


def on_their_way() -> list[Sent]:
    """Every message sent and not claimed; the window bounds how many there are."""
    rows = Job.objects.in_flight().values_list(
        "id", "fence", "queue_id", "type", "priority", "dispatched_at"
    )
    return [
        Sent(
            id=job_id,
            fence=fence,
            queue=queue,
            type=job_type,
            level=level_of(priority),
            sent_at=dispatched_at,
        )
        for job_id, fence, queue, job_type, priority, dispatched_at in rows
        if dispatched_at is not None
    ]


_LOAD = """
    SELECT true AS runs, incarnation::text, 0 AS priority, type, count(*) FROM jobs_job
     WHERE status = 'processing' GROUP BY incarnation, type
    UNION ALL
    SELECT false, queue, priority, type, count(*) FROM jobs_job
     WHERE status = 'queued' AND dispatched_at IS NOT NULL GROUP BY queue, priority, type
"""


def load() -> Load:
    """What runs and what is on its way, in one look."""
    running: defaultdict[UUID, list[str]] = defaultdict(list)
    waiting: defaultdict[tuple[str, Level], list[str]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_LOAD)
        for runs, where, priority, job_type, count in cursor.fetchall():
            types = running[UUID(where)] if runs else waiting[where, level_of(priority)]
            types += [job_type] * count
    return Load(running=running, waiting=waiting)


# Reads the head of each (queue, tenant) and nothing behind it: a skip scan over the index
# `job_ready` finds the pairs, so the cost follows the number of pairs and the room, not the
# number of waiting jobs. (A plain ORDER BY over all of them sorts the whole backlog.)
_READY = """
    WITH RECURSIVE wanted AS (
        SELECT * FROM unnest(%(queues)s::text[], %(rooms)s::int[], %(floors)s::int[],
                             %(types)s::text[]) AS wanted(queue, room, floor, types)
    ), pair AS (
        (SELECT wanted.queue, head.tenant_id, wanted.room, wanted.floor, wanted.types
           FROM wanted, LATERAL (
                SELECT job.tenant_id FROM jobs_job AS job
                 WHERE job.status = 'queued' AND job.dispatched_at IS NULL
                   AND job.queue = wanted.queue
                 ORDER BY job.queue, job.tenant_id LIMIT 1) AS head)
        UNION ALL
        SELECT pair.queue, head.tenant_id, pair.room, pair.floor, pair.types
          FROM pair, LATERAL (
               SELECT job.tenant_id FROM jobs_job AS job
                WHERE job.status = 'queued' AND job.dispatched_at IS NULL
                  AND job.queue = pair.queue AND job.tenant_id > pair.tenant_id
                ORDER BY job.queue, job.tenant_id LIMIT 1) AS head
    )
    SELECT head.id, pair.queue, head.type, head.priority
      FROM pair, LATERAL (
           SELECT job.id, job.type, job.priority, job.seq FROM jobs_job AS job
            WHERE job.status = 'queued' AND job.dispatched_at IS NULL
              AND job.queue = pair.queue AND job.tenant_id = pair.tenant_id
              AND job.priority >= pair.floor
              AND job.type = ANY(string_to_array(pair.types, ','))
              AND (job.lease_expires_at IS NULL OR job.lease_expires_at <= clock_timestamp())
              AND (job.expires_at IS NULL OR job.expires_at > clock_timestamp())
            ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq
            LIMIT pair.room) AS head
     ORDER BY head.priority DESC, head.seq
     LIMIT %(limit)s
"""


def ready(rooms: Mapping[str, Room], workers: Iterable[LiveWorker]) -> list[Candidate]:
    """Ready jobs that these workers can run: highest priority first, then the oldest."""
    if not rooms:
        return []
    known = _types_by_queue(workers)
    parameters: dict[str, Any] = {
        "queues": list(rooms),
        "rooms": [room.most for room in rooms.values()],
        "floors": [FLOORS[room.lowest] for room in rooms.values()],
        "types": [",".join(sorted(known[queue])) for queue in rooms],
        "limit": sum(room.most for room in rooms.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_READY, parameters)
        return [
            Candidate(id=job_id, queue=queue, type=job_type, level=level_of(priority))
            for job_id, queue, job_type, priority in cursor.fetchall()
        ]


def _types_by_queue(workers: Iterable[LiveWorker]) -> Mapping[str, set[str]]:
    known: defaultdict[str, set[str]] = defaultdict(set)
    for worker in workers:
        for queue in worker.queues:
            known[queue] |= worker.types
    return known
