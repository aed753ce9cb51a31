"""What the API takes and answers. A newer server may answer more."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Status = Literal["blocked", "scheduled", "queued", "processing", "completed", "failed", "cancelled"]
FINAL: frozenset[Status] = frozenset({"completed", "failed", "cancelled"})
Level = Literal["urgent", "high", "normal", "low"]


class Error(TypedDict):
    """Why a job failed. `traceback` is there for the scope `admin` only."""

    type: str
    message: str
    details: Any


class Job(TypedDict):
    """A job as it stands. Timestamps are RFC 3339 texts in UTC."""

    id: str
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
    artifacts: list[dict[str, Any]]
    error: Error | None
    attempt: int
    retry_count: int
    crash_count: int
    max_retries: int
    next_retry_at: str | None
    run_at: str | None
    visible_at: str | None
    expires_at: str | None
    timeout_seconds: int
    unique_key: str | None
    labels: dict[str, str]
    batch_id: str | None
    workflow_id: str | None
    depends_on: list[str]
    schedule_id: str | None
    scheduled_for: str | None
    position: int | None
    position_exact: bool | None
    estimated_wait_seconds: float | None
    estimated_duration_seconds: float | None
    actual_duration_seconds: float | None
    worker: str | None
    lease_expires_at: str | None
    webhook_url: str | None
    webhook_delivered: bool | None
    webhook_attempts: int
    created_at: str
    started_at: str | None
    completed_at: str | None
    cancel_requested_at: str | None
    cancelled_at: str | None
    cancelled_by: str | None
    updated_at: str
    created_by: str | None


class JobOptions(TypedDict, total=False):
    """What may be left out of a new job. Moments are RFC 3339 texts with an offset."""

    queue: str
    priority: int | Level
    run_at: str
    delay_seconds: float
    expires_at: str
    max_retries: int
    retry_backoff: str | dict[str, float]
    timeout_seconds: int
    unique_key: str
    unique_for_seconds: float
    on_duplicate: Literal["existing", "replace"]
    debounce_seconds: float
    debounce_max_seconds: float
    labels: dict[str, str]
    depends_on: list[str | dict[str, str]]
    estimated_duration_seconds: int
    owner: str
    webhook_url: str


class _What(TypedDict):
    type: str
    payload: dict[str, Any]


class NewJob(JobOptions, _What):
    """A job of a batch."""


class Item(TypedDict):
    """What became of one job of a batch."""

    index: int
    job_id: str | None
    status: Literal["queued", "already_queued", "failed"]
    error: str | None
    errors: list[dict[str, str]]


class NewBatch(TypedDict):
    batch_id: str
    total: int
    queued: int
    already_queued: int
    failed: int
    results: list[Item]


class Batch(TypedDict):
    """`progress` is the share that has ended; 100: all have."""

    id: str
    name: str
    owner: str | None
    status: str
    total: int
    counts: dict[Status, int]
    progress: int
    created_at: str
    finished_at: str | None


class File(TypedDict):
    """A payload names it by `{"file_id": id}` where its type takes a file."""

    id: str
    name: str
    size: int
    sha256: str
    content_type: str
    expires_at: str


class ScheduleOptions(TypedDict, total=False):
    """What may be left out of a new schedule. None: the type's, the plan's or none. Moments are
    RFC 3339 texts with an offset."""

    description: str
    queue: str | None
    priority: int | Level | None
    payload: dict[str, Any]
    max_retries: int | None
    timeout_seconds: int | None
    labels: dict[str, str]
    webhook_url: str | None
    owner: str | None
    timezone: str
    dst_policy: Literal["once", "skip", "all"]
    enabled: bool
    overlap: Literal["allow", "skip", "replace"]
    misfire: Literal["skip", "run_once", "run_all"]
    misfire_limit: int
    jitter_seconds: int
    calendar_ids: list[str]
    starts_at: str | None
    ends_at: str | None


class ScheduleChanges(ScheduleOptions, total=False):
    """What can be changed of a schedule."""

    name: str
    type: str
    cron_expression: str


class Schedule(TypedDict):
    """A recurring job as it stands."""

    id: str
    name: str
    description: str
    type: str
    queue: str | None
    priority: int | None
    level: Level
    payload: dict[str, Any]
    max_retries: int | None
    timeout_seconds: int | None
    labels: dict[str, str]
    webhook_url: str | None
    owner: str | None
    cron_expression: str
    timezone: str
    dst_policy: Literal["once", "skip", "all"]
    enabled: bool
    overlap: Literal["allow", "skip", "replace"]
    misfire: Literal["skip", "run_once", "run_all"]
    misfire_limit: int
    jitter_seconds: int
    calendar_ids: list[str]
    starts_at: str | None
    ends_at: str | None
    last_run_at: str | None
    next_run_at: str | None
    last_job_id: str | None
    in_words: str
    declared: bool
    effective_from: str
    created_at: str
    updated_at: str
    created_by: str | None


class Event(TypedDict):
    """`data` is the job without payload and result, or the batch."""

    event: str
    timestamp: str
    id: str
    data: dict[str, Any]
