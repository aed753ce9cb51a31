"""Cancel reaches running code, and ends code that does not listen."""

from __future__ import annotations

import time

import pytest

from jobs import lifecycle
from jobs.models import Attempt, AttemptOutcome, Job
from jobs.states import Status
from tests.support.arena import Arena
from tests.support.waiting import wait_for
from tests.testapp.trace import traces_of


def test_g7_a_cancel_reaches_code_that_listens_within_five_seconds(arena_at_work: Arena) -> None:
    worker_pid = arena_at_work.worker_pid("worker")
    job = _running(arena_at_work, "testing.work", seconds=120)
    began = time.monotonic()
    lifecycle.cancel(job.pk, by="a test")
    arena_at_work.wait_for_status(job.pk, Status.CANCELLED, seconds=60)
    assert time.monotonic() - began < 5
    _next_job_runs(arena_at_work, job, worker_pid)


@pytest.mark.parametrize("deafness", ["deaf", "swallow", "stuck"])
def test_g7_code_that_does_not_listen_to_a_cancel_is_ended_after_its_grace_time(
    arena_at_work: Arena, deafness: str
) -> None:
    """`deaf` never asks, `swallow` swallows every exception, `stuck` lets no signal handler run."""
    worker_pid = arena_at_work.worker_pid("worker")
    arguments = {} if deafness == "stuck" else {"seconds": 120}
    job = _running(arena_at_work, f"testing.{deafness}", **arguments)
    lifecycle.cancel(job.pk, by="a test")
    arena_at_work.wait_for_status(job.pk, Status.CANCELLED, seconds=60)
    _next_job_runs(arena_at_work, job, worker_pid)


def _running(arena: Arena, type_name: str, **payload: float) -> Job:
    job = arena.enqueue(type_name, **payload)
    wait_for(lambda: traces_of(arena.trace, job.pk), seconds=60, what="its code runs")
    return job


def _next_job_runs(arena: Arena, cancelled: Job, worker_pid: int) -> None:
    """In the same worker, whose main process is the one it was."""
    after = arena.enqueue("testing.work")
    done = arena.wait_for_status(after.pk, Status.COMPLETED, seconds=60)
    assert done.worker == "worker@arena"
    ended = Job.objects.get(pk=cancelled.pk)
    assert (ended.result, ended.retry_count, ended.crash_count) == (None, 0, 0)
    assert Attempt.objects.get(job=cancelled).outcome == AttemptOutcome.CANCELLED
    assert arena.worker_pid("worker") == worker_pid
