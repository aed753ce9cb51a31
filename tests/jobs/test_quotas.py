"""What a tenant may hand in: so many that wait, so many a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from jobs import quotas
from jobs.enqueue import Enqueued, JobOptions, JobRequest, enqueue, enqueue_many
from jobs.exceptions import JobsError, QuotaExceeded
from jobs.models import Job, TenantDay
from tests.jobs import making
from tests.jobs.kinds import ECHO
from tests.jobs.racing import together


def limited(tenant: Tenant, **limits: int) -> Tenant:
    Tenant.objects.filter(pk=tenant.pk).update(**limits)
    return Tenant.objects.get(pk=tenant.pk)


def request(**options: Any) -> JobRequest:
    return JobRequest(type_name=ECHO, payload={}, options=JobOptions(**options))


def refusals(outcomes: list[Enqueued | JobsError]) -> list[bool]:
    return [isinstance(outcome, QuotaExceeded) for outcome in outcomes]


def test_as_many_may_wait_as_the_quota_says(tenant: Tenant, other: Tenant) -> None:
    tenant = limited(tenant, max_queued=2)
    first = making.queued(tenant)
    making.scheduled(tenant)

    with pytest.raises(QuotaExceeded) as refusal:
        making.queued(tenant)

    assert refusal.value.retry_after == 60
    assert Job.objects.count() == 2
    making.queued(other)
    making.start(first)
    making.queued(tenant)


def test_as_many_are_handed_in_a_day_as_the_quota_says(tenant: Tenant) -> None:
    tenant = limited(tenant, max_per_day=2)
    for _ in range(2):
        making.complete(making.queued(tenant))

    with pytest.raises(QuotaExceeded) as refusal:
        making.queued(tenant)

    assert 0 < refusal.value.retry_after <= 86_400
    assert TenantDay.objects.get(tenant=tenant).jobs == 2


def test_a_new_day_begins_at_midnight_utc(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = limited(tenant, max_per_day=1)
    evening = datetime(2026, 3, 1, 23, 59, 30, tzinfo=UTC)
    clock = [evening]
    monkeypatch.setattr("jobs.quotas.timezone.now", lambda: clock[0])
    making.queued(tenant)
    with pytest.raises(QuotaExceeded) as refusal:
        making.queued(tenant)
    assert refusal.value.retry_after == 31

    clock[0] = evening + timedelta(seconds=31)
    making.queued(tenant)
    clock[0] = evening  # another machine's clock, which is behind
    with pytest.raises(QuotaExceeded):
        making.queued(tenant)

    assert TenantDay.objects.count() == 1


def test_in_one_call_those_beyond_the_quota_are_refused_and_stop_no_other(tenant: Tenant) -> None:
    tenant = limited(tenant, max_per_day=3)
    items = [request(), request(max_retries=-1), request(), request(unique_key="k"), request()]

    outcomes = enqueue_many(tenant, items)

    assert refusals(outcomes) == [False, False, False, True, False]
    assert Job.objects.count() == 3


def test_a_request_that_finds_its_key_taken_costs_no_quota(tenant: Tenant) -> None:
    tenant = limited(tenant, max_per_day=1)
    asked = JobOptions(unique_key="k")
    first = enqueue(tenant, ECHO, {}, asked)

    assert enqueue(tenant, ECHO, {}, asked).job == first.job
    assert refusals(enqueue_many(tenant, [request(unique_key="k"), request()])) == [False, True]


def test_of_many_keys_those_beyond_the_quota_are_refused(tenant: Tenant) -> None:
    tenant = limited(tenant, max_per_day=2)
    outcomes = enqueue_many(tenant, [request(unique_key=key) for key in "abca"])

    assert refusals(outcomes) == [False, False, True, False]
    assert TenantDay.objects.get(tenant=tenant).jobs == 2


def test_a_quota_of_nothing_refuses_everything(tenant: Tenant) -> None:
    for limits in ({"max_queued": 0, "max_per_day": None}, {"max_queued": None, "max_per_day": 0}):
        Tenant.objects.filter(pk=tenant.pk).update(**limits)
        with pytest.raises(QuotaExceeded):
            making.queued(Tenant.objects.get(pk=tenant.pk))


def test_a_refused_request_is_not_counted(tenant: Tenant) -> None:
    tenant = limited(tenant, max_per_day=5)
    with pytest.raises(JobsError):
        making.queued(tenant, max_retries=-1)

    making.queued(tenant)

    assert TenantDay.objects.get(tenant=tenant).jobs == 1


@pytest.mark.django_db(transaction=True)
def test_at_the_same_moment_no_more_than_the_days_quota_come_in(tenant: Tenant) -> None:
    tenant = limited(tenant, max_per_day=4)

    outcomes = together(*[lambda: enqueue_many(tenant, [request(), request()])] * 4)

    assert sum(refusals([one for outcome in outcomes for one in outcome])) == 4
    assert (Job.objects.count(), TenantDay.objects.get().jobs) == (4, 4)


def test_what_waits_is_counted_no_further_than_the_quota(tenant: Tenant) -> None:
    tenant = limited(tenant, max_queued=3)
    with CaptureQueriesContext(connection) as queries:
        making.queued(tenant)

    (count,) = [one["sql"] for one in queries if "COUNT" in one["sql"]]
    assert "LIMIT 3" in count


def test_a_tenant_without_quotas_pays_no_statement(tenant: Tenant) -> None:
    with CaptureQueriesContext(connection) as queries, quotas.allowance(tenant) as allowed:
        allowed.require_room()
        allowed.use()

    assert not queries
