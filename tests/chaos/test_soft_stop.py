"""A worker that is asked to stop gives back what it cannot finish, at no cost to the job."""

from __future__ import annotations

import signal

import psutil
from celery import Celery, current_app
from django.db.models.functions import Now
from kombu import Connection

from jobs import broker, lifecycle
from jobs.broker import PLAIN_QUEUE
from jobs.lifecycle.waiting import Dispatched
from jobs.message import FencedJob
from jobs.models import Attempt, AttemptOutcome, Job, Worker
from jobs.states import Status
from tests.support.arena import Arena, leader_pid
from tests.support.ledger import Ledger
from tests.support.waiting import wait_for
from tests.testapp.stops import HALF_MESSAGES, TORN, WITHIN_A_MESSAGE
from tests.testapp.trace import traces

SOFT_SECONDS = "1"
GAVE_UP = "the stop does not come to an end"  # in the log


def test_g6_a_job_longer_than_the_soft_stop_goes_on_elsewhere_and_spends_nothing(
    arena: Arena,
) -> None:
    arena.dispatcher()
    workers = arena.workers("first", "second", WORKER_SOFT_SHUTDOWN_SECONDS=SOFT_SECONDS)
    job = arena.enqueue("testing.work", seconds=6)
    running = arena.wait_for_status(job.pk, Status.PROCESSING, seconds=60)
    stopping, other = workers if running.worker == "first@arena" else workers[::-1]
    stopping.send(signal.SIGTERM)
    assert stopping.wait_until_ended(seconds=60) == 0

    done = arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)

    assert done.worker == f"{other.name}@arena"
    assert (done.retry_count, done.crash_count, done.attempt) == (0, 0, 2)
    assert Attempt.objects.get(job=job).outcome == AttemptOutcome.RELEASED
    Ledger(accepted=[job.pk], trace=arena.trace, faults=1).check()


def test_g6_a_job_that_ends_within_the_soft_stop_keeps_its_result_and_ends_the_wait(
    arena: Arena,
) -> None:
    arena.dispatcher()
    stopping = arena.worker(WORKER_SOFT_SHUTDOWN_SECONDS="300")
    job = arena.enqueue("testing.work", seconds=1.5)
    arena.wait_for_status(job.pk, Status.PROCESSING, seconds=60)
    stopping.send(signal.SIGTERM)
    assert stopping.wait_until_ended(seconds=60) == 0

    done = Job.objects.get(pk=job.pk)
    assert (done.status, done.attempt) == (Status.COMPLETED, 1)


def test_a_soft_stop_waits_for_a_plain_task_too(arena: Arena) -> None:
    stopping = arena.worker(WORKER_SOFT_SHUTDOWN_SECONDS="300")
    _send_plain(arena, seconds=3.0)
    wait_for(lambda: list(traces(arena.trace)), seconds=60, what="its code runs")
    stopping.send(signal.SIGTERM)
    assert stopping.wait_until_ended(seconds=60) == 0
    assert [line["mark"] for line in traces(arena.trace)] == ["start", "end"]


def test_g6_code_that_does_not_listen_to_a_soft_stop_is_ended_and_its_job_given_back(
    arena: Arena,
) -> None:
    """It swallows the exception that asks it to leave."""
    dispatcher = arena.dispatcher()
    stopping = arena.worker(WORKER_SOFT_SHUTDOWN_SECONDS=SOFT_SECONDS)
    job = arena.enqueue("testing.swallow", seconds=120)
    wait_for(lambda: list(traces(arena.trace)), seconds=60, what="its code runs")
    dispatcher.kill()  # nobody but the worker itself is to record what becomes of the attempt
    stopping.send(signal.SIGTERM)
    stopping.wait_until_ended(seconds=60)

    after = Job.objects.get(pk=job.pk)
    assert (after.status, after.retry_count, after.crash_count) == (Status.QUEUED, 0, 0)
    assert Attempt.objects.get(job=job).outcome == AttemptOutcome.RELEASED


def test_a_signal_within_a_message_to_a_child_tears_nothing(arena: Arena) -> None:
    """The main finishes the message first. It used to wait for its child, and that for the rest."""
    arena.dispatcher()
    stopping = arena.worker(CELERIAC_TEST_STOP=WITHIN_A_MESSAGE)
    jobs = [arena.enqueue("testing.work", seconds=0.05) for _ in range(40)]
    assert stopping.wait_until_ended(seconds=60) == 0
    assert GAVE_UP not in stopping.log_text()
    assert Job.objects.filter(status=Status.COMPLETED).count() < len(jobs)

    arena.worker("another")
    for job in jobs:
        arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)
    assert not Job.objects.filter(crash_count__gt=0).exists()
    Ledger(accepted=[job.pk for job in jobs], trace=arena.trace, faults=1).check()


