"""The first ready jobs of each limit key, where a tenant's head is full of jobs whose key has no
room.

A skip scan over the index `job_ready_by_key` goes from key to key, and of one key from type to
type, so a key with a million waiting jobs costs as much as one with a few. Of a tenant with more
keys than one tick visits, the next tick visits the next ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

Pair = tuple[str, int]  # queue and tenant
Key = tuple[str, str]  # limit key and type

KEYS = 100  # of one queue and tenant, in one tick
JOBS = 5  # of one key and type
PAIRS = 10

_NEXT_KEY = """
    SELECT job.limit_key, job.type FROM jobs_job AS job
     WHERE job.status = 'queued' AND job.dispatched_at IS NULL AND job.limit_key <> ''
       AND job.queue = {of}.queue AND job.tenant_id = {of}.tenant_id
       AND (job.limit_key, job.type) > ({of}.limit_key, {of}.type)
     ORDER BY job.queue, job.tenant_id, job.limit_key, job.type LIMIT 1
"""
_HEADS = f"""
    WITH RECURSIVE place AS (
        SELECT * FROM unnest(%(queues)s::text[], %(tenants)s::bigint[], %(keys)s::text[],
                             %(types)s::text[], %(floors)s::text[])
            AS place(queue, tenant_id, limit_key, type, floors)
    ), key AS (
        SELECT place.queue, place.tenant_id, next.limit_key, next.type,
               place.floors::jsonb AS floors, 1 AS number
          FROM place, LATERAL ({_NEXT_KEY.format(of="place")}) AS next
        UNION ALL
        SELECT key.queue, key.tenant_id, next.limit_key, next.type, key.floors, key.number + 1
          FROM key, LATERAL ({_NEXT_KEY.format(of="key")}) AS next
         WHERE key.number < {KEYS}
    )
    SELECT key.number, job.id, key.queue, key.tenant_id, key.type, key.limit_key, job.priority,
           job.seq, job.queued_at, true, false, false, 0
      FROM key LEFT JOIN LATERAL (
           SELECT * FROM (
                  SELECT job.id, job.priority, job.seq, job.queued_at, job.lease_expires_at,
                         job.expires_at FROM jobs_job AS job
                   WHERE job.status = 'queued' AND job.dispatched_at IS NULL
                     AND job.limit_key <> '' AND job.queue = key.queue
                     AND job.tenant_id = key.tenant_id AND job.limit_key = key.limit_key
                     AND job.type = key.type
                   ORDER BY job.queue, job.tenant_id, job.limit_key, job.type,
                            job.priority DESC, job.seq
                   LIMIT {JOBS}) AS job
            WHERE job.priority >= (key.floors ->> key.type)::int
              AND NOT key.tenant_id || ':' || key.limit_key = ANY (%(held_keys)s::text[])
              AND NOT key.type || ':' || key.tenant_id || ':' || key.limit_key
                  = ANY (%(barred_keys)s::text[])
              AND (job.lease_expires_at IS NULL OR job.lease_expires_at <= clock_timestamp())
              AND (job.expires_at IS NULL OR job.expires_at > clock_timestamp())
           ) AS job ON true
"""  # noqa: S608 (constants of this module; values travel as parameters)


class KeyHeads:
    def __init__(self) -> None:
        self._after: dict[Pair, Key] = {}  # where the next tick goes on

    def read(
        self,
        pairs: Sequence[Pair],
        floors: Mapping[str, Mapping[str, int]],
        *,
        held_keys: Sequence[str],
        barred_keys: Sequence[str],
    ) -> list[tuple[Any, ...]]:
        """Rows as `Ready` reads them: jobs that can start, of the next keys of these pairs."""
        now = pairs[:PAIRS]
        after = [self._after.get(pair, ("", "")) for pair in now]
        with connection.cursor() as cursor:
            cursor.execute(_HEADS, {
                "queues": [queue for queue, _ in now],
                "tenants": [tenant for _, tenant in now],
                "keys": [key for key, _ in after],
                "types": [job_type for _, job_type in after],
                "floors": [json.dumps(floors[queue]) for queue, _ in now],
                "held_keys": list(held_keys),
                "barred_keys": list(barred_keys),
            })  # fmt: skip
            rows = cursor.fetchall()
        self._note_ends(now, rows)
        return [row[1:] for row in rows if row[1] is not None]

    def _note_ends(self, pairs: Sequence[Pair], rows: Sequence[tuple[Any, ...]]) -> None:
        """Pairs of which not all keys were visited go on there; the others begin anew."""
        for pair in pairs:
            self._after.pop(pair, None)
        for number, _, queue, tenant, job_type, key, *_ in rows:
            if number == KEYS:
                self._after[queue, tenant] = (key, job_type)
