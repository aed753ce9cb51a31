"""PUT and PATCH /schedules/{id}, POST /schedules/{id}/toggle."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, Tenant
from jobs.secret import masked, unmasked
from scheduling.models import Schedule
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller
from tests.api.scheduled import NEW, READ, WRITE, calendar, made
from tests.scheduling.making import at, since


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ, WRITE])


def path_of(schedule: Schedule) -> str:
    return f"/schedules/{schedule.pk}"


CHANGES: list[dict[str, Any]] = [
    {"name": "another"},
    {"description": "Each night."},
    {"type": "diagnostics.echo", "payload": {"a": 1}},
    {"cron_expression": "@every 90m"},
    {"timezone": "Europe/Amsterdam", "dst_policy": "all"},
    {"overlap": "replace", "misfire": "skip", "misfire_limit": 7, "jitter_seconds": 9},
    {"priority": 40, "max_retries": 0, "timeout_seconds": 5, "labels": {"a": "b"}},
    {"priority": None, "max_retries": None, "timeout_seconds": None},
    {"starts_at": "2199-01-01T00:00:00.000000Z", "ends_at": "2199-06-01T00:00:00.000000Z"},
    {"starts_at": None, "ends_at": None},
    {"owner": "eve"},
    {"enabled": False},
]


@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: "-".join(changes))
def test_a_patch_changes_what_it_names_and_nothing_else(
    changes: dict[str, Any], caller: Caller, acme: Tenant
) -> None:
    path = path_of(made(acme, priority=60, labels={"x": "y"}, ends_at=at(9, day=10).replace(
        year=2190)))  # fmt: skip
    before = caller.get(path).body
    answer = caller.patch(path, changes)
    assert answer.status == 200
    assert {name: answer.body[name] for name in changes} == changes
    may_follow = {"updated_at", "effective_from", "next_run_at", "in_words", "level", "queue"}
    kept = set(before) - set(changes) - may_follow
    assert {name: answer.body[name] for name in kept} == {name: before[name] for name in kept}
    assert answer.body["updated_at"] > before["updated_at"]
    assert caller.get(path).body == answer.body


def test_calendars_are_named_and_left_out_again(caller: Caller, acme: Tenant) -> None:
    days = [calendar(acme, weekdays=[1, 2, 3, 4, 5, 6]), calendar(acme)]
    path = path_of(made(acme))
    ids = sorted(str(one.pk) for one in days)
    named = caller.patch(path, {"calendar_ids": ids}).body
    assert named["calendar_ids"] == ids
    assert datetime.fromisoformat(named["next_run_at"]).isoweekday() == 7
    assert caller.patch(path, {"calendar_ids": []}).body["calendar_ids"] == []


def test_a_put_defines_it_anew_and_what_is_left_out_takes_its_default(
    caller: Caller, acme: Tenant
) -> None:
    schedule = made(
        acme, description="x", priority=60, overlap="skip", labels={"a": "b"}, enabled=False,
        timezone="Europe/Amsterdam", calendar_ids=(calendar(acme).pk,), owner="eve",
    )  # fmt: skip
    fresh = caller.post("/schedules", NEW).body
    answer = caller.put(path_of(schedule), {**NEW, "name": "again"})
    assert answer.status == 200
    own = {"id", "name", "created_at", "created_by", "updated_at", "effective_from"}
    assert {name: answer.body[name] for name in set(fresh) - own} == {
        name: fresh[name] for name in set(fresh) - own
    }
    assert answer.body["id"] == str(schedule.pk)


@pytest.mark.parametrize("field", ["id", "in_words", "next_run_at", "created_by", "declared"])
@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_field_that_is_only_to_be_read_is_refused(
    method: str, field: str, caller: Caller, acme: Tenant
) -> None:
    schedule = made(acme)
    known = caller.get(path_of(schedule)).body[field]
    body = {**NEW, field: known} if method == "put" else {field: known}
    answer = getattr(caller, method)(path_of(schedule), body)
    assert answer.pointers == [f"/{field}"]
    assert answer.body["errors"][0]["detail"] == "read-only field"


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_masked_secret_stays_and_another_takes_its_place(
    method: str, caller: Caller, acme: Tenant
) -> None:
    schedule = made(acme, payload={"report_id": 1, "access_token": "first"})
    path = path_of(schedule)

    def told(payload: dict[str, Any]) -> str:
        body = {**NEW, "name": schedule.name, "payload": payload}
        answer = getattr(caller, method)(path, body if method == "put" else {"payload": payload})
        assert answer.body["payload"] == {**payload, "access_token": "***"}
        stored = Schedule.objects.get(pk=schedule.pk).payload
        assert "first" not in str(stored)
        revealed: str = unmasked(masked(stored), stored)["access_token"].reveal()
        return revealed

    assert told({"report_id": 2, "access_token": "***"}) == "first"
    assert told({"report_id": 2, "access_token": "canary"}) == "canary"
    assert not AuditEntry.objects.filter(after__icontains="canary").exists()


def test_a_mask_is_no_secret_where_there_was_none(caller: Caller, acme: Tenant) -> None:
    path = path_of(made(acme))
    payload = {"report_id": 1, "access_token": "***"}
    assert caller.patch(path, {"payload": payload}).pointers == ["/payload/access_token"]
    assert caller.post("/schedules", {**NEW, "payload": payload}).pointers == [
        "/payload/access_token"
    ]


def test_another_rule_begins_now_and_another_description_moves_nothing(
    caller: Caller, acme: Tenant
) -> None:
    path = path_of(since(acme, at(9, 30), "@hourly"))  # moments have come that nobody looked at
    before = caller.get(path).body
    same = caller.patch(path, {"description": "x", "misfire": "run_all"}).body
    assert (same["next_run_at"], same["effective_from"]) == (
        before["next_run_at"], before["effective_from"],
    )  # fmt: skip
    after = caller.patch(path, {"cron_expression": "30 * * * *"}).body
    assert datetime.fromisoformat(after["next_run_at"]) > timezone.now()
    assert after["effective_from"] == after["updated_at"]


def test_a_name_that_is_taken_is_a_conflict(caller: Caller, acme: Tenant) -> None:
    one, two = made(acme, name="one"), made(acme, name="two")
    assert caller.patch(path_of(two), {"name": "one"}).status == 409
    assert caller.put(path_of(two), {**NEW, "name": "one"}).status == 409
    assert caller.patch(path_of(one), {"name": "one"}).status == 200
    assert Schedule.objects.get(pk=two.pk).name == "two"


def test_toggle_switches_over_or_to_what_is_said(caller: Caller, acme: Tenant) -> None:
    path = path_of(made(acme))
    states = [
        caller.post(f"{path}/toggle", body).body["enabled"]
        for body in (None, {}, {"enabled": False}, {"enabled": False}, {"enabled": True})
    ]
    assert states == [False, True, False, False, True]
    assert caller.post(f"{path}/toggle", {"enabled": "yes"}).pointers == ["/enabled"]
    assert caller.post(f"{path}/toggle", {"colour": 1}).pointers == ["/colour"]


def test_switched_off_it_has_no_next_run_and_switched_on_none_that_is_past(
    caller: Caller, acme: Tenant
) -> None:
    path = path_of(since(acme, at(9, 30), "@hourly"))
    assert caller.post(f"{path}/toggle").body["next_run_at"] is None
    on = caller.post(f"{path}/toggle").body
    assert datetime.fromisoformat(on["next_run_at"]) > timezone.now()


def test_a_patch_that_says_nothing_is_refused(caller: Caller, acme: Tenant) -> None:
    assert caller.patch(path_of(made(acme)), {}).pointers == [""]
