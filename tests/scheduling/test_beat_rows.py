"""Each schedule's row among beat's: as near as Celery's words come, and never in its way."""

from __future__ import annotations

import pytest
from django_celery_beat.models import IntervalSchedule

from accounts.models import Tenant
from scheduling.models import Schedule
from tests.scheduling.making import made

pytestmark = pytest.mark.django_db

LONG = {
    "minute": f"{','.join(['1-5'] * 61)} * * * *",
    "hour": f"0 {','.join(['1-5'] * 25)} * * *",
    "day_of_month": f"0 0 {','.join(['1-5'] * 32)} * *",
    "month_of_year": f"0 0 * {','.join(['1-5'] * 17)} *",
    "day_of_week": f"0 0 * * {','.join(['1-5'] * 17)}",
}


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.get(slug="default")


def seconds_of(schedule: Schedule) -> int | None:
    assert schedule.periodic_task is not None
    interval: IntervalSchedule | None = schedule.periodic_task.interval
    return interval.every if interval else None


def test_a_plain_expression_stands_in_its_fields(tenant: Tenant) -> None:
    schedule = made(tenant, "5 2 * * 1-5", timezone="Europe/Amsterdam")
    assert schedule.periodic_task is not None
    crontab = schedule.periodic_task.crontab
    assert crontab is not None
    assert (crontab.minute, crontab.hour, crontab.day_of_week) == ("5", "2", "1-5")
    assert str(crontab.timezone) == "Europe/Amsterdam"


@pytest.mark.parametrize("expression", LONG.values(), ids=LONG.keys())
def test_a_field_longer_than_its_column_is_shown_as_each_minute(
    tenant: Tenant, expression: str
) -> None:
    assert seconds_of(made(tenant, expression)) == 60


def test_what_celery_has_no_word_for_is_shown_as_each_minute(tenant: Tenant) -> None:
    assert seconds_of(made(tenant, "0 0 L * *")) == 60
