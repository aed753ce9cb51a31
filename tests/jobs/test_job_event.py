"""`job_event` tells of the jobs that somebody listens to, and costs the others nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from jobs import internal, lifecycle
from jobs.apps import make_queues
from jobs.enqueue import DependsOn
from jobs.lifecycle import Move
from jobs.models import Job
from jobs.signals import job_event
from jobs.states import Status
from tests.jobs import making, ours

pytestmark = pytest.mark.django_db
Told = list[tuple[str, str, Move]]  # transition, status, move


@pytest.fixture(autouse=True)
def _queue(queues: None) -> None:
    make_queues()


@pytest.fixture
def told() -> Iterator[Told]:
    found: Told = []

    def receive(*, transition: str, moves: list[Move], **_: Any) -> None:
        found.extend((transition, moved.status.value, moved) for moved in moves)

    job_event.connect(receive, sender=Job)
    yield found
    job_event.disconnect(receive, sender=Job)


@pytest.fixture
def refusing() -> Iterator[None]:
    def refuse(**_: Any) -> None:
        raise RuntimeError("no")

    job_event.connect(refuse, sender=Job)
    yield
    job_event.disconnect(refuse, sender=Job)


@pytest.fixture
def listened(tenant: Tenant) -> Tenant:
    """A tenant to whose events somebody listens."""
    Tenant.objects.filter(pk=tenant.pk).update(listening=uuid4())
    return Tenant.objects.get(pk=tenant.pk)


def with_url(tenant: Tenant) -> Job:
    job = making.queued(tenant)
    Job.objects.filter(pk=job.pk).update(webhook_url="https://hooks.example.invalid/")
    return job


def steps(told: Told) -> list[tuple[str, str]]:
    return [(transition, status) for transition, status, _ in told]


def rescue() -> None:
    assert lifecycle.rescue(limit=10, crash_limit=5, error=making.ERROR)


def _complete(job: Job) -> None:
    making.complete(job)


def _fail(job: Job) -> None:
    lifecycle.fail(making.start(job), error=making.ERROR)


def _retry(job: Job) -> None:
    lifecycle.retry_later(making.start(job), delay_seconds=60, error=making.ERROR)


def _cancel(job: Job) -> None:
    lifecycle.cancel(job.pk, by="user:eve")


def _be_rescued(job: Job) -> None:
    making.start(job)
    making.let_pass(job, "lease_expires_at")
    rescue()


LIVES: dict[str, tuple[Callable[[Job], None], list[tuple[str, str]]]] = {
    "complete": (_complete, [("claim", "processing"), ("complete", "completed")]),
    "fail": (_fail, [("claim", "processing"), ("fail", "failed")]),
    "retry": (_retry, [("claim", "processing"), ("retry_later", "scheduled")]),
    "cancel": (_cancel, [("cancel", "cancelled")]),
    "rescue": (_be_rescued, [("claim", "processing"), ("rescue", "queued")]),
}


@pytest.mark.parametrize("life", LIVES)
def test_of_a_tenant_with_a_listener_each_change_is_told(
    listened: Tenant, told: Told, life: str
) -> None:
    live, expected = LIVES[life]
    job = making.queued(listened)

    live(job)

    assert [one for one in steps(told) if one[0] != "dispatch"] == expected
    assert {(moved.id, moved.listening) for *_, moved in told} == {(job.pk, listened.listening)}


def test_what_settles_because_of_another_is_told_as_well(listened: Tenant, told: Told) -> None:
    first = making.queued(listened)
    second = making.queued(listened, depends_on=[DependsOn(job_id=first.pk)])
    told.clear()

    lifecycle.cancel(first.pk, by="user:eve")

    assert steps(told) == [("cancel", "cancelled"), ("settle", "cancelled")]
    assert [moved.id for *_, moved in told] == [first.pk, second.pk]


@pytest.mark.parametrize("life", LIVES)
def test_where_nobody_listens_nothing_is_told(tenant: Tenant, told: Told, life: str) -> None:
    LIVES[life][0](making.queued(tenant))
    assert told == []


@pytest.mark.parametrize(
    ("life", "last"), [("complete", "completed"), ("fail", "failed"), ("rescue", "queued")]
)
def test_a_job_with_a_url_of_its_own_is_told_of_without_any_listener(
    tenant: Tenant, told: Told, life: str, last: str
) -> None:
    job = with_url(tenant)

    LIVES[life][0](job)

    assert steps(told)[-1][1] == last
    assert all(moved.has_webhook and moved.listening is None for *_, moved in told)


def test_of_several_moved_at_once_only_those_that_concern_somebody_are_told(
    tenant: Tenant, told: Told
) -> None:
    silent, heard = making.queued(tenant), with_url(tenant)

    lifecycle.cancel_all([silent.pk, heard.pk], by="user:eve")

    assert [moved.id for *_, moved in told] == [heard.pk]


@pytest.mark.parametrize("life", ["fail", "cancel"])
def test_a_job_of_the_platforms_own_that_ends_without_success_is_told(
    tenant: Tenant, told: Told, life: str
) -> None:
    job = ours.one(tenant)
    LIVES[life][0](job)
    assert [moved.id for *_, moved in told] == [job.pk]

    told.clear()
    making.complete(ours.one(tenant))
    assert told == []


@pytest.mark.usefixtures("refusing")
@pytest.mark.parametrize(
    "step",
    [
        lambda job: making.take(making.send(job)),
        lambda job: lifecycle.cancel(job.pk, by="user:eve"),
    ],
    ids=["claim", "cancel"],
)
def test_a_receiver_that_fails_undoes_the_change(
    listened: Tenant, step: Callable[[Job], object]
) -> None:
    job = making.queued(listened)

    with pytest.raises(RuntimeError), transaction.atomic():
        step(job)

    assert making.fresh(job).status == Status.QUEUED


def test_a_receiver_that_fails_undoes_a_completion(listened: Tenant) -> None:
    job = making.queued(listened)
    held = making.start(job)

    def refuse(**_: Any) -> None:
        raise RuntimeError("no")

    job_event.connect(refuse, sender=Job)
    try:
        with pytest.raises(RuntimeError):
            lifecycle.complete(held, result=1)
    finally:
        job_event.disconnect(refuse, sender=Job)
    assert making.fresh(job).status == Status.PROCESSING
    lifecycle.complete(held, result=1)
    assert making.fresh(job).status == Status.COMPLETED


@pytest.mark.usefixtures("refusing")
def test_a_job_that_cannot_be_told_of_keeps_no_other_from_rescue(
    tenant: Tenant, queues: None
) -> None:
    silent = making.queued(tenant)
    heard = with_url(tenant)
    for job in (silent, heard):
        making.start(job)
        making.let_pass(job, "lease_expires_at")

    rescue()

    assert making.fresh(silent).status == Status.QUEUED
    assert making.fresh(heard).status == Status.PROCESSING


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("told")
def test_what_nobody_listens_to_costs_one_statement_each(tenant: Tenant) -> None:
    with CaptureQueriesContext(connection) as created:
        job = making.queued(tenant)
    sent = making.send(job)
    with CaptureQueriesContext(connection) as claimed:
        taken = making.take(sent)
    assert taken is not None
    with CaptureQueriesContext(connection) as completed:
        lifecycle.complete(taken.held, result=1)

    inserts = [one for one in created.captured_queries if one["sql"].lstrip().startswith("INSERT")]
    assert (len(inserts), len(claimed), len(completed)) == (1, 1, 1)


# --- handing in the platform's own jobs from a receiver ----------------------------------------


@pytest.fixture
def delivering(listened: Tenant) -> Iterator[list[Job]]:
    """A receiver that hands in a job of the platform's own for each end of a job."""
    handed_in: list[Job] = []

    def receive(*, moves: list[Move], **_: Any) -> None:
        ended = [moved for moved in moves if moved.is_heard and moved.status == Status.COMPLETED]
        handed_in.extend(internal.hand_in(listened, [ours.request() for _ in ended]))

    job_event.connect(receive, sender=Job)
    yield handed_in
    job_event.disconnect(receive, sender=Job)


