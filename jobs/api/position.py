"""How many jobs stand before a queued one, in its queue and level, over all tenants."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from jobs.models import Job
from jobs.priorities import FLOORS, HIGHEST
from jobs.states import Status

EXACT_TO = 1000


@dataclass(frozen=True, kw_only=True)
class Position:
    """`place` 1 is next. Not `exact`: an estimate, of which only the size is right."""

    place: int | None
    exact: bool | None


UNKNOWN = Position(place=None, exact=None)


def position_of(job: Job) -> Position:
    """By priority, then age: the order of a tenant's own jobs. Between tenants, who take turns,
    it is what the order comes to while they ask for as much as they get."""
    if job.status != Status.QUEUED:
        return UNKNOWN
    ahead = _count_ahead(job)
    if ahead < EXACT_TO:
        return Position(place=ahead + 1, exact=True)
    return Position(place=max(EXACT_TO, _estimate_ahead(job)) + 1, exact=False)


# Raw SQL: the tenants of a queue are found by skipping through the index (one look each), and
# every count stops at the limit, so the cost does not grow with the queue.
_AHEAD = """
WITH RECURSIVE present(tenant_id) AS (
    (SELECT tenant_id FROM jobs_job
      WHERE queue = %(queue)s AND status = 'queued' AND dispatched_at IS NULL
      ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT job.tenant_id FROM jobs_job AS job
             WHERE job.queue = %(queue)s AND job.status = 'queued' AND job.dispatched_at IS NULL
               AND job.tenant_id > present.tenant_id
             ORDER BY job.tenant_id LIMIT 1)
      FROM present WHERE present.tenant_id IS NOT NULL
)
SELECT count(*) FROM (
    (SELECT 1 FROM jobs_job
      WHERE status = 'queued' AND queue = %(queue)s
        AND dispatched_at < COALESCE(%(dispatched_at)s::timestamptz, 'infinity')
        AND priority BETWEEN %(floor)s AND %(ceiling)s)
    UNION ALL
    (SELECT 1 FROM present CROSS JOIN LATERAL (
        (SELECT 1 FROM jobs_job AS job
          WHERE job.queue = %(queue)s AND job.tenant_id = present.tenant_id
            AND job.status = 'queued' AND job.dispatched_at IS NULL
            AND job.priority > %(priority)s AND job.priority <= %(ceiling)s LIMIT %(limit)s)
        UNION ALL
        (SELECT 1 FROM jobs_job AS job
          WHERE job.queue = %(queue)s AND job.tenant_id = present.tenant_id
            AND job.status = 'queued' AND job.dispatched_at IS NULL
            AND job.priority = %(priority)s AND job.seq < %(seq)s LIMIT %(limit)s)
     ) AS before
      WHERE %(dispatched_at)s::timestamptz IS NULL)
    LIMIT %(limit)s
) AS ahead
"""


def _count_ahead(job: Job) -> int:
    """At most EXACT_TO. Jobs that are on their way to a worker are ahead of all that are not."""
    floor, ceiling = _band(job)
    with connection.cursor() as cursor:
        cursor.execute(
            _AHEAD,
            {
                "queue": job.queue_id,
                "dispatched_at": job.dispatched_at,
                "floor": floor,
                "ceiling": ceiling,
                "priority": job.priority,
                "seq": job.seq,
                "limit": EXACT_TO,
            },
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _band(job: Job) -> tuple[int, int]:
    """The lowest and the highest priority of the job's level."""
    floor = FLOORS[job.level]
    above = [other for other in FLOORS.values() if other > floor]
    return floor, min(above, default=HIGHEST + 1) - 1


def _estimate_ahead(job: Job) -> int:
    """What the planner's statistics say, at no cost that grows."""
    _, ceiling = _band(job)
    before = Job.objects.ready().filter(
        Q(priority__gt=job.priority, priority__lte=ceiling)
        | Q(priority=job.priority, seq__lt=job.seq),
        queue=job.queue_id,
    )
    plan = json.loads(before.explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])
