"""What the worker's main process makes of a child's death, and of a database that is away then."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from celery import Celery
from django.db import OperationalError
from django.db.models.functions import Now

from accounts.ids import new_id
from accounts.models import Tenant
from jobs.message import FencedJob
from jobs.models import Job, Worker
from jobs.states import Status
from jobs.worker import ending, steps
from jobs.worker import keeper as keeping
from jobs.worker.deaths import Death
from jobs.worker.identity import WorkerIdentity
from jobs.worker.intake import Intake
from jobs.worker.keeper import Keeper
from jobs.worker.obeying import Obedience
from jobs.worker.slots import Slots
from jobs.worker.steps import KeeperStep
from tests.jobs import making
from tests.jobs.making import fresh
from tests.jobs.racing import meanwhile


@pytest.fixture
def slots() -> Slots:
    return Slots(2)


@pytest.fixture
def keeper(slots: Slots) -> Keeper:
    return Keeper(
        WorkerIdentity(name="w@test", lease_seconds=30), slots, lambda: None,
        unfinished=tuple, put_back_tasks=lambda: None,
    )  # fmt: skip


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was recorded of deaths, in order."""
    words: list[str] = []
    monkeypatch.setattr(ending, "crashed", lambda job: words.append("crashed"))
    monkeypatch.setattr(ending, "gave_up", lambda job, why: words.append(why))
    return words


def _ended_by_its_watchdog(slots: Slots) -> FencedJob:
    job, slot = FencedJob(new_id(), 3), slots.slot(0)
    slot.start(pid=os.getpid(), job=job, deadline=0.0)
    slot.note_expired()
    return job


