"""A receiver of `job_moved` that fails for one job keeps back that job, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now

from accounts.models import Tenant
from jobs import lifecycle
from jobs.dispatcher import upkeep
from jobs.lifecycle import Move, batches, ending, settling, waiting
from jobs.lifecycle.batches import MOST_REFUSED, RETRY_SECONDS, Batches
from jobs.message import FencedJob
from jobs.models import Dependency, Job
from jobs.signals import job_moved
from jobs.states import Status
from tests.jobs import making
from tests.jobs.making import fresh

BATCHES = {
    "promote": (waiting, "_promotions"),
    "expire": (waiting, "_expiries"),
    "withdraw": (waiting, "_withdrawals"),
    "rescue": (ending, "_rescues"),
    "settle": (settling, "_settlements"),
}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Poison:
    """A receiver that writes, and then fails for some jobs."""

    def __init__(self) -> None:
        self.jobs: set[UUID] = set()

    def __call__(self, *, moves: list[Move], **_: Any) -> None:
        Job.objects.filter(pk__in=[moved.id for moved in moves]).update(owner="noted")
        for moved in moves:
            if moved.id in self.jobs:
                raise ValueError(f"no room for {moved.id}")


@pytest.fixture
def poison() -> Iterator[Poison]:
    receiver = Poison()
    job_moved.connect(receiver, sender=Job)
    yield receiver
    job_moved.disconnect(receiver, sender=Job)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Of all batches, which know of no failure yet."""
    clock = Clock()
    for transition, (module, name) in BATCHES.items():
        monkeypatch.setattr(module, name, Batches(transition, clock))
    return clock


# --- a batch of each transition: jobs that it will move, and how to move them ------------------


def _promotable(tenant: Tenant) -> Job:
    job = making.scheduled(tenant)
    making.let_pass(job, "visible_at")
    return job


def _expiring(tenant: Tenant) -> Job:
    job = making.queued(tenant)
    making.let_pass(job, "expires_at")
    return job


def _abandoned(tenant: Tenant) -> Job:
    job = making.in_situation(tenant, "processing")
    making.let_pass(job, "lease_expires_at")
    return job


def _settling(tenant: Tenant) -> Job:
    """Its dependency ended unseen."""
    job = making.blocked(tenant)
    Dependency.objects.filter(job=job).update(depends_on=making.complete(making.queued(tenant)))
    return job


def _rescue() -> object:
    return lifecycle.rescue(limit=10, crash_limit=5, error=making.ERROR)


def _withdraw() -> object:
    sent = Job.objects.in_flight().values_list("pk", "fence")
    return lifecycle.withdraw([FencedJob(*job) for job in sent])


Make = Callable[[Tenant], Job]
KINDS: dict[str, tuple[Make, Callable[[], object], Status]] = {
    "promote": (_promotable, lambda: lifecycle.promote(10), Status.QUEUED),
    "expire": (_expiring, lambda: lifecycle.expire(10), Status.CANCELLED),
    "rescue": (_abandoned, _rescue, Status.QUEUED),
    "settle": (_settling, lambda: upkeep.Settle().run(), Status.QUEUED),
    "withdraw": (
        lambda tenant: making.in_situation(tenant, "dispatched"),
        _withdraw,
        Status.QUEUED,
    ),
}


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_only_the_job_whose_receiver_fails_stays_where_it_was(
    tenant: Tenant, kind: str, poison: Poison, clock: Clock
) -> None:
    make, act, target = KINDS[kind]
    jobs = [make(tenant) for _ in range(7)]
    bad = jobs[2]
    poison.jobs = {bad.pk}
    before = {job.pk: making.row(job) for job in jobs}

    act()

    assert making.row(bad) == before[bad.pk]
    for job in jobs:
        if job != bad:
            after = fresh(job)
            assert (after.status, after.dispatched_at, after.owner) == (target, None, "noted")
            assert after.fence == before[job.pk]["fence"] + 1


