"""What the calls about figures answer, for the published schema."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from jobs.priorities import Level
from jobs.states import Status
from jobs.stats import Window, WorkerState


class CountsDocument(BaseModel):
    """`level` is of the queued jobs."""

    status: dict[Status, int]
    level: dict[Level, int]


class WaitDocument(BaseModel):
    """Seconds from ready to started, of the first attempts that ended in the last hour. Read from
    buckets that grow by 41 %: each is off by 19 % at the most."""

    p50: float | None
    p95: float | None
    p99: float | None


class JobSummary(BaseModel):
    """A job without payload and result. `tenant` is there where all tenants were asked for."""

    id: UUID
    type: str
    status: Status
    queue: str
    owner: str | None
    priority: int
    level: Level
    progress: float
    attempt: int
    retry_count: int
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    cancelled_at: datetime | None
    tenant: str | None = None


class OldestWaiting(JobSummary):
    waiting_seconds: float


class StatsDocument(BaseModel):
    """The caller's jobs. Counts above ten thousand may be estimates: then `counts_exact` is false.

    `throughput`: jobs that completed or failed; the last hour and day begin with a full minute.
    Where very much ends, those figures lag some seconds behind and `live` is false. The average
    duration and the share of retried jobs that completed are the last day's.
    """

    counts: CountsDocument
    counts_exact: bool
    throughput: dict[Window, int]
    failure_rate: dict[Window, float | None]
    live: bool
    avg_duration_seconds: float | None
    estimated_wait_seconds: float | None
    wait: WaitDocument
    retry_success_rate: float | None
    oldest_waiting_job: OldestWaiting | None
    recent_jobs: list[JobSummary]


class PointDocument(BaseModel):
    """`at` is where the step begins; null is unknown, or a share of nothing."""

    at: datetime
    value: float | None


class SeriesDocument(BaseModel):
    """Oldest first. The last step is under way, and its figure some seconds late."""

    metric: str
    range: str
    step: str
    unit: Literal["jobs", "seconds", "ratio"]
    points: list[PointDocument]


class WorkerDocument(BaseModel):
    """A worker as it last reported itself, with those of its jobs that the caller may see."""

    name: str
    state: WorkerState
    queues: list[str]
    slots: int
    current_jobs: list[UUID]
    version: str
    memory_bytes: int
    started_at: datetime
    seen_at: datetime


class WorkerPage(BaseModel):
    items: list[WorkerDocument]
    next_cursor: str | None


class ReasonDocument(BaseModel):
    """`object` is what it is about, as `job:ID`, `queue:NAME`, `type:NAME`, `tenant:SLUG`,
    `key:NAME` or `worker:NAME`; `until` is when it is over, where that is known; `remedy` is what
    would change it."""

    code: Literal[
        "paused", "rate_limited", "concurrency_limited", "quota", "blocked", "scheduled",
        "no_worker", "dispatcher_down", "circuit_open", "queued_behind", "running", "ended",
    ]  # fmt: skip
    detail: str
    until: datetime | None
    object: str | None
    remedy: str | None


class ExplanationDocument(BaseModel):
    """Why a job is not running. `runnable`: nothing but its turn is in the way. `ahead`: the jobs
    of its queue that go first, higher levels included; up to a thousand in each of the two counts
    it is exact. `expected_start_at`: null where nobody can know."""

    runnable: bool
    reasons: list[ReasonDocument]
    ahead: int | None
    ahead_exact: bool | None
    expected_start_at: datetime | None
