"""What the calls about schedules cost the database, with very many schedules and firings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import connection

from accounts.models import Tenant
from scheduling.models import Firing, Schedule
from tests.api.calling import Answer, Caller
from tests.api.conftest import MakeCaller
from tests.api.scheduled import NEW, READ, WRITE, calendar, made
from tests.api.test_cost import Statements
from tests.scheduling.making import at
from tests.support.buffers import undone
from tests.support.copying import copies

SCHEDULES, FIRINGS = 10_000, 100_000
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("use_noted_once"),
]


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ, WRITE])


@pytest.fixture
def busy(acme: Tenant, other: Tenant) -> Schedule:
    """One of very many, with very many firings; each is a copy of another in what costs."""
    first = made(acme, "0 2 * * *", calendar_ids=(calendar(acme, weekdays=[7]).pk,))
    copies(first, SCHEDULES - 1, name="'copy ' || n", periodic_task_id="NULL")
    elsewhere = made(other, "0 2 * * *")
    copies(elsewhere, 1_000, name="'copy ' || n", periodic_task_id="NULL")
    fired = Firing.objects.create(schedule=first, moment=at(0), decision="fired")
    copies(fired, FIRINGS - 1, moment="row.moment + n * interval '1 minute'")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE scheduling_schedule, scheduling_firing")
    return first


def cost(call: Callable[[], Answer]) -> tuple[int, int]:
    """Statements and buffers of a call that succeeds; the second time, so that all is warm."""
    assert call().status in (200, 201)
    with Statements() as statements:
        call()
    sent = len(statements.sent)  # the next call forgets them
    _, buffers = undone(call)
    return sent, buffers


def test_reading_is_a_few_statements_that_touch_little_however_much_there_is(
    caller: Caller, busy: Schedule
) -> None:
    path = f"/schedules/{busy.pk}"
    pages = list(_cursors(caller, "/schedules", 3))
    deep = list(_cursors(caller, f"{path}/firings", 5))[-1]
    calls: dict[str, tuple[Callable[[], Answer], int, int]] = {
        "list": (partial(caller.get, "/schedules", limit=200), 2, 2_000),
        "page": (partial(caller.get, "/schedules", limit=200, cursor=pages[-1]), 2, 2_000),
        "one": (partial(caller.get, path), 2, 100),
        "named": (partial(caller.get, "/schedules", name="copy 77"), 2, 100),
        "firings": (partial(caller.get, f"{path}/firings", limit=200), 3, 400),
        "deep": (partial(caller.get, f"{path}/firings", limit=200, cursor=deep), 3, 400),
        "calendars": (partial(caller.get, "/calendars"), 2, 100),
        "timeline": (partial(caller.get, "/schedules/timeline"), 4, 5_000),
    }
    found = {name: cost(call) for name, (call, *_) in calls.items()}
    over = {
        name: (found[name], most)
        for name, (_, *most) in calls.items()
        if any(one > limit for one, limit in zip(found[name], most, strict=True))
    }
    assert over == {}


def _cursors(caller: Caller, path: str, number: int) -> Iterator[str]:
    cursor: dict[str, Any] = {}
    for _ in range(number):
        cursor = {"cursor": caller.get(path, limit=200, **cursor).body["next_cursor"]}
        yield cursor["cursor"]


def test_writing_costs_the_same_however_many_others_there_are(
    caller: Caller, acme: Tenant, busy: Schedule
) -> None:
    path = f"/schedules/{Schedule.objects.get(tenant=acme, name='copy 77').pk}"
    calls: dict[str, tuple[Callable[[], Answer], int, int]] = {
        "change": (partial(caller.patch, path, {"description": "x"}), 20, 1_000),
        "toggle": (partial(caller.post, f"{path}/toggle"), 20, 1_000),
        "run": (partial(caller.post, f"{path}/run"), 20, 1_000),
        "preview": (
            partial(caller.post, "/schedules/preview", {"cron_expression": "@daily"}),
            2,
            50,
        ),
    }
    found = {name: cost(call) for name, (call, *_) in calls.items()}
    with Statements() as statements:
        assert caller.post("/schedules", NEW).status == 429  # full
    assert sum(sql.startswith("SELECT") for sql in statements.sent) == 2  # the token, the number
    over = {
        name: (found[name], most)
        for name, (_, *most) in calls.items()
        if any(each > limit for each, limit in zip(found[name], most, strict=True))
    }
    assert over == {}
