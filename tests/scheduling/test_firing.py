"""A moment that has come becomes one job, or a decision why there is none."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from accounts.models import Tenant
from jobs.models import Job
from jobs.states import Status
from scheduling import firing
from scheduling.firing import BATCH, Firing, fire_due
from scheduling.models import Schedule
from tests.scheduling.making import at, fired, made, since, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.get(slug="default")


def test_a_moment_becomes_one_job_that_knows_it(tenant: Tenant) -> None:
    schedule = since(tenant, at(9, 30), payload={"a": 1}, priority="high", labels={"k": "v"})
    assert fire_due(now=at(9, 59, 59)).schedules == 0
    assert fire_due(now=at(10)).jobs == 1
    assert fire_due(now=at(10)).schedules == 0
    (job,) = Job.objects.filter(schedule_id=schedule.pk)
    assert (job.type, job.payload, job.priority, job.labels) == (
        "diagnostics.echo", {"a": 1}, 75, {"k": "v"},
    )  # fmt: skip
    assert (job.scheduled_for, job.created_by) == (at(10), f"schedule:{schedule.pk}")
    schedule.refresh_from_db()
    assert (schedule.next_moment, schedule.next_run_at) == (at(11), at(11))
    assert (schedule.last_run_at, schedule.last_job_id) == (at(10), job.pk)
    assert schedule.periodic_task is not None
    schedule.periodic_task.refresh_from_db()
    assert schedule.periodic_task.total_run_count == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"misfire": "skip"}, []),
        ({"misfire": "run_once"}, [at(12)]),
        ({"misfire": "run_all"}, [at(10), at(11), at(12)]),
        ({"misfire": "run_all", "misfire_limit": 2}, [at(11), at(12)]),
        ({"misfire": "run_all", "overlap": "skip"}, [at(10)]),
        ({"misfire": "run_all", "overlap": "replace"}, [at(12)]),
    ],
    ids=["skip", "once", "all", "limited", "all-without-overlap", "all-replacing"],
)
def test_after_three_hours_each_policy_does_what_it_says(
    tenant: Tenant, fields: dict[str, Any], expected: list[object]
) -> None:
    schedule = since(tenant, at(9, 30), **fields)
    fire_due(now=at(12, 30))
    assert fired(schedule) == expected
    assert len(told(schedule)) == 3
    fire_due(now=at(13))
    assert at(13) in fired(schedule) or fields.get("overlap") == "skip"


def test_one_in_time_is_the_run_of_those_that_were_missed(tenant: Tenant) -> None:
    schedule = since(tenant, at(9, 30))
    fire_due(now=at(12, 0, 30))
    assert fired(schedule) == [at(12)]


def test_the_whole_past_is_decided_with_a_bounded_number_of_rows(tenant: Tenant) -> None:
    schedule = since(tenant, at(0), "* * * * *", misfire="run_all", misfire_limit=3)
    fire_due(now=at(0, day=20))
    rows = told(schedule)
    assert len(rows) == 1 + 100 + 2
    assert len(fired(schedule)) == 3 + 2  # two are in time
    first = schedule.firings.get(until__isnull=False)
    assert first.moment == at(0, 1)
    assert first.until == at(0, day=20) - timedelta(minutes=101)
    schedule.refresh_from_db()
    assert schedule.next_moment == at(0, 1, day=20)


def test_nobody_looks_at_the_same_schedule_at_once_and_errors_stay_alone(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = since(tenant, at(9, 30)), since(tenant, at(9, 30))
    Schedule.objects.filter(pk=bad.pk).update(timezone="No/Where")
    firing = Firing()
    assert firing.run(at(10)) == 1
    assert fired(good) == [at(10)]
    assert told(bad) == []
    assert firing.run(at(11)) == 1  # the bad one is left alone


def test_a_run_that_would_overlap_is_skipped_or_replaces(tenant: Tenant) -> None:
    skipping = since(tenant, at(9, 30), overlap="skip")
    replacing = since(tenant, at(9, 30), overlap="replace")
    fire_due(now=at(10))
    first = Job.objects.get(schedule_id=replacing.pk)
    fire_due(now=at(11))
    assert told(skipping)[-1][1:] == ("skipped", "overlap")
    first.refresh_from_db()
    assert first.status == Status.CANCELLED
    assert first.cancelled_by == f"schedule:{replacing.pk}"
    assert Job.objects.active().filter(schedule_id=replacing.pk).count() == 1


def test_a_job_that_cannot_be_made_is_refused_with_its_reason(tenant: Tenant) -> None:
    schedule = since(tenant, at(9, 30))
    Schedule.objects.filter(pk=schedule.pk).update(type="no.such")
    assert fire_due(now=at(10)).jobs == 0
    ((_, decision, reason),) = told(schedule)
    assert decision == "refused"
    assert "no.such" in reason


def test_many_due_at_once_take_few_rounds(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "LONGEST_SECONDS", 60.0)
    for _ in range(BATCH + 5):
        since(tenant, at(9, 30))
    assert Firing().run(at(10)) == BATCH + 5
    assert Job.objects.count() == BATCH + 5


def test_moments_follow_each_other_without_a_gap(tenant: Tenant) -> None:
    schedule = since(tenant, at(9, 30), "@every 90m", starts_at=at(9))
    for minute in range(0, 24 * 60, 30):
        fire_due(now=at(9, 30) + timedelta(minutes=minute))
    assert fired(schedule)[0] == at(10, 30)
    assert {b - a for a, b in pairwise(fired(schedule))} == {timedelta(minutes=90)}


def test_an_edit_of_the_rule_forgets_the_past(tenant: Tenant) -> None:
    schedule = made(tenant, "@hourly")
    assert schedule.next_moment is not None
    assert schedule.next_moment > schedule.effective_from
