"""A catch-up is told once, with the right numbers; many at once cost few statements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from jobs.models import Job
from jobs.signals import happened
from scheduling import firing
from scheduling.firing import BATCH, Firing, fire_due
from scheduling.models import Schedule
from tests.scheduling.making import at, fired, since

pytestmark = pytest.mark.django_db

MOST_STATEMENTS = 16  # of one round, however many schedules it fires


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.get(slug="default")


@pytest.fixture
def events() -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []

    def hear(event: str, data: dict[str, Any], **_: Any) -> None:
        if event == "schedule.missed":
            heard.append(data)

    happened.connect(hear, sender=Schedule)
    yield heard
    happened.disconnect(hear, sender=Schedule)


@pytest.mark.parametrize(
    ("fields", "missed", "late"),
    [
        ({"misfire": "skip"}, 3, 0),
        ({"misfire": "run_once"}, 3, 1),
        ({"misfire": "run_all"}, 3, 3),
        ({"misfire": "run_all", "misfire_limit": 2}, 3, 2),
    ],
    ids=["skip", "once", "all", "limited"],
)
def test_what_was_missed_is_told_once_for_the_whole_catch_up(
    tenant: Tenant, events: list[dict[str, Any]], fields: dict[str, Any], missed: int, late: int
) -> None:
    schedule = since(tenant, at(9, 30), **fields)
    fire_due(now=at(12, 30))
    fire_due(now=at(12, 31))
    (event,) = events
    assert (event["schedule_id"], event["name"]) == (str(schedule.pk), schedule.name)
    assert (event["missed"], event["run_late"], event["more_before"]) == (missed, late, False)
    told = [datetime.fromisoformat(event[name]) for name in ("first_moment", "last_moment")]
    assert told == [at(10), at(12)]
    assert event["first_moment"].endswith("T10:00:00Z")


def test_what_runs_in_time_is_told_nobody(tenant: Tenant, events: list[dict[str, Any]]) -> None:
    since(tenant, at(9, 30))
    fire_due(now=at(10, 0, 59))
    assert events == []


def test_a_thousand_that_catch_up_are_a_few_lines_of_the_log(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(30):
        since(tenant, at(9, 30))
    fire_due(now=at(12, 30))
    lines = [one.getMessage() for one in caplog.records if one.name == "scheduling.firing"]
    assert len(lines) == 11
    assert lines[-1] == "20 more schedules missed moments, 60 in all"


def test_a_round_takes_as_many_statements_for_many_as_for_one(tenant: Tenant) -> None:
    since(tenant, at(9, 30))
    with CaptureQueriesContext(connection) as one:
        fire_due(now=at(10))
    for _ in range(BATCH):
        since(tenant, at(10, 30))
    with CaptureQueriesContext(connection) as many:
        assert fire_due(now=at(11)).jobs == BATCH
    assert len(many) <= len(one) + 2 <= MOST_STATEMENTS + 2


def test_a_backlog_of_many_moments_is_worked_off_in_bounded_transactions(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction of all that two hundred schedules missed might never come to its end."""
    monkeypatch.setattr(firing, "LONGEST_SECONDS", 60.0)
    schedules = [
        since(tenant, at(9, 30), "* * * * *", misfire="run_all", misfire_limit=1_000)
        for _ in range(6)
    ]
    now = at(9, 30) + timedelta(minutes=200)
    assert fire_due(now=now).jobs == 600
    assert Firing().run(now) == 600
    assert Job.objects.count() == 1_200
    assert {len(fired(one)) for one in schedules} == {200}
