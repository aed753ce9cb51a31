"""`scheduling.testing`: schedules of any time, fired in a test."""

from __future__ import annotations

import pytest

from accounts.models import Tenant
from scheduling.testing import fire_between
from tests.scheduling.making import at, fired, made

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.get(slug="default")


def test_each_run_of_that_time_is_a_job_in_order(tenant: Tenant) -> None:
    daily, hourly = made(tenant, "0 2 * * *"), made(tenant, "@hourly")
    made(tenant, "@hourly", enabled=False)
    jobs = fire_between(at(0), at(3))
    assert [job.scheduled_for for job in jobs] == [at(0), at(1), at(2), at(2)]
    assert (fired(daily), fired(hourly)) == ([at(2)], [at(0), at(1), at(2)])


def test_a_run_that_would_overlap_is_skipped(tenant: Tenant) -> None:
    schedule = made(tenant, "@hourly", overlap="skip")
    assert len(fire_between(at(0), at(3))) == 1
    assert fired(schedule) == [at(0)]


def test_what_runs_never_in_that_time_makes_nothing(tenant: Tenant) -> None:
    made(tenant, "0 0 1 1 *")
    assert fire_between(at(0), at(3)) == []
