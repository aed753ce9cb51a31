"""A worker that runs its jobs in threads of one process keeps what one with processes promises."""

from __future__ import annotations

import signal
import time
from typing import Any

from django.db import connection

from jobs import lifecycle
from jobs.enqueue import JobOptions, enqueue
from jobs.models import Attempt, AttemptOutcome, Job, Worker
from jobs.states import Status
from tests.chaos.test_garbage import EACH, KINDS, LISTS
from tests.support.arena import Arena
from tests.support.ledger import Ledger
from tests.support.programs import Program
from tests.support.waiting import wait_for
from tests.testapp.trace import traces, traces_of

QUEUE = "default"
THREADS = 16
SOFT_SECONDS = "1"
LONGER: dict[str, Any] = {"LEASE_SECONDS": "30"}  # where no lease may run out on a busy machine
OUTLIVED: dict[str, Any] = {"LEASE_SECONDS": "15"}  # where code has to outlast its first lease


def worker_of(arena: Arena, name: str = "threads", *, slots: int = THREADS, **more: str) -> Program:
    return arena.webhook_worker(name, slots=slots, queue=QUEUE, **more)


def running(arena: Arena, *jobs: Job) -> None:
    """Wait until the code of each runs."""
    wait_for(lambda: all(traces_of(arena.trace, job.pk) for job in jobs), seconds=60,
             what="their code runs")  # fmt: skip


def lease_of(job: Job) -> float:
    ends = Job.objects.values_list("lease_expires_at", flat=True).get(pk=job.pk)
    assert ends is not None
    return ends.timestamp()


def test_as_many_jobs_as_threads_run_at_once_and_keep_their_leases(arena: Arena) -> None:
    """On past the end of the leases that they began with."""
    arena.dispatcher(**OUTLIVED)
    worker = worker_of(arena, **OUTLIVED)
    with arena.held():
        jobs = [arena.enqueue("testing.held", seconds=0) for _ in range(THREADS)]
        wait_for(lambda: arena.running() == THREADS, seconds=60, what="all run")
        first_ends = max(map(lease_of, jobs))
        wait_for(lambda: time.time() > first_ends, seconds=60, what="their first leases are over")
        assert min(map(lease_of, jobs)) > first_ends
        row = Worker.objects.get(name="threads@arena")
        assert (row.slots, row.pid, arena.running()) == (THREADS, worker.pid, THREADS)
        assert worker.children() == []
    for job in jobs:
        done = arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)
        assert done.attempt == 1


def test_a_thread_keeps_its_connection_from_one_job_to_the_next(arena: Arena) -> None:
    arena.dispatcher(**LONGER)
    worker_of(arena, slots=2, **LONGER)
    jobs = [arena.enqueue("testing.connection") for _ in range(60)]
    done = [arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60) for job in jobs]

    sessions = {result["session"] for job in done if (result := job.result) is not None}
    assert len(sessions) <= 2


def test_g7_a_cancel_reaches_one_job_and_leaves_the_others(arena: Arena) -> None:
    arena.dispatcher(**LONGER)
    worker = worker_of(arena, slots=4, **LONGER)
    with arena.held():
        others = [arena.enqueue("testing.held", seconds=0) for _ in range(2)]
        listens = arena.enqueue("testing.work", seconds=120)
        wait_for(lambda: arena.running() == 3, seconds=60, what="these run")
        never_asks = arena.enqueue("testing.deaf", seconds=8)
        running(arena, never_asks)
        for job in (never_asks, listens):
            lifecycle.cancel(job.pk, by="a test")
            arena.wait_for_status(job.pk, Status.CANCELLED, seconds=60)
    assert "end" in {line["mark"] for line in traces_of(arena.trace, never_asks.pk)}
    for job in others:
        done = arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)
        assert (done.attempt, done.crash_count) == (1, 0)
    assert arena.worker_pid("threads") == worker.pid


def test_a_timeout_ends_code_that_asks(arena: Arena) -> None:
    """The message carries Celery's limits as well; nothing enforces them on a thread."""
    arena.dispatcher(**LONGER)
    worker = worker_of(arena, slots=1, **LONGER)
    options = JobOptions(timeout_seconds=1, max_retries=0)
    job = enqueue(arena.tenant, "testing.work", {"seconds": 120}, options).job
    failed = arena.wait_for_status(job.pk, Status.FAILED, seconds=60)
    assert failed.error is not None
    assert failed.error["type"] == "TimedOut"
    after = arena.enqueue("testing.work")
    arena.wait_for_status(after.pk, Status.COMPLETED, seconds=60)
    assert arena.worker_pid("threads") == worker.pid


