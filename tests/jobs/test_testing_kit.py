"""The kit that users test their jobs with does what its document says, in every kind of test."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.db import IntegrityError, transaction
from django.test import TestCase
from django.utils import timezone

from accounts.models import Tenant
from jobs import JobContext, Snooze, job_type, lifecycle
from jobs.models import Job
from jobs.testing import (
    CannotRun,
    assert_enqueued,
    drain,
    enqueued,
    fake_clock,
    inline,
    run_inline,
)
from jobs.testing.fixtures import Jobs
from tests.jobs import making
from workloads.diagnostics.job_types import echo, fail, sleep

pytestmark = [pytest.mark.usefixtures("declaring", "celeriac_jobs")]
committed = pytest.mark.django_db(transaction=True)
both_ways = pytest.mark.parametrize(
    "in_transaction", [True, pytest.param(False, marks=committed)], ids=["rolled back", "committed"]
)


@both_ways
def test_a_job_is_run_and_returned_as_it_ended(in_transaction: bool) -> None:
    job = run_inline(echo, hello="world", priority="high", labels={"a": "b"})

    assert (job.status, job.result, job.progress) == ("completed", {"hello": "world"}, 100)
    assert (job.level, job.labels, job.attempt) == ("high", {"a": "b"}, 1)


@both_ways
def test_a_failure_stands_in_the_job(in_transaction: bool) -> None:
    job = run_inline(fail, times=5, message="on purpose", max_retries=0)

    assert job.status == "failed"
    assert job.error is not None
    assert job.error["message"] == "on purpose"


@both_ways
def test_retries_run_as_time_passes(in_transaction: bool) -> None:
    with fake_clock() as clock:
        job = run_inline(fail, times=2)
        assert (job.status, job.retry_count) == ("scheduled", 1)
        assert drain() == []
        clock.advance(minutes=1)
        (again,) = drain()
        assert (again.status, again.retry_count) == ("scheduled", 2)
        clock.advance(timedelta(minutes=1))
        assert [job.status for job in drain()] == ["completed"]


@both_ways
def test_draining_may_skip_waits(in_transaction: bool) -> None:
    echo.enqueue(tenant="default", delay_seconds=86_400)
    fail.enqueue(tenant="default", times=2)

    done = drain(skip_waits=True)

    assert [(job.type, job.status) for job in done] == [
        ("diagnostics.fail", "scheduled"),
        ("diagnostics.fail", "scheduled"),
        ("diagnostics.fail", "completed"),
        ("diagnostics.echo", "completed"),
    ]


@both_ways
def test_a_refused_statement_in_a_job_fails_it_and_nothing_else(in_transaction: bool) -> None:
    @job_type("kit.twice", max_retries=0)
    def twice(context: JobContext) -> None:
        Tenant.objects.create(slug="acme")
        Tenant.objects.create(slug="acme")

    job, after = run_inline(twice), run_inline(echo)

    assert (job.status, after.status) == ("failed", "completed")
    assert job.error is not None
    assert job.error["type"] == IntegrityError.__name__
    assert Tenant.objects.filter(slug="acme").exists() is not in_transaction


@both_ways
def test_what_a_failing_job_wrote_stays_as_it_does_in_a_worker(in_transaction: bool) -> None:
    @job_type("kit.write", max_retries=0)
    def write(context: JobContext) -> None:
        Tenant.objects.create(slug="acme")
        raise ValueError

    assert run_inline(write).status == "failed"
    assert Tenant.objects.filter(slug="acme").exists()


@both_ways
def test_progress_can_be_read_while_the_code_runs(in_transaction: bool) -> None:
    seen: list[tuple[int, str]] = []

    @job_type("kit.tell")
    def tell(context: JobContext) -> None:
        context.progress(40, "on it")
        seen.extend(Job.objects.values_list("progress", "progress_message"))

    run_inline(tell)
    assert seen == [(40, "on it")]


def test_a_job_learns_that_it_was_cancelled() -> None:
    @job_type("kit.cancel")
    def end_itself(context: JobContext) -> None:
        lifecycle.cancel(context.job_id, by="user:eve")
        context.raise_if_cancelled()

    assert run_inline(end_itself).status == "cancelled"


def test_jobs_run_by_priority_and_age_and_those_that_waited_follow() -> None:
    first = echo.enqueue(tenant="default", n=1)
    making.blocked(Tenant.objects.get(slug="default"), first, priority=89)
    echo.enqueue(tenant="default", n=2)
    echo.enqueue(tenant="default", n=3, priority="high")
    sleep.enqueue(tenant="default", seconds=0, steps=1, delay_seconds=60)

    assert [job.payload.get("n") for job in drain()] == [3, 1, None, 2]


def test_one_queue_can_be_drained_alone() -> None:
    @job_type("kit.elsewhere", queue="elsewhere")
    def elsewhere(context: JobContext) -> None: ...

    run_inline(elsewhere)  # its queue is there from now on
    elsewhere.enqueue(tenant="default")
    echo.enqueue(tenant="default")

    assert [job.type for job in drain("elsewhere")] == ["kit.elsewhere"]
    assert [job.type for job in drain()] == ["diagnostics.echo"]


def test_jobs_without_an_end_are_noticed() -> None:
    @job_type("kit.forever")
    def forever(context: JobContext) -> None:
        raise Snooze(60)

    forever.enqueue(tenant="default")
    with pytest.raises(CannotRun, match=r"After 5 attempts there is still work: kit\.forever"):
        drain(limit=5, skip_waits=True)


def test_an_expired_job_is_not_run() -> None:
    in_a_minute = timezone.now() + timedelta(minutes=1)
    job = echo.enqueue(tenant="default", expires_at=in_a_minute)
    with fake_clock() as clock:
        clock.advance(minutes=2)
        with pytest.raises(CannotRun, match="expired"):
            run_inline(job)
        assert drain() == []
        assert making.fresh(job).status == "cancelled"


def test_a_delayed_job_can_be_run_before_its_time_and_a_blocked_one_cannot() -> None:
    delayed = echo.enqueue(tenant="default", delay_seconds=3600)
    waiting = echo.enqueue(tenant="default", delay_seconds=3600)
    blocked = making.blocked(Tenant.objects.get(slug="default"), waiting)

    assert run_inline(delayed).status == "completed"
    for job in (blocked, delayed):
        with pytest.raises(CannotRun, match="not ready"):
            run_inline(job)


def test_the_rows_get_their_true_moments_back() -> None:
    job = echo.enqueue(tenant="default", delay_seconds=3600)
    fail.enqueue(tenant="default", times=1)
    before = making.row(job)
    with fake_clock() as clock:
        clock.advance(days=3)
        assert making.row(job)["created_at"] == before["created_at"] - timedelta(days=3)
        drain(skip_waits=True)
        with pytest.raises(ValueError, match="does not go back"):
            clock.advance(seconds=-1)
    assert making.row(job)["created_at"] == before["created_at"]


# --- inline ------------------------------------------------------------------------------------


def chain() -> Any:
    @job_type("kit.chain")
    def next_one(context: JobContext, *, left: int) -> int:
        if left:
            next_one.enqueue(tenant="default", left=left - 1)
            assert Job.objects.filter(status="processing").count() == 1
        return left

    return next_one


@both_ways
def test_inline_jobs_run_one_after_the_other(in_transaction: bool) -> None:
    job = chain()
    with inline():
        job.enqueue(tenant="default", left=3)
    job.enqueue(tenant="default", left=0)

    found = enqueued(job)
    assert [each.result for each in found] == [3, 2, 1, 0, None]


@committed
def test_an_inline_job_runs_when_its_transaction_commits_and_not_if_it_does_not() -> None:
    with inline():
        with transaction.atomic():
            kept = echo.enqueue(tenant="default")
            assert making.fresh(kept).status == "queued"
        assert making.fresh(kept).status == "completed"
        with transaction.atomic():
            echo.enqueue(tenant="default")
            transaction.set_rollback(True)
    assert enqueued() == [kept]


def test_inline_jobs_without_an_end_are_noticed() -> None:
    job = chain()
    with pytest.raises(CannotRun, match="still work"), inline(limit=5):
        job.enqueue(tenant="default", left=100)


class DjangosTestCase(TestCase):
    def test_the_kit_works_in_djangos_test_case(self) -> None:
        with inline():
            echo.enqueue(tenant="default", n=1)
        echo.enqueue(tenant="default", n=2)

        assert [job.status for job in drain()] == ["completed"]
        assert_enqueued(echo, times=2, status="completed")


# --- the document ------------------------------------------------------------------------------


def documented() -> dict[str, Callable[[Jobs], None]]:
    """The tests that the how-to shows, compiled together with the code they are about."""
    text = (Path(project.BASE_DIR) / "docs" / "howto" / "testing.md").read_text()
    code = "\n\n".join(re.findall(r"```python\n(.*?)```", text, re.S))
    names: dict[str, Any] = {"__name__": "documented"}
    exec(compile(code, "testing.md", "exec"), names)
    return {name: found for name, found in names.items() if name.startswith("test_")}


@both_ways
def test_the_examples_of_the_how_to_pass(celeriac_jobs: Jobs, in_transaction: bool) -> None:
    from jobs.apps import make_queues

    found = documented()
    make_queues()
    assert len(found) >= 6
    for name, example in found.items():
        Job.objects.filter(dependencies__isnull=False).delete()
        Job.objects.all().delete()
        try:
            example(celeriac_jobs)
        except Exception as error:
            raise AssertionError(name) from error
