"""Writes how many jobs wait and run, once a minute, for the charts.

Each count stops at ten thousand by the index of ready jobs and is estimated beyond, and a
statement counts so many groups only, so that no look takes long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from django.db import connection
from django.db.models import Count as Number
from django.db.models import Q

from jobs.models import DepthSample, Job
from jobs.models.rollup import EVERY_TENANT
from jobs.priorities import level_of
from jobs.states import Status
from jobs.stats.count import LIMIT, cut_short, with_estimates
from jobs.stats.whose import EVERYBODYS, OURS

GROUPS_A_STATEMENT = 200

Group = tuple[str, int, int]  # queue, tenant, priority
Place = tuple[int, str, str]  # tenant, queue, level; empty words where it is a sum


def sample() -> int:
    """One sample of this minute; further calls in it change nothing. Returns rows written."""
    minute = _this_minute()
    total = DepthSample.objects.filter(tenant_id=EVERY_TENANT, queue="", level="", minute=minute)
    if total.exists():
        return 0
    waiting = summed(_ready()) + summed(_grouped(status=Status.QUEUED, dispatched_at__isnull=False))
    return _write(minute, waiting, summed(_grouped(status=Status.PROCESSING)))


def summed(groups: Mapping[Group, int]) -> Counter[Place]:
    """By tenant, queue and level, and added up: a tenant's, a queue's and level's, all."""
    places: Counter[Place] = Counter()
    for (queue, tenant, priority), number in groups.items():
        level = level_of(priority).value
        places[tenant, queue, level] += number
        places[tenant, "", ""] += number
        places[EVERY_TENANT, queue, level] += number
        places[EVERY_TENANT, "", ""] += number
    return places


# As in `jobs.stats.waiting`, over all tenants: each step finds the next group in the index.
_PRESENT = f"""
WITH RECURSIVE pair AS (
    (SELECT queue, tenant_id FROM jobs_job
      WHERE status = 'queued' AND dispatched_at IS NULL ORDER BY queue, tenant_id LIMIT 1)
    UNION ALL
    SELECT next.queue, next.tenant_id FROM pair, LATERAL (
           SELECT job.queue, job.tenant_id FROM jobs_job AS job
            WHERE job.status = 'queued' AND job.dispatched_at IS NULL
              AND (job.queue, job.tenant_id) > (pair.queue, pair.tenant_id)
            ORDER BY job.queue, job.tenant_id LIMIT 1) AS next
)
SELECT pair.queue, pair.tenant_id, present.priority FROM pair, LATERAL (
    WITH RECURSIVE step AS (
        SELECT max(job.priority) AS priority FROM jobs_job AS job
         WHERE job.queue = pair.queue AND job.tenant_id = pair.tenant_id
           AND job.status = 'queued' AND job.dispatched_at IS NULL
        UNION ALL
        SELECT (SELECT max(job.priority) FROM jobs_job AS job
                 WHERE job.queue = pair.queue AND job.tenant_id = pair.tenant_id
                   AND job.status = 'queued' AND job.dispatched_at IS NULL
                   AND job.priority < step.priority)
          FROM step WHERE step.priority IS NOT NULL)
    SELECT priority FROM step WHERE priority IS NOT NULL) AS present
 WHERE pair.tenant_id NOT IN {OURS}
"""  # noqa: S608 (a constant)
_COUNT = f"""
    SELECT present.queue, present.tenant_id, present.priority, (
           SELECT count(*) FROM (
             SELECT 1 FROM jobs_job AS job
              WHERE job.queue = present.queue AND job.tenant_id = present.tenant_id
                AND job.status = 'queued' AND job.dispatched_at IS NULL
                AND job.priority = present.priority LIMIT {LIMIT}) AS one)
      FROM unnest(%(queues)s::text[], %(tenants)s::bigint[], %(priorities)s::int[])
           AS present(queue, tenant_id, priority)
"""  # noqa: S608 (a constant)


def _ready() -> dict[Group, int]:
    with connection.cursor() as cursor:
        cursor.execute(_PRESENT)
        present: list[Group] = cursor.fetchall()
    counted: dict[Group, int] = {}
    for start in range(0, len(present), GROUPS_A_STATEMENT):
        counted |= _counted(present[start : start + GROUPS_A_STATEMENT])
    return counted


def _counted(groups: list[Group]) -> dict[Group, int]:
    queues, tenants, priorities = (list(column) for column in zip(*groups, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"queues": queues, "tenants": tenants, "priorities": priorities})
        counted = {(queue, tenant, priority): n for queue, tenant, priority, n in cursor.fetchall()}
    known = {group: _ready_of(group) for group in counted}
    counts = with_estimates(EVERYBODYS, counted, cut_short(counted), known)
    return {group: count.number for group, count in counts.items()}


def _ready_of(group: Group) -> Q:
    queue, tenant, priority = group
    return Q(
        status=Status.QUEUED,
        dispatched_at=None,
        queue=queue,
        tenant=tenant,
        priority=priority,
    )


def _grouped(**condition: object) -> dict[Group, int]:
    """Of jobs that are few, by the window and the slots."""
    rows = (
        Job.objects.without_ours()
        .filter(Q(**condition))
        .values_list("queue_id", "tenant_id", "priority")
        .annotate(number=Number("pk"))
    )
    return {(queue, tenant, priority): number for queue, tenant, priority, number in rows}


def _this_minute() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT date_trunc('minute', clock_timestamp())")
        (minute,) = cursor.fetchone()
    assert isinstance(minute, datetime)
    return minute


def _write(minute: datetime, waiting: Counter[Place], running: Counter[Place]) -> int:
    """The sum over all is written even where nothing waits: it says that somebody looked."""
    places = {*waiting, *running, (EVERY_TENANT, "", "")}
    rows = [
        DepthSample(
            minute=minute,
            tenant_id=place[0],
            queue=place[1],
            level=place[2],
            waiting=waiting[place],
            processing=running[place],
        )
        for place in sorted(places)
    ]
    return len(DepthSample.objects.bulk_create(rows, ignore_conflicts=True))
