"""What the worker's main process makes of a child's death, and of a database that is away then."""

from __future__ import annotations

import os

import pytest
from django.db import OperationalError

from accounts.ids import new_id
from jobs.message import FencedJob
from jobs.worker import ending
from jobs.worker.identity import WorkerIdentity
from jobs.worker.keeper import Death, Keeper
from jobs.worker.slots import Slots


@pytest.fixture
def slots() -> Slots:
    return Slots(2)


@pytest.fixture
def keeper(slots: Slots) -> Keeper:
    return Keeper(WorkerIdentity(name="w@test", lease_seconds=30), slots, lambda: None)


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
    with pytest.raises(OperationalError):
        keeper._record_deaths()
    monkeypatch.setattr(ending, "gave_up", record)
    keeper._record_deaths()
    keeper._record_deaths()

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
    keeper._record_deaths()

    assert told == ["crashed"]
