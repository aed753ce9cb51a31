"""Jobs for the tests of their admin: in any situation, with secrets, and a great many at once."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.http import HttpResponse

from accounts.models import Tenant
from jobs.enqueue import JobOptions, enqueue
from jobs.models import Job, Queue
from tests.api import kinds
from tests.jobs.kinds import QUEUE
from tests.support.copying import unchecked

LIST = "/admin/jobs/job/"
CANARY = "canary-in-a-coal-mine"


def queues() -> None:
    names = (QUEUE, "default", "reports", "mail", "empty")
    Queue.objects.bulk_create((Queue(name=name) for name in names), ignore_conflicts=True)


def page_of(job: Job) -> str:
    return f"{LIST}{job.pk}/change/"


def act(verb: str) -> str:
    return f"{LIST}act/{verb}/"


def text_of(answer: Any) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def report(tenant: Tenant, **options: Any) -> Job:
    """A queued job with a secret in its payload."""
    payload = {"report_id": 7, "access_token": CANARY}
    made = enqueue(tenant, kinds.report.name, payload, JobOptions(**options)).job
    return Job.objects.get(pk=made.pk)


# Every eleventh job is queued, the rest completed; one, a tenth of the way from the oldest, is of
# a kind of its own.
_MANY = """
INSERT INTO jobs_job (
    id, tenant_id, owner, type, queue, labels, unique_key, created_by, status, priority,
    base_priority, payload, fence, run, attempt, retry_count, crash_count, max_retries,
    timeout_seconds, progress, progress_message, worker, cancelled_by, completed_at, created_at,
    updated_at)
SELECT
    (lpad(to_hex(1700000000000 + n::bigint * 100), 12, '0') || '7' || substr(md5(n::text), 1, 3)
     || '8' || substr(md5(n::text), 4, 15))::uuid,
    (%(tenants)s::bigint[])[1 + n %% %(number)s], '',
    CASE WHEN rare THEN 'old.rare' ELSE 'kind.' || (n / %(number)s %% 4) END,
    CASE WHEN n / %(number)s %% 4 < 2 THEN 'mail' ELSE 'reports' END,
    CASE WHEN rare THEN '{"order": "rare"}' ELSE '{}' END::jsonb,
    CASE WHEN rare THEN 'nightly' ELSE '' END, '',
    CASE WHEN rare THEN 'failed' WHEN n %% 11 = 3 THEN 'queued' ELSE 'completed' END,
    30 + n %% 7, 50, '{"some": "payload"}', 3, 1, 1, 0, 0, 3, 600, 0, '', '', '',
    CASE WHEN rare OR n %% 11 <> 3 THEN to_timestamp(1700000000 + n / 10.0) END,
    to_timestamp(1700000000 + n / 10.0), to_timestamp(1700000000 + n / 10.0)
  FROM generate_series(1, %(total)s) AS n
 CROSS JOIN LATERAL (SELECT n = %(total)s / 10 AS rare) AS one
"""


def many_jobs(tenants: list[Tenant], total: int) -> None:
    """In place of all there are. The rare job belongs to one of the tenants."""
    with unchecked() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else rows of this transaction hold it up
        cursor.execute("TRUNCATE jobs_job CASCADE")
        cursor.execute(
            _MANY,
            {"tenants": [one.pk for one in tenants], "number": len(tenants), "total": total},
        )
        cursor.execute("ANALYZE jobs_job")


def buffers_of(statements: list[str]) -> int:
    """How many buffers these statements touch together."""
    return sum(_buffers_of(statement) for statement in statements)


def _buffers_of(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
        row = cursor.fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])
