"""Which waiting jobs have risen by waiting: the bands of one queue, tenant and priority whose first
jobs are older than the ageing begins.

Looked at every few seconds by skip scan; while nobody waits that long there are none, and the
dispatcher's ticks read nothing for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from jobs.ageing import Ageing
from jobs.policies.buckets import Place

MOST_OF_A_TENANT = 4  # bands of one queue and tenant that are read beside its head
_FIRST = 20  # jobs of a band that are looked at: a retried one in front is younger than its place

_BANDS = f"""
    WITH RECURSIVE band AS (
        (SELECT job.queue, job.tenant_id, job.priority FROM jobs_job AS job
          WHERE job.status = 'queued' AND job.dispatched_at IS NULL
          ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq LIMIT 1)
        UNION ALL
        SELECT next.queue, next.tenant_id, next.priority
          FROM band, LATERAL (
               SELECT * FROM (
                  (SELECT job.queue, job.tenant_id, job.priority FROM jobs_job AS job
                    WHERE job.status = 'queued' AND job.dispatched_at IS NULL
                      AND job.queue = band.queue AND job.tenant_id = band.tenant_id
                      AND job.priority < band.priority
                    ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq LIMIT 1)
                  UNION ALL
                  (SELECT job.queue, job.tenant_id, job.priority FROM jobs_job AS job
                    WHERE job.status = 'queued' AND job.dispatched_at IS NULL
                      AND job.queue = band.queue AND job.tenant_id > band.tenant_id
                    ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq LIMIT 1)
                  UNION ALL
                  (SELECT job.queue, job.tenant_id, job.priority FROM jobs_job AS job
                    WHERE job.status = 'queued' AND job.dispatched_at IS NULL
                      AND job.queue > band.queue
                    ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq LIMIT 1)
               ) AS following LIMIT 1) AS next
    )
    SELECT band.queue, band.tenant_id, band.priority, oldest.seq, oldest.type, oldest.limit_key,
           oldest.queued_at
      FROM band, LATERAL (
           SELECT * FROM (
                  SELECT job.seq, job.type, job.limit_key, job.queued_at FROM jobs_job AS job
                   WHERE job.status = 'queued' AND job.dispatched_at IS NULL
                     AND job.queue = band.queue AND job.tenant_id = band.tenant_id
                     AND job.priority = band.priority
                   ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq
                   LIMIT {_FIRST}) AS first
            ORDER BY queued_at LIMIT 1) AS oldest
     WHERE oldest.queued_at < %(before)s
"""  # noqa: S608 (constants of this module; values travel as parameters)


@dataclass(frozen=True, kw_only=True)
class AgedBand:
    """Ready jobs of one queue, tenant and stored priority, and what the oldest has risen to."""

    queue: str
    tenant: int
    priority: int
    aged_to: int
    seq: int


def bands(
    ageing: Ageing, now: datetime, effective: Callable[[Place, int, datetime], int]
) -> Sequence[AgedBand]:
    """Those that matter: of each queue and tenant the few that have risen highest."""
    if not ageing.step:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(_BANDS, {"before": ageing.begins_for(now)})
        rows = cursor.fetchall()
    found: defaultdict[tuple[str, int], list[AgedBand]] = defaultdict(list)
    for queue, tenant, priority, seq, job_type, key, queued_at in rows:
        aged_to = effective(Place(queue, job_type, tenant, key), priority, queued_at)
        if aged_to > priority:
            band = AgedBand(queue=queue, tenant=tenant, priority=priority, aged_to=aged_to, seq=seq)
            found[queue, tenant].append(band)
    return [band for each in found.values() for band in _highest(each)]


def _highest(found: Iterable[AgedBand]) -> list[AgedBand]:
    return sorted(found, key=lambda band: (-band.aged_to, band.seq))[:MOST_OF_A_TENANT]
