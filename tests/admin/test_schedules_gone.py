"""What was removed while its form was being saved: said so, on the list."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.models import Tenant
from jobs.operations import Actor
from scheduling import calendars, verbs
from scheduling.calendar_days import Days
from scheduling.models import Calendar
from tests.admin.conftest import Browser
from tests.admin.jobs_around import queues, text_of
from tests.admin.test_schedules_form import CALENDARS, PLAIN, SCHEDULES
from tests.api.patience import wait_longer
from tests.api.test_schedules_races import somebody_waits
from tests.scheduling.making import made
from tests.support.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor(name="user:eve")


@pytest.fixture(autouse=True)
def _waits_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is proven is who comes first, not how long anybody waits for it."""
    wait_longer(monkeypatch)


def posted(client: Client, address: str, fields: dict[str, Any]) -> str:
    """The page that follows, in a connection of its own."""
    try:
        return text_of(client.post(address, fields, follow=True))
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("form", "fields"),
    [("edit", PLAIN), ("backfill", {"start": "2026-03-10T00:30", "end": "2026-03-10T04:00"})],
)
def test_a_schedule_removed_meanwhile(
    form: str, fields: dict[str, Any], acme: Tenant, browser: Browser
) -> None:
    queues()
    client, schedule = browser("operator"), made(acme, name="nightly")
    address = f"{SCHEDULES}{schedule.pk}/{form}/"
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            verbs.locked(schedule)
            answer = pool.submit(posted, client, address, fields)
            wait_for(somebody_waits, seconds=30, what="the form waits for the row")
            verbs.delete(schedule, BY)
        assert "nightly was removed meanwhile." in answer.result(timeout=60)


@pytest.mark.parametrize("verb", ["change", "remove"])
def test_a_calendar_removed_meanwhile(verb: str, acme: Tenant, browser: Browser) -> None:
    client = browser("operator")
    calendar = calendars.create(acme, Days(name="holidays"), BY)
    fields = {"name": "days off", "confirmed": "1"}
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Calendar.objects.select_for_update().get(pk=calendar.pk)
            answer = pool.submit(posted, client, f"{CALENDARS}{calendar.pk}/{verb}/", fields)
            wait_for(somebody_waits, seconds=30, what="the form waits for the row")
            calendars.delete(calendar, BY)
        assert "holidays was removed meanwhile." in answer.result(timeout=60)
