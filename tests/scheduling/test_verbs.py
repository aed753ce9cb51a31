"""What people do to schedules, where the schedule, the clock or the moment is against them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEntry, Tenant
from jobs.exceptions import QuotaExceeded
from jobs.models import Job
from scheduling import firing, verbs
from scheduling.clock import database_now
from scheduling.exceptions import InvalidSchedule
from scheduling.models import Schedule
from scheduling.overtaken import SWITCHED_OFF
from tests.api import kinds
from tests.scheduling.making import BY, fired, made, since, told

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
NEVER = "30 2 * 3 0L"  # the hour that Amsterdam's clocks leave out


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.get(slug="default")


def due(tenant: Tenant, ago: timedelta, expression: str = "* * * * *", **fields: Any) -> Schedule:
    """Its first moment that nobody decided about came so long ago, or up to a minute later."""
    return since(tenant, database_now() - ago - MINUTE, expression, **fields)


# --- what became invalid ---------------------------------------------------------------------


def no_type(schedule: Schedule, settings: Settings) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(type="no.such")


def no_queue(schedule: Schedule, settings: Settings) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(queue="no-such")


def too_often(schedule: Schedule, settings: Settings) -> None:
    settings.SCHEDULE_MIN_INTERVAL_SECONDS = 86_400


def another_key(schedule: Schedule, settings: Settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key, long enough", []


@pytest.mark.parametrize("spoil", [no_type, no_queue, too_often, another_key])
@pytest.mark.parametrize("way", ["toggle", "change", "redeclare"])
def test_what_became_invalid_can_be_switched_off(
    way: str, spoil: Any, tenant: Tenant, settings: Settings
) -> None:
    payload = {"report_id": 7, "access_token": "t0ken"}
    schedule = made(tenant, type=kinds.report.name, payload=payload)
    spoil(schedule, settings)
    stored = Schedule.objects.get(pk=schedule.pk).payload
    if way == "toggle":
        verbs.toggle(schedule, BY, enabled=False)
    else:
        getattr(verbs, way)(schedule, {"enabled": False}, BY)

    row = Schedule.objects.select_related("periodic_task").get(pk=schedule.pk)
    assert (row.enabled, row.next_moment, row.next_run_at) == (False, None, None)
    assert row.payload == stored
    assert row.periodic_task is not None
    assert row.periodic_task.enabled is False
    entry = AuditEntry.objects.filter(action="schedule.change").get()
    assert (entry.before, entry.after) == ({"enabled": True}, {"enabled": False})
    with pytest.raises(InvalidSchedule):
        verbs.toggle(schedule, BY, enabled=True)


def test_what_is_off_stays_off_without_an_entry(tenant: Tenant) -> None:
    schedule = made(tenant, enabled=False)
    verbs.toggle(schedule, BY, enabled=False)
    assert not AuditEntry.objects.filter(action="schedule.change").exists()


@pytest.mark.parametrize(
    "changed",
    [{"report_id": 7, "access_token": "another"}, {"report_id": 8, "access_token": "***"}],
    ids=["secret", "open"],
)
def test_a_changed_payload_is_audited_also_where_only_a_secret_changed(
    tenant: Tenant, changed: dict[str, Any]
) -> None:
    payload = {"report_id": 7, "access_token": "t0ken"}
    schedule = made(tenant, type=kinds.report.name, payload=payload)
    verbs.change(schedule, {"payload": {**payload, "access_token": "***"}}, BY)
    assert not AuditEntry.objects.filter(action="schedule.change").exists()
    verbs.change(schedule, {"payload": changed}, BY)
    entry = AuditEntry.objects.get(action="schedule.change")
    assert entry.after is not None
    assert entry.after["payload"]["access_token"] == "***"


# --- moments that a change overtakes ---------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [{"cron_expression": "0 4 * * *"}, {"timezone": "Asia/Tokyo"}, {"starts_at": None}],
    ids=lambda one: next(iter(one)),
)
def test_what_came_before_another_rule_is_decided_by_the_old_one(
    changes: dict[str, Any], tenant: Tenant
) -> None:
    start = database_now() - timedelta(days=9)
    schedule = due(tenant, 5 * MINUTE, misfire="run_all", starts_at=start)
    before = schedule.next_moment
    verbs.change(schedule, changes, BY)
    assert len(fired(schedule)) >= 5
    assert fired(schedule)[0] == before
    schedule.refresh_from_db()
    assert schedule.next_moment is not None
    assert schedule.next_moment > schedule.effective_from > fired(schedule)[-1]


def test_what_is_no_other_rule_leaves_the_moment_to_the_scheduler(tenant: Tenant) -> None:
    schedule = due(tenant, 5 * MINUTE)
    verbs.change(schedule, {"description": "x"}, BY)
    assert told(schedule) == []
    assert Schedule.objects.get(pk=schedule.pk).next_moment == schedule.next_moment


@pytest.mark.parametrize("more", [{}, {"description": "x"}], ids=["off", "off and more"])
def test_a_moment_that_came_just_before_off_is_run(more: dict[str, Any], tenant: Tenant) -> None:
    schedule = made(tenant, "@yearly")
    moment = database_now() - timedelta(seconds=1)
    Schedule.objects.filter(pk=schedule.pk).update(next_moment=moment)
    verbs.change(schedule, {"enabled": False, **more}, BY)
    assert fired(schedule) == [moment]
    row = Schedule.objects.get(pk=schedule.pk)
    assert (row.enabled, row.next_moment, row.last_job_id) == (
        False, None, Job.objects.get(schedule_id=schedule.pk).pk,
    )  # fmt: skip


def test_what_came_long_before_off_is_told_and_not_run(tenant: Tenant) -> None:
    schedule = due(tenant, timedelta(hours=1))
    verbs.toggle(schedule, BY, enabled=False)
    assert not Job.objects.exists()
    assert told(schedule) == [(schedule.next_moment, "missed", SWITCHED_OFF)]
    assert schedule.firings.get().until is not None


@pytest.mark.parametrize(
    "error", [QuotaExceeded("full", retry_after=1), DatabaseError("held"), ValueError("bug")]
)
def test_where_a_moment_cannot_be_decided_the_change_goes_on(
    error: Exception, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    schedule = due(tenant, 5 * MINUTE)
    monkeypatch.setattr(firing, "fire_due", fail)
    verbs.change(schedule, {"cron_expression": "0 4 * * *"}, BY)
    assert Schedule.objects.get(pk=schedule.pk).cron_expression == "0 4 * * *"


# --- clock, waits and words ------------------------------------------------------------------


def test_the_webs_clock_has_no_say(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = timezone.now() + timedelta(days=2)
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    schedule = made(tenant)
    verbs.toggle(schedule, BY, enabled=False)
    verbs.toggle(schedule, BY, enabled=True)
    verbs.run(schedule, BY)
    row = Schedule.objects.get(pk=schedule.pk)
    for moment in (row.created_at, row.updated_at, row.effective_from, row.last_run_at):
        assert moment is not None
        assert moment < ahead - timedelta(days=1)


def test_a_run_by_hand_does_not_wait_for_ever(tenant: Tenant) -> None:
    verbs.run(made(tenant), BY)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("2s",)


def test_a_rule_that_never_runs_in_its_zone_is_pointed_to(tenant: Tenant) -> None:
    zone = {"timezone": "Europe/Amsterdam", "dst_policy": "skip"}
    with pytest.raises(InvalidSchedule) as refusal:
        made(tenant, NEVER, **zone)
    assert [one.pointer for one in refusal.value.errors] == ["/cron_expression"]
    with pytest.raises(InvalidSchedule) as refusal:
        made(tenant, ends_at=database_now())
    assert [one.pointer for one in refusal.value.errors] == ["/ends_at"]
