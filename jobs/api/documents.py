"""What the calls answer, for the published schema. `jobs.api.presenting` writes them by hand,
since a page of jobs is the most frequent answer; a test holds the two together."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from jobs.priorities import Level
from jobs.states import Status


class ErrorDocument(BaseModel):
    """Why an attempt did not complete. The traceback is shown to the scope `admin` only."""

    type: str
    message: str
    details: Any
    traceback: str | None = None


class ArtifactDocument(BaseModel):
    """A file that a job made. `url` can be followed for a few minutes, without a token."""

    id: UUID
    name: str
    content_type: str
    size: int
    sha256: str
    created_at: datetime
    url: str


class JobDocument(BaseModel):
    """A job as it stands. `tenant` is there where all tenants were asked for."""

    id: UUID
    type: str
    status: Status
    queue: str
    owner: str | None
    priority: int
    base_priority: int
    level: Level
    payload: dict[str, Any]
    progress: float
    progress_message: str
    result: Any
    result_url: str | None
    artifacts: list[ArtifactDocument]
    error: ErrorDocument | None
    attempt: int
    retry_count: int
    crash_count: int
    max_retries: int
    next_retry_at: datetime | None
    run_at: datetime | None
    visible_at: datetime | None
    expires_at: datetime | None
    timeout_seconds: int
    unique_key: str | None
    labels: dict[str, str]
    batch_id: UUID | None
    workflow_id: UUID | None
    depends_on: list[UUID]
    schedule_id: UUID | None
    scheduled_for: datetime | None
    position: int | None
    position_exact: bool | None
    estimated_wait_seconds: float | None
    estimated_duration_seconds: float | None
    actual_duration_seconds: float | None
    worker: str | None
    lease_expires_at: datetime | None
    webhook_url: str | None
    webhook_delivered: bool | None
    webhook_attempts: int
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    cancel_requested_at: datetime | None
    cancelled_at: datetime | None
    cancelled_by: str | None
    updated_at: datetime
    created_by: str | None
    deduplicated: Literal[True] | None = None
    replaced: Literal[True] | None = None
    tenant: str | None = None


class JobPage(BaseModel):
    items: list[JobDocument]
    next_cursor: str | None


class AttemptDocument(BaseModel):
    """One run of a job's code. The one that still runs has neither end nor outcome."""

    number: int
    worker: str | None
    started_at: datetime
    ended_at: datetime | None
    outcome: (
        Literal["completed", "failed", "retried", "snoozed", "released", "lost", "cancelled"] | None
    )
    error: ErrorDocument | None


class AttemptPage(BaseModel):
    items: list[AttemptDocument]
    next_cursor: str | None


class BackoffDocument(BaseModel):
    base_seconds: float
    factor: float
    max_seconds: float
    jitter: float


class CircuitDocument(BaseModel):
    """After so many failures of a key in a row none of its jobs starts for so long."""

    failures: int
    open_seconds: float


class JobTypeDocument(BaseModel):
    """A kind of job; `payload_schema` is the JSON Schema of its parameters.

    Limits of the type count all its jobs; those of a key, one tenant's jobs with the same key,
    which `limit_key` makes of the parameters (`computed`: by a function).
    """

    name: str
    description: str
    queue: str
    max_retries: int
    retry_backoff: BackoffDocument
    timeout_seconds: int
    max_concurrency: int | None
    rate_limit: str | None
    limit_key: str | None
    key_max_concurrency: int | None
    key_rate_limit: str | None
    circuit: CircuitDocument | None
    payload_schema: dict[str, Any]


class JobTypePage(BaseModel):
    items: list[JobTypeDocument]
    next_cursor: str | None


class QueueDocument(BaseModel):
    """A queue with the caller's jobs in it; `workers` is how many consume it. Counts above ten
    thousand may be estimates: then `counts_exact` is false."""

    name: str
    depth: dict[Level, int]
    counts: dict[Status, int]
    counts_exact: bool
    oldest_waiting_seconds: float | None
    paused: bool
    max_concurrency: int | None
    rate_limit: str | None
    weight: int
    workers: int


class QueuePage(BaseModel):
    items: list[QueueDocument]
    next_cursor: str | None
