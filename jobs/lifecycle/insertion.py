"""The INSERT of new jobs, one or a thousand, and nothing that follows from it.

SQL rather than `bulk_create`: building that statement for the forty columns of a job cost the ORM
more time than everything else about handing in a job. Here the rows travel as one JSON document,
and what every new job has in common stands in the statement.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from jobs.lifecycle.statement import Move, run
from jobs.models import Job
from jobs.states import Status

# Column → type, for the columns in which new jobs differ; attributes of Job have the same names.
_GIVEN = {
    "id": "uuid",
    "tenant_id": "bigint",
    "owner": "text",
    "type": "text",
    "queue": "text",
    "labels": "jsonb",
    "unique_key": "text",
    "unique_until": "timestamptz",
    "limit_key": "text",
    "batch_id": "uuid",
    "workflow_id": "uuid",
    "step": "text",
    "schedule_id": "uuid",
    "scheduled_for": "timestamptz",
    "created_by": "text",
    "webhook_url": "text",
    "status": "text",
    "priority": "smallint",
    "base_priority": "smallint",
    "payload": "jsonb",
    "max_retries": "smallint",
    "retry_backoff": "jsonb",
    "timeout_seconds": "integer",
    "run_at": "timestamptz",
    "visible_at": "timestamptz",
    "expires_at": "timestamptz",
    "estimated_duration_seconds": "integer",
}
_ATTRIBUTES = {column: "queue_id" if column == "queue" else column for column in _GIVEN}
_COMMON = {
    "fence": "0",
    "run": "1",
    "attempt": "0",
    "retry_count": "0",
    "crash_count": "0",
    "progress": "0",
    "progress_message": "''",
    "worker": "''",
    "cancelled_by": "''",
}
_INSERT = f"""
    INSERT INTO jobs_job ({", ".join([*_GIVEN, *_COMMON])})
    SELECT {", ".join([*(f"given.{column}" for column in _GIVEN), *_COMMON.values()])}
      FROM jsonb_to_recordset(%(rows)s::jsonb)
        AS given({", ".join(f"{column} {kind}" for column, kind in _GIVEN.items())})
    RETURNING id, seq, created_at, updated_at
"""  # noqa: S608 (constants of this module; values travel as parameters)


def insert(jobs: Sequence[Job]) -> list[Move]:
    """Write the rows; each job then knows its `seq` and `created_at`."""
    rows = [
        {column: getattr(job, attribute) for column, attribute in _ATTRIBUTES.items()}
        for job in jobs
    ]
    document = json.dumps(rows, default=_text, ensure_ascii=False, allow_nan=False)
    by_id = {job.pk: job for job in jobs}
    for job_id, seq, created_at, updated_at in run(_INSERT, rows=document):
        job = by_id[job_id]
        job.seq, job.created_at, job.updated_at = seq, created_at, updated_at
        job.queued_at = created_at
        job._state.adding, job._state.db = False, "default"
    return [_born(job) for job in jobs]


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _born(job: Job) -> Move:
    return Move(
        id=job.id, tenant_id=job.tenant_id, type=job.type, queue=job.queue_id,
        status=Status(job.status), priority=job.priority, fence=0, run=1, attempt=0,
        retry_count=0, crash_count=0, worker="", started_at=None, moved_at=job.created_at,
        duration=None, has_dependants=False, batch_id=job.batch_id,
    )  # fmt: skip
