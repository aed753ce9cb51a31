"""GET /health tells of schedules that did not run in time, each caller of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Tenant
from accounts.scopes import Scope
from jobs.models import Leadership, Worker
from scheduling import scheduler
from scheduling.models import Firing, Schedule
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller
from tests.scheduling.making import made

pytestmark = pytest.mark.usefixtures("patient_probes")


@pytest.fixture(autouse=True)
def _all_there(db: None) -> None:
    Leadership.objects.create(duty="dispatcher", expires_at=Now() + timedelta(minutes=5))
    scheduler.show_life()
    Worker.objects.create(name="w", incarnation=uuid4(), queues=["default"], slots=2)


def health(caller: Caller) -> dict[str, Any]:
    answer = caller.get("/health")
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


def missed(schedule: Schedule) -> Firing:
    moment = timezone.now() - timedelta(minutes=10)
    return Firing.objects.create(schedule=schedule, moment=moment, decision="missed")


def test_a_missed_run_is_an_alert_that_degrades_nothing(caller: Caller, acme: Tenant) -> None:
    schedule = made(acme, name="nightly")
    firing = missed(schedule)
    body = health(caller)
    assert body["status"] == "healthy"
    assert firing.moment is not None
    assert body["alerts"] == [
        {
            "kind": "schedule_missed",
            "detail": "1 run of “nightly” not in time: 1 left out.",
            "object": f"schedule:{schedule.pk}",
            "since": f"{firing.moment:%Y-%m-%dT%H:%M:%S.%f}Z",
        }
    ]


def test_a_schedule_that_nobody_fires_degrades(caller: Caller, acme: Tenant) -> None:
    schedule = made(acme, name="nightly")
    Schedule.objects.update(next_moment=timezone.now() - timedelta(minutes=5))
    body = health(caller)
    assert body["status"] == "degraded"
    (alert,) = body["alerts"]
    assert (alert["kind"], alert["object"]) == ("schedule_overdue", f"schedule:{schedule.pk}")
    assert "nightly" in alert["detail"]


def test_nobody_is_told_of_anothers_schedules(
    caller: Caller,
    caller_of: MakeCaller,
    platform: Callable[[str | None], Caller],
    acme: Tenant,
    other: Tenant,
) -> None:
    for schedule in (made(other, name="theirs"), made(acme, name="adas", owner="ada")):
        missed(schedule)
        Schedule.objects.update(next_moment=timezone.now() - timedelta(minutes=5))
    bob = caller_of(acme, [Scope.JOBS_READ], owner="bob")
    assert health(bob)["alerts"] == []
    assert health(bob)["status"] == "healthy"
    assert {"theirs" in alert["detail"] for alert in health(caller)["alerts"]} == {False}
    assert len(health(caller)["alerts"]) == 2
    assert len(health(platform("*"))["alerts"]) == 4
