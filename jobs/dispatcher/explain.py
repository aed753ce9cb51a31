"""Why a job is not running: every reason for which a waiting job is not sent, by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils import timezone

from jobs.dispatcher.selection import live_workers
from jobs.dispatcher.sign_of_life import is_led
from jobs.dispatcher.window import LiveWorker
from jobs.models import Dependency, Job
from jobs.priorities import FLOORS
from jobs.states import FINAL, Status
from jobs.stats import EVERYBODYS, expected_wait, measured, waiting_of

MOST_DEPENDENCIES = 20


class Code(StrEnum):
    """Those that limits, pauses and quotas will give are not given yet."""

    BLOCKED = "blocked"
    SCHEDULED = "scheduled"
    NO_WORKER = "no_worker"
    DISPATCHER_DOWN = "dispatcher_down"
    QUEUED_BEHIND = "queued_behind"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """`detail` is for people; `object` is what it is about; `until`: when it is over, if known."""

    code: Code
    detail: str
    until: datetime | None = None
    object: str | None = None


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """`runnable`: nothing but its turn is in the way. `ahead`: how many jobs of the queue go
    first, higher levels included; None unless it is queued."""

    reasons: Sequence[Reason]
    runnable: bool = False
    ahead: int | None = None
    expected_start_at: datetime | None = None


def explain(job: Job, *, ahead: int) -> Explanation:
    """`ahead` is how many jobs of its queue and level go before it, where it is queued."""
    if job.status in FINAL:
        ended_at = job.completed_at or job.cancelled_at
        return _held_by(Reason(code=Code.ENDED, detail=f"It is {job.status}.", until=ended_at))
    if job.status == Status.PROCESSING:
        return _held_by(Reason(code=Code.RUNNING, detail="It runs.", object=f"worker:{job.worker}"))
    if job.status == Status.BLOCKED:
        return _held_by(*_blocked(job))
    if job.status == Status.SCHEDULED:
        return Explanation(
            reasons=[_scheduled(job), *_nobody_at_work(job)], expected_start_at=job.visible_at
        )
    return _queued(job, ahead)


def _held_by(*reasons: Reason) -> Explanation:
    return Explanation(reasons=reasons)


def _blocked(job: Job) -> list[Reason]:
    edges = Dependency.objects.filter(job=job, settled_at=None).order_by("pk")
    return [
        Reason(code=Code.BLOCKED, detail="It waits for another job to end.", object=f"job:{other}")
        for other in edges.values_list("depends_on", flat=True)[:MOST_DEPENDENCIES]
    ]


def _scheduled(job: Job) -> Reason:
    what = "its next retry" if job.retry_count else "its time"
    return Reason(code=Code.SCHEDULED, detail=f"It waits for {what}.", until=job.visible_at)


def _queued(job: Job, ahead: int) -> Explanation:
    ahead += _higher(job)
    hindered = [*_old_lease(job), *_nobody_at_work(job)]
    if hindered or job.dispatched_at:
        return Explanation(reasons=hindered, runnable=not hindered, ahead=ahead)
    busy = _all_busy(job)
    wait = expected_wait(ahead + len(busy), measured(EVERYBODYS, queue=job.queue_id))
    return Explanation(
        reasons=[*_behind(job, ahead), *busy],
        runnable=True,
        ahead=ahead,
        expected_start_at=None if wait is None else timezone.now() + timedelta(seconds=wait),
    )


def _higher(job: Job) -> int:
    """Waiting jobs of the queue whose level is above."""
    return sum(
        depth.waiting.number
        for depth in waiting_of(EVERYBODYS)
        if depth.queue == job.queue_id and FLOORS[depth.level] > FLOORS[job.level]
    )


def _behind(job: Job, ahead: int) -> list[Reason]:
    if not ahead:
        return []
    detail = f"{ahead} jobs of its queue go first." if ahead > 1 else "One job goes first."
    return [Reason(code=Code.QUEUED_BEHIND, detail=detail, object=f"queue:{job.queue_id}")]


def _old_lease(job: Job) -> list[Reason]:
    """A job that was taken from a worker by force waits until that one's lease is over."""
    if job.lease_expires_at is None or job.lease_expires_at <= timezone.now():
        return []
    return [
        Reason(
            code=Code.RUNNING,
            detail="Its former attempt may still run.",
            until=job.lease_expires_at,
            object=f"worker:{job.worker}",
        )
    ]


def _nobody_at_work(job: Job) -> list[Reason]:
    reasons = []
    if not is_led():
        reasons.append(
            Reason(code=Code.DISPATCHER_DOWN, detail="No dispatcher sends jobs to workers.")
        )
    if not _able(job):
        reasons.append(
            Reason(
                code=Code.NO_WORKER,
                detail=f"No live worker of queue {job.queue_id} knows the type {job.type}.",
                object=f"queue:{job.queue_id}",
            )
        )
    return reasons


def _able(job: Job) -> list[LiveWorker]:
    return [
        worker
        for worker in live_workers()
        if job.queue_id in worker.queues and job.type in worker.types
    ]


def _all_busy(job: Job) -> list[Reason]:
    able = _able(job)
    slots = sum(worker.slots for worker in able)
    running = Job.objects.filter(
        status=Status.PROCESSING, incarnation__in=[worker.incarnation for worker in able]
    ).count()
    if running < slots:
        return []
    detail = f"All {slots} slots that could run it are busy." if slots > 1 else "Its slot is busy."
    return [Reason(code=Code.QUEUED_BEHIND, detail=detail, object=f"queue:{job.queue_id}")]
