"""GET /jobs/{id}/explain: every reason by its name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Tenant
from jobs.models import Dependency, Job, Leadership, Wish, Worker
from jobs.states import Status
from tests.api import kinds
from tests.api.calling import Caller
from tests.api.conftest import MakeJob
from tests.jobs.crowd import crowd


@pytest.fixture
def at_work(db: None) -> None:
    """A dispatcher that leads, and a worker of two slots for the tests' job type."""
    Leadership.objects.create(duty="dispatcher", expires_at=Now() + timedelta(minutes=5))
    Worker.objects.create(
        name="w", incarnation=uuid4(), queues=["default"], types=[kinds.report.name], slots=2
    )


def explained(caller: Caller, job: Job) -> dict[str, Any]:
    answer = caller.get(f"/jobs/{job.pk}/explain")
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


def codes(body: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in body["reasons"]]


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELLED])
def test_a_job_that_has_ended_says_since_when(
    status: Status, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    body = explained(caller, make_job(acme, status))
    (reason,) = body["reasons"]
    assert (reason["code"], reason["until"] is None) == ("ended", False)
    assert (body["runnable"], body["ahead"], body["expected_start_at"]) == (False, None, None)


def test_a_job_that_runs_names_its_worker(caller: Caller, acme: Tenant, make_job: MakeJob) -> None:
    body = explained(caller, make_job(acme, Status.PROCESSING))
    assert codes(body) == ["running"]
    assert body["reasons"][0]["object"] == "worker:worker-1@test"


def test_a_blocked_job_names_each_job_that_it_waits_for(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    first, second = make_job(acme), make_job(acme)
    job = make_job(acme, Status.BLOCKED)
    for other in (first, second):
        Dependency.objects.create(job=job, depends_on=other)
    Dependency.objects.filter(depends_on=second).update(settled_at=Now())
    body = explained(caller, job)
    assert codes(body) == ["blocked"]
    assert body["reasons"][0]["object"] == f"job:{first.pk}"


def test_a_scheduled_job_says_until_when(
    caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    body = explained(caller, make_job(acme, Status.SCHEDULED))
    (reason,) = body["reasons"]
    assert reason["code"] == "scheduled"
    assert reason["until"] == body["expected_start_at"] is not None
    retried = make_job(acme, Status.SCHEDULED, row={"retry_count": 1})
    assert "retry" in explained(caller, retried)["reasons"][0]["detail"]


def test_without_dispatcher_and_worker_both_are_named(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    body = explained(caller, make_job(acme))
    assert codes(body) == ["dispatcher_down", "no_worker"]
    assert body["runnable"] is False
    assert body["expected_start_at"] is None


@pytest.mark.parametrize(
    "row",
    [
        {"queues": ["mail"]},
        {"types": ["another.type"]},
        {"stopping": True},
        {"seen_at": Now() - timedelta(minutes=1)},
    ],
)
def test_a_worker_that_cannot_run_it_is_none(
    row: dict[str, Any], caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    Worker.objects.update(**row)
    assert codes(explained(caller, make_job(acme))) == ["no_worker"]


@pytest.mark.parametrize(("seconds", "down"), [(3, False), (60, True)])
def test_a_change_of_leaders_is_no_outage(
    seconds: int, down: bool, caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    Leadership.objects.update(expires_at=Now() - timedelta(seconds=seconds))
    assert ("dispatcher_down" in codes(explained(caller, make_job(acme)))) is down


def test_the_next_job_waits_for_nothing(
    caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    body = explained(caller, make_job(acme))
    assert (body["runnable"], body["reasons"], body["ahead"]) == (True, [], 0)
    assert body["expected_start_at"] is not None


def test_jobs_ahead_are_those_of_its_level_and_of_the_higher_ones(
    caller: Caller, acme: Tenant, other: Tenant, make_job: MakeJob, at_work: None
) -> None:
    crowd(acme, 3, priority=50)
    crowd(other, 2, priority=95)
    job = make_job(acme, priority=50)
    crowd(acme, 4, priority=50)
    body = explained(caller, job)
    assert (body["ahead"], body["ahead_exact"], body["runnable"]) == (5, True, True)
    assert codes(body) == ["queued_behind"]
    assert body["expected_start_at"] is None  # nothing was measured yet
    crowd(acme, 60, Status.COMPLETED, ago=5)
    assert explained(caller, job)["expected_start_at"] is not None


def test_busy_slots_are_a_reason(
    caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    incarnation = Worker.objects.get().incarnation
    for _ in range(2):
        make_job(acme, Status.PROCESSING)
    job = make_job(acme)
    assert codes(explained(caller, job)) == []
    Job.objects.filter(status=Status.PROCESSING).update(incarnation=incarnation)
    assert codes(explained(caller, job)) == ["queued_behind"]


def test_a_job_taken_by_force_waits_for_its_old_lease(
    caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    until = timezone.now() + timedelta(minutes=1)
    job = make_job(acme, row={"lease_expires_at": until, "worker": "w"})
    body = explained(caller, job)
    assert (codes(body), body["runnable"]) == (["running"], False)
    assert body["reasons"][0]["until"] is not None


def test_workers_that_do_not_know_the_type_are_told_apart_from_none(
    caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    job = make_job(acme)
    Worker.objects.update(types=["another.type"])
    (unknowing,) = explained(caller, job)["reasons"]
    assert "has live workers, but none that knows the type" in unknowing["detail"]
    assert "CELERIAC_APPS" in unknowing["remedy"]
    Worker.objects.update(wish=Wish.PAUSE)
    (paused,) = explained(caller, job)["reasons"]
    assert (paused["code"], paused["detail"]) == (
        "no_worker",
        "All workers of queue default are paused.",
    )
    Worker.objects.update(wish=Wish.RUN, queues=["mail"])
    (absent,) = explained(caller, job)["reasons"]
    assert absent["detail"] == "No live worker consumes queue default."
    assert "-Q default" in absent["remedy"]


def test_a_dispatcher_that_is_gone_says_since_when(
    caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    Leadership.objects.update(expires_at=Now() - timedelta(minutes=90))
    (reason,) = explained(caller, make_job(acme))["reasons"]
    assert (reason["code"], "1 h ago" in reason["detail"]) == ("dispatcher_down", True)


def test_many_dependencies_are_counted_and_the_first_named(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.BLOCKED)
    for _ in range(25):
        Dependency.objects.create(job=job, depends_on=make_job(acme))
    reasons = explained(caller, job)["reasons"]
    assert len(reasons) == 20
    assert {reason["detail"] for reason in reasons} == {"It waits for 25 other jobs to end."}


def test_a_scheduled_job_without_a_worker_has_no_expected_start(
    caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    Worker.objects.all().delete()
    body = explained(caller, make_job(acme, Status.SCHEDULED))
    assert (codes(body), body["expected_start_at"]) == (["scheduled", "no_worker"], None)


def test_an_aged_job_has_only_those_of_its_new_level_ahead(
    caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    crowd(acme, 4, priority=75)
    aged = make_job(acme, priority=50, row={"queued_at": timezone.now() - timedelta(minutes=90)})
    Job.objects.filter(pk=aged.pk).update(created_at=aged.queued_at)
    body = explained(caller, aged)
    assert (body["ahead"], body["reasons"]) == (0, [])


def test_foreign_and_unknown_jobs_are_not_explained(
    caller: Caller, other: Tenant, make_job: MakeJob
) -> None:
    for job_id in (make_job(other).pk, uuid4()):
        assert caller.get(f"/jobs/{job_id}/explain").status == 404
