"""Options, decided: what was asked, else the type's, else the plan's; all within bounds."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from jobs import Backoff, JobContext, job_type
from jobs.enqueue import JobOptions, enqueue
from jobs.exceptions import InvalidOptions, UnknownQueue
from jobs.models import Job
from jobs.states import Status
from tests.jobs import making
from tests.jobs.kinds import ECHO

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("urgent", 95), ("high", 75), ("normal", 50), ("low", 10), (0, 0), (100, 100), (42, 42)],
)
def test_a_priority_is_a_level_or_a_number(asked: int | str, expected: int, tenant: Tenant) -> None:
    job = making.queued(tenant, priority=asked)

    assert (job.priority, job.base_priority) == (expected, expected)


@pytest.mark.parametrize(
    ("plan", "default", "highest"),
    [("free", 10, 69), ("basic", 50, 89), ("premium", 75, 94), ("enterprise", 95, 100)],
)
def test_the_plan_gives_the_default_and_the_highest_priority(
    plan: str, default: int, highest: int, queues: None
) -> None:
    tenant = Tenant.objects.create(slug=f"on-{plan}", plan_name=plan)

    assert making.queued(tenant).priority == default
    assert making.queued(tenant, priority=highest).priority == highest
    if highest < 100:
        with pytest.raises(InvalidOptions, match=f"/priority: .*{highest}"):
            making.queued(tenant, priority=highest + 1)


@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        ({"priority": 101}, "/priority"),
        ({"priority": "critical"}, "/priority"),
        ({"priority": True}, "/priority"),
        ({"max_retries": -1}, "/max_retries"),
        ({"max_retries": 101}, "/max_retries"),
        ({"timeout_seconds": 0}, "/timeout_seconds"),
        ({"timeout_seconds": -1}, "/timeout_seconds"),
        ({"timeout_seconds": 86_401}, "/timeout_seconds"),
        ({"delay_seconds": -0.5}, "/delay_seconds"),
        ({"delay_seconds": math.nan}, "/delay_seconds"),
        ({"delay_seconds": math.inf}, "/delay_seconds"),
        ({"delay_seconds": 10**12}, "/delay_seconds"),
        ({"delay_seconds": 5, "run_at": timezone.now() + HOUR}, "/delay_seconds"),
        ({"run_at": datetime(2026, 1, 1)}, "/run_at"),
        ({"expires_at": timezone.now() - HOUR}, "/expires_at"),
        ({"expires_at": timezone.now() + HOUR, "delay_seconds": 7200}, "/expires_at"),
        ({"estimated_duration_seconds": -1}, "/estimated_duration_seconds"),
        ({"estimated_duration_seconds": 2**40}, "/estimated_duration_seconds"),
        ({"unique_key": "k" * 256}, "/unique_key"),
        ({"unique_key": "a\x00b"}, "/unique_key"),
        ({"unique_key": "\ud800"}, "/unique_key"),
        ({"owner": "o" * 256}, "/owner"),
        ({"owner": "\udfff"}, "/owner"),
        ({"labels": {f"l{n}": "x" for n in range(33)}}, "/labels"),
        ({"labels": {"": "x"}}, "/labels/"),
        ({"labels": {"a/b": "x" * 256}}, "/labels/a~1b"),
        ({"labels": {"n": 5}}, "/labels/n"),
        ({"labels": {"n": "\x00"}}, "/labels/n"),
        ({"labels": {"n": "\ud800"}}, "/labels/n"),
        ({"retry_backoff": Backoff(base_seconds=-1)}, "/retry_backoff"),
        ({"retry_backoff": Backoff(base_seconds=math.nan)}, "/retry_backoff"),
        ({"retry_backoff": Backoff(max_seconds=math.inf)}, "/retry_backoff"),
        ({"retry_backoff": Backoff(factor=-2)}, "/retry_backoff"),
        ({"retry_backoff": Backoff(jitter=1.5)}, "/retry_backoff"),
    ],
)
def test_an_option_that_breaks_a_rule_is_pointed_to_and_nothing_is_written(
    options: dict[str, Any], pointer: str, tenant: Tenant
) -> None:
    with pytest.raises(InvalidOptions) as refusal:
        enqueue(tenant, ECHO, {}, JobOptions(**options))

    assert [error.pointer for error in refusal.value.errors] == [pointer]
    assert not Job.objects.exists()


def test_all_broken_rules_are_told_at_once(tenant: Tenant) -> None:
    with pytest.raises(InvalidOptions) as refusal:
        making.queued(tenant, priority=-1, max_retries=101, timeout_seconds=0)

    pointers = {error.pointer for error in refusal.value.errors}
    assert pointers == {"/priority", "/max_retries", "/timeout_seconds"}


@pytest.mark.parametrize(
    "options",
    [
        {"max_retries": 0},
        {"max_retries": 100},
        {"timeout_seconds": 1},
        {"timeout_seconds": 86_400},
        {"delay_seconds": 0},
        {"unique_key": "k" * 255},
        {"owner": "é" * 255},
        {"labels": {f"l{n}": "x" * 255 for n in range(32)}},
        {"estimated_duration_seconds": 0},
        {"retry_backoff": Backoff(base_seconds=0, factor=1, max_seconds=0, jitter=1)},
    ],
)
def test_the_bounds_themselves_are_allowed(options: dict[str, Any], tenant: Tenant) -> None:
    job = making.queued(tenant, **options)

    for name in options.keys() - {"delay_seconds", "retry_backoff"}:
        assert getattr(job, name) == options[name]


def test_an_unknown_queue_is_refused(tenant: Tenant) -> None:
    with pytest.raises(UnknownQueue, match="'no-such-queue'"):
        making.queued(tenant, queue="no-such-queue")


def test_a_queue_that_is_asked_for_wins_over_the_types(tenant: Tenant) -> None:
    assert making.queued(tenant, queue="mail").queue_id == "mail"
    assert making.queued(tenant).queue_id == "default"


@pytest.mark.usefixtures("declaring")
def test_where_nothing_is_asked_the_type_decides(tenant: Tenant, settings: Settings) -> None:
    @job_type("options.typed", queue="reports", max_retries=7, timeout=33)
    def declared(context: JobContext) -> None: ...

    job = declared.enqueue(tenant=tenant)
    assert (job.queue_id, job.max_retries, job.timeout_seconds) == ("reports", 7, 33)
    asked = declared.enqueue(tenant=tenant, max_retries=0, timeout_seconds=5)
    assert (asked.max_retries, asked.timeout_seconds) == (0, 5)
    settings.JOB_TIMEOUT_SECONDS = 77
    assert making.queued(tenant).timeout_seconds == 77


def test_a_jobs_own_backoff_is_kept_with_it(tenant: Tenant) -> None:
    job = making.queued(tenant, retry_backoff=Backoff(base_seconds=1, factor=3, max_seconds=9))

    assert job.retry_backoff == {
        "base_seconds": 1, "factor": 3, "max_seconds": 9, "jitter": 0.1,
    }  # fmt: skip
    assert making.queued(tenant).retry_backoff is None


def test_a_job_for_later_is_scheduled(tenant: Tenant) -> None:
    moment = datetime(2100, 1, 1, tzinfo=UTC)

    job = making.queued(tenant, run_at=moment)

    assert (job.status, job.run_at, job.visible_at) == (Status.SCHEDULED, moment, moment)


def test_a_delay_counts_from_now(tenant: Tenant) -> None:
    before = timezone.now()
    job = making.queued(tenant, delay_seconds=60)
    after = timezone.now()

    assert job.status == Status.SCHEDULED
    assert job.visible_at is not None
    assert before <= job.visible_at - timedelta(seconds=60) <= after


@pytest.mark.parametrize(
    "options", [{"run_at": datetime(2020, 1, 1, tzinfo=UTC)}, {"delay_seconds": 0}]
)
def test_a_time_that_is_over_means_now(options: dict[str, Any], tenant: Tenant) -> None:
    job = making.queued(tenant, **options)

    assert (job.status, job.visible_at) == (Status.QUEUED, None)
    assert job.run_at == options.get("run_at")


def test_what_was_asked_is_on_the_row(tenant: Tenant) -> None:
    expires_at = timezone.now() + HOUR

    job = making.queued(
        tenant,
        expires_at=expires_at,
        labels={"course": "7"},
        owner="ann",
        created_by="token:ci",
        estimated_duration_seconds=120,
        unique_key="k",
    )

    assert (job.expires_at, job.labels, job.owner) == (expires_at, {"course": "7"}, "ann")
    assert (job.created_by, job.estimated_duration_seconds) == ("token:ci", 120)
    assert job.unique_key == "k"
