"""Queues and workers as rows of a table: on their own pages, and on the first page of the admin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from jobs.models import Job, Pause, PauseKind, Queue
from jobs.policies.pausing import IN_FORCE
from jobs.priorities import Level
from jobs.states import Status
from jobs.stats import Count, QueueFigures, Whose, WorkerFigures, WorkerState, queues_of

JOBS_SHOWN = 8  # of one worker


@dataclass(frozen=True, kw_only=True)
class LevelCount:
    name: str
    count: int


@dataclass(frozen=True, kw_only=True)
class QueueRow:
    """`oldest` in seconds. `limits` in words, empty without any."""

    name: str
    url: str
    paused: bool
    limits: str
    levels: Sequence[LevelCount]
    waiting: str
    running: str
    oldest: float | None
    workers: int


@dataclass(frozen=True, kw_only=True)
class RunningRow:
    type: str
    url: str
    progress: int
    seconds: float | None


@dataclass(frozen=True, kw_only=True)
class WorkerRow:
    name: str
    url: str
    state: str
    slots: int
    busy: int
    jobs: Sequence[RunningRow]
    idle_note: str


def queue_rows(whose: Whose, now: datetime) -> Sequence[QueueRow]:
    """By name; those of the platform's own jobs where these are asked for."""
    known = Queue.objects.all() if whose.with_ours else Queue.objects.filter(internal=False)
    rows = {queue.name: queue for queue in known.order_by("name")}
    pauses = Pause.objects.filter(IN_FORCE, kind=PauseKind.QUEUE)
    paused = set(pauses.values_list("target", flat=True))
    return [
        _queue_row(queue, now, paused=queue.name in paused, limits=_limits(rows[queue.name]))
        for queue in queues_of(whose, list(rows))
    ]


def _limits(queue: Queue) -> str:
    told = [f"{queue.max_concurrency} at once"] if queue.max_concurrency else []
    return ", ".join([*told, *([queue.rate_limit] if queue.rate_limit else [])])


def _queue_row(queue: QueueFigures, now: datetime, *, paused: bool, limits: str) -> QueueRow:
    return QueueRow(
        name=queue.name,
        url=reverse("admin:jobs_queue_change", args=[queue.name]),
        paused=paused,
        limits=limits,
        levels=[LevelCount(name=level.value, count=queue.depth[level].number) for level in Level],
        waiting=counted(queue.counts[Status.QUEUED]),
        running=counted(queue.counts[Status.PROCESSING]),
        oldest=(now - queue.oldest_at).total_seconds() if queue.oldest_at else None,
        workers=queue.workers,
    )


def worker_rows(workers: Sequence[WorkerFigures], now: datetime) -> Sequence[WorkerRow]:
    running = _running([job for worker in workers for job in worker.current_jobs[:JOBS_SHOWN]], now)
    return [
        WorkerRow(
            name=worker.name,
            url=reverse("admin:jobs_worker_change", args=[worker.name]),
            state=worker.state.value,
            slots=worker.slots,
            busy=len(worker.current_jobs),
            jobs=[running[job] for job in worker.current_jobs[:JOBS_SHOWN] if job in running],
            idle_note=_IDLE_NOTES.get(worker.state, "runs jobs of other tenants"),
        )
        for worker in workers
    ]


_IDLE_NOTES = {
    WorkerState.IDLE: "waits for jobs",
    WorkerState.LOST: "has not reported itself lately",
    WorkerState.STOPPING: "is about to stop",
    WorkerState.PAUSED: "takes no jobs",
}


def _running(ids: Sequence[UUID], now: datetime) -> dict[UUID, RunningRow]:
    jobs = Job.objects.filter(pk__in=ids).only("type", "progress", "started_at")
    return {
        job.pk: RunningRow(
            type=job.type,
            url=_page(job),
            progress=job.progress,
            seconds=(now - job.started_at).total_seconds() if job.started_at else None,
        )
        for job in jobs
    }


def counted(count: Count) -> str:
    """A number of jobs in words for people: an estimate says that it is one."""
    return f"{count.number:,}" if count.exact else f"≈ {float(f'{count.number:.2g}'):,.0f}"


def _page(job: Job) -> str:
    return reverse("admin:jobs_job_change", args=[job.pk])
