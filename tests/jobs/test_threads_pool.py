"""Jobs in threads of one process: what each thread has of its own, and how it is told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from structlog.contextvars import get_contextvars

from accounts.ids import new_id
from accounts.models import Tenant
from jobs import JobContext, job_type, registry
from jobs.control import LeaseLost, ShuttingDown, Terminated, TimedOut
from jobs.enqueue import JobOptions, enqueue
from jobs.message import FencedJob
from jobs.models import Attempt, AttemptOutcome, Job
from jobs.states import Status
from jobs.worker.crew import Crew
from jobs.worker.identity import WorkerIdentity
from jobs.worker.slots import Slots
from jobs.worker.thread_gate import ThreadGate
from jobs.worker.thread_pool import TaskPool
from tests.jobs import making
from tests.support.waiting import wait_for

IDENTITY = WorkerIdentity(name="w@test", lease_seconds=30)
NEVER = float("inf")


def in_threads(count: int, work: Callable[[], object]) -> list[Any]:
    """What each thread came to; all are at work at the same time."""
    together, results = threading.Barrier(count), []

    def run() -> None:
        together.wait(timeout=60)
        try:
            results.append(work())
        finally:
            connection.close()
            together.wait(timeout=60)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


# --- the crew -----------------------------------------------------------------------------


def crew_of(count: int) -> Crew:
    return Crew(IDENTITY, Slots(count), lambda: NEVER)


def test_each_thread_has_a_slot_of_its_own_and_keeps_it() -> None:
    crew = crew_of(16)

    def look() -> tuple[object, object]:
        return crew.child(), crew.child()

    pairs = in_threads(16, look)
    assert all(first is second for first, second in pairs)
    assert len({child.gate._slot._index for child, _ in pairs}) == 16


def test_a_thread_that_has_ended_leaves_its_slot_to_another() -> None:
    crew = crew_of(2)
    for _ in range(5):
        assert len(in_threads(2, crew.child)) == 2


def test_more_threads_than_slots_are_refused() -> None:
    crew = crew_of(2)

    def look() -> bool:
        try:
            crew.child()
        except RuntimeError:
            return False
        return True

    assert sorted(in_threads(3, look)) == [False, True, True]


# --- the gate -----------------------------------------------------------------------------


def test_code_is_told_to_end_where_it_asks() -> None:
    slots, stops_at = Slots(2), [NEVER]
    slot = slots.slot(0)
    gate = ThreadGate(slot, lambda: stops_at[0])
    slot.start(pid=1, job=FencedJob(new_id(), 1), deadline=NEVER)
    (running,) = slots.running()
    with gate.job_code(times_out_at=NEVER):
        gate.ask()
        stops_at[0] = time.monotonic() - 1
        with pytest.raises(ShuttingDown):
            gate.ask()
        gate._times_out_at = time.monotonic() - 1
        with pytest.raises(TimedOut):
            gate.ask()
        slots.ask_to_terminate(running)
        with pytest.raises(Terminated):
            gate.ask()
        slots.note_lost(running)
        with pytest.raises(LeaseLost):
            gate.ask()


def test_no_code_begins_after_the_end_of_a_soft_stop() -> None:
    gate = ThreadGate(Slots(1).slot(0), lambda: time.monotonic() - 1)
    with pytest.raises(ShuttingDown), gate.job_code(times_out_at=NEVER):
        pytest.fail("it began")


def test_what_is_told_to_one_run_is_not_told_to_the_next() -> None:
    slots = Slots(1)
    slot = slots.slot(0)
    gate = ThreadGate(slot, lambda: NEVER)
    slot.start(pid=1, job=FencedJob(new_id(), 1), deadline=NEVER)
    (running,) = slots.running()
    slots.note_lost(running)
    slot.end()
    assert not slots.note_lost(running)
    slot.start(pid=1, job=FencedJob(new_id(), 1), deadline=NEVER)
    with gate.job_code(times_out_at=NEVER):
        gate.ask()


# --- attempts in threads ------------------------------------------------------------------


@pytest.fixture
def declared() -> Iterator[str]:
    """A job type whose code asks in the way that its payload names, until it is told to end."""
    name = "threads.asking"

    @job_type(name, max_retries=0)
    def asking(context: JobContext, *, how: str = "return") -> Any:
        if how == "return":
            return dict(get_contextvars())
        end = time.monotonic() + 30
        while time.monotonic() < end:
            match how:
                case "sleep":
                    context.sleep(0.05)
                case "look":
                    context.cancel_requested  # noqa: B018 (that it is asked is what counts)
                case "tell":
                    context.progress(1)
                case "keep":
                    context.artifact("a.txt", b"x")
            time.sleep(0.01)
        return "it was told nothing"

    yield name
    registry.forget(name)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["sleep", "look", "tell", "keep"])
def test_a_timeout_reaches_code_that_asks_in_any_way(
    how: str, tenant: Tenant, declared: str
) -> None:
    options = JobOptions(timeout_seconds=1)
    sent = making.send(enqueue(tenant, declared, {"how": how}, options).job)
    in_threads(1, lambda: crew_of(1).child().execution.run(sent))
    job = Job.objects.get(pk=sent.id)
    assert job.status == Status.FAILED
    assert job.error is not None
    assert job.error["type"] == "TimedOut"


@pytest.mark.django_db(transaction=True)
def test_g6_the_end_of_a_soft_stop_gives_the_job_back(tenant: Tenant, declared: str) -> None:
    sent = making.send(enqueue(tenant, declared, {"how": "sleep"}).job)
    stops_at = time.monotonic() + 0.5
    crew = Crew(IDENTITY, Slots(1), lambda: stops_at)
    in_threads(1, lambda: crew.child().execution.run(sent))
    job = Job.objects.get(pk=sent.id)
    assert (job.status, job.retry_count, job.crash_count) == (Status.QUEUED, 0, 0)
    assert Attempt.objects.get(job=job).outcome == AttemptOutcome.RELEASED


@pytest.mark.django_db(transaction=True)
def test_lines_of_sixteen_threads_each_name_their_own_job(tenant: Tenant, declared: str) -> None:
    crew, waiting = crew_of(16), [making.send(enqueue(tenant, declared, {}).job) for _ in range(64)]
    sent = list(waiting)

    def run() -> None:
        with suppress(IndexError):
            while True:
                crew.child().execution.run(waiting.pop())

    in_threads(16, run)
    for each in sent:
        job = Job.objects.get(pk=each.id)
        assert job.status == Status.COMPLETED
        assert job.result is not None
        assert (job.result["job_id"], job.result["attempt"]) == (str(job.pk), 1)


# --- the pool -----------------------------------------------------------------------------


def pool_of(count: int) -> TaskPool:
    pool = TaskPool(count)
    pool.start()
    return pool


@pytest.mark.django_db(transaction=True)
def test_threads_that_end_leave_no_session_behind() -> None:
    pool, seen = pool_of(8), []
    together = threading.Barrier(8)

    def look() -> None:
        together.wait(timeout=60)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            seen.append(cursor.fetchone())

    for _ in range(16):
        pool.apply_async(look, callback=lambda result: None)
    pool.stop()
    sessions = {row[0] for row in seen if row}
    assert len(seen) == 16
    assert len(sessions) == 8

    def left() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [list(sessions)]
            )
            row = cursor.fetchone()
        return bool(row and row[0])

    wait_for(lambda: not left(), seconds=30, what="their sessions are over")


def test_work_that_raises_costs_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    pool, done = pool_of(1), threading.Event()

    def bad() -> None:
        raise SystemExit(1)

    def refuse(result: object) -> None:
        raise KeyboardInterrupt

    pool.apply_async(bad, callback=refuse)
    pool.apply_async(lambda: 1 / 0, callback=lambda result: None)
    pool.apply_async(done.set, callback=lambda result: None)
    pool.stop()
    assert done.is_set()
    assert caplog.text.count("could not be handled") == 2
    assert pool.info["threads"] == 0


def test_celery_cannot_end_the_process_for_the_sake_of_one_task() -> None:
    pool = pool_of(1)
    pool.terminate_job(os.getpid(), signal.SIGKILL)
    pool.stop()


WHICH = """
from celery.concurrency import get_implementation
import config.celery
print(get_implementation("threads").__module__)
"""


def test_celerys_option_means_this_pool() -> None:
    ran = subprocess.run([sys.executable, "-c", WHICH], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "jobs.worker.thread_pool"
