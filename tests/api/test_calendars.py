"""/calendars: days on which schedules do not run."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, Tenant
from scheduling import calendars
from scheduling.firing import fire_due
from scheduling.models import Calendar, Schedule
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller
from tests.api.scheduled import HOLIDAYS, NEW, READ, WRITE, calendar, made
from tests.api.test_schema import check, schema
from tests.scheduling.making import at, since, told


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ, WRITE])


def test_a_calendar_is_made_read_and_listed(caller: Caller) -> None:
    said = {
        "name": "school", "description": "Without lessons.", "owner": "eve",
        "dates": ["2026-04-06", "2026-02-16"], "yearly": ["12-25", "01-01", "02-29"],
        "weekdays": [7, 6, 7],
    }  # fmt: skip
    answer = caller.post("/calendars", said)
    assert answer.status == 201
    assert answer.headers["Location"] == f"/api/v1/calendars/{answer.body['id']}"
    expected = {
        **said, "dates": ["2026-02-16", "2026-04-06"], "yearly": ["01-01", "02-29", "12-25"],
        "weekdays": [6, 7],
    }  # fmt: skip
    assert {name: answer.body[name] for name in said} == expected
    assert caller.get(f"/calendars/{answer.body['id']}").body == answer.body
    assert caller.get("/calendars").body == {"items": [answer.body], "next_cursor": None}
    described = schema()["components"]["schemas"]["CalendarDocument"]
    check(answer.body, described)
    assert set(described["properties"]) - set(answer.body) == {"tenant"}


def test_one_key_makes_one_calendar(caller: Caller) -> None:
    first, again = (caller.post("/calendars", HOLIDAYS, idempotency_key="k") for _ in range(2))
    assert first.body == again.body
    assert Calendar.objects.count() == 1


def test_the_list_is_newest_first_page_by_page(caller: Caller, acme: Tenant) -> None:
    ids = [str(calendar(acme).pk) for _ in range(3)][::-1]
    first = caller.get("/calendars", limit=2).body
    second = caller.get("/calendars", limit=2, cursor=first["next_cursor"]).body
    assert [one["id"] for page in (first, second) for one in page["items"]] == ids


def test_a_patch_changes_what_it_names_and_a_put_everything(caller: Caller, acme: Tenant) -> None:
    path = f"/calendars/{calendar(acme, description='x', weekdays=[7], yearly=['01-01']).pk}"
    before = caller.get(path).body
    patched = caller.patch(path, {"weekdays": [1]}).body
    assert {**patched, "updated_at": ""} == {**before, "weekdays": [1], "updated_at": ""}
    put = caller.put(path, {"name": "again"}).body
    assert (put["name"], put["description"], put["weekdays"], put["yearly"]) == (
        "again",
        "",
        [],
        [],
    )
    assert caller.get(path).body == put
    assert caller.patch(path, {}).pointers == [""]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "/name"),
    ({"name": "x" * 256}, "/name"),
    ({"description": "x" * 2_001}, "/description"),
    ({"dates": ["2026-02-29"]}, "/dates/0"),
    ({"dates": ["20260401"]}, "/dates/0"),
    ({"dates": ["2026-W01-1"]}, "/dates/0"),
    ({"dates": ["0001-01-01"]}, "/dates"),
    ({"dates": ["9999-12-31"]}, "/dates"),
    ({"dates": [20260401]}, "/dates/0"),
    ({"dates": ["2026-01-01"] * 1_001}, "/dates"),
    ({"yearly": ["02-30"]}, "/yearly"),
    ({"yearly": ["1-1"]}, "/yearly"),
    ({"yearly": ["٠١-٠١"]}, "/yearly"),
    ({"yearly": ["12-25\n"]}, "/yearly"),
    ({"yearly": [1225]}, "/yearly/0"),
    ({"weekdays": [0]}, "/weekdays"),
    ({"weekdays": [8]}, "/weekdays"),
    ({"weekdays": [2**53 - 1]}, "/weekdays"),
    ({"weekdays": [1, 2, 3, 4, 5, 6, 7]}, "/weekdays"),
    ({"weekdays": [True]}, "/weekdays/0"),
    ({"created_by": "x"}, "/created_by"),
    ({"colour": "red"}, "/colour"),
]


@pytest.mark.parametrize(("wrong", "pointer"), WRONG, ids=[str(n) for n in range(len(WRONG))])
def test_a_wrong_field_is_pointed_to_and_changes_nothing(
    wrong: dict[str, Any], pointer: str, caller: Caller, acme: Tenant
) -> None:
    one = calendar(acme, weekdays=[7])
    before = Calendar.objects.values().get()
    path = f"/calendars/{one.pk}"
    for answer in (
        caller.post("/calendars", {**HOLIDAYS, **wrong}),
        caller.put(path, {**HOLIDAYS, **wrong}),
        caller.patch(path, wrong),
    ):
        assert answer.pointers == [pointer]
    assert Calendar.objects.values().get() == before


def test_whose_it_is_stays_as_it_was_made(caller: Caller, acme: Tenant) -> None:
    path = f"/calendars/{calendar(acme).pk}"
    assert caller.patch(path, {"owner": "eve"}).pointers == ["/owner"]
    assert caller.put(path, {**HOLIDAYS, "owner": "eve"}).pointers == ["/owner"]


def test_a_name_is_one_calendars(caller: Caller, acme: Tenant) -> None:
    one, two = calendar(acme, name="one"), calendar(acme, name="two")
    assert caller.post("/calendars", {"name": "one"}).status == 409
    assert caller.patch(f"/calendars/{two.pk}", {"name": "one"}).status == 409
    assert caller.patch(f"/calendars/{one.pk}", {"name": "one"}).status == 200


def test_a_tenant_has_so_many_calendars_and_no_more(
    caller: Caller, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendars, "MOST_OF_TENANT", 1)
    assert caller.post("/calendars", {"name": "a"}).status == 201
    answer = caller.post("/calendars", {"name": "b"})
    assert (answer.status, answer.headers["Retry-After"]) == (429, "3600")


def test_one_that_schedules_name_is_not_removed(caller: Caller, acme: Tenant) -> None:
    one = calendar(acme)
    path = f"/calendars/{one.pk}"
    schedules = [made(acme, calendar_ids=(one.pk,)) for _ in range(2)]
    answer = caller.call("DELETE", path)
    assert answer.status == 409
    assert "2 schedules name it" in answer.body["detail"]
    caller.patch(f"/schedules/{schedules[0].pk}", {"calendar_ids": []})
    assert "1 schedule names it" in caller.call("DELETE", path).body["detail"]
    caller.call("DELETE", f"/schedules/{schedules[1].pk}")
    assert caller.call("DELETE", path).status == 204
    assert caller.get(path).status == 404


def test_a_change_moves_the_next_run_of_every_schedule_that_names_it(
    caller: Caller, acme: Tenant
) -> None:
    one, other = calendar(acme), calendar(acme, weekdays=[6])
    naming = made(acme, "@daily", calendar_ids=(one.pk, other.pk))
    off = made(acme, "@daily", calendar_ids=(one.pk,), enabled=False)
    apart = made(acme, "@daily")

    def next_run(schedule: Schedule) -> str | None:
        text: str | None = caller.get(f"/schedules/{schedule.pk}").body["next_run_at"]
        return text

    before = next_run(apart)
    caller.patch(f"/calendars/{one.pk}", {"weekdays": [1, 2, 3, 4, 5]})
    moved = next_run(naming)
    assert moved is not None
    assert datetime.fromisoformat(moved).isoweekday() == 7
    assert (next_run(off), next_run(apart)) == (None, before)
    caller.put(f"/calendars/{one.pk}", {"name": "free again"})
    again = next_run(naming)
    assert again is not None
    assert datetime.fromisoformat(again) <= timezone.now() + timedelta(days=2)


def test_what_it_leaves_out_is_skipped_and_told(caller: Caller, acme: Tenant) -> None:
    one = calendar(acme)
    schedule = since(acme, at(9, 30), "@hourly", misfire="run_all", calendar_ids=(one.pk,))
    caller.patch(f"/calendars/{one.pk}", {"dates": [str(date(2026, 3, 10))]})
    fire_due(now=at(11))
    assert told(schedule) == [
        (at(10), "skipped", "calendar"),
        (at(11), "skipped", "calendar"),
    ]
    schedule.refresh_from_db()
    assert (schedule.next_moment, schedule.next_run_at) == (at(12), at(0, day=11))


def test_a_long_holiday_hides_no_run_behind_it(caller: Caller, acme: Tenant) -> None:
    """Of each minute, a holiday of ten weeks leaves out a hundred thousand moments."""
    today = timezone.now().date()
    days = [str(today + timedelta(days=n)) for n in range(70)]
    one = caller.post("/calendars", {"name": "summer", "dates": days}).body["id"]
    body = caller.post(
        "/schedules", {**NEW, "cron_expression": "* * * * *", "calendar_ids": [one]}
    ).body
    expected = today + timedelta(days=70)
    assert datetime.fromisoformat(body["next_run_at"]).date() == expected


def test_each_write_leaves_an_audit_entry(caller: Caller, acme: Tenant) -> None:
    path = f"/calendars/{caller.post('/calendars', HOLIDAYS).body['id']}"
    caller.patch(path, {"dates": ["2026-04-06"], "name": "holidays"})
    caller.patch(path, {"dates": ["2026-04-06"]})  # as it is
    caller.call("DELETE", path)
    entries = AuditEntry.objects.filter(object_type="calendar").order_by("pk")
    assert [(entry.action, entry.before, entry.after) for entry in entries][1] == (
        "calendar.change", {"dates": []}, {"dates": ["2026-04-06"]},
    )  # fmt: skip
    assert [entry.action for entry in entries] == [
        "calendar.create", "calendar.change", "calendar.delete",
    ]  # fmt: skip
    assert {(entry.tenant, entry.address) for entry in entries} == {(acme, "127.0.0.1")}
