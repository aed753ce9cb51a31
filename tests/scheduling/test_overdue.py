"""What schedules missed and which are overdue: whose, how much, how long, and at which cost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from scheduling.models import Firing, Schedule
from scheduling.overdue import MOST_TOLD, missed_lately, overdue
from scheduling.policies import Decision
from tests.scheduling.making import made

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def acme() -> Tenant:
    return Tenant.objects.create(slug="acme")


@pytest.fixture
def other() -> Tenant:
    return Tenant.objects.create(slug="other")


def became(schedule: Schedule, decision: str, ago: timedelta = HOUR / 2, **fields: Any) -> Firing:
    at = timezone.now() - ago
    given = {"moment": at, "decided_at": at, **fields}
    return Firing.objects.create(schedule=schedule, decision=decision, **given)


def let_pass(schedule: Schedule, seconds: float) -> datetime:
    moment = timezone.now() - timedelta(seconds=seconds)
    Schedule.objects.filter(pk=schedule.pk).update(next_moment=moment)
    return moment


def test_what_was_left_out_refused_or_late_is_counted_by_schedule(acme: Tenant) -> None:
    nightly, hourly = made(acme, name="nightly"), made(acme, name="hourly")
    first = became(nightly, Decision.MISSED, HOUR * 0.9)
    became(nightly, Decision.MISSED, HOUR * 0.8)
    became(nightly, Decision.FIRED, HOUR * 0.7, late_seconds=3600)
    became(hourly, Decision.REFUSED, HOUR * 0.1)

    newest, older = missed_lately()
    assert (newest.name, newest.refused, newest.runs) == ("hourly", 1, 1)
    assert (older.name, older.left_out, older.late, older.runs) == ("nightly", 2, 1, 3)
    assert older.since == first.moment


@pytest.mark.parametrize(
    ("decision", "fields"),
    [
        (Decision.FIRED, {}),
        (Decision.FIRED, {"late_seconds": 59.0}),
        (Decision.SKIPPED, {"late_seconds": 59.0}),
        (Decision.SKIPPED, {"late_seconds": 4000.0}),
        (Decision.FIRED, {"late_seconds": 90_000.0, "by": "user:eve"}),
        (Decision.FIRED, {"moment": None, "by": "user:eve"}),
        (Decision.REFUSED, {"late_seconds": 90_000.0, "by": "user:eve"}),
        (Decision.REFUSED, {"moment": None, "by": "user:eve"}),
        (Decision.MISSED, {"ago": 25 * HOUR}),
    ],
    ids=[
        "in time",
        "hardly late",
        "skipped",
        "skipped late",
        "filled in",
        "by hand",
        "refused as it was filled in",
        "refused by hand",
        "long ago",
    ],
)
def test_what_ran_in_time_or_was_meant_so_is_no_miss(
    decision: str, fields: dict[str, Any], acme: Tenant
) -> None:
    became(made(acme), decision, **fields)
    assert list(missed_lately()) == []


def test_a_setting_says_how_long_a_miss_is_told(acme: Tenant, settings: Settings) -> None:
    became(made(acme), Decision.MISSED, HOUR * 3)
    assert list(missed_lately()) == []
    settings.ALERT_SCHEDULE_MISSED_SECONDS = 4 * 3600.0
    assert [one.runs for one in missed_lately()] == [1]


@pytest.mark.parametrize("look", [missed_lately, overdue])
def test_a_tenant_and_an_owner_are_told_of_their_own_schedules(
    look: Any, acme: Tenant, other: Tenant
) -> None:
    for schedule in (
        made(acme, name="ours", owner="ada"),
        made(acme, name="ours too"),
        made(other, name="theirs"),
    ):
        became(schedule, Decision.MISSED)
        let_pass(schedule, 300)
    assert {one.name for one in look()} == {"ours", "ours too", "theirs"}
    assert {one.name for one in look(acme.pk)} == {"ours", "ours too"}
    assert [one.name for one in look(acme.pk, "ada")] == ["ours"]


def test_a_schedule_is_overdue_once_the_grace_is_over_and_while_it_is_on(acme: Tenant) -> None:
    schedule = made(acme)
    assert list(overdue()) == []
    let_pass(schedule, 30)
    assert list(overdue()) == []
    moment = let_pass(schedule, 90)
    assert [(one.schedule_id, one.since) for one in overdue()] == [(schedule.pk, moment)]
    Schedule.objects.update(enabled=False)
    assert list(overdue()) == []


def test_the_longest_overdue_come_first_and_not_all_of_very_many(acme: Tenant) -> None:
    for number in range(MOST_TOLD + 2):
        let_pass(made(acme, name=f"number {number}"), 100 + number)
    found = overdue()
    assert len(found) == MOST_TOLD
    assert found[0].name == f"number {MOST_TOLD + 1}"


def test_each_look_goes_by_its_index(acme: Tenant) -> None:
    """Beside many firings and schedules that are none of its business."""
    schedule = made(acme)
    now = timezone.now()
    Firing.objects.bulk_create(
        Firing(schedule=schedule, moment=now - number * timedelta(seconds=1), decision="fired",
               decided_at=now)
        for number in range(3000)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE scheduling_firing")
    with CaptureQueriesContext(connection) as queries:
        missed_lately(acme.pk)
    (query,) = (one["sql"] for one in queries)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {query}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "firing_missed" in plan
