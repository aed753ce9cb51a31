"""POST /jobs with a unique key: one after the other, replaced, debounced; quotas; policies."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Tenant
from jobs import quotas
from jobs.models import Job
from jobs.states import Status
from tests.api import kinds
from tests.api.calling import PROBLEM, Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.api.test_schema import check, schema
from tests.jobs import making

JOB: dict[str, Any] = {"type": kinds.report.name, "payload": {"report_id": 7}}
KEYED = {**JOB, "unique_key": "k"}


def test_a_debounced_job_is_made_once_and_then_put_off(caller: Caller) -> None:
    body = {**KEYED, "debounce_seconds": 60, "debounce_max_seconds": 300}
    first = caller.post("/jobs", body)
    again = caller.post("/jobs", {**body, "payload": {"report_id": 8}})

    assert (first.status, again.status) == (201, 200)
    assert (again.body["deduplicated"], again.body["replaced"]) == (True, True)
    assert again.body["id"] == first.body["id"]
    assert (again.body["status"], again.body["payload"]) == ("scheduled", {"report_id": 8})
    assert again.body["visible_at"] >= first.body["visible_at"]
    check(again.body, schema()["components"]["schemas"]["JobDocument"])


def test_a_job_that_runs_is_not_replaced(caller: Caller, acme: Tenant, make_job: MakeJob) -> None:
    job = make_job(acme, Status.PROCESSING, unique_key="k")
    answer = caller.post("/jobs", {**KEYED, "on_duplicate": "replace", "payload": {"report_id": 8}})
    assert (answer.status, answer.body["deduplicated"]) == (200, True)
    assert "replaced" not in answer.body
    assert answer.body["payload"] == {"report_id": 7}
    assert answer.body["id"] == str(job.pk)


def test_a_replaced_job_is_shown_as_it_is_now(caller: Caller) -> None:
    first = caller.post("/jobs", KEYED).body
    changed = {**KEYED, "on_duplicate": "replace", "priority": "high", "labels": {"a": "b"}}
    body = caller.post("/jobs", changed).body
    assert (body["id"], body["level"], body["labels"]) == (first["id"], "high", {"a": "b"})
    shown = {name: body[name] for name in body if name not in ("deduplicated", "replaced")}
    assert caller.get(f"/jobs/{first['id']}").body == shown


def test_an_owners_token_neither_sees_nor_replaces_another_owners_job(
    acme: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    job = make_job(acme, unique_key="k", owner="ann")
    bob = caller_of(acme, owner="bob")
    answer = bob.post("/jobs", {**KEYED, "on_duplicate": "replace", "payload": {"report_id": 8}})
    assert answer.status == 409
    assert Job.objects.get(pk=job.pk).payload == {"report_id": 7}


def test_a_key_with_a_time_is_answered_with_the_completed_job(caller: Caller) -> None:
    body = {**KEYED, "unique_for_seconds": 3600}
    first = caller.post("/jobs", body).body
    making.complete(Job.objects.get(pk=first["id"]))
    again = caller.post("/jobs", body)
    assert (again.status, again.body["id"], again.body["status"]) == (200, first["id"], "completed")


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"on_duplicate": "discard"}, ["/on_duplicate"]),
        ({"on_duplicate": None}, ["/on_duplicate"]),
        ({"unique_for_seconds": 0}, ["/unique_for_seconds"]),
        ({"unique_for_seconds": "60"}, ["/unique_for_seconds"]),
        ({"debounce_seconds": 5, "delay_seconds": 5}, ["/debounce_seconds"]),
        ({"unique_key": None, "debounce_seconds": 5}, ["/debounce_seconds"]),
        ({"retry_backoff": "slow"}, ["/retry_backoff"]),
    ],
)
def test_a_wrong_option_is_pointed_to(
    change: dict[str, Any], pointers: list[str], caller: Caller
) -> None:
    assert caller.post("/jobs", {**KEYED, **change}).pointers == pointers
    assert not Job.objects.exists()


def test_a_retry_policy_may_be_named(caller: Caller) -> None:
    body = {**JOB, "retry_backoff": "crawler"}
    check(body, schema()["components"]["schemas"]["NewJob"])
    made = caller.post("/jobs", body).body
    assert Job.objects.get(pk=made["id"]).retry_backoff == {
        "base_seconds": 60, "factor": 2, "max_seconds": 86_400, "jitter": 0.2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "longest"), [({"max_queued": 1}, 60), ({"max_per_day": 1}, 86_401)]
)
def test_beyond_a_quota_a_job_is_429_with_the_time_to_try_again(
    limits: dict[str, int],
    longest: int,
    acme: Tenant,
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    today = quotas._today()
    monkeypatch.setattr(quotas, "_today", lambda: today)  # midnight may pass meanwhile
    Tenant.objects.filter(pk=acme.pk).update(**limits)
    assert caller.post("/jobs", JOB, idempotency_key="k").status == 201

    refused = caller.post("/jobs", JOB)

    assert (refused.status, refused.headers["Content-Type"]) == (429, PROBLEM)
    assert refused.body["type"] == "urn:celeriac:problem:quota-exceeded"
    assert 0 < int(refused.headers["Retry-After"]) <= longest
    assert caller.post("/jobs", JOB, idempotency_key="k").status == 201
    assert Job.objects.count() == 1