def test_it_is_left_out_for_a_minute_and_then_tried_again(
    tenant: Tenant, kind: str, poison: Poison, clock: Clock
) -> None:
    make, act, _ = KINDS[kind]
    bad = make(tenant)
    poison.jobs = {bad.pk}
    before = making.row(bad)
    act()
    poison.jobs = set()

    clock.now += RETRY_SECONDS - 1
    act()
    assert making.row(bad) == before
    clock.now += 1
    act()
    assert fresh(bad).fence == before["fence"] + 1


@pytest.mark.parametrize("kind", ["promote", "expire", "rescue"])
def test_jobs_that_fail_never_fill_the_batch(
    tenant: Tenant, kind: str, poison: Poison, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, _, _ = KINDS[kind]
    bad = [make(tenant) for _ in range(4)]
    good = make(tenant)
    later = {"promote": "visible_at", "expire": "expires_at"}
    if column := later.get(kind):
        Job.objects.filter(pk=good.pk).update(**{column: Now() - timedelta(milliseconds=1)})
    poison.jobs = {job.pk for job in bad}
    few: dict[str, Callable[[], list[Move]]] = {
        "promote": lambda: lifecycle.promote(2),
        "expire": lambda: lifecycle.expire(2),
        "rescue": lambda: lifecycle.rescue(limit=2, crash_limit=5, error=making.ERROR),
    }

    moved = [moved.id for _ in range(3) for moved in few[kind]()]

    assert moved == [good.pk]


def test_an_ended_job_is_not_undone_by_a_dependant_that_cannot_be_settled(
    tenant: Tenant, poison: Poison, clock: Clock
) -> None:
    first = making.queued(tenant)
    bad, good = making.blocked(tenant, first), making.blocked(tenant, first)
    poison.jobs = {bad.pk}

    assert making.complete(first).status == Status.COMPLETED

    assert (fresh(bad).status, fresh(good).status) == (Status.BLOCKED, Status.QUEUED)
    poison.jobs = set()
    clock.now += RETRY_SECONDS
    upkeep.Settle().run()
    assert fresh(bad).status == Status.QUEUED


def test_a_failure_is_logged_once_a_minute_with_its_traceback(
    tenant: Tenant, poison: Poison, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    bad = [_promotable(tenant)]
    poison.jobs = {bad[0].pk}
    caplog.set_level(logging.ERROR, batches.__name__)
    for _ in range(3):
        lifecycle.promote(10)
        bad.append(_promotable(tenant))
        poison.jobs.add(bad[-1].pk)
        clock.now += 1
    assert [str(bad[0].pk) in record.getMessage() for record in caplog.records] == [True]
    assert caplog.records[0].exc_info

    clock.now += RETRY_SECONDS
    lifecycle.promote(10)

    assert len(caplog.records) == 2
    assert all(str(job.pk) in caplog.text for job in bad)


def test_without_a_failure_a_batch_is_moved_at_once(
    tenant: Tenant, announced: list[tuple[str, list[Move]]], clock: Clock
) -> None:
    jobs = [_promotable(tenant) for _ in range(5)]
    announced.clear()

    lifecycle.promote(10)

    assert [(name, {move.id for move in moves}) for name, moves in announced] == [
        ("promote", {job.pk for job in jobs})
    ]


def test_a_lost_connection_is_no_jobs_fault(
    tenant: Tenant, poison: Poison, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends the batch, and nobody is left out."""
    job = _promotable(tenant)
    poison.jobs = {job.pk}
    away = Batches("promote", clock)
    monkeypatch.setattr(batches, "_is_connection_gone", lambda: True)

    def act(ids: list[UUID]) -> list[Move]:
        raise OperationalError("the connection is lost")

    with pytest.raises(OperationalError):
        away.move([job.pk], act)
    assert away.refused() == []


def test_a_living_connection_is_not_taken_for_a_lost_one(db: None) -> None:
    connection.ensure_connection()

    assert not batches._is_connection_gone()


def test_what_is_remembered_of_failures_is_bounded(poison: Poison, clock: Clock, db: None) -> None:
    broken = Batches("promote", clock)
    jobs = [making.stranger().id for _ in range(MOST_REFUSED + 10)]

    def act(ids: list[UUID]) -> list[Move]:
        raise ValueError

    broken.move(jobs, act)

    assert broken.refused() == jobs[10:]
