"""Code whose job was taken away is ended; a child that has just given its job a good end is not."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from typing import cast

import pytest
from django.db.models import F

from accounts.models import Tenant
from jobs.enqueue import enqueue
from jobs.message import FencedJob
from jobs.models import Job
from jobs.states import Status
from jobs.testing.execution import OpenGate
from jobs.worker.execution import Execution
from jobs.worker.gate import Gate
from jobs.worker.identity import WorkerIdentity
from jobs.worker.keeper import Keeper
from jobs.worker.outcome import Outcome
from jobs.worker.recording import record
from jobs.worker.slots import Slots
from tests.jobs import making
from tests.jobs.making import fresh

pytestmark = pytest.mark.django_db(transaction=True)

IDENTITY = WorkerIdentity(name="w@test", lease_seconds=30)


@pytest.fixture
def slots() -> Slots:
    return Slots(1)


@pytest.fixture
def keeper(slots: Slots) -> Keeper:
    return Keeper(IDENTITY, slots, lambda: None, unfinished=tuple, put_back_tasks=lambda: None)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def _taken_away(tenant: Tenant) -> FencedJob:
    """A job that runs, with a fence it does not have any more."""
    held = making.start(enqueue(tenant, "diagnostics.echo", {"n": 1}).job)
    Job.objects.filter(pk=held.id).update(fence=F("fence") + 1)
    return held


def test_g5_code_whose_job_was_taken_away_is_ended(
    keeper: Keeper, slots: Slots, child: subprocess.Popen[bytes], tenant: Tenant
) -> None:
    lost = _taken_away(tenant)
    slots.slot(0).start(pid=child.pid, job=lost, deadline=time.monotonic() + 60)

    keeper._renew()
    keeper._end_what_outlasts_its_lease()

    assert child.wait(timeout=10) == -9


def test_a_child_that_writes_its_outcome_is_left_alone_until_its_deadline(
    keeper: Keeper, slots: Slots, child: subprocess.Popen[bytes], tenant: Tenant
) -> None:
    slot, lost = slots.slot(0), _taken_away(tenant)
    slot.start(pid=child.pid, job=lost, deadline=time.monotonic() + 60)
    slot.begin_writing()

    keeper._renew()
    keeper._end_what_outlasts_its_lease()
    assert child.poll() is None

    slot.start(pid=child.pid, job=lost, deadline=time.monotonic() - 60)
    slot.begin_writing()
    keeper._end_what_outlasts_its_lease()
    assert child.wait(timeout=10) == -9


def test_a_renewal_between_an_outcome_and_the_end_of_its_run_ends_nothing(
    keeper: Keeper, slots: Slots, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keeper sees the run, and a row that nobody holds any more."""
    deadlines: list[float] = []

    def record_and_renew(held: FencedJob, outcome: Outcome) -> None:
        record(held, outcome)
        keeper._renew()
        deadlines.append(slots.deadline(0))

    monkeypatch.setattr("jobs.worker.execution.record", record_and_renew)
    job = enqueue(tenant, "diagnostics.echo", {"n": 1}).job
    began = time.monotonic()
    Execution(IDENTITY, slots.slot(0), cast(Gate, OpenGate())).run(making.send(job))

    assert fresh(job).status == Status.COMPLETED
    assert [deadline > began for deadline in deadlines] == [True]
