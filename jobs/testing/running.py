"""Runs jobs in this process, by the very path of a worker: claim, run, classify, write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Min, QuerySet
from django.utils import timezone

from accounts.models import Tenant
from accounts.models.tenant import DEFAULT_TENANT
from jobs import lifecycle
from jobs.apps import make_queues
from jobs.enqueue import enqueue_by_keywords
from jobs.job_type import JobType
from jobs.message import FencedJob
from jobs.models import Job
from jobs.states import Status
from jobs.testing.clock import let_pass
from jobs.testing.execution import InlineExecution
from jobs.worker.identity import WorkerIdentity

WORKER = "inline@test"
_BATCH = 500
_NEXT_ROUND = timedelta(milliseconds=1)


class CannotRun(AssertionError):
    """The job is not one that could run now."""


def run_inline(
    what: Job | JobType[..., Any], /, *, tenant: Tenant | str = DEFAULT_TENANT, **keywords: Any
) -> Job:
    """Run one attempt of a job now, and return the job as that left it.

    `what` is a job that waits, one for its time too; or a job type, of which a job is handed in
    first, with the parameters and options that `JobType.enqueue` takes. A failure is not raised:
    it stands in the job's `status` and `error`. Raises CannotRun.
    """
    job = what if isinstance(what, Job) else hand_in(what, tenant, keywords)
    if _fresh(job).status == Status.SCHEDULED:
        lifecycle.promote_now(job.pk)
    return run_ready(job)


def hand_in(job_type: JobType[..., Any], tenant: Tenant | str, keywords: dict[str, Any]) -> Job:
    make_queues()  # the queue of a type that the test declared has no row yet
    return enqueue_by_keywords(job_type, tenant, keywords)


def run_ready(job: Job) -> Job:
    """One attempt of a job that is ready."""
    before = _fresh(job)
    marked = lifecycle.dispatch([job.pk])
    if not marked:
        raise CannotRun(f"{before} cannot run: it is not ready.")
    sent = FencedJob(marked[0].id, marked[0].fence)
    _execution().run(sent)
    after = _fresh(job)
    if after.attempt == before.attempt:
        lifecycle.withdraw([sent])
        raise CannotRun(f"{before} cannot run: it has expired, or an old lease on it still holds.")
    return after


def _execution() -> InlineExecution:
    identity = WorkerIdentity(name=WORKER, lease_seconds=settings.LEASE_SECONDS)
    return InlineExecution(identity)


def drain(queue: str | None = None, *, limit: int = 1000, skip_waits: bool = False) -> list[Job]:
    """Run every job that is ready, the highest priority first and then the oldest, until none is;
    those that become ready meanwhile too. Returns the jobs after each attempt, in order.

    With `skip_waits` time passes for retries, snoozes and delays: where nothing is ready, it is
    moved to the next job's time. Raises CannotRun after `limit` attempts, so that jobs that hand
    in each other end.
    """
    done: list[Job] = []
    for job in _one_after_another(queue, skip_waits=skip_waits):
        if len(done) >= limit:
            raise CannotRun(f"After {limit} attempts there is still work: {job}.")
        done.append(run_ready(job))
    return done


def _one_after_another(queue: str | None, *, skip_waits: bool) -> Iterator[Job]:
    while True:
        lifecycle.expire(_BATCH)
        lifecycle.promote(_BATCH)
        job = _of(queue).ready().order_by("-priority", "seq").first()
        if job is not None:
            yield job
        elif not (skip_waits and _passed_to_the_next(queue)):
            return


def _passed_to_the_next(queue: str | None) -> bool:
    """Whether a job waits for its time; it has come then."""
    waiting = _of(queue).filter(status=Status.SCHEDULED)
    due = waiting.aggregate(due=Min("visible_at"))["due"]
    if due is None:
        return False
    let_pass(max(due - timezone.now(), timedelta()) + _NEXT_ROUND)
    return True


def _of(queue: str | None) -> Any:
    return Job.objects.filter(queue=queue) if queue else Job.objects.all()


def _fresh(job: Job) -> Job:
    found: QuerySet[Job] = Job.objects.select_related("tenant")
    return found.get(pk=job.pk)
