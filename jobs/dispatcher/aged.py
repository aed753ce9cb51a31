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
from typing import Any

from django.db import connection

from jobs.ageing import Ageing
from jobs.policies.buckets import Place

MOST_OF_A_TENANT = 4  # bands of one queue and tenant that are read beside its head
VISITED = 5000  # bands that one look visits; the next one goes on with the next tenant
MOST = 500  # of all, in one tick
_FIRST = 20  # jobs of a band that are looked at: a retried one in front is younger than its place

_BANDS = f"""
    WITH RECURSIVE band AS (
        (SELECT job.queue, job.tenant_id, job.priority, 1 AS number FROM jobs_job AS job
          WHERE job.status = 'queued' AND job.dispatched_at IS NULL
            AND (job.queue, job.tenant_id) > (%(queue)s, %(tenant)s)
          ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq LIMIT 1)
        UNION ALL
        SELECT next.queue, next.tenant_id, next.priority, band.number + 1
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
         WHERE band.number < {VISITED}
    )
    SELECT band.number, band.queue, band.tenant_id, band.priority, oldest.seq, oldest.type,
           oldest.limit_key, oldest.queued_at
      FROM band LEFT JOIN LATERAL (
           SELECT * FROM (
                  SELECT job.seq, job.type, job.limit_key, job.queued_at FROM jobs_job AS job
                   WHERE job.status = 'queued' AND job.dispatched_at IS NULL
                     AND job.queue = band.queue AND job.tenant_id = band.tenant_id
                     AND job.priority = band.priority
                   ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq
                   LIMIT {_FIRST}) AS first
            ORDER BY queued_at LIMIT 1) AS oldest ON oldest.queued_at < %(before)s
     WHERE oldest.queued_at IS NOT NULL OR band.number = {VISITED}
"""  # noqa: S608 (constants of this module; values travel as parameters)


Effective = Callable[[Place, int, datetime], int]


@dataclass(frozen=True, kw_only=True)
class AgedBand:
    """Ready jobs of one queue, tenant and stored priority, and what the oldest has risen to."""

    queue: str
    tenant: int
    priority: int
    aged_to: int
    seq: int


class AgedBands:
    """What one dispatcher knows of them."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], list[AgedBand]] = {}
        self._whole: dict[tuple[str, int], list[AgedBand]] = {}  # by the walk before
        self._after = ("", 0)

    def look(self, ageing: Ageing, now: datetime, effective: Effective) -> Sequence[AgedBand]:
        """Those that matter: of each queue and tenant the few that have risen highest, of all of
        them the highest."""
        if not ageing.step:
            return ()
        with connection.cursor() as cursor:
            queue, tenant = self._after
            cursor.execute(
                _BANDS, {"before": ageing.begins_for(now), "queue": queue, "tenant": tenant}
            )
            rows = cursor.fetchall()
        self._found.update(_by_pair(rows, now, effective))
        end = next((row for row in rows if row[0] == VISITED), None)
        if end is None:  # the walk is at its end: what it did not find is no more
            self._whole, self._found = self._found, {}
        # Its last queue and tenant once more: the walk may have ended among their bands.
        self._after = ("", 0) if end is None else (end[1], end[2] - 1)
        known = self._whole | self._found
        return _highest((band for each in known.values() for band in each), MOST)


def _by_pair(
    rows: Iterable[tuple[Any, ...]], now: datetime, effective: Effective
) -> dict[tuple[str, int], list[AgedBand]]:
    found: defaultdict[tuple[str, int], list[AgedBand]] = defaultdict(list)
    for _, queue, tenant, priority, seq, job_type, key, queued_at in rows:
        if queued_at is None:
            continue
        aged_to = effective(Place(queue, job_type, tenant, key), priority, queued_at)
        if aged_to > priority:
            band = AgedBand(queue=queue, tenant=tenant, priority=priority, aged_to=aged_to, seq=seq)
            found[queue, tenant].append(band)
    return {pair: _highest(each, MOST_OF_A_TENANT) for pair, each in found.items()}


def _highest(found: Iterable[AgedBand], most: int) -> list[AgedBand]:
    return sorted(found, key=lambda band: (-band.aged_to, band.seq))[:most]
