"""Attempts that run longer than the job's timeout."""

from __future__ import annotations

from jobs.enqueue import JobOptions, enqueue
from jobs.models import Attempt, AttemptOutcome, Job
from jobs.states import Status
from tests.support.arena import Arena
from tests.support.waiting import wait_for
from tests.testapp.trace import traces_of


def test_a_timeout_ends_the_code_and_spends_a_retry(arena_at_work: Arena) -> None:
    job = _hand_in(arena_at_work, "testing.deaf", max_retries=1)
    done = arena_at_work.wait_for_status(job.pk, Status.FAILED, seconds=60)
    assert _story(done) == [AttemptOutcome.RETRIED, AttemptOutcome.FAILED]
    assert done.error is not None
    assert done.error["type"] == "TimedOut"
    assert (done.retry_count, done.crash_count) == (1, 0)


def test_code_that_swallows_its_timeout_is_killed_and_counted_once(
    arena_at_work: Arena,
) -> None:
    worker_pid = arena_at_work.worker_pid("worker")
    job = _hand_in(arena_at_work, "testing.swallow", max_retries=1)
    done = arena_at_work.wait_for_status(job.pk, Status.FAILED, seconds=60)
    assert _story(done) == [AttemptOutcome.RETRIED, AttemptOutcome.FAILED]
    assert (done.retry_count, done.crash_count) == (1, 0)
    _one_after_the_other(arena_at_work, job)
    _worker_lives(arena_at_work, worker_pid)


def test_code_that_no_exception_reaches_is_killed_and_counted_once(
    arena_at_work: Arena,
) -> None:
    worker_pid = arena_at_work.worker_pid("worker")
    job = _hand_in(arena_at_work, "testing.stuck", max_retries=0)
    done = arena_at_work.wait_for_status(job.pk, Status.FAILED, seconds=60)
    assert _story(done) == [AttemptOutcome.FAILED]
    assert (done.retry_count, done.crash_count) == (0, 0)
    _worker_lives(arena_at_work, worker_pid)


def _hand_in(arena: Arena, type_name: str, *, max_retries: int) -> Job:
    payload = {} if type_name == "testing.stuck" else {"seconds": 60}
    options = JobOptions(timeout_seconds=1, max_retries=max_retries)
    return enqueue(arena.tenant, type_name, payload, options).job


def _story(job: Job) -> list[str]:
    outcomes = Attempt.objects.filter(job=job).order_by("fence")
    return list(outcomes.values_list("outcome", flat=True))


def _one_after_the_other(arena: Arena, job: Job) -> None:
    """No attempt shows a sign of life once the next one has started."""
    attempts = [line["attempt"] for line in traces_of(arena.trace, job.pk)]
    assert attempts == sorted(attempts, key=lambda one: int(one.rpartition(":")[2]))


def _worker_lives(arena: Arena, pid: int) -> None:
    after = arena.enqueue("testing.work")
    arena.wait_for_status(after.pk, Status.COMPLETED, seconds=60)
    wait_for(lambda: arena.worker_pid("worker") == pid, seconds=60, what="the same main process")
