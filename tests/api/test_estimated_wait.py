"""How long a queued job is likely to wait: told of one job, as `explain` would."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Tenant
from jobs.explain import estimate
from jobs.models import Job, Leadership, Pause, Queue, Worker
from jobs.states import Status
from tests.api import kinds
from tests.api.calling import Caller
from tests.api.conftest import MakeJob
from tests.api.test_cost import Statements
from tests.jobs.crowd import crowd

NEW: dict[str, Any] = {"type": kinds.report.name, "payload": {"report_id": 1}}


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    estimate.forget()
    yield
    estimate.forget()


@pytest.fixture
def at_work(db: None) -> None:
    """A dispatcher that leads, and a worker with slots for the tests' job type."""
    Leadership.objects.create(duty="dispatcher", expires_at=Now() + timedelta(minutes=5))
    Worker.objects.create(
        name="w", incarnation=uuid4(), queues=["default"], types=[kinds.report.name], slots=2
    )


def wait_of(caller: Caller, job: Job) -> float | None:
    wait: float | None = caller.get(f"/jobs/{job.pk}").body["estimated_wait_seconds"]
    return wait


def test_a_job_waits_until_those_before_it_are_worked_off_as_fast_as_of_late(
    caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    crowd(acme, 60, Status.COMPLETED, ago=5)  # one a second
    crowd(acme, 12)
    job = make_job(acme)
    assert wait_of(caller, job) == 12
    assert caller.post("/jobs", NEW).body["estimated_wait_seconds"] == 13


def test_higher_levels_go_first(
    caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    crowd(acme, 60, Status.COMPLETED, ago=5)
    for _ in range(3):
        make_job(acme, priority=75)
    assert wait_of(caller, make_job(acme, priority=10)) == 3


def test_it_agrees_with_explain(
    caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    crowd(acme, 60, Status.COMPLETED, ago=5)
    crowd(acme, 600)
    job = make_job(acme)
    before = timezone.now()
    wait = wait_of(caller, job)
    start = caller.get(f"/jobs/{job.pk}/explain").body["expected_start_at"]
    after = timezone.now()
    assert wait is not None
    expected = datetime.fromisoformat(start) - timedelta(seconds=wait)
    assert before - timedelta(seconds=1) <= expected <= after + timedelta(seconds=1)


def test_nobody_knows_without_a_worker_or_under_a_pause_without_end(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    crowd(acme, 60, Status.COMPLETED, ago=5)
    job = make_job(acme)
    assert wait_of(caller, job) is None
    Leadership.objects.create(duty="dispatcher", expires_at=Now() + timedelta(minutes=5))
    Worker.objects.create(
        name="w", incarnation=uuid4(), queues=["default"], types=[kinds.report.name], slots=2
    )
    estimate.forget()
    assert wait_of(caller, job) == 0
    Pause.objects.create(kind="queue", target="default")
    estimate.forget()
    assert wait_of(caller, job) is None


def test_where_nothing_was_measured_it_is_not_told(
    caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    make_job(acme)
    assert wait_of(caller, make_job(acme)) is None


@pytest.mark.parametrize("status", [status for status in Status if status != Status.QUEUED])
def test_only_a_queued_job_waits(
    status: Status, caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    crowd(acme, 60, Status.COMPLETED, ago=5)
    assert wait_of(caller, make_job(acme, status)) is None


def test_a_list_does_not_tell(
    caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    make_job(acme)
    (item,) = caller.get("/jobs").body["items"]
    assert item["estimated_wait_seconds"] is None


@pytest.mark.usefixtures("use_noted_once")
def test_the_second_job_within_seconds_costs_no_more_statements_than_without_it(
    caller: Caller, at_work: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "REMEMBERED_SECONDS", 600.0)
    assert caller.post("/jobs", NEW).body["estimated_wait_seconds"] == 0
    with Statements() as statements:
        caller.post("/jobs", NEW)
    assert len(statements.sent) <= 3, statements.sent


def test_when_it_is_time_one_looks_again_and_the_others_take_what_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    remembered: estimate.Remembered[str, int] = estimate.Remembered()
    monkeypatch.setattr(estimate, "REMEMBERED_SECONDS", 0.0)
    assert remembered.get("a", lambda: 1) == 1
    monkeypatch.setattr(estimate, "REMEMBERED_SECONDS", 600.0)

    def look() -> int:
        assert remembered.get("a", lambda: 3) == 1  # meanwhile others take what is known
        return 2

    assert remembered.get("a", look) == 2
    assert remembered.get("a", lambda: 4) == 2


def test_other_queues_are_no_matter(
    caller: Caller, acme: Tenant, make_job: MakeJob, at_work: None
) -> None:
    Queue.objects.get_or_create(name="side")
    crowd(acme, 60, Status.COMPLETED, ago=5)
    for _ in range(5):
        make_job(acme, queue="side", priority=69)
    assert wait_of(caller, make_job(acme)) == 0
