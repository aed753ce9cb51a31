"""Very many jobs at once, as plain rows."""

from __future__ import annotations

from django.db import connection

from accounts.models import Tenant
from jobs.states import Status
from tests.jobs.kinds import ECHO
from tests.support.copying import unchecked

_CROWD = """
    INSERT INTO jobs_job (
        id, tenant_id, owner, type, queue, labels, unique_key, created_by, status, priority,
        base_priority, payload, max_retries, timeout_seconds, fence, run, attempt, retry_count,
        crash_count, progress, progress_message, worker, cancelled_by, created_at, started_at,
        completed_at, cancelled_at, actual_duration_seconds, fingerprint)
    SELECT gen_random_uuid(), %(tenant)s, %(owner)s, %(type)s, %(queue)s, '{}', '', '',
           %(status)s, %(priority)s, %(priority)s, '{}', 3, 600, 0, 1, %(ended)s::int,
           %(retry_count)s, 0, 0, '', '', '', at - interval '2 seconds',
           CASE WHEN %(ended)s THEN at - interval '1 second' END,
           CASE WHEN %(status)s IN ('completed', 'failed') THEN at END,
           CASE WHEN %(status)s = 'cancelled' THEN at END, CASE WHEN %(ended)s THEN 1 END,
           CASE WHEN %(kinds)s > 0 THEN md5((n %% %(kinds)s)::text) ELSE '' END
      FROM (SELECT clock_timestamp() - %(ago)s * interval '1 second' AS at, n
              FROM generate_series(1, %(number)s) AS n) AS moment
"""


def crowd(
    tenant: Tenant,
    number: int,
    status: Status = Status.QUEUED,
    *,
    ago: float = 0,
    queue: str = "default",
    priority: int = 50,
    owner: str = "",
    job_type: str = ECHO,
    retry_count: int = 0,
    kinds: int = 0,
) -> None:
    """So many jobs, handed in two seconds before, and ended, so long ago. Those that ended were
    waited for and ran one second each; `kinds` is how many fingerprints they have."""
    with unchecked() as cursor:
        cursor.execute(
            _CROWD,
            {
                "tenant": tenant.pk,
                "number": number,
                "status": status.value,
                "ended": status.is_final,
                "ago": ago,
                "queue": queue,
                "priority": priority,
                "owner": owner,
                "type": job_type,
                "retry_count": retry_count,
                "kinds": kinds,
            },
        )


def analyze() -> None:
    """The planner's statistics, as autovacuum would have made them by now."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job")
