"""Is there a dispatcher to send a job, a worker to run it, and a slot?"""

from __future__ import annotations

from jobs import wording
from jobs.dispatcher.selection import live_workers
from jobs.dispatcher.sign_of_life import PATIENCE_SECONDS, leaderless_seconds
from jobs.explain.reason import Code, Reason
from jobs.models import Job, Wish
from jobs.states import Status


def absent(job: Job) -> list[Reason]:
    return [*_dispatcher(), *_worker(job)]


def _dispatcher() -> list[Reason]:
    gone = leaderless_seconds()
    if gone is not None and gone <= PATIENCE_SECONDS:
        return []
    since = "" if gone is None else f"; the last one led {wording.roughly(gone)} ago"
    return [
        Reason(
            code=Code.DISPATCHER_DOWN,
            detail=f"No dispatcher sends jobs to workers{since}.",
            remedy="Start one, better two: manage.py dispatch.",
        )
    ]


def _worker(job: Job) -> list[Reason]:
    consuming = [worker for worker in live_workers() if job.queue_id in worker.queues]
    if any(job.type in worker.types for worker in consuming):
        return []
    if consuming:
        detail = f"Queue {job.queue_id} has live workers, but none that knows the type {job.type}."
        remedy = "Name the app that declares the type in CELERIAC_APPS of a worker, and restart it."
    elif any(job.queue_id in worker.queues for worker in live_workers(Wish.PAUSE)):
        detail = f"All workers of queue {job.queue_id} are paused."
        remedy = "Resume one: manage.py workers resume NAME."
    else:
        detail = f"No live worker consumes queue {job.queue_id}."
        remedy = f"Start one: celery -A config worker -Q {job.queue_id}."
    return [
        Reason(code=Code.NO_WORKER, detail=detail, object=f"queue:{job.queue_id}", remedy=remedy)
    ]


def busy(job: Job) -> list[Reason]:
    """Where every slot that could run it runs another job."""
    able = [
        worker
        for worker in live_workers()
        if job.queue_id in worker.queues and job.type in worker.types
    ]
    slots = sum(worker.slots for worker in able)
    running = Job.objects.filter(
        status=Status.PROCESSING, incarnation__in=[worker.incarnation for worker in able]
    ).count()
    if not able or running < slots:
        return []
    return [
        Reason(
            code=Code.QUEUED_BEHIND,
            detail="Every slot that could run it is busy.",
            object=f"queue:{job.queue_id}",
            remedy="More workers of the queue, or more slots, would start it earlier.",
        )
    ]
