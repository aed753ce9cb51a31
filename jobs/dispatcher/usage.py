"""What counts against the limits at this moment."""

from __future__ import annotations

from collections import Counter

from django.db import connection

from jobs.policies.buckets import Bucket, Place, buckets_of

# One statement, hence one moment: a job that is claimed meanwhile is counted once.
_RUNNING = """
    SELECT queue, type, tenant_id, limit_key, count(*) FROM jobs_job
     WHERE status = 'processing' GROUP BY queue, type, tenant_id, limit_key
    UNION ALL
    SELECT queue, type, tenant_id, limit_key, count(*) FROM jobs_job
     WHERE status = 'queued' AND dispatched_at IS NOT NULL
     GROUP BY queue, type, tenant_id, limit_key
"""


def running() -> tuple[Counter[Bucket], frozenset[tuple[int, str]]]:
    """Jobs that run or were sent, by bucket, and the keys (tenant, key) that they have. The window
    and the slots bound how many there are."""
    counts: Counter[Bucket] = Counter()
    keys = set()
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING)
        for queue, job_type, tenant, key, number in cursor.fetchall():
            for bucket in buckets_of(Place(queue=queue, type=job_type, tenant=tenant, key=key)):
                counts[bucket] += number
            if key:
                keys.add((tenant, key))
    return counts, frozenset(keys)
