"""A worker does what an operator asks of it: pause, resume, shut down, begin anew."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from jobs import worker_verbs
from jobs.explain import explain
from jobs.models import Job, Queue, Wish, Worker
from jobs.operations import Actor
from jobs.policies import limiting
from jobs.priorities import Level
from jobs.states import Status
from tests.support.arena import Arena, leader_pid
from tests.support.programs import Program, kill_child
from tests.support.waiting import wait_for

EVE = Actor(name="user:eve")
NAME = "worker@arena"
LONGER: dict[str, Any] = {"LEASE_SECONDS": "15"}  # where no attempt may be lost to a busy machine
OBEYS_SECONDS = 60  # it does within seconds, on a machine that has nothing else to do


def row() -> Worker:
    return Worker.objects.get(pk=NAME)


def wait_until_paused(worker: Program, times: int = 1) -> None:
    wait_for(
        lambda: worker.log_text().count("takes jobs from no queue") >= times,
        seconds=OBEYS_SECONDS, what="it takes no more",
    )  # fmt: skip


def wait_until_reported() -> None:
    seen_at = row().seen_at
    wait_for(lambda: row().seen_at > seen_at, seconds=OBEYS_SECONDS, what="it reports itself")


def queued(job: Job) -> bool:
    return Job.objects.filter(pk=job.pk, status=Status.QUEUED, attempt=0).exists()


def begun_anew(incarnation: UUID) -> Callable[[], bool]:
    """Whether another incarnation reported itself."""
    rows = Worker.objects.filter(pk=NAME, queues__len__gt=0, stopping=False)
    return rows.exclude(incarnation=incarnation).exists


def test_a_paused_worker_ends_what_runs_and_starts_nothing_until_it_is_resumed(
    arena: Arena,
) -> None:
    arena.dispatcher(**LONGER)
    worker = arena.worker(**LONGER)
    with arena.held():
        running = arena.enqueue("testing.held", seconds=0)
        arena.wait_for_status(running.pk, Status.PROCESSING, seconds=OBEYS_SECONDS)
        worker_verbs.pause(NAME, EVE)
        wait_until_paused(worker)
        waiting = [arena.enqueue("testing.work") for _ in range(5)]
        lower = arena.enqueue_at("low", "testing.work")
    arena.wait_for_status(running.pk, Status.COMPLETED, seconds=OBEYS_SECONDS)
    wait_until_reported()

    assert all(queued(job) for job in [*waiting, lower])
    assert "All workers of queue default are paused." in {
        reason.detail for reason in explain(Job.objects.get(pk=lower.pk)).reasons
    }

    worker_verbs.resume(NAME, EVE)

    for job in [*waiting, lower]:
        done = arena.wait_for_status(job.pk, Status.COMPLETED, seconds=OBEYS_SECONDS)
        assert done.attempt == 1


def test_messages_in_the_broker_wait_for_a_paused_workers_return(arena: Arena) -> None:
    """Sent before anybody knew of the pause; another worker takes none either."""
    dispatcher = arena.dispatcher(**LONGER)
    worker = arena.worker(slots=1, **LONGER)
    wait_for(lambda: leader_pid() == dispatcher.pid, seconds=OBEYS_SECONDS, what="it leads")
    worker.send(signal.SIGSTOP)
    Worker.objects.update(seen_at=Now())  # it can say no more itself that it is there
    job = arena.enqueue("testing.work")
    wait_for(
        lambda: Job.objects.in_flight().filter(pk=job.pk).exists(),
        seconds=OBEYS_SECONDS,
        what="sent",
    )
    dispatcher.kill()
    Worker.objects.update(seen_at=Now())
    worker_verbs.pause(NAME, EVE)
    worker.send(signal.SIGCONT)
    wait_until_paused(worker)
    worker_verbs.resume(NAME, EVE)
    arena.dispatcher("another", **LONGER)

    done = arena.wait_for_status(job.pk, Status.COMPLETED, seconds=OBEYS_SECONDS)
    assert done.attempt == 1


def test_a_pause_outlives_a_broker_that_is_wiped_and_restarted(arena: Arena) -> None:
    arena.dispatcher(**LONGER)
    worker = arena.worker(**LONGER)
    worker_verbs.pause(NAME, EVE)
    wait_until_paused(worker)
    connected = worker.log_text().count("Connected to redis")

    arena.valkey.stop(signal.SIGKILL)
    arena.valkey.start()
    with arena.redis() as client:
        client.flushall()
    wait_for(
        lambda: worker.log_text().count("Connected to redis") > connected,
        seconds=OBEYS_SECONDS, what="it is connected again",
    )  # fmt: skip
    with arena.redis() as client:  # as if somebody had sent it: nobody fetches it
        client.lpush("default.normal", "no message")
    job = arena.enqueue("testing.work")
    wait_until_reported()
    assert queued(job)
    with arena.redis() as client:
        assert client.llen("default.normal") >= 1

    worker_verbs.resume(NAME, EVE)
    arena.wait_for_status(job.pk, Status.COMPLETED, seconds=OBEYS_SECONDS)


def test_a_shutdown_waits_for_a_job_longer_than_any_soft_stop_and_ends_with_status_0(
    arena: Arena,
) -> None:
    arena.dispatcher(**LONGER)
    worker = arena.worker(WORKER_SOFT_SHUTDOWN_SECONDS="0.1", **LONGER)
    with arena.held():
        job = arena.enqueue("testing.held", seconds=0)
        arena.wait_for_status(job.pk, Status.PROCESSING, seconds=OBEYS_SECONDS)
        worker_verbs.shutdown(NAME, EVE)
        wait_for(lambda: row().stopping, seconds=OBEYS_SECONDS, what="it stops")
        later = arena.enqueue("testing.work")
        lease = Job.objects.get(pk=job.pk).lease_expires_at
        wait_for(
            lambda: Job.objects.filter(pk=job.pk, lease_expires_at__gt=lease).exists(),
            seconds=OBEYS_SECONDS, what="its lease is renewed",
        )  # fmt: skip
        assert worker.is_alive
        assert queued(later)

    assert worker.wait_until_ended(seconds=OBEYS_SECONDS) == 0
    done = Job.objects.get(pk=job.pk)
    assert (done.status, done.attempt) == (Status.COMPLETED, 1)
    assert queued(later)


def test_a_child_that_dies_during_a_shutdown_does_not_keep_the_worker_up(arena: Arena) -> None:
    arena.dispatcher(**LONGER)
    worker = arena.worker(slots=1, **LONGER)
    with arena.held():
        job = arena.enqueue("testing.held", seconds=0)
        arena.wait_for_status(job.pk, Status.PROCESSING, seconds=OBEYS_SECONDS)
        worker_verbs.shutdown(NAME, EVE)
        wait_for(lambda: row().stopping, seconds=OBEYS_SECONDS, what="it stops")
        for child in worker.children():
            kill_child(child)
        assert worker.wait_until_ended(seconds=OBEYS_SECONDS) == 0
        arena.wait_for_status(job.pk, Status.QUEUED, seconds=OBEYS_SECONDS)


def test_a_restart_ends_the_job_and_comes_back_under_its_name_and_not_paused(
    arena: Arena,
) -> None:
    arena.dispatcher(**LONGER)
    worker = arena.worker(**LONGER)
    before = row()
    with arena.held():
        job = arena.enqueue("testing.held", seconds=0)
        arena.wait_for_status(job.pk, Status.PROCESSING, seconds=OBEYS_SECONDS)
        worker_verbs.pause(NAME, EVE)
        worker_verbs.restart(NAME, EVE)
        wait_for(lambda: row().stopping, seconds=OBEYS_SECONDS, what="it stops")
    arena.wait_for_status(job.pk, Status.COMPLETED, seconds=OBEYS_SECONDS)
    wait_for(begun_anew(before.incarnation), seconds=OBEYS_SECONDS, what="it comes back")

    after = row()
    assert (after.pid, after.wish, after.wished_at) == (worker.pid, Wish.RUN, None)
    again = arena.enqueue("testing.work")
    done = arena.wait_for_status(again.pk, Status.COMPLETED, seconds=OBEYS_SECONDS)
    assert done.worker == NAME
    arena.wait_until_working("worker", worker)
    worker.send(signal.SIGTERM)
    assert worker.wait_until_ended(seconds=OBEYS_SECONDS) == 0


def test_who_stops_the_process_during_a_restart_has_the_last_word(arena: Arena) -> None:
    arena.dispatcher(**LONGER)
    worker = arena.worker(WORKER_SOFT_SHUTDOWN_SECONDS="0.1", **LONGER)
    with arena.held():
        job = arena.enqueue("testing.held", seconds=0)
        arena.wait_for_status(job.pk, Status.PROCESSING, seconds=OBEYS_SECONDS)
        worker_verbs.restart(NAME, EVE)
        wait_for(lambda: row().stopping, seconds=OBEYS_SECONDS, what="it stops")
        worker.send(signal.SIGTERM)
        worker.wait_until_ended(seconds=OBEYS_SECONDS)
    assert not worker.is_alive


def test_a_queue_that_is_made_later_is_taken_too_its_urgent_jobs_first(arena: Arena) -> None:
    """By a worker that was asked for no queues in particular."""
    arena.dispatcher(**LONGER)
    worker = arena.worker(**LONGER)
    limiting.make("later", {}, EVE)
    try:
        wait_for(
            lambda: "later.urgent" in worker.log_text(), seconds=OBEYS_SECONDS, what="it takes it"
        )
        job = arena.enqueue_in("later", "testing.work")
        arena.wait_for_status(job.pk, Status.COMPLETED, seconds=OBEYS_SECONDS)
        order = worker.log_text().rpartition("takes jobs from ")[2].partition('"')[0]
        levels = [name.rpartition(".")[2] for name in order.split(", ") if "." in name]
        assert levels == sorted(levels, key=[level.value for level in Level].index)
        assert "later" in row().queues
    finally:
        Job.objects.filter(queue="later").delete()
        Queue.objects.filter(pk="later").delete()


def test_a_worker_of_named_queues_takes_no_other(arena: Arena) -> None:
    worker = arena.worker(WORKER_QUEUES="default")
    limiting.make("later", {}, EVE)
    try:
        for _ in range(2):
            wait_until_reported()
        assert row().queues == ["default"]
        assert "takes jobs from" not in worker.log_text()
    finally:
        Queue.objects.filter(pk="later").delete()
