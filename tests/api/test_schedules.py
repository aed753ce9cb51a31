"""GET and POST /schedules, GET and DELETE /schedules/{id}."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEntry, Tenant
from jobs.models import Job
from scheduling import verbs
from scheduling.models import Schedule
from tests.api import kinds
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller
from tests.api.scheduled import BY, NEW, READ, WRITE, calendar, made
from tests.api.test_schema import check, schema


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ, WRITE])


def test_a_schedule_is_made_with_everything_that_was_said(caller: Caller, acme: Tenant) -> None:
    holidays = calendar(acme, yearly=["12-25"])
    said = {
        "name": "report",
        "description": "Each working day.",
        "type": kinds.report.name,
        "queue": "default",
        "priority": 60,
        "payload": {"report_id": 1},
        "max_retries": 1,
        "timeout_seconds": 30,
        "labels": {"course": "7"},
        "webhook_url": "https://hooks.example.invalid/x",
        "owner": "eve",
        "cron_expression": "0 9 * * MON-FRI",
        "timezone": "Europe/Amsterdam",
        "dst_policy": "skip",
        "enabled": True,
        "overlap": "skip",
        "misfire": "run_all",
        "misfire_limit": 10,
        "jitter_seconds": 60,
        "calendar_ids": [str(holidays.pk)],
        "starts_at": "2026-01-01T00:00:00.000000Z",
        "ends_at": "2199-01-01T00:00:00.000000Z",
    }
    answer = caller.post("/schedules", said)
    assert answer.status == 201
    assert answer.headers["Location"] == f"/api/v1/schedules/{answer.body['id']}"
    document = caller.get(f"/schedules/{answer.body['id']}").body
    assert document == answer.body
    assert {name: document[name] for name in said} == said
    assert document["in_words"] == "Every weekday at 09:00"
    assert (document["declared"], document["level"]) == (False, "normal")
    assert document["created_by"].startswith("token:")
    assert datetime.fromisoformat(document["next_run_at"]) > timezone.now()


def test_what_is_left_out_takes_its_default(caller: Caller) -> None:
    least = {"name": "a", "type": "diagnostics.echo", "cron_expression": "@daily"}
    document = caller.post("/schedules", least).body
    expected: dict[str, Any] = {
        "queue": "default", "priority": None, "level": "normal", "payload": {}, "labels": {},
        "max_retries": None, "timeout_seconds": None, "webhook_url": None, "owner": None,
        "timezone": "UTC", "dst_policy": "once", "enabled": True, "overlap": "allow",
        "misfire": "run_once", "misfire_limit": 100, "jitter_seconds": 0, "calendar_ids": [],
        "starts_at": None, "ends_at": None, "last_run_at": None, "last_job_id": None,
        "description": "",
    }  # fmt: skip
    assert {name: document[name] for name in expected} == expected
    assert document["effective_from"] == document["created_at"]


def test_the_document_is_as_described_and_nothing_is_left_out(caller: Caller, acme: Tenant) -> None:
    body = caller.get(f"/schedules/{made(acme, priority='high').pk}").body
    described = schema()["components"]["schemas"]["ScheduleDocument"]
    check(body, described)
    assert list(body) == [name for name in described["properties"] if name in body]
    assert set(described["properties"]) - set(body) == {"tenant"}
    assert (body["priority"], body["level"]) == (75, "high")


def test_a_schedule_of_a_type_that_is_no_more_is_still_shown(caller: Caller, acme: Tenant) -> None:
    schedule = made(acme)
    Schedule.objects.filter(pk=schedule.pk).update(type="no.more")
    body = caller.get(f"/schedules/{schedule.pk}").body
    assert (body["type"], body["queue"]) == ("no.more", None)


def test_secrets_of_the_payload_are_masked_and_nowhere_else_to_be_seen(
    caller: Caller,
) -> None:
    payload = {"report_id": 1, "access_token": "s3cr3t-canary"}
    answer = caller.post("/schedules", {**NEW, "payload": payload}, idempotency_key="k")
    assert answer.body["payload"] == {"report_id": 1, "access_token": "***"}
    everything = (answer.body, list(Schedule.objects.values()), list(AuditEntry.objects.values()))
    assert "canary" not in repr(everything)


def test_one_key_makes_one_schedule(caller: Caller) -> None:
    first = caller.post("/schedules", NEW, idempotency_key="k")
    again = caller.post("/schedules", NEW, idempotency_key="k")
    other = caller.post("/schedules", {**NEW, "name": "b"}, idempotency_key="k")
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotent-Replay"] == "true"
    assert other.pointers == ["/Idempotency-Key"]
    assert Schedule.objects.count() == 1


def test_a_second_one_of_a_name_is_a_conflict_and_another_tenants_is_not(
    caller: Caller, other: Tenant, caller_of: MakeCaller
) -> None:
    caller.post("/schedules", NEW)
    answer = caller.post("/schedules", NEW)
    assert (answer.status, answer.body["detail"]) == (409, "There is one of this name already.")
    assert caller_of(other).post("/schedules", NEW).status == 201


def test_beyond_what_a_tenant_may_have_is_429_that_says_when_to_come_again(
    caller: Caller, settings: Settings, acme: Tenant
) -> None:
    settings.SCHEDULES_PER_TENANT = 2
    made(acme)
    made(acme)
    answer = caller.post("/schedules", NEW)
    assert (answer.status, answer.body["type"]) == (429, "urn:celeriac:problem:quota-exceeded")
    assert int(answer.headers["Retry-After"]) > 0
    assert Schedule.objects.count() == 2


def test_the_list_is_newest_first_page_by_page(caller: Caller, acme: Tenant) -> None:
    ids = [str(made(acme).pk) for _ in range(5)][::-1]
    first = caller.get("/schedules", limit=2).body
    second = caller.get("/schedules", limit=2, cursor=first["next_cursor"]).body
    third = caller.get("/schedules", limit=2, cursor=second["next_cursor"]).body
    assert [one["id"] for page in (first, second, third) for one in page["items"]] == ids
    assert third["next_cursor"] is None
    assert first["items"][0] == caller.get(f"/schedules/{ids[0]}").body


def test_the_list_is_filtered(caller: Caller, acme: Tenant) -> None:
    days = calendar(acme, weekdays=[7])
    one = made(acme, name="one", calendar_ids=(days.pk,))
    two = made(acme, name="two", enabled=False)
    three = made(acme, name="three", type="diagnostics.echo", payload={}, owner="eve")

    def found(**filters: str) -> set[str]:
        return {item["id"] for item in caller.get("/schedules", **filters).body["items"]}

    assert found() == {str(one.pk), str(two.pk), str(three.pk)}
    assert found(enabled="false") == {str(two.pk)}
    assert found(enabled="true") == {str(one.pk), str(three.pk)}
    assert found(type="diagnostics.echo") == {str(three.pk)}
    assert found(type="no.such") == set()
    assert found(owner="eve") == {str(three.pk)}
    assert found(name="one") == {str(one.pk)}
    assert found(calendar_id=str(days.pk)) == {str(one.pk)}
    assert found(name="one", enabled="false") == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enabled", "yes"),
        ("type", "x" * 256),
        ("calendar_id", "7"),
        ("calendar_id", "x" * 36),
        ("name", "a\x00b"),
        ("owner", "\x00"),
        ("colour", "red"),
        ("limit", "0"),
        ("cursor", "nonsense"),
    ],
)
def test_a_filter_that_is_wrong_is_pointed_to(name: str, value: str, caller: Caller) -> None:
    assert caller.get("/schedules", **{name: value}).pointers == [f"/{name}"]


def test_a_schedule_is_removed_and_its_jobs_stay(caller: Caller, acme: Tenant) -> None:
    schedule = made(acme)
    job = verbs.run(schedule, BY)
    row = schedule.periodic_task
    assert row is not None
    answer = caller.call("DELETE", f"/schedules/{schedule.pk}")
    assert (answer.status, answer.body) == (204, None)
    assert caller.get(f"/schedules/{schedule.pk}").status == 404
    assert caller.call("DELETE", f"/schedules/{schedule.pk}").status == 404
    assert Job.objects.get(pk=job.pk).schedule_id == schedule.pk
    assert not type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_what_is_declared_in_code_is_only_switched(
    method: str, caller: Caller, acme: Tenant
) -> None:
    schedule = made(acme)
    Schedule.objects.filter(pk=schedule.pk).update(declared=True)
    path = f"/schedules/{schedule.pk}"
    bodies: dict[str, Any] = {"PUT": NEW, "PATCH": {"description": "x"}, "DELETE": None}
    calls = {"PUT": caller.put, "PATCH": caller.patch}
    answer = calls[method](path, bodies[method]) if method in calls else caller.call("DELETE", path)
    assert answer.status == 409
    assert "declared in code" in answer.body["detail"]
    assert caller.get(path).body["declared"] is True
    assert caller.patch(path, {"enabled": False}).body["enabled"] is False


def test_each_write_leaves_an_audit_entry(caller: Caller, acme: Tenant) -> None:
    path = f"/schedules/{caller.post('/schedules', NEW).body['id']}"
    caller.patch(path, {"cron_expression": "0 3 * * *"})
    caller.put(path, NEW)
    caller.post(f"{path}/toggle")
    caller.post(f"{path}/run")
    at = timezone.now() - timedelta(days=2)
    body = {"from": at.isoformat(), "to": (at + timedelta(days=1)).isoformat()}
    assert caller.post(f"{path}/backfill", body).status == 200
    caller.call("DELETE", path)
    entries = AuditEntry.objects.filter(object_type="schedule").order_by("pk")
    assert [entry.action for entry in entries] == [
        "schedule.create", "schedule.change", "schedule.change", "schedule.change",
        "schedule.run", "schedule.backfill", "schedule.delete",
    ]  # fmt: skip
    assert {entry.tenant for entry in entries} == {acme}
    assert {entry.address for entry in entries} == {"127.0.0.1"}
    assert {entry.actor for entry in entries} == {entries[0].actor}
    assert entries[1].before == {"cron_expression": "0 2 * * *"}
    assert entries[1].after == {"cron_expression": "0 3 * * *"}
    assert entries[3].after == {"enabled": False}


def test_without_its_audit_entry_nothing_is_written(
    caller: Caller, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = made(acme)

    def fail(**_: object) -> None:
        raise RuntimeError("no entry today")

    monkeypatch.setattr("accounts.audit.record", fail)
    assert caller.post("/schedules", NEW).status == 500
    assert caller.patch(f"/schedules/{schedule.pk}", {"description": "x"}).status == 500
    assert caller.call("DELETE", f"/schedules/{schedule.pk}").status == 500
    (left,) = Schedule.objects.all()
    assert left.description == ""
