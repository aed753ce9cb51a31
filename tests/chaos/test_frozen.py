"""A worker that is frozen past its lease, and wakes up when somebody else has the job."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil
from django.db.models import DateTimeField, Func

from jobs import lifecycle
from jobs.models import Attempt, AttemptOutcome, Job, Worker
from jobs.states import Status
from tests.support.arena import LEASE_SECONDS, Arena
from tests.support.ledger import Ledger
from tests.support.proxy import Proxy
from tests.support.waiting import wait_for
from tests.testapp.trace import traces

PROMISED_SECONDS = 10  # what a take-over may take beyond the lease
TAKE_OVER_SECONDS = LEASE_SECONDS + PROMISED_SECONDS


def test_g5_a_thawed_worker_keeps_nothing_of_an_attempt_that_lost_its_lease(arena: Arena) -> None:
    arena.dispatcher()
    workers = arena.workers("first", "second")
    job = arena.enqueue("testing.deaf", seconds=TAKE_OVER_SECONDS + LEASE_SECONDS)
    first = started(arena.trace, 1)[0]
    make_the_next_one_shorter(job)
    holder = Job.objects.get(pk=job.pk).worker
    frozen, other = workers if holder == "first@arena" else workers[::-1]
    frozen.send(signal.SIGSTOP, to_children=True)
    wait_for(
        lambda: len(started(arena.trace)) == 2, seconds=TAKE_OVER_SECONDS, what="it is taken over"
    )
    frozen.send(signal.SIGCONT, to_children=True)

    done = arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)

    second = started(arena.trace)[1]
    assert done.worker == f"{other.name}@arena"
    assert done.result == {"attempt": second}
    lost = Attempt.objects.get(job=job)
    assert (lost.outcome, f"{job.pk}:{lost.fence}") == (AttemptOutcome.LOST, first)
    assert ("end", first) not in marks(arena.trace), "its code ran on to its end"
    Ledger(accepted=[job.pk], trace=arena.trace, faults=1, thawed=[first]).check()


def test_g5_the_outcome_of_an_attempt_that_lost_its_job_is_refused_and_counted(
    arena: Arena,
) -> None:
    """The main is frozen, so nobody tells the child that its job was taken away by force. That
    comes well before its code ends, and this well before its lease does."""
    arena.dispatcher(LEASE_SECONDS="10")
    worker = arena.worker("worker", slots=1, LEASE_SECONDS="10")
    job = arena.enqueue("testing.deaf", seconds=4)
    first = started(arena.trace, 1)[0]
    make_the_next_one_shorter(job)
    worker.send(signal.SIGSTOP)
    lifecycle.force_queue(job.pk, error={"type": "forced", "message": "", "details": {}})

    refused = Worker.objects.filter(name="worker@arena", refused_writes=1)
    wait_for(refused.exists, seconds=60, what="the old outcome is refused")
    assert ("end", first) in marks(arena.trace), "it had no outcome to write"
    worker.send(signal.SIGCONT)

    done = arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)
    assert done.result == {"attempt": started(arena.trace)[1]}
    Ledger(accepted=[job.pk], trace=arena.trace, faults=1).check()


def test_g5_an_outcome_that_arrives_when_another_attempt_runs_is_not_kept(arena: Arena) -> None:
    """The network holds it back until then; the process that wrote it is dead meanwhile. Its code
    ended well before its lease did."""
    lease = 8.0
    server = arena.postgres.server
    with Proxy(server.port).open() as proxy:
        far = server.url.replace(f":{server.port}/", f":{proxy.port}/")
        arena.dispatcher(LEASE_SECONDS=str(lease))
        arena.worker("far", slots=1, DATABASE_URL=far, LEASE_SECONDS=str(lease))
        job = arena.enqueue("testing.deaf", seconds=3)
        first = started(arena.trace, 1)[0]
        proxy.hold()
        wait_for(lambda: ("end", first) in marks(arena.trace), seconds=60, what="it is written")
        arena.worker("near", slots=1, LEASE_SECONDS=str(lease))
        wait_for(
            lambda: len(started(arena.trace)) == 2,
            seconds=lease + PROMISED_SECONDS, what="the next one",
        )  # fmt: skip
        proxy.let_through()
        done = arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)

        assert done.result == {"attempt": started(arena.trace)[1]}
        assert done.worker == "near@arena"
        Ledger(accepted=[job.pk], trace=arena.trace, faults=1).check()
        arena.clear_programs()


def test_g5_job_code_ends_before_its_lease_does_when_nobody_renews_it(arena: Arena) -> None:
    """By two seconds, with a lease of twelve: in them the test sees that it has ended."""
    lease = 12.0
    dispatcher = arena.dispatcher(LEASE_SECONDS=str(lease))
    worker = arena.worker("worker", slots=1, LEASE_SECONDS=str(lease))
    job = arena.enqueue("testing.deaf", seconds=60)
    started(arena.trace, 1)
    dispatcher.kill()  # nobody but the worker itself is to record what becomes of the attempt
    (child,) = worker.children()
    worker.send(signal.SIGSTOP)

    wait_for(
        lambda: psutil.Process(child).status() == psutil.STATUS_ZOMBIE,
        seconds=lease + 5, what="the child ends itself", every=0.01,
    )  # fmt: skip
    in_time = Job.objects.filter(pk=job.pk, lease_expires_at__gt=Clock()).exists()
    worker.send(signal.SIGCONT)

    assert in_time
    released = Attempt.objects.filter(job=job, outcome=AttemptOutcome.RELEASED)
    wait_for(released.exists, seconds=60, what="the attempt is given back")
    after = Job.objects.get(pk=job.pk)
    assert (after.status, after.retry_count, after.crash_count) == (Status.QUEUED, 0, 0)


class Clock(Func):
    """The database's clock, not the time its transaction began."""

    function = "clock_timestamp"
    output_field = DateTimeField()


def make_the_next_one_shorter(job: Job) -> None:
    """The attempt that runs has its payload already; how long it takes is of no use to another."""
    Job.objects.filter(pk=job.pk).update(payload={"seconds": 3})


def started(trace: Path, number: int = 0) -> list[str]:
    """The attempts that have started, in their order; waits for the first `number` of them."""

    def attempts() -> list[str]:
        return [line["attempt"] for line in traces(trace) if line["mark"] == "start"]

    wait_for(lambda: len(attempts()) >= number, seconds=60, what=f"{number} attempts start")
    return attempts()


def marks(trace: Path) -> set[tuple[str, str]]:
    return {(line["mark"], line["attempt"]) for line in traces(trace)}