@pytest.mark.django_db(transaction=True)
def test_a_receiver_may_hand_in_a_job_which_is_there_once_the_change_is(
    listened: Tenant, delivering: list[Job]
) -> None:
    first, second = making.queued(listened), making.queued(listened)
    making.complete(first)
    held = making.start(second)

    with transaction.atomic():
        lifecycle.complete(held, result=1)
        assert len(delivering) == 2
        transaction.set_rollback(True)

    kept, undone = delivering
    assert list(Job.objects.filter(pk__in=[kept.pk, undone.pk])) == [kept]
    making.complete(kept)
    assert len(delivering) == 2  # nobody listens to the platform's own


@pytest.mark.django_db(transaction=True)
def test_handing_one_in_adds_one_look_and_one_statement_to_the_change(
    listened: Tenant, delivering: list[Job]
) -> None:
    making.complete(making.queued(listened))
    held = making.start(making.queued(listened))

    with CaptureQueriesContext(connection) as asked:
        lifecycle.complete(held, result=1)

    inserts = [one for one in asked.captured_queries if "INSERT INTO jobs_job" in one["sql"]]
    assert len(delivering) == 2
    assert len(inserts) == 1
    looks = [one for one in asked.captured_queries if 'accounts_tenant" W' in one["sql"]]
    assert len(looks) == 1
