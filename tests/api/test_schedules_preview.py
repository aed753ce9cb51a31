"""POST /schedules/preview and GET /schedules/timeline: what is to come."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Tenant
from scheduling.models import Schedule
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller
from tests.api.scheduled import NEW, READ, WRITE, calendar, made
from tests.api.test_schema import check, schema
from tests.scheduling.making import at, since
from tests.support.copying import copies


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ])


def moments(body: dict[str, Any]) -> list[datetime]:
    return [datetime.fromisoformat(text) for text in body["next"]]


# --- preview ---------------------------------------------------------------------------------


def test_a_rule_is_shown_in_words_and_moments(caller: Caller) -> None:
    body = {"cron_expression": "0 2 * * *", "timezone": "UTC", "count": 3}
    answer = caller.post("/schedules/preview", body)
    assert (answer.status, answer.body["in_words"]) == (200, "Every day at 02:00")
    first, second, third = moments(answer.body)
    assert (first.hour, first.minute, first.second) == (2, 0, 0)
    assert (second - first, third - second) == (timedelta(days=1), timedelta(days=1))
    assert timezone.now() < first <= timezone.now() + timedelta(days=1)


def test_five_moments_are_shown_where_no_number_is_said(caller: Caller) -> None:
    body = caller.post("/schedules/preview", {"cron_expression": "@hourly"}).body
    assert len(body["next"]) == 5


@pytest.mark.parametrize(("policy", "night"), [("once", 31), ("skip", 30)])
def test_summer_time_is_shown_as_it_will_be(policy: str, night: int, caller: Caller) -> None:
    body = {
        "cron_expression": "30 2 * * *", "timezone": "Europe/Amsterdam", "dst_policy": policy,
        "starts_at": "2096-03-01T00:00:00Z", "ends_at": "2096-04-01T00:00:00Z", "count": 100,
    }  # fmt: skip
    assert len(caller.post("/schedules/preview", body).body["next"]) == night


def test_periods_are_counted_from_the_start(caller: Caller) -> None:
    body = {"cron_expression": "@every 90m", "starts_at": "2099-01-01T00:10:00Z", "count": 2}
    assert caller.post("/schedules/preview", body).body["next"] == [
        "2099-01-01T00:10:00.000000Z", "2099-01-01T01:40:00.000000Z",
    ]  # fmt: skip


def test_what_is_over_has_no_next_run(caller: Caller) -> None:
    body = {"cron_expression": "@daily", "ends_at": "2020-01-01T00:00:00Z"}
    assert caller.post("/schedules/preview", body).body["next"] == []


def test_calendars_leave_days_out(caller: Caller, acme: Tenant) -> None:
    days = calendar(acme, weekdays=[1, 2, 3, 4, 5, 6], yearly=["01-01"])
    body = {"cron_expression": "@daily", "calendar_ids": [str(days.pk)], "count": 60}
    shown = moments(caller.post("/schedules/preview", body).body)
    assert len(shown) == 60
    assert {moment.isoweekday() for moment in shown} == {7}


def test_a_preview_is_what_a_schedule_then_does(acme: Tenant, caller_of: MakeCaller) -> None:
    caller = caller_of(acme, [READ, WRITE])
    rule = {"cron_expression": "17 3 * * 2", "timezone": "Asia/Kathmandu"}
    shown = caller.post("/schedules/preview", rule).body
    document = caller.post("/schedules", {**NEW, **rule}).body
    assert (document["next_run_at"], document["in_words"]) == (shown["next"][0], shown["in_words"])


def test_what_comes_once_in_many_years_is_searched_for_fifty_years(caller: Caller) -> None:
    body = {"cron_expression": "0 0 29 2 *", "count": 100}
    shown = moments(caller.post("/schedules/preview", body).body)
    assert 12 <= len(shown) <= 13
    assert {(moment.month, moment.day) for moment in shown} == {(2, 29)}


@pytest.mark.usefixtures("use_noted_once")
def test_a_preview_writes_nothing_and_looks_nothing_up_but_calendars(
    caller: Caller, acme: Tenant
) -> None:
    days = calendar(acme, weekdays=[7])
    body = {"cron_expression": "@daily", "calendar_ids": [str(days.pk)]}
    caller.post("/schedules/preview", body)
    with CaptureQueriesContext(connection) as captured:
        caller.post("/schedules/preview", body)
    sent = [one["sql"] for one in captured.captured_queries]
    assert len(sent) == 2  # the token, the calendars
    assert all(sql.startswith("SELECT") for sql in sent)
    assert not Schedule.objects.exists()


def test_another_tenants_calendar_is_unknown(caller: Caller, other: Tenant) -> None:
    body = {"cron_expression": "@daily", "calendar_ids": [str(calendar(other).pk)]}
    assert caller.post("/schedules/preview", body).pointers == ["/calendar_ids/0"]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"count": 0}, "/count"),
        ({"count": 101}, "/count"),
        ({"count": 2.5}, "/count"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
        ({"dst_policy": "maybe"}, "/dst_policy"),
        ({"starts_at": "9999-12-31T23:59:59Z"}, "/starts_at"),
        ({"starts_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"}, "/ends_at"),
        ({"calendar_ids": ["7"]}, "/calendar_ids/0"),
        ({"name": "x"}, "/name"),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(f"{n}" for n in value),
)
def test_what_is_wrong_with_it_is_pointed_to(
    wrong: dict[str, Any], pointer: str, caller: Caller
) -> None:
    answer = caller.post("/schedules/preview", {"cron_expression": "@daily", **wrong})
    assert answer.pointers == [pointer]


# --- timeline --------------------------------------------------------------------------------


def timeline(caller: Caller, **query: Any) -> dict[str, Any]:
    body: dict[str, Any] = caller.get("/schedules/timeline", **query).body
    check(body, schema()["components"]["schemas"]["TimelineDocument"])
    return body


def test_the_timeline_shows_the_coming_day_by_time(caller: Caller, acme: Tenant) -> None:
    daily, often = made(acme, "0 2 * * *"), made(acme, "0 */6 * * *")
    made(acme, "@daily", enabled=False)
    made(acme, "@daily", starts_at=at(0).replace(year=2190))
    body = timeline(caller)
    found = Counter(item["schedule_id"] for item in body["items"])
    assert found == {str(daily.pk): 1, str(often.pk): 4}
    assert [one["moment"] for one in body["items"]] == sorted(
        one["moment"] for one in body["items"]
    )
    assert body["complete_until"] == body["end"]
    assert all(body["start"] <= one["moment"] < body["end"] for one in body["items"])


def test_a_longer_timeline_shows_more(caller: Caller, acme: Tenant) -> None:
    made(acme, "0 2 * * *")
    assert len(timeline(caller, hours=24)["items"]) == 1
    assert len(timeline(caller, hours=168)["items"]) == 7


@pytest.mark.parametrize("hours", ["0", "169", "x", "", "٣", "1e1"])
def test_hours_are_a_number_from_1_to_168(hours: str, caller: Caller) -> None:
    assert caller.get("/schedules/timeline", hours=hours).pointers == ["/hours"]


def test_one_that_runs_each_minute_leaves_room_for_the_others_and_it_is_told_where_it_was_cut(
    caller: Caller, acme: Tenant
) -> None:
    busy = [made(acme, "* * * * *") for _ in range(12)]
    daily = made(acme, "0 2 * * *")
    body = timeline(caller)
    found = Counter(item["schedule_id"] for item in body["items"])
    assert len(body["items"]) == 500
    assert found[str(daily.pk)] == 1
    assert min(found[str(one.pk)] for one in busy) >= 41
    assert max(found.values()) <= 50
    until = datetime.fromisoformat(body["complete_until"])
    before = [one for one in body["items"] if datetime.fromisoformat(one["moment"]) < until]
    minutes = Counter(one["moment"] for one in before if one["schedule_id"] != str(daily.pk))
    assert set(minutes.values()) == {12}
    assert len(minutes) >= 40


def test_of_one_schedule_fifty_are_shown(caller: Caller, acme: Tenant) -> None:
    made(acme, "* * * * *")
    body = timeline(caller)
    assert len(body["items"]) == 50
    last = datetime.fromisoformat(body["items"][-1]["moment"])
    assert datetime.fromisoformat(body["complete_until"]) == last + timedelta(minutes=1)


def test_more_schedules_than_it_shows_cut_it_too(caller: Caller, acme: Tenant) -> None:
    row = made(acme, "0 2 * * *")
    made(acme, "0 2 * * *")
    copies(row, 510, name="'copy ' || n", periodic_task_id="NULL")
    body = timeline(caller)
    assert len(body["items"]) == 500
    assert body["complete_until"] == body["items"][-1]["moment"]


def test_many_overdue_ones_hide_no_coming_run(caller: Caller, acme: Tenant) -> None:
    """Of more than are looked at, nobody knows which runs next."""
    ahead = made(acme, "@hourly", name="ahead")
    overdue = since(acme, at(0), "0 2 1 1 *", type="diagnostics.echo")
    Schedule.objects.filter(pk=overdue.pk).update(next_moment=at(2), next_run_at=at(2))
    copies(overdue, 510, name="'copy ' || n", periodic_task_id="NULL")
    body = timeline(caller)
    assert str(ahead.pk) in {one["schedule_id"] for one in body["items"]}
    assert body["complete_until"] == body["start"]


def test_what_calendars_leave_out_and_what_is_past_is_no_coming_run(
    caller: Caller, acme: Tenant
) -> None:
    today = timezone.now().date()
    days = [today + timedelta(days=n) for n in range(3)]  # midnight may pass meanwhile
    made(acme, "@hourly", calendar_ids=(calendar(acme, dates=days).pk,))
    overdue = since(acme, at(0), "@hourly", type="diagnostics.echo")
    body = timeline(caller)
    assert {one["schedule_id"] for one in body["items"]} == {str(overdue.pk)}
    assert len(body["items"]) == 24


def test_the_timeline_is_ones_own(
    acme: Tenant, other: Tenant, caller_of: MakeCaller, platform: Any
) -> None:
    mine, eves, theirs = made(acme), made(acme, owner="eve"), made(other)

    def seen(caller: Caller) -> set[str]:
        return {item["schedule_id"] for item in timeline(caller)["items"]}

    assert seen(caller_of(acme)) == {str(mine.pk), str(eves.pk)}
    assert seen(caller_of(acme, owner="eve")) == {str(eves.pk)}
    assert seen(platform("*")) == {str(mine.pk), str(eves.pk), str(theirs.pk)}
    assert {item["tenant"] for item in timeline(platform("*"))["items"]} == {"acme", "other"}
