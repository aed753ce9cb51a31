"""Batches under contention: real commits, threads, transactions that die."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from django.db import OperationalError, connection, connections, transaction

from accounts.models import Tenant
from jobs import batches, lifecycle
from jobs.batches import BatchStatus, hand_in
from jobs.enqueue import DependsOn, Enqueued, JobRequest
from jobs.exceptions import AttemptLost, TransitionRefused
from jobs.models import Batch, Job
from jobs.operations import Actor
from tests.jobs import making
from tests.jobs.making import ERROR, fresh
from tests.jobs.racing import together
from tests.jobs.test_batch_jobs import batch_of, born, counted, fail, item, told

pytestmark = pytest.mark.django_db(transaction=True)

BY = Actor(name="user:eve")


def trying(call: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        with suppress(AttemptLost, TransitionRefused):
            call()

    return run


def ends_once(batch: Batch) -> None:
    """All its jobs have ended, each was counted once, and it called back once."""
    assert sum(counted(batch).values()) == batch.total
    read = Batch.objects.get(pk=batch.pk)
    assert read.finished_at is not None
    assert told(batch)[1] == 100
    assert [job.pk for job in born(batch)] == [read.on_complete_job]
    Job.objects.filter(batch=None).delete()


def test_jobs_that_end_at_the_same_moment_finish_their_batch_once(tenant: Tenant) -> None:
    for number in (2, 2, 2, 2, 2, 6):
        batch, jobs = batch_of(tenant, number, on_complete=item())
        held = [making.start(job) for job in jobs]

        together(*[partial(lifecycle.complete, each, result=1) for each in held])

        ends_once(batch)


def test_jobs_that_fail_at_the_same_moment_call_on_failure_once(tenant: Tenant) -> None:
    for _ in range(4):
        batch, jobs = batch_of(tenant, 4, on_failure=item())
        held = [making.start(job) for job in jobs]

        together(*[partial(lifecycle.fail, each, error=ERROR) for each in held])

        assert [job.pk for job in born(batch)] == [Batch.objects.get(pk=batch.pk).on_failure_job]
        Job.objects.filter(batch=None).delete()


def test_a_cancel_of_the_batch_while_its_jobs_end_counts_each_once(tenant: Tenant) -> None:
    for _ in range(4):
        batch, jobs = batch_of(tenant, 12, on_complete=item())
        held = [making.start(job) for job in jobs[::2]]

        together(
            partial(batches.cancel, batch, BY),
            partial(batches.cancel, batch, BY),
            *[trying(partial(lifecycle.complete, each, result=1)) for each in held],
        )

        ends_once(batch)


def test_a_job_that_is_brought_back_while_the_last_one_ends_leaves_no_batch_hanging(
    tenant: Tenant,
) -> None:
    for _ in range(6):
        batch, (first, last) = batch_of(tenant, 2, on_complete=item())
        fail(first)
        held = making.start(last)

        together(
            trying(partial(lifecycle.complete, held, result=1)),
            trying(partial(lifecycle.revive, first.pk)),
        )
        assert told(batch) == (BatchStatus.RUNNING, 50)
        making.complete(fresh(first))

        ends_once(batch)


def test_batches_that_wait_for_each_others_jobs_end_without_a_deadlock(tenant: Tenant) -> None:
    """Each end cascades into the other batch; whole batches are cancelled meanwhile."""
    for _ in range(3):
        first, jobs = batch_of(tenant, 6, on_complete=item())
        behind = [
            JobRequest(
                type_name=jobs[0].type,
                payload={},
                options=item(depends_on=[DependsOn(job_id=job.pk)]).options,
            )
            for job in jobs[::-1]
        ]
        handed_in = hand_in(tenant, behind)
        waiting = [one.job for one in handed_in.outcomes if isinstance(one, Enqueued)]
        held = [making.start(job) for job in jobs[:4]]

        together(
            *[trying(partial(lifecycle.fail, each, error=ERROR)) for each in held],
            partial(batches.cancel, handed_in.batch, BY),
            partial(batches.cancel, first, BY),
            trying(partial(lifecycle.cancel, waiting[0].pk, by="user:bob")),
        )

        ends_once(first)
        assert told(handed_in.batch) == (BatchStatus.CANCELLED, 100)
        assert counted(handed_in.batch) == {"cancelled": 6}


def test_retries_of_one_batch_at_the_same_moment_bring_each_job_back_once(tenant: Tenant) -> None:
    batch, jobs = batch_of(tenant, 20)
    for job in jobs:
        fail(job)

    retry = partial(batches.retry, batch, BY)
    assert sum(together(retry, retry, retry)) == 20

    assert (told(batch), counted(batch)) == ((BatchStatus.RUNNING, 0), {"queued": 20})


def test_a_transaction_that_dies_before_its_commit_counts_nothing(tenant: Tenant) -> None:
    batch, (job,) = batch_of(tenant, 1, on_complete=item())
    held = making.start(job)

    def complete_and_die() -> None:
        with transaction.atomic():
            lifecycle.complete(held, result=1)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (pid,) = cursor.fetchone()
            _end_session(pid)

    with pytest.raises(OperationalError):
        together(complete_and_die)

    assert (told(batch), counted(batch)) == ((BatchStatus.RUNNING, 0), {"processing": 1})
    lifecycle.complete(held, result=1)
    ends_once(batch)


def _end_session(pid: int) -> None:
    """From another connection, as an operator or a crash would."""
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    finally:
        other.close()
