"""The effective priority, wherever a job is shown: computed, never written, and cheap."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from jobs.effective import configured, level_now, priorities, priority_of
from jobs.models import Job, Pause
from jobs.priorities import Level
from jobs.states import Status
from tests.api.calling import Caller
from tests.api.conftest import MakeJob

NOW = timezone.now()


def ago(minutes: float) -> dict[str, object]:
    return {"queued_at": NOW - timedelta(minutes=minutes)}


def pages(caller: Caller, job: Job) -> list[tuple[int, int, str]]:
    """As one job, as one of a page and among the newest of the figures."""
    one, page = caller.get(f"/jobs/{job.pk}").body, caller.get("/jobs").body["items"]
    (listed,) = [each for each in page if each["id"] == str(job.pk)]
    (recent,) = [
        each for each in caller.get("/stats").body["recent_jobs"] if each["id"] == str(job.pk)
    ]
    assert (recent["priority"], recent["level"]) == (one["priority"], one["level"])
    return [(each["priority"], each["base_priority"], each["level"]) for each in (one, listed)]


@pytest.mark.parametrize(
    ("minutes", "priority", "level"),
    [(30, 50, "normal"), (62.5, 60, "normal"), (67.5, 70, "high"), (600, 100, "urgent")],
)
def test_a_job_rises_while_it_waits_and_its_row_stays(
    minutes: float, priority: int, level: str, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    row = {"queued_at": timezone.now() - timedelta(minutes=minutes)}
    job = make_job(acme, priority=50, row=row)
    assert pages(caller, job) == [(priority, 50, level)] * 2
    assert Job.objects.get(pk=job.pk).priority == 50


@pytest.mark.parametrize("status", [each for each in Status if each != Status.QUEUED])
def test_only_ready_jobs_age(
    status: Status, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, status, priority=50, row=ago(600))
    assert pages(caller, job) == [(50, 50, "normal")] * 2


@pytest.mark.parametrize("status", [Status.QUEUED, Status.PROCESSING])
def test_a_job_that_was_sent_keeps_the_priority_it_was_sent_with(
    status: Status, acme: Tenant, make_job: MakeJob
) -> None:
    sent = {"sent_priority": 70, **ago(600)}
    if status == Status.QUEUED:
        sent["dispatched_at"] = NOW
    job = make_job(acme, status, priority=50, row=sent)
    assert (priority_of(job, NOW), level_now(job, NOW)) == (70, Level.HIGH)
    Job.objects.filter(pk=job.pk).update(priority=75)  # boosted since
    assert priority_of(Job.objects.get(pk=job.pk), NOW) == 75


def test_a_message_of_long_ago_leaves_no_trace(acme: Tenant, make_job: MakeJob) -> None:
    """What was withdrawn, or waits for a retry, shows its own priority again."""
    row = {"sent_priority": 100}
    assert priority_of(make_job(acme, priority=50, row=row), NOW) == 50
    assert priority_of(make_job(acme, Status.SCHEDULED, priority=50, row=row), NOW) == 50
    assert priority_of(make_job(acme, Status.COMPLETED, priority=50, row=row), NOW) == 50


def test_time_in_a_pause_does_not_count(acme: Tenant, other: Tenant, make_job: MakeJob) -> None:
    mine, foreign = (make_job(tenant, priority=50, row=ago(90)) for tenant in (acme, other))
    Pause.objects.create(
        kind="tenant", target="acme", tenant=acme, created_by="user:eve",
        created_at=NOW - timedelta(minutes=65), ended_at=NOW - timedelta(minutes=5),
    )  # fmt: skip
    assert priorities([mine, foreign], NOW) == {mine.pk: 50, foreign.pk: 100}


def test_the_settings_decide_how_jobs_age(
    settings: Settings, acme: Tenant, make_job: MakeJob
) -> None:
    settings.AGEING_AFTER_SECONDS, settings.AGEING_EVERY_SECONDS = 60.0, 30.0
    settings.AGEING_STEP, settings.AGEING_HIGHEST = 5, 61
    job = make_job(acme, priority=50, row=ago(1.6))
    assert priority_of(job, NOW) == 60
    assert priority_of(make_job(acme, priority=50, row=ago(10)), NOW) == 61
    settings.AGEING_STEP = 0
    assert priority_of(job, NOW) == 50
    assert configured().step == 0


@pytest.mark.parametrize(("minutes", "most"), [(1, 0), (90, 1)])
def test_a_page_asks_at_most_once_and_only_where_a_job_could_have_aged(
    minutes: float, most: int, acme: Tenant, make_job: MakeJob
) -> None:
    jobs = [make_job(acme, priority=50, row=ago(minutes)) for _ in range(20)]
    with CaptureQueriesContext(connection) as queries:
        assert len(priorities(jobs, NOW)) == 20
    assert len(queries) == most


@pytest.mark.usefixtures("use_noted_once")
def test_a_page_of_aged_jobs_costs_one_more_statement_however_long(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    counts = []
    for _ in range(2):
        for _ in range(5):
            make_job(acme, row=ago(90))
        caller.get("/jobs")
        with CaptureQueriesContext(connection) as queries:
            caller.get("/jobs")
        counts.append(len(queries))
    assert counts[0] == counts[1]
