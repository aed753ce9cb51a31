"""Backfills of what has many forms: one row for many misses, cancelled jobs, large payloads."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Tenant
from jobs import lifecycle
from jobs.models import Job
from scheduling import backfilling
from scheduling.backfilling import backfill
from scheduling.exceptions import InvalidSchedule
from scheduling.models import Firing, Schedule
from scheduling.policies import Decision
from tests.scheduling.making import BY, HOUR, at, fired, made, since

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.get(slug="default")


def with_many(tenant: Tenant, first: datetime, until: datetime) -> Schedule:
    """One row stands for its moments from `first` on and before `until`."""
    schedule = since(tenant, at(0, day=1))
    Schedule.objects.filter(pk=schedule.pk).update(next_moment=at(0, day=12))
    Firing.objects.create(
        schedule=schedule, moment=first, until=until, decision=Decision.MISSED, reason="many"
    )
    return schedule


def many(schedule: Schedule) -> list[tuple[datetime | None, datetime | None]]:
    return list(schedule.firings.filter(until__isnull=False).values_list("moment", "until"))


def test_a_row_of_many_goes_on_to_stand_for_the_rest(tenant: Tenant) -> None:
    schedule = with_many(tenant, at(1), at(9))
    backfill(schedule, at(1), at(3), BY)
    assert fired(schedule) == [at(1), at(2)]
    assert many(schedule) == [(at(3), at(9))]

    backfill(schedule, at(4), at(6), BY)
    assert many(schedule) == [(at(3), at(9))]
    backfill(schedule, at(3), at(4), BY)
    assert many(schedule) == [(at(6), at(9))]  # those between have rows of their own
    assert fired(schedule) == [at(hour) for hour in range(1, 6)]

    backfill(schedule, at(0), at(12), BY)
    assert many(schedule) == []
    assert fired(schedule) == [at(hour) for hour in range(12)]
    assert Job.objects.filter(schedule_id=schedule.pk).count() == 12


def test_a_look_moves_no_row_of_many(tenant: Tenant) -> None:
    schedule = with_many(tenant, at(1), at(9))
    backfill(schedule, at(1), at(3), BY, dry_run=True)
    assert many(schedule) == [(at(1), at(9))]


def test_a_cancelled_job_is_made_again_and_a_removed_one_is_not(tenant: Tenant) -> None:
    schedule = made(tenant)
    first, second, third = (one.outcome for one in backfill(schedule, at(0), at(3), BY))
    assert first
    assert second
    assert third
    assert first.job_id
    lifecycle.cancel(first.job_id, by="test")
    Job.objects.filter(pk__in=[second.job_id]).delete()

    again = backfill(schedule, at(0), at(3), BY)
    assert [one.ran_before for one in again] == [False, True, True]
    assert [one.job_id for one in again] == [None, second.job_id, third.job_id]
    row = schedule.firings.get(moment=at(0))
    assert row.job_id not in (None, first.job_id)
    assert Job.objects.get(pk=row.job_id).scheduled_for == at(0)


@pytest.mark.parametrize("dry_run", [False, True])
def test_large_payloads_of_many_moments_are_refused(
    dry_run: bool, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfilling, "MOST_BYTES", 3 * 2**20)
    schedule = made(tenant, payload={"text": "x" * 200_000})
    with pytest.raises(InvalidSchedule) as refusal:
        backfill(schedule, at(0), at(20), BY, dry_run=dry_run)
    (error,) = refusal.value.errors
    assert (error.pointer, error.detail) == (
        "/from", "would hand in 4 MiB; take a shorter range",
    )  # fmt: skip
    assert not Job.objects.exists()

    assert len(backfill(schedule, at(0), at(10), BY, dry_run=dry_run)) == 10
    if not dry_run:  # what ran before is not handed in again
        assert len(backfill(schedule, at(0), at(15), BY)) == 15


def test_what_is_past_goes_by_the_databases_clock(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule, now = made(tenant), timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(days=2))
    with pytest.raises(InvalidSchedule) as refusal:
        backfill(schedule, now - HOUR, now + timedelta(days=1), BY)
    assert [one.pointer for one in refusal.value.errors] == ["/to"]


def test_a_backfill_does_not_wait_for_ever(tenant: Tenant) -> None:
    backfill(made(tenant), at(0), at(3), BY)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("2s",)
