"""How many queued jobs wait where, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from jobs.priorities import FLOORS, HIGHEST, Level
from jobs.states import Status
from jobs.stats.count import LIMIT, Count, cut_short, with_estimates
from jobs.stats.whose import Whose

_NEXT_FLOORS = [HIGHEST + 1, *FLOORS.values()]  # from the top, as the levels are
BANDS = {
    level: (floor, above - 1)
    for (level, floor), above in zip(FLOORS.items(), _NEXT_FLOORS, strict=False)
}


@dataclass(frozen=True, kw_only=True)
class Depth:
    """The queued jobs of one queue and level. `oldest_at`: when the oldest was handed in."""

    queue: str
    level: Level
    waiting: Count
    oldest_at: datetime


# Raw SQL: a skip scan over the index `job_ready` finds which priorities wait where (one look for
# each), and each count stops at the limit. Neither grows with the number of waiting jobs. What is
# on its way to a worker is few, by the window.
_WAITING = """
WITH RECURSIVE pair AS (
    (SELECT queue, tenant_id FROM jobs_job
      WHERE status = 'queued' AND dispatched_at IS NULL ORDER BY queue, tenant_id LIMIT 1)
    UNION ALL
    SELECT next.queue, next.tenant_id FROM pair, LATERAL (
           SELECT job.queue, job.tenant_id FROM jobs_job AS job
            WHERE job.status = 'queued' AND job.dispatched_at IS NULL
              AND (job.queue, job.tenant_id) > (pair.queue, pair.tenant_id)
            ORDER BY job.queue, job.tenant_id LIMIT 1) AS next
), own AS MATERIALIZED (
    {pairs}
), head AS MATERIALIZED (
    SELECT own.queue, own.tenant_id, first.priority, first.created_at
      FROM own, LATERAL (
        WITH RECURSIVE step AS (
            (SELECT job.priority, job.created_at FROM jobs_job AS job
              WHERE job.queue = own.queue AND job.tenant_id = own.tenant_id
                AND job.status = 'queued' AND job.dispatched_at IS NULL
              ORDER BY job.priority DESC, job.seq LIMIT 1)
            UNION ALL
            SELECT lower.priority, lower.created_at FROM step, LATERAL (
                   SELECT job.priority, job.created_at FROM jobs_job AS job
                    WHERE job.queue = own.queue AND job.tenant_id = own.tenant_id
                      AND job.status = 'queued' AND job.dispatched_at IS NULL
                      AND job.priority < step.priority
                    ORDER BY job.priority DESC, job.seq LIMIT 1) AS lower)
        SELECT priority, created_at FROM step) AS first
), place AS (
    SELECT head.queue, band.level, band.floor, band.ceiling, min(head.created_at) AS oldest_at
      FROM head, unnest(%(levels)s::text[], %(floors)s::int[], %(ceilings)s::int[])
                 AS band(level, floor, ceiling)
     WHERE head.priority BETWEEN band.floor AND band.ceiling
     GROUP BY head.queue, band.level, band.floor, band.ceiling
)
SELECT place.queue, place.level, place.oldest_at, (
       SELECT count(*) FROM (
         SELECT 1 FROM head, LATERAL (
                SELECT 1 FROM jobs_job AS job
                 WHERE job.queue = head.queue AND job.tenant_id = head.tenant_id
                   AND job.status = 'queued' AND job.dispatched_at IS NULL
                   AND job.priority = head.priority
                 LIMIT {limit}) AS one
          WHERE head.queue = place.queue
            AND head.priority BETWEEN place.floor AND place.ceiling
          LIMIT {limit}) AS counted)
  FROM place
UNION ALL
SELECT job.queue, band.level, min(job.created_at), count(*)
  FROM jobs_job AS job, unnest(%(levels)s::text[], %(floors)s::int[], %(ceilings)s::int[])
                        AS band(level, floor, ceiling)
 WHERE job.status = 'queued' AND job.dispatched_at IS NOT NULL
   AND job.priority BETWEEN band.floor AND band.ceiling
   AND {of_job}
 GROUP BY job.queue, band.level
"""
_ALL_PAIRS = "SELECT job.queue, job.tenant_id FROM pair AS job WHERE {of_job}"
_PAIRS_OF_ONE = "SELECT name AS queue, %(tenant)s::bigint AS tenant_id FROM jobs_queue"
# An owner's own jobs, the oldest of them: their index does not know queues.
_OF_OWNER = """
    SELECT queue, level, min(created_at), count(*) FROM (
        SELECT job.queue, band.level, job.created_at
          FROM accounts_tenant AS tenant, LATERAL (
               SELECT job.queue, job.priority, job.created_at FROM jobs_job AS job
                WHERE job.tenant_id = tenant.id AND job.status = 'queued' {of_owner}
                ORDER BY job.seq LIMIT {limit}) AS job,
               unnest(%(levels)s::text[], %(floors)s::int[], %(ceilings)s::int[])
               AS band(level, floor, ceiling)
         WHERE {of_tenant}
           AND job.priority BETWEEN band.floor AND band.ceiling
         LIMIT {limit}) AS counted
     GROUP BY queue, level
"""


def waiting_of(whose: Whose) -> list[Depth]:
    """Each queue and level in which jobs wait."""
    rows = _rows(whose)
    counted: dict[tuple[str, Level], int] = {}
    oldest: dict[tuple[str, Level], datetime] = {}
    for queue, level, oldest_at, number in rows:
        place = (queue, Level(level))
        counted[place] = counted.get(place, 0) + number
        oldest[place] = min(oldest.get(place, oldest_at), oldest_at)
    # An owner's jobs are counted all at once: where that stopped, no part of it is whole.
    all_cut = whose.owner and sum(counted.values()) >= LIMIT
    cut = set(counted) if all_cut else cut_short(counted)
    counts = with_estimates(whose, counted, cut, {place: _group(*place) for place in counted})
    return [
        Depth(queue=place[0], level=place[1], waiting=count, oldest_at=oldest[place])
        for place, count in sorted(counts.items())
    ]


def _rows(whose: Whose) -> Sequence[tuple[str, str, datetime, int]]:
    if whose.owner:
        own, of_tenant = whose.of_owner, whose.of_tenant
        statement = _OF_OWNER.format(of_owner=own, of_tenant=of_tenant, limit=LIMIT)
    else:
        pairs = _PAIRS_OF_ONE if whose.tenant else _ALL_PAIRS.format(of_job=whose.of_job)
        statement = _WAITING.format(pairs=pairs, of_job=whose.of_job, limit=LIMIT)
    with connection.cursor() as cursor:
        cursor.execute(statement, {**whose.parameters, **_bands()})
        rows: Sequence[tuple[str, str, datetime, int]] = cursor.fetchall()
    return rows


def _bands() -> dict[str, Any]:
    return {
        "levels": [level.value for level in BANDS],
        "floors": [floor for floor, _ in BANDS.values()],
        "ceilings": [ceiling for _, ceiling in BANDS.values()],
    }


def _group(queue: str, level: Level) -> Q:
    return Q(status=Status.QUEUED, queue=queue, priority__range=BANDS[level])