def test_g6_jobs_that_outlast_a_soft_stop_go_on_elsewhere_and_spend_nothing(arena: Arena) -> None:
    """One asks whether to end, one never does; its thread is left running."""
    dispatcher = arena.dispatcher(**LONGER)
    soft = {"WORKER_SOFT_SHUTDOWN_SECONDS": SOFT_SECONDS}
    stopping = worker_of(arena, "first", slots=4, **soft, **LONGER)
    jobs = [arena.enqueue("testing.work", seconds=60), arena.enqueue("testing.deaf", seconds=60)]
    running(arena, *jobs)
    dispatcher.kill()  # nobody but the worker itself is to record what becomes of the attempts
    began = time.monotonic()
    stopping.send(signal.SIGTERM)
    assert stopping.wait_until_ended(seconds=60) == 0
    assert time.monotonic() - began < 30

    for job in jobs:
        after = Job.objects.get(pk=job.pk)
        assert (after.status, after.retry_count, after.crash_count) == (Status.QUEUED, 0, 0)
        assert Attempt.objects.get(job=job).outcome == AttemptOutcome.RELEASED


def test_g6_a_job_that_ends_within_the_soft_stop_keeps_its_result_and_ends_the_wait(
    arena: Arena,
) -> None:
    arena.dispatcher(**LONGER)
    stopping = worker_of(arena, slots=2, WORKER_SOFT_SHUTDOWN_SECONDS="300", **LONGER)
    job = arena.enqueue("testing.work", seconds=2)
    running(arena, job)
    stopping.send(signal.SIGTERM)
    assert stopping.wait_until_ended(seconds=60) == 0

    done = Job.objects.get(pk=job.pk)
    assert (done.status, done.attempt) == (Status.COMPLETED, 1)


def test_an_idle_worker_stops_at_once(arena: Arena) -> None:
    worker = arena.webhook_worker(WORKER_SOFT_SHUTDOWN_SECONDS="300")
    assert Worker.objects.get(name="webhooks@arena").queues == ["webhooks"]
    worker.send(signal.SIGTERM)
    assert worker.wait_until_ended(seconds=60) == 0


def test_a_worker_that_is_asked_to_begin_anew_ends_its_jobs_first(arena: Arena) -> None:
    arena.dispatcher(**LONGER)
    worker = worker_of(arena, slots=2, **LONGER)
    with arena.held():
        job = arena.enqueue("testing.held", seconds=0)
        wait_for(lambda: arena.running() == 1, seconds=60, what="it runs")
        before = Worker.objects.get(name="threads@arena").incarnation
        Worker.objects.filter(name="threads@arena").update(wish="restart")
        stopping = Worker.objects.filter(name="threads@arena", stopping=True)
        wait_for(stopping.exists, seconds=60, what="it stops")
    assert arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60).attempt == 1
    anew = Worker.objects.filter(name="threads@arena", pid=worker.pid, stopping=False)
    wait_for(anew.exclude(incarnation=before).exists, seconds=90, what="it is back")
    after = arena.enqueue("testing.work")
    arena.wait_for_status(after.pk, Status.COMPLETED, seconds=60)


def test_g4_what_a_killed_worker_ran_is_rescued(arena: Arena) -> None:
    arena.dispatcher()
    first = worker_of(arena, "first", slots=4)
    jobs = [arena.enqueue("testing.work", seconds=3) for _ in range(4)]
    running(arena, *jobs)
    first.kill()
    worker_of(arena, "second", slots=4)

    for job in jobs:
        done = arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)
        assert (done.attempt, done.crash_count, done.worker) == (2, 1, "second@arena")
    Ledger(accepted=[job.pk for job in jobs], trace=arena.trace, faults=len(jobs)).check()


def test_g5_leases_that_cannot_be_renewed_end_the_process(arena: Arena) -> None:
    arena.dispatcher()
    worker = worker_of(arena, slots=4)
    jobs = [arena.enqueue("testing.deaf", seconds=600) for _ in range(2)]
    running(arena, *jobs)
    arena.postgres.stop(signal.SIGQUIT)
    assert worker.wait_until_ended(seconds=60) == -signal.SIGKILL
    last = {line["attempt"]: line["at"] for line in traces(arena.trace)}
    arena.postgres.start()
    connection.close()  # it was to the server that is gone

    worker_of(arena, "second", slots=4)
    again = wait_for(lambda: _started_again(arena, jobs), seconds=60, what="they run again")
    assert min(again) > max(last.values())


def _started_again(arena: Arena, jobs: list[Job]) -> list[float]:
    """When the second attempt of each began; nothing while one has not."""
    begun = [[line["at"] for line in traces_of(arena.trace, job.pk) if line["mark"] == "start"]
             for job in jobs]  # fmt: skip
    return [each[1] for each in begun] if all(len(each) == 2 for each in begun) else []


def test_messages_that_are_none_are_dropped_and_the_worker_goes_on(arena: Arena) -> None:
    arena.dispatcher(**LONGER)
    worker = worker_of(arena, slots=2, **LONGER)
    with arena.redis() as client:
        for number in range(EACH):
            for kind in KINDS.values():
                client.lpush(LISTS[number % len(LISTS)], kind())
        wait_for(
            lambda: not any(client.llen(name) for name in LISTS), seconds=90, what="all are taken"
        )
    jobs = [arena.enqueue("testing.work") for _ in range(6)]
    for job in jobs:
        arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)
    assert arena.worker_pid("threads") == worker.pid
