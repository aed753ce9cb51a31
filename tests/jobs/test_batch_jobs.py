"""Batches: every end of a job is counted once, and what follows the last one happens once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from jobs import batches, lifecycle
from jobs.batches import BatchStatus, HandedIn, hand_in
from jobs.dispatcher import upkeep
from jobs.enqueue import DependsOn, Enqueued, JobOptions, JobRequest
from jobs.exceptions import BatchRefused, InvalidOptions, JobsError
from jobs.models import Batch, Dependency, Job, OnFailure
from jobs.operations import Actor
from jobs.states import FINAL, TRANSITIONS, Status
from tests.jobs import making
from tests.jobs.kinds import ECHO
from tests.jobs.making import ERROR, SITUATIONS, fresh
from tests.jobs.verbs import VERBS

BY = Actor(name="user:eve")


def item(**options: Any) -> JobRequest:
    return JobRequest(type_name=ECHO, payload={}, options=JobOptions(**options))


def batch_of(tenant: Tenant, number: int, **wishes: Any) -> tuple[Batch, list[Job]]:
    handed_in = hand_in(tenant, [item() for _ in range(number)], **wishes)
    return handed_in.batch, jobs_of(handed_in)


def jobs_of(handed_in: HandedIn) -> list[Job]:
    return [outcome.job for outcome in handed_in.outcomes if isinstance(outcome, Enqueued)]


def counted(batch: Batch) -> dict[str, int]:
    """By status, without zeros; and it is what the rows of the jobs say."""
    (read,) = batches.with_counts(Batch.objects.filter(pk=batch.pk))
    counts = {status: number for status, number in batches.counts_of(read).items() if number}
    rows = Job.objects.filter(batch=batch).values_list("status", flat=True)
    assert counts == {status: list(rows).count(status) for status in set(rows)}
    return counts


def told(batch: Batch) -> tuple[str, int]:
    read = Batch.objects.get(pk=batch.pk)
    return batches.status_of(read), batches.progress_of(read)


def fail(job: Job) -> None:
    lifecycle.fail(making.start(job), error=ERROR)


def born(batch: Batch) -> list[Job]:
    """The callbacks that were handed in: every job that is in no batch."""
    return list(Job.objects.filter(batch=None).order_by("pk"))


# --- handing in -------------------------------------------------------------------------------


def test_a_refused_item_stops_no_other_and_is_no_job_of_the_batch(tenant: Tenant) -> None:
    bad = JobRequest(type_name="nobody.knows", payload={})

    handed_in = hand_in(tenant, [item(), bad, item(priority="silly"), item()])

    assert [isinstance(outcome, JobsError) for outcome in handed_in.outcomes] == [
        False, True, True, False,
    ]  # fmt: skip
    assert handed_in.batch.total == 2
    assert {job.batch_id for job in jobs_of(handed_in)} == {handed_in.batch.pk}
    assert counted(handed_in.batch) == {"queued": 2}


def test_with_atomic_a_refused_item_refuses_the_whole(tenant: Tenant) -> None:
    with pytest.raises(BatchRefused) as refused:
        hand_in(tenant, [item(), item(priority="silly"), item(max_retries=-1)], atomic=True)

    assert sorted(refused.value.errors) == [1, 2]
    assert not Job.objects.exists()
    assert not Batch.objects.exists()


def test_a_job_that_holds_the_unique_key_already_is_named_and_not_counted(tenant: Tenant) -> None:
    holder = making.queued(tenant, unique_key="k")

    handed_in = hand_in(tenant, [item(unique_key="k"), item(unique_key="l"), item(unique_key="l")])

    made = [outcome for outcome in handed_in.outcomes if isinstance(outcome, Enqueued)]
    assert [outcome.created for outcome in made] == [False, True, False]
    assert made[0].job == holder
    assert handed_in.batch.total == 1


@pytest.mark.parametrize("items", [[item(unique_key="k")], [item(priority="silly")]])
def test_a_batch_without_a_job_of_its_own_finishes_at_once(
    items: list[JobRequest], tenant: Tenant
) -> None:
    making.queued(tenant, unique_key="k")

    batch = hand_in(tenant, items, on_complete=item(labels={"after": "all"})).batch

    assert (batch.total, told(batch)) == (0, (BatchStatus.COMPLETED, 100))
    assert batch.finished_at is not None
    (after,) = Job.objects.filter(labels={"after": "all"})
    assert after.pk == batch.on_complete_job


def test_a_batch_whose_jobs_end_while_they_are_handed_in_finishes_at_once(tenant: Tenant) -> None:
    """They wait for one that was cancelled."""
    ended = making.queued(tenant)
    lifecycle.cancel(ended.pk, by="user:eve")
    behind = [DependsOn(job_id=ended.pk, on_failure=OnFailure.FAIL)]

    batch = hand_in(
        tenant, [item(depends_on=behind)] * 3, on_complete=item(), on_failure=item()
    ).batch

    assert (told(batch), counted(batch)) == ((BatchStatus.FAILED, 100), {"failed": 3})
    assert len(born(batch)) == 1 + 2  # the one that was cancelled, and the callbacks


@pytest.mark.parametrize("number", [0, batches.MOST_JOBS + 1])
def test_a_batch_has_one_to_ten_thousand_items(number: int, tenant: Tenant) -> None:
    with pytest.raises(InvalidOptions):
        hand_in(tenant, [item()] * number)
    assert not Batch.objects.exists()


def test_ten_thousand_jobs_take_few_statements(tenant: Tenant) -> None:
    with CaptureQueriesContext(connection) as few:
        hand_in(tenant, [item()])
    with CaptureQueriesContext(connection) as many:
        batch = hand_in(tenant, [item()] * batches.MOST_JOBS).batch

    assert len(many) - len(few) <= batches.MOST_JOBS / 1000 + 2
    assert counted(batch) == {"queued": batches.MOST_JOBS}


def test_a_batch_that_is_rolled_back_leaves_nothing(tenant: Tenant) -> None:
    with transaction.atomic():
        batch_of(tenant, 3)
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert not Batch.objects.exists()


def test_a_job_type_hands_in_a_batch_of_its_own(tenant: Tenant) -> None:
    from workloads.diagnostics.job_types import echo

    handed_in = echo.enqueue_batch(
        tenant="acme", items=[{"n": 1}, {"n": 2}], name="two", priority="high"
    )

    assert [(job.payload, job.priority) for job in jobs_of(handed_in)] == [
        ({"n": 1}, 75), ({"n": 2}, 75),
    ]  # fmt: skip
    assert handed_in.batch.name == "two"


# --- counting ---------------------------------------------------------------------------------


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("verb", sorted(VERBS))
def test_whatever_moves_a_job_the_counters_say_what_the_rows_say(
    verb: str, situation: str, tenant: Tenant
) -> None:
    """Every transition tried on a job of a batch in every situation, beside another job of it."""
    batch, (other,) = batch_of(tenant, 1)
    job = making.in_situation(tenant, situation)
    _put_into(batch, job)
    act = VERBS[verb]
    act.prepare(job)

    with suppress(JobsError):
        act.act(job)

    assert sum(counted(batch).values()) == 2
    assert told(batch)[0] == BatchStatus.RUNNING
    lifecycle.cancel(other.pk, by="user:eve")
    is_last = fresh(job).status in FINAL
    assert (Batch.objects.get(pk=batch.pk).finished_at is not None) == is_last
    assert (told(batch)[1] == 100) == is_last
    counted(batch)


def _put_into(batch: Batch, job: Job) -> None:
    """As if the job had been of this batch from the start."""
    Job.objects.filter(pk=job.pk).update(batch=batch)
    batch.total += 1
    if job.status in FINAL:
        setattr(batch, job.status, getattr(batch, job.status) + 1)
    batch.save()


def test_every_transition_stands_in_the_grid() -> None:
    assert set(TRANSITIONS) - {"create"} <= set(VERBS)


def test_a_batch_runs_until_its_last_job_has_ended(tenant: Tenant) -> None:
    batch, (first, second, third) = batch_of(tenant, 3)
    assert told(batch) == (BatchStatus.RUNNING, 0)
    making.complete(first)
    assert told(batch) == (BatchStatus.RUNNING, 33)
    making.complete(second)
    assert told(batch) == (BatchStatus.RUNNING, 66)
    making.complete(third)
    assert told(batch) == (BatchStatus.COMPLETED, 100)


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        (("complete", "complete"), BatchStatus.COMPLETED),
        (("complete", "cancel"), BatchStatus.CANCELLED),
        (("cancel", "cancel"), BatchStatus.CANCELLED),
        (("complete", "fail"), BatchStatus.FAILED),
        (("cancel", "fail"), BatchStatus.FAILED),
    ],
)
def test_a_finished_batch_says_the_worst_of_its_jobs(
    ends: tuple[str, str], status: BatchStatus, tenant: Tenant
) -> None:
    batch, jobs = batch_of(tenant, 2)
    for job, end in zip(jobs, ends, strict=True):
        END[end](job)
    assert told(batch) == (status, 100)


END: dict[str, Callable[[Job], object]] = {
    "complete": making.complete,
    "fail": fail,
    "cancel": lambda job: lifecycle.cancel(job.pk, by="user:eve"),
}


def test_the_counts_of_a_batch_name_every_status(tenant: Tenant) -> None:
    first = making.queued(tenant)
    batch = hand_in(
        tenant,
        [item(delay_seconds=60), item(depends_on=[DependsOn(job_id=first.pk)]), item(), item()],
    ).batch
    making.start(Job.objects.filter(batch=batch, status=Status.QUEUED)[0])

    assert counted(batch) == {"scheduled": 1, "blocked": 1, "queued": 1, "processing": 1}


def test_a_cascade_is_counted_in_each_batch_it_reaches(tenant: Tenant) -> None:
    first, (job,) = batch_of(tenant, 1)
    behind = [item(depends_on=[DependsOn(job_id=job.pk, on_failure=OnFailure.FAIL)])] * 2
    second = hand_in(tenant, behind)
    ahead = jobs_of(second)[0]
    third = hand_in(tenant, [item(depends_on=[DependsOn(job_id=ahead.pk)])], on_complete=item())

    fail(job)

    assert [told(one)[0] for one in (first, second.batch, third.batch)] == [
        BatchStatus.FAILED, BatchStatus.FAILED, BatchStatus.CANCELLED,
    ]  # fmt: skip
    assert [counted(one) for one in (first, second.batch, third.batch)] == [
        {"failed": 1}, {"failed": 2}, {"cancelled": 1},
    ]  # fmt: skip
    assert len(born(third.batch)) == 1


def test_a_dependency_that_ended_unseen_is_counted_by_the_sweep(tenant: Tenant) -> None:
    first = making.queued(tenant)
    batch = hand_in(tenant, [item(depends_on=[DependsOn(job_id=first.pk)])]).batch
    ended = making.in_situation(tenant, "cancelled")
    Dependency.objects.update(depends_on=ended)

    upkeep.Settle().run()

    assert (told(batch)[0], counted(batch)) == (BatchStatus.CANCELLED, {"cancelled": 1})


def test_a_job_without_a_batch_still_completes_by_one_statement(tenant: Tenant) -> None:
    alone, (job,) = making.queued(tenant), batch_of(tenant, 1)[1]
    held = [making.start(alone), making.start(job)]
    with CaptureQueriesContext(connection) as one:
        lifecycle.complete(held[0], result=1)
    with CaptureQueriesContext(connection) as with_batch:
        lifecycle.complete(held[1], result=1)
    assert len(one) == 1
    assert sum("jobs_batch" in query["sql"] for query in with_batch.captured_queries) == 1
