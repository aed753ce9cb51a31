"""What a batch hands in by itself, once ever; and verbs on every job of it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Tenant
from jobs import JobContext, Secret, batches, job_type, lifecycle
from jobs.batches import BatchStatus, hand_in
from jobs.enqueue import DependsOn, JobRequest
from jobs.exceptions import InvalidOptions
from jobs.models import Batch, Job
from jobs.operations import Actor
from jobs.secret import SEALED
from jobs.states import Status
from tests.jobs import making
from tests.jobs.making import fresh
from tests.jobs.test_batch_jobs import batch_of, born, counted, fail, item, jobs_of, told

BY = Actor(name="user:eve")


def test_on_complete_is_handed_in_with_the_last_end_and_on_failure_with_the_first_failure(
    tenant: Tenant,
) -> None:
    batch, (first, second, third) = batch_of(
        tenant,
        3,
        on_complete=item(labels={"is": "last"}, priority=80, created_by="token:t"),
        on_failure=item(labels={"is": "failure"}),
    )
    making.complete(first)
    assert born(batch) == []
    fail(second)
    assert [job.labels for job in born(batch)] == [{"is": "failure"}]
    fail(third)

    failure, last = born(batch)
    assert (last.labels, last.priority, last.created_by) == ({"is": "last"}, 80, "token:t")
    read = Batch.objects.get(pk=batch.pk)
    assert (read.on_failure_job, read.on_complete_job) == (failure.pk, last.pk)


def test_a_batch_that_is_brought_back_is_open_again_and_calls_back_once_ever(
    tenant: Tenant,
) -> None:
    batch, jobs = batch_of(tenant, 2, on_complete=item(), on_failure=item())
    for job in jobs:
        fail(job)
    called = born(batch)
    assert len(called) == 2

    lifecycle.revive(jobs[0].pk)
    assert (told(batch), counted(batch)) == (
        (BatchStatus.RUNNING, 50), {"failed": 1, "queued": 1},
    )  # fmt: skip
    fail(fresh(jobs[0]))
    assert told(batch) == (BatchStatus.FAILED, 100)
    for job in jobs:
        lifecycle.revive(job.pk)
        making.complete(fresh(job))

    assert told(batch) == (BatchStatus.COMPLETED, 100)
    assert born(batch) == called


def test_a_callback_waits_from_the_moment_it_is_due(tenant: Tenant) -> None:
    batch, (job,) = batch_of(tenant, 1, on_complete=item(delay_seconds=600))

    making.complete(job)

    (after,) = born(batch)
    assert after.status == Status.SCHEDULED
    ended_at = fresh(job).completed_at
    assert after.visible_at is not None
    assert ended_at is not None
    assert 590 < (after.visible_at - ended_at).total_seconds() < 700


def test_the_holder_of_a_callbacks_unique_key_stands_for_it(tenant: Tenant) -> None:
    holder = making.queued(tenant, unique_key="nightly")
    batch, (job,) = batch_of(tenant, 1, on_complete=item(unique_key="nightly"))

    making.complete(job)

    assert Batch.objects.get(pk=batch.pk).on_complete_job == holder.pk
    assert told(batch) == (BatchStatus.COMPLETED, 100)
    assert born(batch) == [holder]


def test_a_callbacks_secret_is_never_written_down_in_clear(tenant: Tenant, declaring: None) -> None:
    @job_type("batchtests.secret")
    def secret(context: JobContext, *, token: Secret[str]) -> None:
        """Takes a secret."""

    wish = JobRequest(type_name="batchtests.secret", payload={"token": "hush"})
    batch, (job,) = batch_of(tenant, 1, on_complete=wish)

    with connection.cursor() as cursor:
        cursor.execute("SELECT on_complete::text FROM jobs_batch")
        ((text,),) = cursor.fetchall()
    assert "hush" not in text
    making.complete(job)
    (after,) = born(batch)
    assert set(after.payload["token"]) == {SEALED}
    assert secret.arguments(after.payload)["token"].reveal() == "hush"


@pytest.mark.parametrize(
    ("wish", "place"),
    [
        (JobRequest(type_name="nobody.knows", payload={}), "/on_complete/type"),
        (item(queue="nowhere"), "/on_complete/queue"),
        (item(max_retries=-1), "/on_complete/max_retries"),
        (item(depends_on=[DependsOn(job_id=making.stranger().id)]), "/on_complete/depends_on"),
        (item(unique_key="k", debounce_seconds=5), "/on_complete/debounce_seconds"),
        (
            JobRequest(type_name="diagnostics.sleep", payload={"seconds": "x"}),
            "/on_complete/payload/seconds",
        ),
    ],
)
def test_a_callback_that_breaks_a_rule_refuses_the_batch_at_once(
    wish: JobRequest, place: str, tenant: Tenant
) -> None:
    with pytest.raises(InvalidOptions) as refused:
        batch_of(tenant, 2, on_complete=wish)
    assert [error.pointer for error in refused.value.errors] == [place]
    assert not Job.objects.exists()


# --- the whole batch --------------------------------------------------------------------------


def test_cancelling_a_batch_cancels_what_can_be_and_again_nothing(tenant: Tenant) -> None:
    batch, jobs = batch_of(tenant, 6, on_complete=item())
    making.complete(jobs[0])
    fail(jobs[1])
    held = making.start(jobs[2])

    assert batches.cancel(batch, BY) == 4
    assert counted(batch) == {"completed": 1, "failed": 1, "processing": 1, "cancelled": 3}
    assert batches.cancel(batch, BY) == 0
    lifecycle.complete(held, result=1)

    assert (told(batch), counted(batch)["cancelled"]) == ((BatchStatus.FAILED, 100), 4)
    assert len(born(batch)) == 1
    (entry,) = AuditEntry.objects.filter(object_type="batch")
    assert entry.after == {"jobs": 4}
    assert (entry.action, entry.object_id, entry.actor) == ("batch.cancel", str(batch.pk), BY.name)


def test_g11_each_transaction_that_cancels_or_retries_writes_down_what_it_moved(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(verb: str) -> list[int]:
        entries = AuditEntry.objects.filter(action=f"batch.{verb}").order_by("pk")
        return [(entry.after or {})["jobs"] for entry in entries]

    monkeypatch.setattr("jobs.batches.acting.CHUNK", 2)
    batch, _ = batch_of(tenant, 5)
    batches.cancel(batch, BY)
    batches.retry(batch, BY)
    assert moved("cancel") == moved("retry") == [2, 2, 1]


def test_retrying_a_batch_runs_what_failed_or_was_cancelled_and_refuses_a_taken_key_alone(
    tenant: Tenant,
) -> None:
    handed_in = hand_in(tenant, [item(), item(), item(), item(unique_key="k"), item()])
    batch, jobs = handed_in.batch, jobs_of(handed_in)
    making.complete(jobs[0])
    for job in jobs[1:]:
        fail(job)
    lifecycle.discard(jobs[4].pk)
    making.queued(tenant, unique_key="k")

    assert batches.retry(batch, BY) == 2

    assert counted(batch) == {"completed": 1, "queued": 2, "failed": 2}
    assert batches.retry(batch, BY) == 0
    assert AuditEntry.objects.get(action="batch.retry").after == {"jobs": 2}


def test_a_batch_of_thousands_is_cancelled_and_retried_in_small_transactions(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.batches.acting.CHUNK", 50)
    batch, _ = batch_of(tenant, 175)

    with CaptureQueriesContext(connection) as cancelling:
        assert batches.cancel(batch, BY) == 175
    with CaptureQueriesContext(connection) as retrying:
        assert batches.retry(batch, BY) == 175

    for queries in (cancelling, retrying):
        moves = [q["sql"] for q in queries.captured_queries if "UPDATE jobs_job" in q["sql"]]
        assert len(moves) == 4
    assert counted(batch) == {"queued": 175}
    assert AuditEntry.objects.filter(object_type="batch").count() == 8
