"""What the dispatcher asks again and again must not cost more as the table grows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.models import Tenant
from jobs import lifecycle
from jobs.models import Job
from tests.jobs import making
from tests.support.copying import unchecked

ROWS = 20_000
pytestmark = pytest.mark.django_db

_COPIES = """
    INSERT INTO jobs_job
    SELECT (jsonb_populate_record(job, jsonb_build_object(
               'id', gen_random_uuid(), 'seq', nextval('jobs_job_seq'),
               'expires_at', now() + interval '1 day'))).*
      FROM jobs_job AS job, generate_series(1, %s) WHERE job.id = %s
"""


def buffers(step: Callable[[], object]) -> int:
    """Shared buffers that the statements of `step` touch."""
    touched = 0

    def explained(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal touched
        if "jobs_job" in sql:
            with connection.connection.cursor() as cursor:
                cursor.execute("SAVEPOINT explained")
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
                (answer,) = cursor.fetchone()
                cursor.execute("ROLLBACK TO SAVEPOINT explained")
            plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
            touched += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        step()
    return touched


@pytest.mark.parametrize("step", [lifecycle.promote, lifecycle.expire])
def test_a_look_for_what_is_due_reads_only_what_is_due(
    step: Callable[[int], list[Any]], tenant: Tenant
) -> None:
    waiting = making.scheduled(tenant)
    few = buffers(lambda: step(500))
    with unchecked() as cursor:
        cursor.execute(_COPIES, [ROWS, waiting.pk])
        cursor.execute("ANALYZE jobs_job")
    assert Job.objects.count() > ROWS

    assert buffers(lambda: step(500)) <= 2 * few + 10
