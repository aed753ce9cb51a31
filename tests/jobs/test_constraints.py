"""The database itself refuses what must not be, whoever writes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, ProtectedError
from django.utils import timezone

from accounts.models import Tenant
from jobs.models import Attempt, Dependency, Job, Queue
from jobs.states import ACTIVE, FINAL, Status
from tests.jobs import making
from tests.jobs.making import in_situation

NOW = timezone.now()


@contextmanager
def refused(constraint: str) -> Iterator[None]:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        yield


@pytest.mark.parametrize(
    ("situation", "columns", "constraint"),
    [
        ("ready", {"status": "running"}, "job_status_known"),
        ("ready", {"priority": -1}, "job_priority_range"),
        ("ready", {"priority": 101}, "job_priority_range"),
        ("ready", {"base_priority": 101}, "job_priority_range"),
        ("ready", {"progress": -1}, "job_progress_range"),
        ("ready", {"progress": 101}, "job_progress_range"),
        ("ready", {"max_retries": 101}, "job_max_retries_range"),
        ("ready", {"timeout_seconds": 0}, "job_timeout_range"),
        ("ready", {"timeout_seconds": 86_401}, "job_timeout_range"),
        ("ready", {"completed_at": NOW}, "job_completed_at_when_ended"),
        ("cancelled", {"completed_at": NOW}, "job_completed_at_when_ended"),
        ("completed", {"completed_at": None}, "job_completed_at_when_ended"),
        ("failed", {"completed_at": None}, "job_completed_at_when_ended"),
        ("ready", {"cancelled_at": NOW}, "job_cancelled_at_when_cancelled"),
        ("cancelled", {"cancelled_at": None}, "job_cancelled_at_when_cancelled"),
        ("processing", {"lease_expires_at": None}, "job_leased_while_processing"),
        ("processing", {"started_at": None}, "job_leased_while_processing"),
        ("processing", {"incarnation": None}, "job_leased_while_processing"),
        ("scheduled", {"dispatched_at": NOW}, "job_dispatched_only_queued"),
        ("processing", {"dispatched_at": NOW}, "job_dispatched_only_queued"),
        ("failed", {"dispatched_at": NOW}, "job_dispatched_only_queued"),
        ("scheduled", {"visible_at": None}, "job_scheduled_has_time"),
        ("failed", {"result": {"a": 1}}, "job_result_only_completed"),
        ("processing", {"result": {"a": 1}}, "job_result_only_completed"),
        ("cancelled", {"result": {"a": 1}}, "job_result_only_completed"),
    ],
)
def test_a_job_that_breaks_a_rule_is_refused(
    situation: str, columns: dict[str, Any], constraint: str, tenant: Tenant
) -> None:
    job = in_situation(tenant, situation)

    with refused(constraint):
        Job.objects.filter(pk=job.pk).update(**columns)


@pytest.mark.parametrize(
    "column", ["run", "attempt", "retry_count", "crash_count", "max_retries", "timeout_seconds"]
)
def test_no_count_is_negative(column: str, tenant: Tenant) -> None:
    job = making.queued(tenant)

    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(**{column: -1})


def test_a_unique_key_is_held_by_one_active_job_of_its_tenant_and_type(
    tenant: Tenant, other: Tenant
) -> None:
    job = making.queued(tenant, unique_key="k")
    second, foreign = making.queued(tenant), making.queued(other, unique_key="k")
    assert foreign.pk != job.pk

    with refused("job_unique_key_while_active"):
        Job.objects.filter(pk=second.pk).update(unique_key="k")
    Job.objects.filter(pk=second.pk).update(unique_key="k", type="another.type")


@pytest.mark.parametrize("situation", ["blocked", "scheduled", "ready", "dispatched", "processing"])
def test_each_active_job_holds_its_unique_key(situation: str, tenant: Tenant) -> None:
    job = in_situation(tenant, situation)
    Job.objects.filter(pk=job.pk).update(unique_key="k")
    second = making.queued(tenant)

    with refused("job_unique_key_while_active"):
        Job.objects.filter(pk=second.pk).update(unique_key="k")


@pytest.mark.parametrize("situation", ["completed", "failed", "cancelled"])
def test_a_job_that_ended_holds_no_unique_key(situation: str, tenant: Tenant) -> None:
    job = in_situation(tenant, situation)
    Job.objects.filter(pk=job.pk).update(unique_key="k")

    making.queued(tenant, unique_key="k")

    assert Job.objects.filter(unique_key="k").count() == 2


def test_an_attempt_is_told_once(tenant: Tenant) -> None:
    job = making.queued(tenant)
    line = {
        "job": job, "fence": 1, "number": 1, "run": 1, "worker": "w",
        "started_at": NOW, "ended_at": NOW, "outcome": "failed",
    }  # fmt: skip
    Attempt.objects.create(**line)

    with refused("attempt_fence_once"):
        Attempt.objects.create(**line)
    with refused("attempt_outcome_known"):
        Attempt.objects.create(**{**line, "fence": 2, "outcome": "completed"})


def test_a_dependency_is_between_two_jobs_and_there_once(tenant: Tenant) -> None:
    job, first = making.queued(tenant), making.queued(tenant)
    Dependency.objects.create(job=job, depends_on=first)

    with refused("dependency_once"):
        Dependency.objects.create(job=job, depends_on=first)
    with refused("dependency_not_itself"):
        Dependency.objects.create(job=job, depends_on=job)
    with refused("dependency_on_failure_known"):
        Dependency.objects.filter(job=job).update(on_failure="ignore")


def test_a_queue_or_tenant_that_has_jobs_cannot_be_removed(tenant: Tenant) -> None:
    job = making.queued(tenant)

    with pytest.raises(ProtectedError):
        Queue.objects.filter(pk=job.queue_id).delete()
    with pytest.raises(ProtectedError):
        tenant.delete()


def test_a_result_of_json_null_is_a_result(tenant: Tenant) -> None:
    job = making.complete(making.queued(tenant), None)

    assert (job.status, job.result) == (Status.COMPLETED, None)


def test_moments_and_the_order_of_acceptance_come_from_the_database(tenant: Tenant) -> None:
    job = making.queued(tenant)
    columns = (
        "id, tenant_id, type, queue, labels, status, priority, base_priority, payload, "
        "fence, run, attempt, retry_count, crash_count, max_retries, timeout_seconds, owner, "
        "unique_key, created_by, worker, progress, progress_message, cancelled_by"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO jobs_job ({columns}) SELECT %s, {columns.partition(', ')[2]} "
            "FROM jobs_job WHERE id = %s RETURNING seq, created_at, updated_at",
            [uuid4(), job.pk],
        )
        seq, created_at, updated_at = cursor.fetchone()

    assert seq > job.seq
    assert created_at is not None
    assert updated_at is not None


def test_partial_indexes_name_the_statuses_of_the_code(tenant: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'jobs_job'")
        definitions = dict(cursor.fetchall())

    unique = definitions["job_unique_key_while_active"]
    assert all(f"'{status.value}'" in unique for status in ACTIVE)
    assert not any(f"'{status.value}'" in unique for status in FINAL)
    assert "UNIQUE" in unique
    assert "dispatched_at IS NULL" in definitions["job_ready"]
    for name in ("job_ready", "job_in_flight"):
        assert "'queued'" in definitions[name]
    assert "'scheduled'" in definitions["job_due"]
    assert "'processing'" in definitions["job_processing"]


def test_no_index_holds_a_column_that_renewal_or_progress_writes(tenant: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'jobs_job'")
        definitions = [definition for (definition,) in cursor.fetchall()]

    for column in ("lease_expires_at", "progress", "progress_message", "updated_at"):
        assert not any(column in definition for definition in definitions)


def test_a_write_that_is_refused_leaves_the_row_as_it_was(tenant: Tenant) -> None:
    job = making.queued(tenant)
    before = making.row(job)

    with pytest.raises(DatabaseError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(priority=F("priority") + 100, fence=F("fence") + 1)

    assert making.row(job) == before
