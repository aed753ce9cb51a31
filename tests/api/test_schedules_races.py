"""Writes at the same time as others, and as firings: each stands before or after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import Tenant
from jobs.models import Job
from scheduling import verbs
from scheduling.firing import fire_due
from scheduling.models import Calendar, Firing, Schedule
from tests.api.calling import Answer, Caller
from tests.api.conftest import MakeCaller
from tests.api.patience import wait_longer
from tests.api.scheduled import BY, READ, WRITE, calendar, made
from tests.scheduling.making import at, since, told
from tests.support.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _waits_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is proven is who comes first, not how long anybody waits for it."""
    wait_longer(monkeypatch)


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ, WRITE])


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Each in a thread and a connection of its own, begun together."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait(timeout=30)
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def somebody_waits() -> bool:
    """By the table of locks: what sessions are at is read once in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        row = cursor.fetchone()
    return row is not None and row[0] > 0


def while_held(schedule: Schedule, call: Callable[[], Answer], held: Callable[[], None]) -> Answer:
    """The answer of `call`, which waits for the row until `held` has run and is committed."""

    def calling() -> Answer:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            verbs.locked(schedule)
            answer = pool.submit(calling)
            wait_for(somebody_waits, seconds=30, what="the call waits for the row")
            held()
        return answer.result(timeout=60)


def test_of_patches_at_once_none_is_lost(caller: Caller, acme: Tenant) -> None:
    path = f"/schedules/{made(acme).pk}"
    changes: list[dict[str, Any]] = [
        {"description": "x"}, {"misfire_limit": 7}, {"labels": {"a": "b"}},
        {"cron_expression": "30 4 * * *"}, {"jitter_seconds": 9}, {"overlap": "skip"},
    ]  # fmt: skip
    answers = at_once(*(lambda one=one: caller.patch(path, one) for one in changes))
    assert [answer.status for answer in answers] == [200] * len(changes)
    after = caller.get(path).body
    expected = {name: value for one in changes for name, value in one.items()}
    assert {name: after[name] for name in expected} == expected


def test_toggles_at_once_are_each_done(caller: Caller, acme: Tenant) -> None:
    path = f"/schedules/{made(acme).pk}"
    answers = at_once(*[lambda: caller.post(f"{path}/toggle")] * 5)
    assert sorted(answer.body["enabled"] for answer in answers) == [False, False, False, True, True]
    assert caller.get(path).body["enabled"] is False


def test_a_calendar_is_removed_once_by_many_at_once(caller: Caller, acme: Tenant) -> None:
    path = f"/calendars/{calendar(acme).pk}"
    answers = at_once(*[lambda: caller.call("DELETE", path)] * 3)
    assert sorted(answer.status for answer in answers) == [204, 404, 404]


def test_one_name_is_made_once_by_many_at_once(caller: Caller, acme: Tenant) -> None:
    new = {"name": "one", "type": "diagnostics.echo", "cron_expression": "@daily"}
    answers = at_once(*[lambda: caller.post("/schedules", new)] * 5)
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409]
    assert Schedule.objects.count() == 1


def test_a_patch_waits_for_a_firing_and_then_begins_anew(caller: Caller, acme: Tenant) -> None:
    schedule = since(acme, at(9, 30), "@hourly", misfire="run_all")
    Schedule.objects.filter(pk=schedule.pk).update(ends_at=at(11, 30))
    path = f"/schedules/{schedule.pk}"
    answer = while_held(
        schedule,
        lambda: caller.patch(path, {"cron_expression": "30 * * * *", "ends_at": None}),
        lambda: None if fire_due(now=at(11)).jobs == 2 else pytest.fail("two jobs"),
    )
    assert answer.status == 200
    assert [moment for moment, *_ in told(schedule)] == [at(10), at(11)]
    schedule.refresh_from_db()
    assert schedule.next_moment is not None
    assert schedule.next_moment > schedule.effective_from > at(11)
    assert fire_due(now=at(23)).jobs == 0


def test_a_patch_beside_firings_leaves_each_moment_decided_once(
    caller: Caller, acme: Tenant
) -> None:
    schedules = [since(acme, at(9, 30), "@hourly", misfire="run_all") for _ in range(10)]

    def fire() -> int:
        return sum(fire_due(now=at(9 + hour)).jobs for hour in range(1, 9))

    def patch() -> list[int]:
        return [
            caller.patch(f"/schedules/{one.pk}", {"description": str(n)}).status
            for n in range(3)
            for one in schedules
        ]

    done = at_once(fire, patch, fire)
    fire_due(now=at(17))
    assert set(done[1]) == {200}
    moments = [at(hour) for hour in range(10, 18)]
    for one in schedules:
        assert [moment for moment, *_ in told(one)] == moments
    assert Job.objects.count() == len(moments) * len(schedules)
    assert {one.description for one in Schedule.objects.all()} == {"2"}


def test_a_removal_waits_for_a_firing_and_its_jobs_stay(caller: Caller, acme: Tenant) -> None:
    schedule = since(acme, at(9, 30), "@hourly", misfire="run_all")
    answer = while_held(
        schedule,
        lambda: caller.call("DELETE", f"/schedules/{schedule.pk}"),
        lambda: None if fire_due(now=at(11)).jobs == 2 else pytest.fail("two jobs"),
    )
    assert answer.status == 204
    assert not Schedule.objects.exists()
    assert not Firing.objects.exists()
    assert Job.objects.filter(schedule_id=schedule.pk).count() == 2


@pytest.mark.parametrize("verb", ["patch", "toggle", "run", "backfill"])
def test_whoever_waited_for_a_removal_finds_nothing(
    verb: str, caller: Caller, acme: Tenant
) -> None:
    schedule = made(acme, "@hourly")
    path = f"/schedules/{schedule.pk}"
    past = {"from": at(0).isoformat(), "to": at(3).isoformat()}
    calls: dict[str, Callable[[], Answer]] = {
        "patch": lambda: caller.patch(path, {"description": "x"}),
        "toggle": lambda: caller.post(f"{path}/toggle"),
        "run": lambda: caller.post(f"{path}/run"),
        "backfill": lambda: caller.post(f"{path}/backfill", past),
    }
    answer = while_held(schedule, calls[verb], lambda: verbs.delete(schedule, BY))
    assert answer.status == 404
    assert not Job.objects.exists()


def test_a_schedule_names_no_calendar_that_is_removed_at_the_same_moment(
    caller: Caller, acme: Tenant
) -> None:
    for _ in range(8):
        one, schedule = calendar(acme), made(acme)
        changes = {"calendar_ids": [str(one.pk)]}
        named, removed = at_once(
            lambda: caller.patch(f"/schedules/{schedule.pk}", changes),  # noqa: B023 (ends here)
            lambda: caller.call("DELETE", f"/calendars/{one.pk}"),  # noqa: B023
        )
        assert (named.status, removed.status) in {(200, 409), (422, 204)}
        assert Calendar.objects.filter(pk=one.pk).exists() == (named.status == 200)


def test_a_calendar_is_changed_beside_its_schedules_without_waiting_in_a_circle(
    caller: Caller, acme: Tenant
) -> None:
    one = calendar(acme)
    schedules = [made(acme, "@daily", calendar_ids=(one.pk,)) for _ in range(5)]

    def of_calendar() -> set[int]:
        return {
            caller.patch(f"/calendars/{one.pk}", {"name": f"n{n}", "weekdays": [1 + n % 6]}).status
            for n in range(10)
        }

    def of_schedules() -> set[int]:
        ids = [str(one.pk)]
        return {
            caller.patch(f"/schedules/{each.pk}", {"calendar_ids": ids[: n % 2]}).status
            for n in range(4)
            for each in schedules
        }

    assert at_once(of_calendar, of_schedules, of_schedules) == [{200}] * 3
