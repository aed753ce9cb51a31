"""What the keeper does for jobs that run in threads of its own process, and what it never does."""

from __future__ import annotations

import os
import signal
import time
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state as celery_state

from accounts.ids import new_id
from accounts.models import Tenant
from jobs import lifecycle
from jobs.message import FencedJob, encode
from jobs.states import Status
from jobs.worker import ending
from jobs.worker.deaths import Death
from jobs.worker.identity import WorkerIdentity
from jobs.worker.slots import Running, Slots
from jobs.worker.taken import unfinished_jobs
from jobs.worker.thread_keeper import ThreadKeeper
from tests.jobs import making
from tests.jobs.making import fresh

state: Any = celery_state
IDENTITY = WorkerIdentity(name="w@test", lease_seconds=30)
NEVER = float("inf")
KEEPER = ThreadKeeper.__module__


def started(slots: Slots, *, index: int = 0, deadline: float = NEVER) -> Running:
    job = FencedJob(new_id(), 1)
    slots.slot(index).start(pid=os.getpid(), job=job, deadline=deadline)
    running = slots.find(job)
    assert running is not None
    return running


@pytest.fixture
def slots() -> Slots:
    return Slots(4)


@pytest.fixture
def taken() -> list[FencedJob]:
    """The jobs of messages that were not acknowledged."""
    return []


@pytest.fixture
def keeper(slots: Slots, taken: list[FencedJob]) -> ThreadKeeper:
    return ThreadKeeper(
        IDENTITY, slots, lambda: None,
        finish=lambda: None, unfinished=lambda: taken, put_back_tasks=lambda: None,
    )  # fmt: skip


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The signals that were sent to processes."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(f"{KEEPER}.os.kill", lambda pid, number: sent.append((pid, number)))
    return sent


def test_g7_a_cancel_ends_no_process_however_long_its_job_goes_on(
    keeper: ThreadKeeper, slots: Slots, killed: list[tuple[int, int]]
) -> None:
    running, other = started(slots), started(slots, index=1)
    keeper._cancelled_at = {running.job: time.monotonic() - 3600}
    keeper._end_what_does_not_listen()
    assert killed == []
    assert slots.find(running.job) == running
    assert not slots.slot(other.index).termination_requested


def test_g7_a_cancel_that_is_not_heard_is_told_again_where_the_code_asks(
    keeper: ThreadKeeper, slots: Slots
) -> None:
    slot = slots.slot(0)
    slot.start(pid=os.getpid(), job=FencedJob(new_id(), 1), deadline=NEVER)
    (running,) = slots.running()
    keeper._cancelled_at = {running.job: time.monotonic() - 3600}
    keeper._end_what_does_not_listen()
    assert slot.termination_requested


def test_g5_a_lease_that_is_over_ends_the_process(
    keeper: ThreadKeeper, slots: Slots, killed: list[tuple[int, int]]
) -> None:
    started(slots, deadline=time.monotonic() + 60)
    keeper._end_what_outlasts_its_lease()
    assert killed == []
    started(slots, index=1, deadline=time.monotonic() - 60)
    keeper._end_what_outlasts_its_lease()
    assert killed == [(os.getpid(), signal.SIGKILL)]


@pytest.mark.django_db(transaction=True)
def test_g5_who_lost_the_job_is_told_and_keeps_the_deadline_it_had(
    keeper: ThreadKeeper, slots: Slots, tenant: Tenant
) -> None:
    lost, kept = making.start(making.queued(tenant)), making.start(making.queued(tenant))
    before = time.monotonic() + 5
    for index, job in enumerate((lost, kept)):
        slots.slot(index).start(pid=os.getpid(), job=job, deadline=before)
    lifecycle.force_queue(lost.id, error={"type": "forced", "message": "", "details": {}})
    keeper._renew()
    assert slots.deadline(0) == before
    assert slots.deadline(1) > before
    run = slots.find(lost)
    assert run is not None
    assert slots.note_lost(run)


@pytest.mark.django_db(transaction=True)
def test_g6_what_runs_and_what_was_only_taken_is_given_back_at_the_end(
    keeper: ThreadKeeper, slots: Slots, taken: list[FencedJob], tenant: Tenant
) -> None:
    claimed, queued = making.queued(tenant), making.queued(tenant)
    running, waiting = making.start(claimed), making.send(queued)
    slots.slot(0).start(pid=os.getpid(), job=running, deadline=NEVER)
    taken += [running, waiting]

    keeper._give_back_the_rest()
    keeper._deaths.record()

    for job, sent in ((claimed, running), (queued, waiting)):
        after = fresh(job)
        assert (after.status, after.crash_count) == (Status.QUEUED, 0)
        assert after.fence > sent.fence
        assert after.dispatched_at is None


def test_g6_messages_that_name_nothing_keep_nothing_from_being_given_back() -> None:
    sent = FencedJob(new_id(), 3)
    bodies: list[Any] = [([encode([sent])], {}, {}), ([], {}, {}), (["no"], {}, {}), None, 5]
    held = [
        SimpleNamespace(message=SimpleNamespace(decode=lambda body=body: body)) for body in bodies
    ]
    before = dict(state.requests)
    state.requests.update({str(number): request for number, request in enumerate(held)})
    try:
        assert unfinished_jobs() == [sent]
    finally:
        state.requests.clear()
        state.requests.update(before)


def test_the_process_is_left_only_when_the_time_of_a_stop_is_over(
    keeper: ThreadKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []
    monkeypatch.setattr(f"{KEEPER}.os._exit", left.append)
    monkeypatch.setattr("jobs.worker.keeper.end_children", lambda: left.append(-1))
    keeper._end_what_outlasts_the_stop()
    keeper.soft_stop_begins(60)
    keeper._end_what_outlasts_the_stop()
    keeper._leave()
    assert (left, keeper._stopping.is_set()) == ([], False)
    keeper.soft_stop_begins(-60)
    keeper._end_what_outlasts_the_stop()
    keeper._leave()
    assert (left, keeper._stopping.is_set()) == ([-1, 0], True)


def test_a_death_that_celery_tells_of_is_recorded(
    keeper: ThreadKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(ending, "crashed", lambda job: told.append("crashed"))
    keeper.child_died(FencedJob(new_id(), 1), Death.CRASHED)
    keeper._deaths.record()
    assert told == ["crashed"]
