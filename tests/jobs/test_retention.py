"""Ended jobs go when their time is over, with everything of theirs, and never while needed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from jobs import JobContext, job_type, lifecycle
from jobs.enqueue import enqueue
from jobs.exceptions import DeclarationError
from jobs.models import (
    Attempt,
    Batch,
    Dependency,
    FileUse,
    Job,
    LogLine,
    Queue,
    RollupMark,
    Workflow,
)
from jobs.retention import Retention, leftovers, removal, walk
from jobs.retention.removal import remove
from jobs.retention.round import run_to_the_end
from jobs.retention.rules import LONGEST_DAYS, present_rules
from jobs.states import Status
from tests.jobs import making
from tests.jobs.aged import age, completed, ended
from tests.jobs.crowd import crowd
from tests.jobs.racing import meanwhile
from tests.support.files import storage_at, stored

pytestmark = pytest.mark.django_db(transaction=True)


def is_there(job: Job) -> bool:
    return Job.objects.filter(pk=job.pk).exists()


def kept(*jobs: Job) -> list[bool]:
    run_to_the_end()
    return [is_there(job) for job in jobs]


@pytest.mark.parametrize("situation", ["completed", "failed", "cancelled"])
def test_an_ended_job_goes_after_thirty_days(tenant: Tenant, situation: str) -> None:
    young, old = ended(tenant, situation, days=29), ended(tenant, situation, days=31)

    assert kept(young, old) == [True, False]


@pytest.mark.parametrize("situation", making.SITUATIONS)
def test_only_ended_jobs_go_however_old_they_are(tenant: Tenant, situation: str) -> None:
    job = ended(tenant, situation, days=400)

    assert kept(job) == [not job.is_final]


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_each_status_may_have_its_own_time(tenant: Tenant, settings: Settings, status: str) -> None:
    setattr(settings, f"RETENTION_{status.upper()}_DAYS", 2.0)
    jobs = [ended(tenant, each, days=3) for each in ("completed", "failed", "cancelled")]

    kept(*jobs)

    gone = [job.status for job in jobs if not is_there(job)]
    assert gone == [status]


@pytest.mark.usefixtures("declaring")
def test_a_type_goes_before_the_status_and_the_tenant_before_the_type(
    tenant: Tenant, other: Tenant, settings: Settings
) -> None:
    settings.RETENTION_COMPLETED_DAYS = 2.0

    @job_type("kept.long", retention_days=10)
    def keep(context: JobContext) -> None: ...

    Queue.objects.get_or_create(name="default")
    Tenant.objects.filter(pk=other.pk).update(retention_days=20)
    ages = (5, 15, 25)
    of_type = [age(making.complete(enqueue(tenant, "kept.long", {}).job), days=d) for d in ages]
    of_tenant = [age(making.complete(enqueue(other, "kept.long", {}).job), days=d) for d in ages]

    assert kept(*of_type, *of_tenant) == [True, False, False, True, True, False]


def test_a_discarded_job_goes_a_day_after_it_was_discarded(tenant: Tenant) -> None:
    failed, young, old = (making.in_situation(tenant, "failed") for _ in range(3))
    for job in (young, old):
        lifecycle.discard(job.pk)
    age(failed, days=2), age(young, days=0.5), age(old, days=1.5)

    assert kept(failed, young, old) == [True, True, False]


def test_the_longest_time_is_a_hundred_years(tenant: Tenant, settings: Settings) -> None:
    settings.RETENTION_DAYS = 1e9

    assert kept(completed(tenant, days=10_000)) == [True]
    assert present_rules().by_status[Status.COMPLETED] == LONGEST_DAYS


@pytest.mark.parametrize("days", [-1.0, float("nan")])
def test_a_negative_time_is_refused_and_removes_nothing(
    tenant: Tenant, settings: Settings, days: float
) -> None:
    job = completed(tenant, days=400)
    settings.RETENTION_DAYS = days

    with pytest.raises(ImproperlyConfigured, match="RETENTION_DAYS"):
        Retention().run()
    assert is_there(job)


@pytest.mark.parametrize("option", ["retention_days", "result_retention_hours"])
def test_a_type_with_a_negative_time_is_refused(option: str) -> None:
    def keep(context: JobContext) -> None: ...

    options: dict[str, Any] = {option: -1}
    with pytest.raises(DeclarationError, match="retention is 0 or more"):
        job_type("kept.wrongly", **options)(keep)


# --- what is needed ----------------------------------------------------------------------------


def test_a_job_is_kept_for_an_unfinished_one_that_waited_for_it(tenant: Tenant) -> None:
    first = making.queued(tenant)
    then = making.blocked(tenant, first)
    age(making.complete(first), days=400)

    assert kept(first) == [True]
    age(making.complete(making.fresh(then)), days=0)
    assert kept(first, then) == [False, True]
    assert not Dependency.objects.exists()


def test_the_jobs_of_an_open_batch_are_kept_and_the_batch_goes_with_its_last_job(
    tenant: Tenant,
) -> None:
    batch = Batch.objects.create(tenant=tenant, total=2, completed=1)
    jobs = [completed(tenant, days=400), completed(tenant, days=400)]
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(batch=batch)
    assert kept(*jobs) == [True, True]

    Batch.objects.update(completed=2, finished_at=Now())
    age(jobs[1], days=-390)
    assert kept(*jobs) == [False, True]
    assert Batch.objects.exists()

    age(jobs[1], days=390)
    assert kept(*jobs) == [False, False]
    assert not Batch.objects.exists()


def test_a_workflow_goes_as_a_whole_when_its_last_job_is_due(tenant: Tenant) -> None:
    workflow = Workflow.objects.create(tenant=tenant)
    old, young = completed(tenant, days=400), completed(tenant, days=1)
    running = making.in_situation(tenant, "processing")
    Job.objects.filter(pk__in=[old.pk, young.pk]).update(workflow=workflow)

    assert kept(old, young) == [True, True]
    age(young, days=100)
    Job.objects.filter(pk=running.pk).update(workflow=workflow)
    assert kept(old, young) == [True, True]
    Job.objects.filter(pk=running.pk).update(workflow=None)
    assert kept(old, young) == [False, False]
    assert not Workflow.objects.exists()


def test_batches_and_workflows_without_jobs_go_in_time(tenant: Tenant) -> None:
    Batch.objects.create(tenant=tenant, name="old")
    Batch.objects.create(tenant=tenant, name="old and open")
    Workflow.objects.create(tenant=tenant, name="old")
    gone = Now() - timedelta(days=31)
    Batch.objects.filter(name="old").update(finished_at=gone)
    Workflow.objects.update(created_at=gone)
    Batch.objects.create(tenant=tenant, name="young", finished_at=timezone.now())
    Workflow.objects.create(tenant=tenant, name="young")

    run_to_the_end()

    assert {*Batch.objects.values_list("name", flat=True)} == {"old and open", "young"}
    assert [*Workflow.objects.values_list("name", flat=True)] == ["young"]


def test_a_job_is_kept_while_it_holds_its_unique_key(tenant: Tenant) -> None:
    job = completed(tenant, days=400, unique_key="once")
    Job.objects.filter(pk=job.pk).update(unique_until=Now() + timedelta(days=1))

    assert kept(job) == [True]
    assert kept(age(job, days=2)) == [False]


def test_a_job_stays_until_it_stands_in_the_statistics(tenant: Tenant) -> None:
    RollupMark.objects.create(name="ended", until=timezone.now() - timedelta(days=50))
    late, counted = completed(tenant, days=40), completed(tenant, days=60)

    assert kept(late, counted) == [True, False]


def test_everything_of_a_job_goes_with_it(
    tenant: Tenant, tmp_path: Any, settings: Settings
) -> None:
    storage_at(tmp_path / "files", settings)
    first = making.queued(tenant)
    job = making.blocked(tenant, first)
    making.complete(first)
    lifecycle.fail(making.start(making.fresh(job)), error=making.ERROR)
    FileUse.objects.create(job=job, file=stored(tenant))
    LogLine.objects.create(job=job, attempt=1, level="info", message="x")
    age(job, days=40)
    assert Attempt.objects.filter(job=job).exists()

    assert kept(job, first) == [False, True]
    left = [m for m in (Attempt, Dependency, FileUse, LogLine) if m._default_manager.exists()]
    assert left == []


# --- in small batches --------------------------------------------------------------------------


def test_lines_go_in_small_statements_and_not_for_many_jobs_at_a_time(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "_LINES_AT_ONCE", 10)
    monkeypatch.setattr(removal, "_MOST_LINES_TOGETHER", 40)
    jobs = [completed(tenant, days=40) for _ in range(4)]
    young = completed(tenant, days=1)
    LogLine.objects.bulk_create(
        LogLine(job=job, attempt=1, level="info", message=str(number))
        for job in [*jobs, young] for number in range(25)
    )  # fmt: skip
    deleted: list[tuple[str, int]] = []

    def counted(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        result = execute(sql, parameters, many, context)
        if "DELETE FROM jobs_logline" in sql or "DELETE FROM jobs_job " in sql:
            deleted.append((sql.split("jobs_")[1].split()[0], context["cursor"].rowcount))
        return result

    with connection.execute_wrapper(counted):
        assert kept(*jobs, young) == [False, False, False, False, True]

    of_one = [("logline", 10), ("logline", 10), ("logline", 5), ("job", 1)]
    assert deleted == of_one * 4
    assert set(LogLine.objects.values_list("job", flat=True)) == {young.pk}


def test_a_locked_job_is_passed_by_and_waits_for_the_next_round(tenant: Tenant) -> None:
    held, free = completed(tenant, days=40), completed(tenant, days=40)

    with meanwhile(lambda: Job.objects.select_for_update().get(pk=held.pk)):
        assert kept(held, free) == [True, False]
    assert kept(held) == [False]


def test_a_job_that_was_revived_meanwhile_is_not_removed(tenant: Tenant) -> None:
    job, rules = ended(tenant, "failed", days=40), present_rules()
    lifecycle.revive(job.pk)

    assert remove([job.pk], rules) == 0
    assert is_there(job)


def test_a_row_of_somebody_else_that_refers_to_a_job_stops_no_other_job(tenant: Tenant) -> None:
    jobs = [completed(tenant, days=40) for _ in range(5)]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE theirs (job uuid REFERENCES jobs_job DEFERRABLE INITIALLY"
                       " DEFERRED)")  # fmt: skip
        try:
            cursor.execute("INSERT INTO theirs VALUES (%s)", [jobs[2].pk])
            assert kept(*jobs) == [False, False, True, False, False]
        finally:
            cursor.execute("DROP TABLE theirs")


def test_a_round_is_done_in_steps_and_begins_anew_after_an_hour(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "PAGE", 4)
    now = 0.0
    retention = Retention(monotonic=lambda: now)
    crowd(tenant, 6, Status.COMPLETED, ago=40 * 86_400)
    removed = [retention.run() for _ in range(30)]
    assert removed[0] == 4
    assert sum(removed) == 6

    crowd(tenant, 1, Status.COMPLETED, ago=40 * 86_400)
    assert sum(retention.run() for _ in range(30)) == 0
    now = 3600.0
    assert sum(retention.run() for _ in range(30)) == 1


def test_a_part_that_fails_does_not_stop_the_others_for_good(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(after: UUID) -> Any:
        raise RuntimeError

    monkeypatch.setattr(leftovers, "silent_keys", fail)
    Batch.objects.create(tenant=tenant, finished_at=timezone.now() - timedelta(days=31))
    retention, failures = Retention(), 0
    for _ in range(30):
        try:
            retention.run()
        except RuntimeError:
            failures += 1
    assert failures == 1
    assert not Batch.objects.exists()


def test_jobs_that_ended_at_the_same_moment_are_all_found(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "PAGE", 3)
    crowd(tenant, 20, Status.COMPLETED)
    Job.objects.update(completed_at=timezone.now() - timedelta(days=40))

    run_to_the_end()
    assert not Job.objects.exists()