def test_g5_a_child_ended_by_its_watchdog_is_no_crash_whoever_tells_of_it_later(
    keeper: Keeper, slots: Slots, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _ended_by_its_watchdog(slots)
    keeper.child_died(job, Death.CRASHED)  # the keeper saw that the process is gone
    keeper.child_died(job, Death.CRASHED)  # and then the pool tells of it
    record = ending.gave_up

    def away(job: FencedJob, why: str) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(ending, "gave_up", away)
    monkeypatch.setattr("jobs.worker.keeper.connection.is_usable", lambda: False)
    with pytest.raises(OperationalError):
        keeper._deaths.record()
    monkeypatch.setattr(ending, "gave_up", record)
    keeper._deaths.record()
    keeper._deaths.record()

    assert told == ["The lease could not be renewed."]


def test_a_death_that_cannot_be_recorded_holds_up_no_other(
    keeper: Keeper, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, plain = FencedJob(new_id(), 1), FencedJob(new_id(), 1)
    record = ending.crashed

    def crashed(job: FencedJob) -> None:
        if job == odd:
            raise RuntimeError("nobody expected this")
        record(job)

    monkeypatch.setattr(ending, "crashed", crashed)
    keeper.child_died(odd, Death.CRASHED)
    keeper.child_died(plain, Death.CRASHED)
    keeper._deaths.record()

    assert told == ["crashed"]


@pytest.mark.django_db(transaction=True)
def test_a_death_whose_row_somebody_holds_keeps_no_other_waiting_and_is_recorded_later(
    keeper: Keeper, tenant: Tenant
) -> None:
    locked, free = making.queued(tenant), making.queued(tenant)
    for job in (locked, free):
        keeper.child_died(making.start(job), Death.CRASHED)

    with meanwhile(lambda: Job.objects.select_for_update().get(pk=locked.pk)):
        began = time.monotonic()
        keeper._deaths.record()
        assert time.monotonic() - began < keeper._identity.lease_seconds / 6
        assert (fresh(locked).status, fresh(free).status) == (Status.PROCESSING, Status.QUEUED)

    keeper._deaths.record()
    assert (fresh(locked).status, fresh(locked).crash_count) == (Status.QUEUED, 1)


@pytest.mark.django_db(transaction=True)
def test_a_report_waits_for_no_locked_row_for_long(keeper: Keeper) -> None:
    Worker.objects.create(name="w@test", incarnation=new_id())
    report = keeping._bounded(lambda: Worker.objects.filter(pk="w@test").update(slots=7))

    with meanwhile(lambda: Worker.objects.select_for_update().get(pk="w@test")):
        began = time.monotonic()
        assert not keeper._guarded(report)
        assert time.monotonic() - began < 5

    assert keeper._guarded(report)


# --- the end ------------------------------------------------------------------------------


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_job_is_given_back_only_when_its_process_is_dead(
    keeper: Keeper,
    slots: Slots,
    child: subprocess.Popen[bytes],
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slots.slot(0).start(pid=child.pid, job=FencedJob(new_id(), 1), deadline=time.monotonic() + 60)
    slots.slot(1).start(pid=os.getppid(), job=FencedJob(new_id(), 1), deadline=0.0)  # reused
    lived: list[bool] = []
    monkeypatch.setattr(ending, "gave_up", lambda job, why: lived.append(child.poll() is None))

    keeper._give_back_the_rest()
    keeper._deaths.record()

    assert lived == [False, False]


def test_a_job_whose_process_does_not_die_is_not_given_back(
    keeper: Keeper,
    slots: Slots,
    child: subprocess.Popen[bytes],
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slots.slot(0).start(pid=child.pid, job=FencedJob(new_id(), 1), deadline=time.monotonic() + 60)
    monkeypatch.setattr(keeping, "_DEAD_WITHIN_SECONDS", 0.1)
    monkeypatch.setattr(keeper, "_kill", lambda running, death: None)

    keeper._give_back_the_rest()
    keeper._deaths.record()

    assert told == []


# --- the worker's row ---------------------------------------------------------------------


def test_g5_code_that_keeps_its_watchdog_from_running_is_ended_past_its_lease(
    keeper: Keeper, slots: Slots, child: subprocess.Popen[bytes], told: list[str]
) -> None:
    late, in_time = FencedJob(new_id(), 1), FencedJob(new_id(), 1)
    slots.slot(0).start(pid=child.pid, job=late, deadline=time.monotonic() - 60)
    slots.slot(1).start(pid=os.getpid(), job=in_time, deadline=time.monotonic() + 60)

    keeper._end_what_outlasts_its_lease()

    assert child.wait(timeout=5) == -9
    keeper.child_died(late, Death.CRASHED)
    keeper._deaths.record()
    assert told == ["The lease could not be renewed."]


@pytest.fixture
def step(keeper: Keeper, db: None) -> KeeperStep:
    """The step as a worker's main process has it once it runs."""
    made = KeeperStep.__new__(KeeperStep)
    made.identity, made.keeper = keeper._identity, keeper
    worker = SimpleNamespace(app=Celery(set_as_current=False))
    made._intake, made._slots = Intake(worker), 2
    made._obedience = Obedience(worker, made._intake)
    return made


@pytest.mark.django_db
def test_a_worker_whose_row_vanished_is_seen_again(step: KeeperStep) -> None:
    step.report()

    row = Worker.objects.get(pk="w@test")
    assert (row.incarnation, row.queues, row.slots) == (step.identity.incarnation, ["default"], 2)


@pytest.mark.django_db
@pytest.mark.parametrize(("silent_for", "is_ours"), [(0.9, False), (1.1, True)])
def test_a_worker_leaves_its_name_to_another_one_that_lives(
    step: KeeperStep, silent_for: float, is_ours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lives until it was silent for a while: 10 s, but here so long that no pause counts."""
    assert steps._SILENCE.total_seconds() == 10
    monkeypatch.setattr(steps, "_SILENCE", timedelta(hours=1))
    seen_at = Now() - timedelta(hours=silent_for)
    Worker.objects.create(name="w@test", incarnation=new_id(), seen_at=seen_at)

    step.report()

    row = Worker.objects.get(pk="w@test")
    assert (row.incarnation == step.identity.incarnation) == is_ours
