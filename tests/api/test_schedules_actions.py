"""POST /schedules/{id}/run and /backfill, GET /schedules/{id}/firings."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Tenant
from jobs.models import Job
from scheduling.firing import fire_due
from scheduling.models import Schedule
from tests.api import kinds
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller
from tests.api.limiting import told
from tests.api.scheduled import NEW, PREVIEW, READ, WRITE, calendar, made
from tests.api.test_schema import check, schema
from tests.scheduling.making import at, since


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ, WRITE])


def path_of(schedule: Schedule) -> str:
    return f"/schedules/{schedule.pk}"


# --- run -------------------------------------------------------------------------------------


def test_a_run_by_hand_answers_the_job_as_post_jobs_does(
    caller: Caller, acme: Tenant, caller_of: MakeCaller
) -> None:
    schedule = made(acme, priority="low", labels={"a": "b"}, enabled=False)
    answer = caller.post(f"{path_of(schedule)}/run")
    assert answer.status == 201
    job = caller_of(acme).get(f"/jobs/{answer.body['id']}").body
    assert {**answer.body, "estimated_wait_seconds": None} == {
        **job, "estimated_wait_seconds": None,
    }  # fmt: skip
    assert (job["schedule_id"], job["scheduled_for"]) == (str(schedule.pk), None)
    assert (job["priority"], job["labels"], job["position"]) == (10, {"a": "b"}, 1)
    assert job["created_by"].startswith("token:")
    after = caller.get(path_of(schedule)).body
    assert (after["last_job_id"], after["enabled"]) == (job["id"], False)


def test_one_key_runs_it_once(caller: Caller, acme: Tenant) -> None:
    path = f"{path_of(made(acme))}/run"
    first, again = (caller.post(path, idempotency_key="k") for _ in range(2))
    assert first.body == again.body
    assert Job.objects.count() == 1


def test_a_job_that_holds_its_unique_key_is_answered_and_no_second_one_is_made(
    caller: Caller, acme: Tenant
) -> None:
    schedule = made(acme, type=kinds.crawl.name, payload={"subreddit": "python"})
    path = f"{path_of(schedule)}/run"
    first, again = caller.post(path), caller.post(path)
    assert (first.status, again.status) == (201, 200)
    assert (again.body["id"], again.body["deduplicated"]) == (first.body["id"], True)
    decisions = [
        one["decision"] for one in caller.get(f"{path_of(schedule)}/firings").body["items"]
    ]
    assert decisions == ["skipped", "fired"]


def test_an_owners_token_is_not_shown_anothers_job_that_holds_the_key(
    acme: Tenant, caller_of: MakeCaller
) -> None:
    key: dict[str, Any] = {"type": kinds.crawl.name, "payload": {"subreddit": "python"}}
    held = caller_of(acme).post("/jobs", {**key, "owner": "bob"}).body["id"]
    schedule = made(acme, owner="eve", **key)
    answer = caller_of(acme, owner="eve").post(f"{path_of(schedule)}/run")
    assert (answer.status, answer.body["type"]) == (409, "urn:celeriac:problem:unique-key-taken")
    assert held not in str(answer.body)


def test_a_schedule_whose_type_was_changed_since_is_a_conflict_that_says_why(
    caller: Caller, acme: Tenant
) -> None:
    schedule = made(acme)
    rows = Schedule.objects.filter(pk=schedule.pk)
    for change, why in (
        ({"payload": {"colour": "red"}}, "/colour: unknown parameter"),
        ({"type": "no.more"}, "no job type 'no.more'"),
    ):
        rows.update(**change)
        answer = caller.post(f"{path_of(schedule)}/run")
        assert answer.status == 409
        assert why in answer.body["detail"]
    assert not Job.objects.exists()


def test_a_full_tenant_is_429(caller: Caller, acme: Tenant) -> None:
    schedule = made(acme)
    Tenant.objects.filter(pk=acme.pk).update(max_queued=0)
    answer = caller.post(f"{path_of(schedule)}/run")
    assert (answer.status, answer.body["type"]) == (429, "urn:celeriac:problem:quota-exceeded")


@pytest.mark.usefixtures("limits")
def test_each_call_counts_in_the_window_of_its_kind(caller: Caller, acme: Tenant) -> None:
    path = path_of(made(acme))
    body = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    assert told(caller.post(f"{path}/run"))[:2] == (10, 9)
    assert told(caller.post(f"{path}/backfill", body))[:2] == (5, 4)
    others = [
        caller.post("/schedules", NEW),
        caller.post("/schedules/preview", PREVIEW),
        caller.post(f"{path}/toggle"),
        caller.get("/schedules/timeline"),
        caller.post("/calendars", {"name": "x"}),
        caller.call("DELETE", path),
    ]
    assert [told(one)[:2] for one in others] == [(100, 99 - n) for n in range(6)]


# --- backfill --------------------------------------------------------------------------------


def hours(**more: Any) -> dict[str, Any]:
    return {"from": at(0).isoformat(), "to": at(3).isoformat(), **more}


def test_a_backfill_makes_the_jobs_that_are_missing_and_may_be_repeated(
    caller: Caller, acme: Tenant
) -> None:
    schedule = made(acme, "@hourly")
    path = f"{path_of(schedule)}/backfill"
    looked = caller.post(path, hours(dry_run=True)).body
    assert (looked["total"], looked["counts"]) == (3, {"would_run": 3})
    assert not Job.objects.exists()

    answer = caller.post(path, hours())
    assert (answer.status, answer.body["counts"]) == (200, {"fired": 3})
    moments = [f"2026-03-10T0{hour}:00:00.000000Z" for hour in range(3)]
    assert [item["moment"] for item in answer.body["items"]] == moments
    jobs = {str(job.pk): job for job in Job.objects.all()}
    assert [jobs[one["job_id"]].scheduled_for for one in answer.body["items"]] == [
        at(0), at(1), at(2),
    ]  # fmt: skip

    again = caller.post(path, hours()).body
    assert again["counts"] == {"ran_before": 3}
    assert [one["job_id"] for one in again["items"]] == [
        one["job_id"] for one in answer.body["items"]
    ]
    assert Job.objects.count() == 3
    check(again, schema()["components"]["schemas"]["BackfillDocument"])


def test_a_backfill_fills_what_was_missed_and_leaves_out_what_calendars_do(
    caller: Caller, acme: Tenant
) -> None:
    off = calendar(acme, dates=[at(0).date()])
    path = f"{path_of(made(acme, '@hourly', calendar_ids=(off.pk,)))}/backfill"
    assert caller.post(path, {"from": at(22, day=9).isoformat(), "to": at(3).isoformat()}).body[
        "counts"
    ] == {"fired": 2}

    missed = since(acme, at(0), "@hourly", misfire="skip")
    fire_due(now=at(5))
    path = f"{path_of(missed)}/backfill"
    body = caller.post(path, {"from": at(0).isoformat(), "to": at(4, 59).isoformat()}).body
    assert body["counts"] == {"fired": 5}  # the first lies before it was made


def test_a_job_that_cannot_be_made_is_told_and_stops_no_other(caller: Caller, acme: Tenant) -> None:
    schedule = made(acme, "@hourly", type=kinds.crawl.name, payload={"subreddit": "python"})
    items = caller.post(f"{path_of(schedule)}/backfill", hours()).body["items"]
    assert [one["decision"] for one in items] == ["fired", "skipped", "skipped"]
    assert "unique key" in items[1]["reason"]


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"from": "2026-03-10T03:00:00Z", "to": "2026-03-10T00:00:00Z"}, ["/from"]),
    ({"from": "2026-03-10T03:00:00Z", "to": "2026-03-10T03:00:00Z"}, ["/from"]),
    ({"from": "2026-03-10T03:00:00Z", "to": "2199-03-10T00:00:00Z"}, ["/to"]),
    ({"from": "1971-01-01T00:00:00Z", "to": "2026-03-10T00:00:00Z"}, ["/from"]),
    ({"from": "0001-01-01T00:00:00Z", "to": "9999-01-01T00:00:00Z"}, ["/from", "/to"]),
    ({"from": "yesterday"}, ["/from", "/to"]),
    ({"from": None, "to": None}, ["/from", "/to"]),
    ({"start": "2026-03-10T00:00:00Z", "to": "2026-03-10T03:00:00Z"}, ["/from", "/start"]),
    ({**{"from": "2026-03-10T00:00:00Z", "to": "2026-03-10T03:00:00Z"}, "dry_run": 1},
     ["/dry_run"]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "pointers"), WRONG)
def test_a_range_that_is_wrong_is_pointed_to(
    body: dict[str, Any], pointers: list[str], caller: Caller, acme: Tenant
) -> None:
    assert caller.post(f"{path_of(made(acme, '@hourly'))}/backfill", body).pointers == pointers
    assert not Job.objects.exists()


# --- firings ---------------------------------------------------------------------------------


def test_firings_tell_what_became_of_each_moment_newest_first(caller: Caller, acme: Tenant) -> None:
    schedule = since(acme, at(9, 30), misfire="run_once")
    fire_due(now=at(12, 0, 30))
    caller.post(f"{path_of(schedule)}/run")
    by_hand, fired, second, first = caller.get(f"{path_of(schedule)}/firings").body["items"]
    assert (by_hand["moment"], by_hand["decision"]) == (None, "fired")
    assert by_hand["by"].startswith("token:")
    job = Job.objects.get(scheduled_for=at(12))
    assert {name: fired[name] for name in fired if name not in ("id",)} == {
        "moment": "2026-03-10T12:00:00.000000Z",
        "until": None,
        "decision": "fired",
        "reason": None,
        "job_id": str(job.pk),
        "late_seconds": 30.0,
        "by": None,
        "decided_at": "2026-03-10T12:00:30.000000Z",
    }
    assert [one["decision"] for one in (second, first)] == ["missed", "missed"]
    assert (first["job_id"], first["reason"]) == (None, "misfire: only the last is run")
    check(fired, schema()["components"]["schemas"]["FiringDocument"])


def test_firings_are_paged_and_filtered(caller: Caller, acme: Tenant) -> None:
    schedule = since(acme, at(0, 30), misfire="run_all", misfire_limit=2)
    fire_due(now=at(5, 0, 1))
    path = f"{path_of(schedule)}/firings"
    first = caller.get(path, limit=3).body
    second = caller.get(path, limit=3, cursor=first["next_cursor"]).body
    moments = [one["moment"] for page in (first, second) for one in page["items"]]
    assert moments == [f"2026-03-10T0{hour}:00:00.000000Z" for hour in (5, 4, 3, 2, 1)]
    assert second["next_cursor"] is None
    assert len(caller.get(path, decision="fired").body["items"]) == 3
    assert len(caller.get(path, decision="missed").body["items"]) == 2
    assert caller.get(path, decision="refused").body["items"] == []
    assert caller.get(path, decision="lost").pointers == ["/decision"]
