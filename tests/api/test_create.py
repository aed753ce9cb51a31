"""POST /jobs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import AuditEntry, IdempotencyKey, Tenant
from jobs.models import Job
from jobs.secret import SEALED
from jobs.states import Status
from tests.api import kinds
from tests.api.calling import PROBLEM, Caller
from tests.api.conftest import MakeCaller, MakeJob

LEAST: dict[str, Any] = {"type": kinds.report.name, "payload": {"report_id": 7}}


def soon(**delta: float) -> str:
    return (datetime.now(UTC) + timedelta(**delta)).isoformat()


def test_the_least_job_is_accepted_with_the_types_and_the_plans_defaults(
    caller: Caller,
) -> None:
    answer = caller.post("/jobs", LEAST)
    assert answer.status == 201
    assert answer.headers["Location"] == f"/api/v1/jobs/{answer.body['id']}"
    expected: dict[str, Any] = {
        "type": kinds.report.name,
        "status": "queued",
        "queue": "default",
        "owner": None,
        "priority": 50,
        "base_priority": 50,
        "level": "normal",
        "payload": {"report_id": 7},
        "max_retries": 2,
        "timeout_seconds": 600,
        "position": 1,
        "position_exact": True,
        "attempt": 0,
        "retry_count": 0,
        "labels": {},
        "depends_on": [],
        "unique_key": None,
        "run_at": None,
        "visible_at": None,
        "worker": None,
    }
    assert {name: answer.body[name] for name in expected} == expected
    assert answer.body["created_by"].startswith("token:")
    assert "deduplicated" not in answer.body


def test_the_answer_is_what_a_look_at_the_job_gives(caller: Caller) -> None:
    made = caller.post("/jobs", {**LEAST, "labels": {"course": "7"}})
    assert caller.get(f"/jobs/{made.body['id']}").body == made.body


def test_every_option_arrives(caller: Caller, acme: Tenant, make_job: MakeJob) -> None:
    first = make_job(acme)
    run_at, expires_at = soon(hours=1), soon(hours=2)
    body = {
        **LEAST,
        "queue": "default",
        "priority": "high",
        "run_at": run_at,
        "expires_at": expires_at,
        "max_retries": 5,
        "retry_backoff": {"base_seconds": 1, "factor": 3, "max_seconds": 9.5, "jitter": 0},
        "timeout_seconds": 30,
        "unique_key": "nightly",
        "labels": {"course": "7"},
        "depends_on": [{"job_id": str(first.pk), "on_failure": "run"}],
        "estimated_duration_seconds": 12,
        "owner": "eve",
        "webhook_url": "https://hooks.example.invalid/x",
    }
    shown = caller.post("/jobs", body).body
    assert (shown["status"], shown["priority"], shown["level"]) == ("blocked", 75, "high")
    assert shown["depends_on"] == [str(first.pk)]
    assert datetime.fromisoformat(shown["run_at"]) == datetime.fromisoformat(run_at)
    assert datetime.fromisoformat(shown["expires_at"]) == datetime.fromisoformat(expires_at)
    told = ("max_retries", "timeout_seconds", "unique_key", "labels", "owner", "webhook_url")
    for name in told:
        assert shown[name] == body[name]
    assert shown["estimated_duration_seconds"] == 12
    assert Job.objects.get(pk=shown["id"]).retry_backoff == body["retry_backoff"]


def test_timestamps_have_six_decimals_and_a_z(caller: Caller) -> None:
    body = caller.post("/jobs", {**LEAST, "run_at": "2099-01-02T03:04:05+02:00"}).body
    assert body["run_at"] == body["visible_at"] == "2099-01-02T01:04:05.000000Z"
    assert (body["status"], body["position"]) == ("scheduled", None)
    assert len(body["created_at"]) == len(body["run_at"])


def test_a_secret_is_sealed_in_the_row_and_masked_in_every_answer(caller: Caller) -> None:
    body = {**LEAST, "payload": {"report_id": 7, "access_token": "s3cr3t-canary"}}
    made = caller.post("/jobs", body, idempotency_key="k")
    row = Job.objects.get(pk=made.body["id"])
    assert made.body["payload"] == {"report_id": 7, "access_token": "***"}
    assert SEALED in row.payload["access_token"]
    everything = (
        row.payload,
        made,
        caller.get("/jobs"),
        list(IdempotencyKey.objects.values()),
        list(AuditEntry.objects.values()),
    )
    assert "canary" not in repr(everything)


def test_a_taken_unique_key_gives_the_active_job(
    caller: Caller, acme: Tenant, other: Tenant, make_job: MakeJob
) -> None:
    make_job(other, unique_key="one")
    make_job(acme, Status.COMPLETED, unique_key="one")
    first = caller.post("/jobs", {**LEAST, "unique_key": "one"})
    again = caller.post("/jobs", {**LEAST, "unique_key": "one", "payload": {"report_id": 8}})
    assert (first.status, again.status) == (201, 200)
    assert again.body == {**first.body, "deduplicated": True}


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"type": "nobody.knows"}, ["/type"]),
    ({"type": 7}, ["/type"]),
    ({"type": None}, ["/type"]),
    ({"payload": {}}, ["/payload/report_id"]),
    ({"payload": {"report_id": "seven"}}, ["/payload/report_id"]),
    ({"payload": {"report_id": 7, "more": 1, "a/b~c": 2}}, ["/payload/a~1b~0c", "/payload/more"]),
    ({"payload": None}, ["/payload"]),
    ({"payload": []}, ["/payload"]),
    ({"payload": "text"}, ["/payload"]),
    ({"queue": "nowhere"}, ["/queue"]),
    ({"queue": 1}, ["/queue"]),
    ({"priority": 101}, ["/priority"]),
    ({"priority": -1}, ["/priority"]),
    ({"priority": "asap"}, ["/priority"]),
    ({"priority": True}, ["/priority"]),
    ({"priority": 5.5}, ["/priority"]),
    ({"priority": []}, ["/priority"]),
    ({"priority": "urgent"}, ["/priority"]),  # above what the plan allows
    ({"run_at": "tomorrow"}, ["/run_at"]),
    ({"run_at": "2099-01-01T00:00:00"}, ["/run_at"]),  # without an offset
    ({"run_at": "0001-01-01T00:00:00+14:00"}, ["/run_at"]),
    ({"run_at": "9999-12-31T23:59:59-14:00"}, ["/run_at"]),
    ({"run_at": 1893456000}, ["/run_at"]),
    ({"run_at": "2099-01-01T00:00:00Z", "delay_seconds": 1}, ["/delay_seconds"]),
    ({"delay_seconds": -1}, ["/delay_seconds"]),
    ({"delay_seconds": 1e300}, ["/delay_seconds"]),
    ({"delay_seconds": "60"}, ["/delay_seconds"]),
    ({"expires_at": "2001-01-01T00:00:00Z"}, ["/expires_at"]),
    ({"max_retries": 101}, ["/max_retries"]),
    ({"max_retries": -1}, ["/max_retries"]),
    ({"max_retries": 2**53 - 1}, ["/max_retries"]),
    ({"max_retries": 1.0}, ["/max_retries"]),
    ({"timeout_seconds": 0}, ["/timeout_seconds"]),
    ({"timeout_seconds": 86_401}, ["/timeout_seconds"]),
    ({"retry_backoff": {"base_seconds": -1}}, ["/retry_backoff/base_seconds"]),
    ({"retry_backoff": {"jitter": 2}}, ["/retry_backoff/jitter"]),
    ({"retry_backoff": {"base": 1}}, ["/retry_backoff/base"]),
    ({"retry_backoff": 30}, ["/retry_backoff"]),
    ({"unique_key": "x" * 256}, ["/unique_key"]),
    ({"unique_key": 1}, ["/unique_key"]),
    ({"labels": {"a": 1}}, ["/labels/a"]),
    ({"labels": ["a"]}, ["/labels"]),
    ({"labels": {"a": "x" * 256}}, ["/labels/a"]),
    ({"labels": {str(n): "" for n in range(33)}}, ["/labels"]),
    ({"depends_on": ["7"]}, ["/depends_on/0/job_id"]),
    ({"depends_on": [{"job_id": "x" * 36}]}, ["/depends_on/0/job_id"]),
    ({"depends_on": [7]}, ["/depends_on/0"]),
    ({"depends_on": "0199"}, ["/depends_on"]),
    ({"estimated_duration_seconds": 2**40}, ["/estimated_duration_seconds"]),
    ({"owner": "x" * 256}, ["/owner"]),
    ({"webhook_url": "http://127.0.0.1/"}, ["/webhook_url"]),
    ({"webhook_url": 7}, ["/webhook_url"]),
    ({"status": "completed"}, ["/status"]),
    ({"id": "0199"}, ["/id"]),
    ({"tenant": "other"}, ["/tenant"]),
    ({"created_by": "user:eve", "colour": "red"}, ["/colour", "/created_by"]),
]


@pytest.mark.parametrize(("change", "pointers"), WRONG)
def test_a_wrong_field_is_422_that_points_to_it_and_writes_nothing(
    change: dict[str, Any], pointers: list[str], caller: Caller
) -> None:
    answer = caller.post("/jobs", {**LEAST, **change}, idempotency_key="k")
    assert sorted(answer.pointers) == pointers
    assert answer.headers["Content-Type"] == PROBLEM
    assert all(error["detail"] for error in answer.body["errors"])
    assert not Job.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_a_type_and_a_payload_are_required(caller: Caller) -> None:
    assert sorted(caller.post("/jobs", {}).pointers) == ["/payload", "/type"]


def test_no_body_at_all_is_400(caller: Caller) -> None:
    assert caller.post("/jobs").status == 400


def test_a_read_only_field_is_called_so(caller: Caller) -> None:
    answer = caller.post("/jobs", {**LEAST, "status": "completed", "colour": "red"})
    assert {error["pointer"]: error["detail"] for error in answer.body["errors"]} == {
        "/status": "read-only field",
        "/colour": "unknown field",
    }


@pytest.mark.parametrize("priority", ["urgent", 90, 95, 100])
def test_the_highest_plan_may_ask_for_every_priority(
    priority: object, other: Tenant, caller_of: MakeCaller
) -> None:
    body = caller_of(other).post("/jobs", {**LEAST, "priority": priority}).body
    assert (body["priority"], body["level"]) == (95 if priority == "urgent" else priority, "urgent")


def test_a_dependency_that_has_ended_holds_nothing_up(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    done, failed = make_job(acme, Status.COMPLETED), make_job(acme, Status.FAILED)
    ready = caller.post("/jobs", {**LEAST, "depends_on": [str(done.pk)]})
    assert ready.body["status"] == "queued"
    ended = caller.post("/jobs", {**LEAST, "depends_on": [str(failed.pk)]})
    assert ended.body["status"] == "cancelled"
