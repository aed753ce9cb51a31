"""Lines that jobs log in a real worker, whose children are killed and lose the database."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from django.db import connection

from jobs.models import Job, LogLine
from jobs.states import Status
from tests.support.arena import Arena
from tests.support.waiting import wait_for
from tests.testapp.trace import hold_of


@pytest.fixture
def hold(arena: Arena) -> Iterator[None]:
    path = hold_of(arena.trace)
    path.touch()
    yield
    path.unlink(missing_ok=True)


def lines(job: Job) -> list[tuple[int, str]]:
    return list(LogLine.objects.filter(job=job).order_by("pk").values_list("attempt", "message"))


def begun(arena: Arena, job: Job) -> None:
    wait_for(lambda: lines(job) == [(1, "first")], seconds=60, what="the first line is kept")


def test_a_line_is_seen_while_the_job_runs_and_the_rest_with_its_end(
    arena: Arena, hold: None
) -> None:
    arena.dispatcher(LEASE_SECONDS="15")
    arena.worker(LEASE_SECONDS="15")
    job = arena.enqueue("testing.talk")
    begun(arena, job)
    hold_of(arena.trace).unlink()
    arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)
    assert lines(job) == [(1, "first"), (1, "second")]


def test_after_a_kill_the_next_attempt_goes_on_behind_the_lines_of_the_first(
    arena: Arena, hold: None
) -> None:
    arena.dispatcher(LEASE_SECONDS="15")
    arena.worker(LEASE_SECONDS="15")
    job = arena.enqueue("testing.talk", then="die")
    begun(arena, job)
    hold_of(arena.trace).unlink()
    arena.wait_for_status(job.pk, Status.COMPLETED, seconds=90)
    kept = lines(job)
    assert kept[0] == (1, "first")
    assert kept[-2:] == [(2, "first"), (2, "second")]


def test_g4_an_outage_of_the_database_fails_no_job_that_logs(arena: Arena, hold: None) -> None:
    arena.dispatcher(LEASE_SECONDS="60")
    arena.worker(LEASE_SECONDS="60")
    job = arena.enqueue("testing.talk")
    begun(arena, job)
    arena.postgres.stop(signal.SIGQUIT)
    hold_of(arena.trace).unlink()
    arena.postgres.start()
    connection.close()  # the test's own, which broke as well
    arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)
    assert Job.objects.get(pk=job.pk).retry_count == 0
