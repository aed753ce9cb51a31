"""What is wrong with one schedule, or with one tenant, costs no other its moment."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts.models import Tenant
from jobs import lifecycle
from jobs.models import Job
from jobs.operations import Actor
from jobs.states import Status
from scheduling import firing as firing_module
from scheduling import planning
from scheduling.backfilling import backfill
from scheduling.firing import Firing, fire_due
from scheduling.models import Firing as Row
from scheduling.models import Schedule
from tests.scheduling.making import at, fired, since, told

pytestmark = pytest.mark.django_db
REPLACE = {"overlap": "replace"}


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.get(slug="default")


def test_long_overdue_ones_do_not_hold_up_what_comes_right_now(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = [since(tenant, at(0), "* * * * *", misfire="run_all") for _ in range(12)]
    fresh = since(tenant, at(11, 30))
    monkeypatch.setattr(firing_module, "LONGEST_SECONDS", 0.02)  # one round
    Firing().run(at(12))
    assert fired(fresh) == [at(12)]
    assert sum(bool(told(one)) for one in late) < len(late)


@pytest.mark.django_db(transaction=True)
def test_a_tenant_whose_rows_somebody_holds_holds_up_nobody_else(tenant: Tenant) -> None:
    other = Tenant.objects.create(slug="other", name="Other")
    held = [since(tenant, at(9, 30), **REPLACE) for _ in range(8)]
    free = since(other, at(9, 30))
    fire_due(now=at(10))
    holding, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(Job.objects.select_for_update().filter(schedule_id__in=[one.pk for one in held]))
            holding.set()
            done.wait(60)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert holding.wait(60)
        Firing().run(at(11))
        assert fired(free) == [at(10), at(11)]
        assert all(fired(one) == [at(10)] for one in held)
    finally:
        done.set()
        thread.join()
    Firing().run(at(11))
    assert all(fired(one) == [at(10), at(11)] for one in held)


def test_what_is_to_be_replaced_goes_on_where_nothing_replaces_it(tenant: Tenant) -> None:
    schedule = since(tenant, at(9, 30), **REPLACE)
    fire_due(now=at(10))
    Schedule.objects.filter(pk=schedule.pk).update(type="no.such")
    fire_due(now=at(11))
    assert [decision for _, decision, _ in told(schedule)] == ["fired", "refused"]
    assert Job.objects.get(schedule_id=schedule.pk).status == Status.QUEUED


def test_a_new_run_waits_for_the_end_of_the_one_that_it_replaces(tenant: Tenant) -> None:
    schedule = since(tenant, at(9, 30), **REPLACE)
    fire_due(now=at(10))
    first = Job.objects.get(schedule_id=schedule.pk)
    lifecycle.dispatch([first.pk])
    Job.objects.filter(pk=first.pk).update(
        status=Status.PROCESSING, dispatched_at=None, started_at=at(10), incarnation=first.pk,
        lease_expires_at=at(12), attempt=1,
    )  # fmt: skip
    fire_due(now=at(11))
    first.refresh_from_db()
    assert first.cancel_requested_at is not None
    second = Job.objects.exclude(pk=first.pk).get(schedule_id=schedule.pk)
    assert second.status == Status.BLOCKED


def test_what_was_filled_in_is_not_replaced(tenant: Tenant) -> None:
    schedule = since(tenant, at(9, 30), **REPLACE)
    backfill(schedule, at(5), at(9), Actor(name="test"))
    assert fire_due(now=at(10)).jobs == 1
    assert Job.objects.active().filter(schedule_id=schedule.pk).count() == 4 + 1


def test_large_payloads_are_handed_in_a_part_at_a_time(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "MOST_BYTES", 50_000)
    large = {"text": "x" * 9_000}
    schedules = [
        since(tenant, at(0), misfire="run_all", payload=large, name=f"large {number}")
        for number in range(2)
    ]
    done = [fire_due(now=at(9, 30)).jobs for _ in range(5)]
    assert done == [4, 5, 4, 5, 0] or max(done) <= 5
    assert all(fired(one) == [at(hour) for hour in range(1, 10)] for one in schedules)


def test_a_row_that_stands_where_many_are_summed_up_stops_nothing(tenant: Tenant) -> None:
    schedule = since(tenant, at(0), "* * * * *")
    first = schedule.next_moment
    assert first is not None
    Row.objects.create(schedule=schedule, moment=first, decision="skipped")
    fire_due(now=at(12))
    schedule.refresh_from_db()
    assert schedule.next_moment == at(12) + timedelta(minutes=1)


def test_a_calendar_does_not_use_up_the_limit_of_what_is_run_late(tenant: Tenant) -> None:
    from scheduling.models import Calendar

    weekend = Calendar.objects.create(tenant=tenant, name="weekend", weekdays=[6, 7])
    schedule = since(
        tenant, at(0, day=12), "@hourly", misfire="run_all", misfire_limit=150,
        calendar_ids=(weekend.pk,),
    )  # fmt: skip
    fire_due(now=at(0, 30, day=16))  # Thursday to Monday
    assert len(fired(schedule)) == 48
