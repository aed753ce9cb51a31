"""Rescue, resending and settling, step by step with a clock in hand."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from accounts.ids import new_id
from accounts.models import Tenant
from config.celery import app
from jobs import broker, lifecycle
from jobs.dispatcher import upkeep
from jobs.dispatcher.lost import PATIENCE_SECONDS
from jobs.message import FencedJob
from jobs.models import Dependency, Job
from jobs.states import Status
from tests.jobs import making
from tests.jobs.broker_lists import emptied
from tests.jobs.making import fresh

LEASE = 30.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Server:
    """How long the database server runs; None: it cannot be reached."""

    age: float | None = 86_400.0

    def __call__(self) -> float:
        if self.age is None:
            raise OperationalError("the connection is lost")
        return self.age


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Server:
    settings.LEASE_SECONDS, settings.CRASH_LIMIT = LEASE, 5
    server = Server()
    monkeypatch.setattr(upkeep, "_server_age_seconds", server)
    return server


def dead(tenant: Tenant) -> Job:
    """A job whose worker stopped renewing."""
    job = making.in_situation(tenant, "processing")
    making.let_pass(job, "lease_expires_at")
    return job


def seconds_until_rescue(rescue: upkeep.Rescue, clock: Clock, *, at_most: int = 100) -> int:
    """Run each second, as the dispatcher does."""
    for second in range(at_most):
        if rescue.run():
            return second
        clock.now += 1
    return at_most


def test_a_new_dispatcher_lets_a_lease_pass_before_it_rescues(
    tenant: Tenant, clock: Clock, server: Server
) -> None:
    job = dead(tenant)

    assert seconds_until_rescue(upkeep.Rescue(clock), clock) == LEASE

    after = fresh(job)
    assert (after.status, after.crash_count) == (Status.QUEUED, 1)
    assert after.error is not None
    assert after.error["type"] == "worker_lost"


def test_a_dispatcher_in_steady_contact_rescues_at_once(
    tenant: Tenant, clock: Clock, server: Server
) -> None:
    rescue = upkeep.Rescue(clock)
    seconds_until_rescue(rescue, clock, at_most=40)

    dead(tenant)

    assert seconds_until_rescue(rescue, clock) == 0


@pytest.mark.parametrize(("gap", "waits"), [(LEASE / 3, 0), (LEASE / 3 + 1, LEASE), (600, LEASE)])
def test_after_a_gap_in_its_contact_it_lets_a_lease_pass(
    gap: float, waits: float, tenant: Tenant, clock: Clock, server: Server
) -> None:
    rescue = upkeep.Rescue(clock)
    seconds_until_rescue(rescue, clock, at_most=40)
    dead(tenant)

    clock.now += gap - 1  # the last contact was a second ago

    assert seconds_until_rescue(rescue, clock) == waits


def test_a_try_that_failed_is_no_contact(tenant: Tenant, clock: Clock, server: Server) -> None:
    rescue = upkeep.Rescue(clock)
    seconds_until_rescue(rescue, clock, at_most=40)
    dead(tenant)
    server.age = None
    for _ in range(12):
        with pytest.raises(OperationalError):
            rescue.run()
        clock.now += 1

    server.age = 86_400.0

    assert seconds_until_rescue(rescue, clock) == LEASE


def test_after_the_server_started_it_lets_a_lease_pass(
    tenant: Tenant, clock: Clock, server: Server
) -> None:
    rescue = upkeep.Rescue(clock)
    seconds_until_rescue(rescue, clock, at_most=40)
    dead(tenant)
    started, server.age = clock.now - 4, 4.0
    waited = 0

    while not rescue.run():
        clock.now += 1
        waited += 1
        server.age = clock.now - started
        assert waited < 100

    assert waited == LEASE - 4


def test_the_servers_age_is_read_from_the_server(db: None) -> None:
    assert 0 < upkeep._server_age_seconds() < 86_400 * 365


def test_a_job_whose_lease_lives_is_never_rescued(
    tenant: Tenant, clock: Clock, server: Server
) -> None:
    job = making.in_situation(tenant, "processing")

    assert seconds_until_rescue(upkeep.Rescue(clock), clock, at_most=50) == 50
    assert fresh(job).status == Status.PROCESSING


# --- lost messages ------------------------------------------------------------------------


@pytest.fixture
def lists(db: None) -> Iterator[None]:
    emptied()
    yield
    emptied()


def publish(job: Job) -> FencedJob:
    (marked,) = lifecycle.dispatch([job.pk])
    broker.publish(app, [marked])
    return FencedJob(marked.id, marked.fence)


def looks(resend: upkeep.Resend, clock: Clock, seconds: float) -> int:
    """Look each second for so long; returns how many messages were withdrawn."""
    withdrawn = 0
    for _ in range(int(seconds)):
        withdrawn += resend.run()
        clock.now += 1
    return withdrawn


def test_a_message_that_never_arrived_is_withdrawn_and_its_job_is_ready_again(
    tenant: Tenant, clock: Clock, lists: None
) -> None:
    job = making.queued(tenant)
    sent = making.send(job)  # and nothing was published

    assert looks(upkeep.Resend(app, clock), clock, 2 * PATIENCE_SECONDS + 1) == 1

    assert list(Job.objects.ready()) == [job]
    assert making.take(sent) is None


def test_a_message_that_waits_in_the_broker_is_left_there(
    tenant: Tenant, clock: Clock, lists: None
) -> None:
    sent = publish(making.queued(tenant))

    assert looks(upkeep.Resend(app, clock), clock, 20) == 0
    assert making.take(sent) is not None


def test_a_wiped_broker_loses_no_job(tenant: Tenant, clock: Clock, lists: None) -> None:
    jobs = [making.queued(tenant, priority=priority) for priority in (95, 75, 50, 10)]
    for job in jobs:
        publish(job)
    resend = upkeep.Resend(app, clock)
    assert looks(resend, clock, 5) == 0

    emptied()

    assert looks(resend, clock, 2 * PATIENCE_SECONDS + 1) == 4
    assert set(Job.objects.ready()) == set(jobs)


def test_a_message_that_was_overtaken_is_withdrawn_although_its_list_is_busy(
    tenant: Tenant, clock: Clock, lists: None
) -> None:
    lost, claimed, waiting = (making.queued(tenant) for _ in range(3))
    making.send(lost)
    later = publish(claimed)
    publish(waiting)
    resend = upkeep.Resend(app, clock)
    looks(resend, clock, 2)
    making.take(later)

    assert looks(resend, clock, PATIENCE_SECONDS + 1) == 1
    assert list(Job.objects.ready()) == [lost]


# --- settling and expiry ------------------------------------------------------------------


def test_the_sweep_takes_in_what_ended_unseen(tenant: Tenant) -> None:
    first = making.queued(tenant)
    job = making.blocked(tenant, first)
    making.complete(first)
    late = making.blocked(tenant)
    Dependency.objects.filter(job=late).update(depends_on=first)

    assert upkeep.Settle().run() == 1
    assert fresh(late).status == Status.QUEUED
    assert fresh(job).status == Status.QUEUED
    assert upkeep.Settle().run() == 0


def _edges_settled_unseen(tenant: Tenant, number: int) -> list[Job]:
    """Jobs that wait for jobs which had ended when the edges were written."""
    late = [making.blocked(tenant) for _ in range(number)]
    for job in late:
        Dependency.objects.filter(job=job).update(depends_on=making.complete(making.queued(tenant)))
    return late


def test_the_sweep_comes_to_every_edge_a_few_at_a_time_and_then_begins_anew(tenant: Tenant) -> None:
    waiting = [making.blocked(tenant) for _ in range(5)]
    settle = upkeep.Settle(edges_a_run=2)
    for _ in range(2):
        late = _edges_settled_unseen(tenant, 2)
        assert sum(settle.run() for _ in range(8)) == 2
        assert {fresh(job).status for job in late} == {Status.QUEUED}

    assert {fresh(job).status for job in waiting} == {Status.BLOCKED}


def test_the_sweep_reads_the_jobs_that_it_needs_and_no_others(tenant: Tenant) -> None:
    values = making.row(making.queued(tenant))
    jobs = Job.objects.bulk_create(Job(**{**values, "id": new_id()}) for _ in range(3000))
    Dependency.objects.bulk_create(
        Dependency(job=job, depends_on=first) for first, job in pairwise(jobs)
    )

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job, jobs_dependency")
        cursor.execute(f"EXPLAIN {upkeep._NEXT_OPEN_EDGES}", {"after": UUID(int=0), "limit": 1000})
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert plan.count("on jobs_job") == 1
    assert "using jobs_job_pkey on jobs_job" in plan
    assert "Index Cond: (id = jobs_dependency.depends_on_id)" in plan
    assert "Seq Scan" not in plan


def test_a_job_that_nobody_started_in_time_is_ended(tenant: Tenant) -> None:
    job, other = making.queued(tenant), making.queued(tenant)
    making.let_pass(job, "expires_at")

    assert upkeep.expire() == 1

    assert (fresh(job).status, fresh(other).status) == (Status.CANCELLED, Status.QUEUED)
    assert upkeep.expire() == 0