def test_nor_does_it_tear_a_message_that_goes_to_its_child_in_parts(arena: Arena) -> None:
    """Larger than a pipe: other steps of the loop come in between."""
    stopping = arena.worker(CELERIAC_TEST_STOP=WITHIN_A_MESSAGE)
    for _ in range(20):
        _send_plain(arena, seconds=0.05, ballast="x" * 1_000_000)
    assert stopping.wait_until_ended(seconds=60) == 0
    assert GAVE_UP not in stopping.log_text()
    assert len(list(traces(arena.trace))) < 40

    arena.worker("another")
    wait_for(lambda: len(list(traces(arena.trace))) == 40, seconds=60, what="all have run")


def test_g6_a_stop_that_does_not_come_to_an_end_is_left_and_its_jobs_given_back(
    arena: Arena,
) -> None:
    """Its children are stuck. Nobody has claimed the job, no lease of it runs out, no dispatcher
    is there to miss its message. An ordinary task goes back to the broker."""
    worker = arena.worker(
        WORKER_SOFT_SHUTDOWN_SECONDS=SOFT_SECONDS, CELERIAC_TEST_STOP=HALF_MESSAGES
    )
    job = _hand_to_the_broker(arena)
    _send_plain(arena, seconds=0.1)
    wait_for(lambda: worker.log_text().count(TORN) == 2, seconds=60, what="both have half of it")
    children = psutil.Process(worker.pid).children()
    worker.send(signal.SIGTERM)
    assert worker.wait_until_ended(seconds=60) == 0
    assert GAVE_UP in worker.log_text()
    wait_for(lambda: not any(map(_runs, children)), seconds=10, what="its children are dead")
    after = Job.objects.get(pk=job.id)
    assert (after.status, after.dispatched_at, after.crash_count) == (Status.QUEUED, None, 0)
    assert after.fence > job.fence

    arena.dispatcher()
    arena.worker("another")
    arena.wait_for_status(job.id, Status.COMPLETED, seconds=60)
    wait_for(lambda: len(list(traces(arena.trace))) == 4, seconds=60, what="the task ran too")
    Ledger(accepted=[job.id], trace=arena.trace, faults=1).check()


def test_a_stop_ends_though_the_database_does_not_answer_and_a_child_is_stuck(
    arena: Arena,
) -> None:
    """Then nobody can give back: the job is missed later, as after a kill."""
    worker = arena.worker(
        WORKER_SOFT_SHUTDOWN_SECONDS=SOFT_SECONDS, CELERIAC_TEST_STOP=HALF_MESSAGES
    )
    _hand_to_the_broker(arena)
    wait_for(lambda: TORN in worker.log_text(), seconds=60, what="its message is torn")
    with arena.postgres.silent():
        worker.send(signal.SIGTERM)
        assert worker.wait_until_ended(seconds=60) == 0


def _hand_to_the_broker(arena: Arena) -> Dispatched:
    """A job, sent as a dispatcher sends it; none runs."""
    (sent,) = lifecycle.dispatch([arena.enqueue("testing.work").pk])
    app = Celery("test", broker=arena.valkey.url, set_as_current=False)
    broker.publish(app, [sent])
    return sent


def _send_plain(arena: Arena, *, seconds: float, ballast: str = "") -> None:
    with Connection(arena.valkey.url) as connection:
        current_app.send_task(
            "testing.plain",
            [seconds, ballast],
            queue=PLAIN_QUEUE,
            connection=connection,
            ignore_result=True,
        )


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_g7_a_cancelled_job_whose_worker_dies_ends_cancelled(arena: Arena) -> None:
    arena.dispatcher()
    worker = arena.worker()
    job = arena.enqueue("testing.deaf", seconds=60)
    arena.wait_for_status(job.pk, Status.PROCESSING, seconds=60)
    lifecycle.cancel(job.pk, by="a test")
    worker.kill()

    done = arena.wait_for_status(job.pk, Status.CANCELLED, seconds=60)
    assert done.result is None
    assert Attempt.objects.get(job=job).outcome == AttemptOutcome.CANCELLED


def test_g4_a_withdrawn_message_starts_nothing(arena: Arena) -> None:
    """Its job is sent anew meanwhile; the worker finds both messages, the old one first."""
    dispatcher = arena.dispatcher()
    worker = arena.worker(slots=1)
    wait_for(lambda: leader_pid() == dispatcher.pid, seconds=60, what="it leads")
    worker.send(signal.SIGSTOP)
    Worker.objects.update(seen_at=Now())  # it can say no more itself that it is there
    job = arena.enqueue("testing.work")
    old = wait_for(lambda: _sent(job), seconds=60, what="it is sent")
    lifecycle.withdraw([old])
    Worker.objects.update(seen_at=Now())
    wait_for(lambda: _sent(job) not in (None, old), seconds=60, what="it is sent anew")
    dispatcher.kill()
    worker.send(signal.SIGCONT)

    arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)
    wait_for(
        lambda: "nothing to claim" in worker.log_text(), seconds=60, what="the old one is dropped"
    )
    assert len([line for line in traces(arena.trace) if line["mark"] == "start"]) == 1


def _sent(job: Job) -> FencedJob | None:
    return next((FencedJob(*row) for row in Job.objects.in_flight().filter(pk=job.pk)
                 .values_list("pk", "fence")), None)  # fmt: skip
