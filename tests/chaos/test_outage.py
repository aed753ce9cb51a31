"""PostgreSQL is away for a minute while jobs run."""

from __future__ import annotations

import signal
import time

import psutil
from django.db import InterfaceError, OperationalError, connection

from jobs.models import Attempt, AttemptOutcome, Job
from jobs.states import Status
from tests.support.arena import Arena
from tests.support.ledger import Ledger
from tests.support.waiting import wait_for

OUTAGE_SECONDS = 60.0
LEASE_SECONDS = 20
# Over within a moment, before the lease would end, and long after it.
WORK = [1.5, 8.0, 16.0, 25.0]
ACCEPTS_WITHIN = 10.0
MAX_GROWTH = 32 * 1024 * 1024  # bytes


def test_g4_g6_an_outage_of_a_minute_fails_no_job_and_costs_no_retry(arena: Arena) -> None:
    dispatcher = arena.dispatcher(LEASE_SECONDS=str(LEASE_SECONDS))
    worker = arena.worker(slots=len(WORK), LEASE_SECONDS=str(LEASE_SECONDS))
    warm = arena.enqueue("testing.work")
    arena.wait_for_status(warm.pk, Status.COMPLETED, seconds=60)
    accepted = [arena.enqueue("testing.work", seconds=seconds).pk for seconds in WORK]
    wait_for(lambda: arena.running() == len(WORK), seconds=60, what="all of them run")
    waiting = arena.enqueue("testing.work")
    main = psutil.Process(worker.pid)
    before, threads = (worker.pid, dispatcher.pid), main.num_threads()
    memory = main.memory_info().rss

    arena.postgres.stop(signal.SIGQUIT)
    began = time.monotonic()
    wait_for(lambda: time.monotonic() - began > OUTAGE_SECONDS, seconds=OUTAGE_SECONDS + 5,
             what="the outage", every=1)  # fmt: skip
    arena.postgres.start()
    back = time.monotonic()
    late = wait_for(lambda: _accepted(arena), seconds=60, what="a job is accepted again")
    assert time.monotonic() - back < ACCEPTS_WITHIN

    accepted += [waiting.pk, late.pk]
    for job_id in accepted:
        arena.wait_for_status(job_id, Status.COMPLETED, seconds=90)
    told = Job.objects.filter(pk__in=accepted).values_list("retry_count", "crash_count")
    assert set(told) == {(0, 0)}
    assert set(Attempt.objects.values_list("outcome", flat=True)) <= {AttemptOutcome.RELEASED}
    assert (worker.pid, dispatcher.pid) == before
    assert main.num_threads() <= threads + 1  # what sends to Redis begins when it is first needed
    assert worker.is_alive
    assert dispatcher.is_alive
    assert main.memory_info().rss - memory < MAX_GROWTH
    Ledger(accepted=accepted, trace=arena.trace, faults=len(WORK)).check()


def _accepted(arena: Arena) -> Job | None:
    try:
        return arena.enqueue("testing.work")
    except (OperationalError, InterfaceError):
        connection.close()
        return None
