"""What retention would remove now, for a person who asks."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection

from jobs.retention.removal import UNNEEDED
from jobs.retention.rules import DUE, OLD_ENOUGH, present_rules


class Due(NamedTuple):
    status: str
    type: str
    number: int


_COUNT = f"""
    WITH kept AS MATERIALIZED (
        SELECT DISTINCT job.workflow_id FROM jobs_job AS job
         WHERE job.workflow_id IS NOT NULL AND NOT {DUE}
    )
    SELECT job.status, job.type, count(*) FROM jobs_job AS job
     WHERE {OLD_ENOUGH} AND {DUE} AND {UNNEEDED}
       AND (job.workflow_id IS NULL OR job.workflow_id NOT IN (SELECT workflow_id FROM kept))
     GROUP BY job.status, job.type ORDER BY job.status, job.type
"""  # noqa: S608 (constants of this package; values travel as parameters)


def due_now() -> list[Due]:
    """What a round would remove. It reads every ended job that is old enough, so ask seldom."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, present_rules().parameters())
        return [Due(*row) for row in cursor.fetchall()]
