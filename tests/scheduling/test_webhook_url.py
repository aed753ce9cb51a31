"""A schedule's `webhook_url`: looked at when it is saved, carried to every job of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.checks import run_checks

from accounts.models import Tenant
from jobs import recurring, registry
from jobs.models import Job
from scheduling import verbs
from scheduling.backfilling import backfill
from scheduling.declared import synchronise
from scheduling.definition import definition_of
from scheduling.exceptions import InvalidSchedule
from scheduling.firing import fire_due
from scheduling.models import Schedule
from tests.scheduling.making import BY, ECHO, at, made, since
from tests.support.webhook_urls import ANOTHER, HOOK, INSIDE, Looks

pytestmark = pytest.mark.django_db
NAME = "told"


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.get(slug="default")


@pytest.fixture
def looks(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(monkeypatch)


@pytest.fixture
def declared() -> Iterator[None]:
    yield
    recurring.forget("default", NAME)


def declare(url: str) -> None:
    registry.get(ECHO).schedule("@daily", name=NAME, webhook_url=url)


def urls_of(schedule: Schedule) -> list[str]:
    rows = Job.objects.filter(schedule_id=schedule.pk).order_by("seq")
    return list(rows.values_list("webhook_url", flat=True))


def test_runs_by_time_by_hand_and_filled_in_carry_it_without_another_look(
    tenant: Tenant, looks: Looks
) -> None:
    schedule = since(tenant, at(9, 30), webhook_url=HOOK)
    assert (looks.urls, looks.inside) == ([HOOK], [])
    fire_due(now=at(10))
    verbs.run(schedule, BY)
    backfill(schedule, at(4), at(6), BY)
    assert urls_of(schedule) == [HOOK] * 4
    assert looks.urls == [HOOK]


def test_a_change_looks_before_the_row_is_locked_and_only_at_what_is_new(
    tenant: Tenant, looks: Looks
) -> None:
    schedule = made(tenant, webhook_url=HOOK)
    verbs.change(schedule, {"description": "x"}, BY)
    assert looks.urls == [HOOK]
    verbs.change(schedule, {"webhook_url": ANOTHER}, BY)
    assert (looks.urls, looks.inside) == ([HOOK, ANOTHER], [])
    assert definition_of(Schedule.objects.get(pk=schedule.pk)).webhook_url == ANOTHER
    verbs.change(schedule, {"webhook_url": ""}, BY)
    assert Schedule.objects.get(pk=schedule.pk).webhook_url == ""


def test_a_refused_one_is_pointed_to_with_the_other_mistakes(tenant: Tenant) -> None:
    with pytest.raises(InvalidSchedule) as refused:
        made(tenant, "61 * * * *", webhook_url=INSIDE)
    assert {error.pointer for error in refused.value.errors} == {"/cron_expression", "/webhook_url"}


def test_one_that_leads_inside_by_now_may_still_be_switched_and_changed(tenant: Tenant) -> None:
    schedule = made(tenant, webhook_url=HOOK)
    Schedule.objects.filter(pk=schedule.pk).update(webhook_url=INSIDE)
    for change in ({"enabled": False}, {"enabled": True}, {"description": "x"}):
        verbs.change(schedule, change, BY)
    assert Schedule.objects.get(pk=schedule.pk).enabled


def test_a_declared_one_follows_the_code(looks: Looks, declared: None) -> None:
    declare(HOOK)
    synchronise()
    assert synchronise().unchanged == [f"default: {NAME}"]
    declare(ANOTHER)
    assert synchronise().changed == [f"default: {NAME}"]
    assert Schedule.objects.get(name=NAME).webhook_url == ANOTHER
    assert looks.inside == []


def test_a_declared_one_with_a_refused_url_is_left_out(declared: None) -> None:
    declare(INSIDE)
    (reason,) = synchronise().refused.values()
    assert reason.startswith("/webhook_url: ")
    assert not Schedule.objects.filter(name=NAME).exists()


def test_checks_at_the_start_look_up_no_name(looks: Looks, declared: None) -> None:
    declare(HOOK)
    run_checks(tags=["scheduling"])
    assert looks.urls == []
