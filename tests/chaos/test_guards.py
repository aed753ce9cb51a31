"""Each guard holds, and taking it out is noticed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from jobs import lifecycle
from jobs.models import Job
from jobs.states import Status
from tests.chaos import guards
from tests.support.saboteur import SABOTAGES
from tests.support.waiting import wait_for

# A check that fails, or the database's own constraints, which repeat some of the guards.
NOTICED = (AssertionError, pytest.fail.Exception, IntegrityError)
CHECKS = [check for checks in guards.GUARDED.values() for check in checks]


@pytest.mark.django_db
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_guard_holds(check: Callable[[], None]) -> None:
    check()


@pytest.mark.django_db
@pytest.mark.parametrize("name", SABOTAGES)
def test_a_guard_that_is_taken_out_is_noticed(name: str) -> None:
    undo = SABOTAGES[name].commit()
    try:
        for check in guards.GUARDED[name]:
            with pytest.raises(NOTICED), transaction.atomic():
                check()
    finally:
        undo()


@pytest.mark.django_db(transaction=True)
def test_g6_a_worker_frozen_while_it_writes_an_outcome_cannot_hold_its_job_for_long() -> None:
    held = guards.claimed(lease_seconds=0)
    frozen, thaw = threading.Event(), threading.Event()

    def write_and_freeze() -> None:
        try:
            with suppress(DatabaseError), transaction.atomic():
                lifecycle.fail(held.held, error=guards.ERROR)
                frozen.set()
                thaw.wait(30)
        finally:
            connection.close()

    worker = threading.Thread(target=write_and_freeze)
    worker.start()
    assert frozen.wait(10)
    wait_for(
        lambda: lifecycle.rescue(limit=1, crash_limit=5, error=guards.ERROR),
        seconds=10, what="the job is taken over", every=0.2,
    )  # fmt: skip
    thaw.set()
    worker.join()
    assert Job.objects.get(pk=held.id).status == Status.QUEUED
