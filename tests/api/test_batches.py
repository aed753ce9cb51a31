"""/batches: many jobs in one request, counted together, each with its own answer."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import AuditEntry, Tenant
from jobs import lifecycle
from jobs.models import Batch, Job
from tests.api import kinds
from tests.api.batching import BATCH_CALLS, JOB, NEW_BATCH, call, made
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.api.test_schema import check, schema

BAD = {"type": kinds.report.name, "payload": {"report_id": "seven"}}


# --- handing in -------------------------------------------------------------------------------


def test_each_item_has_its_own_answer_and_a_bad_one_stops_no_other(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    holder = make_job(acme, unique_key="k")
    unknown = {**JOB, "prioritty": 5}
    jobs = [JOB, BAD, {**JOB, "unique_key": "k"}, unknown, "no job", {**JOB, "type": "nobody"}]

    answer = caller.post("/batches", {"name": "mixed", "jobs": jobs})

    body = answer.body
    assert answer.status == 201
    assert answer.headers["Location"].endswith(f"/batches/{body['batch_id']}")
    assert [body[name] for name in ("total", "queued", "already_queued", "failed")] == [6, 1, 1, 4]
    results = body["results"]
    assert [result["index"] for result in results] == list(range(6))
    assert [result["status"] for result in results] == [
        "queued", "failed", "already_queued", "failed", "failed", "failed",
    ]  # fmt: skip
    assert results[2]["job_id"] == str(holder.pk)
    assert [[rule["pointer"] for rule in result["errors"]] for result in results] == [
        [], ["/payload/report_id"], [], ["/prioritty"], [""], ["/type"],
    ]  # fmt: skip
    assert results[1]["error"].startswith("/payload/report_id: ")
    (job,) = Job.objects.filter(batch=body["batch_id"])
    assert (str(job.pk), job.created_by) == (results[0]["job_id"], caller.get("/me").body["actor"])


def test_one_type_with_many_payloads_shares_its_options(caller: Caller) -> None:
    body = {**NEW_BATCH, "priority": "low", "labels": {"course": "7"}, "max_retries": 1}
    body["items"] = [{"report_id": 1}, {"report": 2}, 3, {"report_id": 4}]

    answer = caller.post("/batches", body)

    assert [result["status"] for result in answer.body["results"]] == [
        "queued", "failed", "failed", "queued",
    ]  # fmt: skip
    jobs = Job.objects.order_by("seq")
    assert [job.payload for job in jobs] == [{"report_id": 1}, {"report_id": 4}]
    assert {(job.priority, job.max_retries, job.labels["course"]) for job in jobs} == {(10, 1, "7")}


def test_atomic_refuses_the_whole_and_lists_every_item_that_is_wrong(caller: Caller) -> None:
    jobs = [JOB, BAD, {**JOB, "queue": "nowhere"}, {**JOB, "max_retries": -1}, {"type": "x"}]

    answer = caller.post("/batches", {"jobs": jobs, "atomic": True})

    assert answer.pointers == [
        "/jobs/1/payload/report_id", "/jobs/2/queue", "/jobs/3/max_retries", "/jobs/4/payload",
    ]  # fmt: skip
    assert not Job.objects.exists()
    assert not Batch.objects.exists()
    refused = caller.post("/batches", {**NEW_BATCH, "items": [{"report_id": "x"}], "atomic": True})
    assert refused.pointers == ["/items/0/payload/report_id"]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, [""]),
        ({"jobs": []}, ["/jobs"]),
        ({"jobs": [JOB], "items": [{}]}, [""]),
        ({"jobs": [JOB], "priority": 5}, [""]),
        ({"items": [{"report_id": 1}]}, [""]),
        ({**NEW_BATCH, "items": []}, ["/items"]),
        ({**NEW_BATCH, "priority": "silly"}, ["/priority"]),
        ({**NEW_BATCH, "payload": {}}, ["/payload"]),
        ({**NEW_BATCH, "counts": {}}, ["/counts"]),
        ({**NEW_BATCH, "name": "x" * 256}, ["/name"]),
        ({**NEW_BATCH, "on_complete": {"type": "x"}}, ["/on_complete/payload"]),
        ({**NEW_BATCH, "on_complete": BAD}, ["/on_complete/payload/report_id"]),
        ({**NEW_BATCH, "on_failure": {**JOB, "queue": "no"}}, ["/on_failure/queue"]),
        ({**NEW_BATCH, "on_failure": {**JOB, "depends_on": [str(uuid4())]}},
         ["/on_failure/depends_on"]),
    ],
)  # fmt: skip
def test_a_batch_that_breaks_a_rule_is_422_and_hands_in_nothing(
    body: dict[str, Any], pointers: list[str], caller: Caller
) -> None:
    assert caller.post("/batches", body).pointers == pointers
    assert not Job.objects.exists()
    assert not Batch.objects.exists()


def test_ten_thousand_items_are_taken_and_one_more_is_not(caller: Caller) -> None:
    items = [{"report_id": number} for number in range(10_000)]
    answer = caller.post("/batches", {**NEW_BATCH, "items": items})
    assert (answer.status, answer.body["queued"]) == (201, 10_000)
    assert caller.post("/batches", {**NEW_BATCH, "items": [*items, {}]}).pointers == ["/items"]


def test_a_batch_may_be_larger_than_any_other_body(caller: Caller, settings: Settings) -> None:
    settings.API_MAX_BODY_BYTES, settings.API_MAX_BATCH_BYTES = 1000, 5000
    many = json.dumps({"jobs": [JOB] * 40}).encode()
    assert 1000 < len(many) < 5000
    assert caller.send("/jobs", many).status == 413
    assert caller.send("/batches", many).status == 201
    assert caller.send("/batches", b" " * 5001).status == 413


def test_a_batch_that_is_sent_again_is_not_handed_in_again(caller: Caller) -> None:
    first = caller.post("/batches", NEW_BATCH, idempotency_key="k")
    again = caller.post("/batches", NEW_BATCH, idempotency_key="k")
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotent-Replay"] == "true"
    assert (Batch.objects.count(), Job.objects.count()) == (1, 2)


def test_the_callbacks_are_handed_in_and_named(caller: Caller, acme: Tenant) -> None:
    wishes = {"on_complete": JOB, "on_failure": {**JOB, "priority": "high"}}
    batch_id = caller.post("/batches", {**NEW_BATCH, **wishes}).body["batch_id"]
    jobs = Job.objects.filter(batch=batch_id).order_by("seq")
    for job in jobs:
        lifecycle.force_fail(job.pk, error={"type": "E", "message": "", "details": {}})

    body = caller.get(f"/batches/{batch_id}").body

    assert (body["status"], body["progress"]) == ("failed", 100)
    failure = caller.get(f"/jobs/{body['on_failure_job']}").body
    last = caller.get(f"/jobs/{body['on_complete_job']}").body
    assert [failure["level"], last["level"]] == ["high", "normal"]
    assert (last["created_by"], last["batch_id"]) == (caller.get("/me").body["actor"], None)


# --- reading ----------------------------------------------------------------------------------


def test_a_batch_says_where_its_jobs_are(caller: Caller, acme: Tenant) -> None:
    batch = made(acme, 4)
    first = Job.objects.filter(batch=batch)[0]
    lifecycle.cancel(first.pk, by="user:eve")

    body = caller.get(f"/batches/{batch.pk}").body

    assert (body["name"], body["status"], body["total"]) == ("a class", "running", 4)
    assert (body["progress"], body["finished_at"]) == (25, None)
    assert {name: number for name, number in body["counts"].items() if number} == {
        "cancelled": 1, "queued": 3,
    }  # fmt: skip
    assert caller.get("/batches").body["items"] == [body]


def test_batches_are_listed_newest_first_in_pages(caller: Caller, acme: Tenant) -> None:
    ids = [str(made(acme, 1).pk) for _ in range(5)]
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = caller.get("/batches", **query).body
        seen += [item["id"] for item in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert seen == ids[::-1]


def test_the_list_is_filtered(caller: Caller, acme: Tenant) -> None:
    running, ended, eves = made(acme), made(acme), made(acme, owner="eve")
    for job in Job.objects.filter(batch=ended):
        lifecycle.cancel(job.pk, by="user:eve")

    def listed(**query: str) -> set[str]:
        return {item["id"] for item in caller.get("/batches", **query).body["items"]}

    assert listed(status="running") == {str(running.pk), str(eves.pk)}
    assert listed(status="cancelled") == {str(ended.pk)}
    assert listed(status="completed") == listed(status="failed") == set()
    assert listed(owner="eve") == {str(eves.pk)}
    assert len(listed(created_after="2020-01-01T00:00:00Z")) == 3
    assert listed(created_before="2020-01-01T00:00:00Z") == set()
    assert caller.get("/batches", status="done").pointers == ["/status"]
    assert caller.get("/batches", colour="red").pointers == ["/colour"]


def test_the_jobs_of_a_batch_say_so_and_are_listed(caller: Caller, acme: Tenant) -> None:
    batch = made(acme)
    made(acme)

    items = caller.get("/jobs", batch_id=str(batch.pk)).body["items"]

    assert [item["batch_id"] for item in items] == [str(batch.pk)] * 2
    assert caller.get("/jobs", batch_id="7").pointers == ["/batch_id"]


@pytest.mark.usefixtures("use_noted_once")
def test_the_cost_of_the_list_does_not_grow_with_its_batches(caller: Caller, acme: Tenant) -> None:
    made(acme)
    caller.get("/batches")  # the first use of a token is written down
    with CaptureQueriesContext(connection) as one:
        caller.get("/batches")
    for _ in range(5):
        made(acme)
    with CaptureQueriesContext(connection) as six:
        caller.get("/batches")
    assert len(one) == len(six)


# --- acting -----------------------------------------------------------------------------------


@pytest.mark.parametrize("owner", ["x" * 256, "x" * 900_000])
def test_an_owner_is_a_short_text(owner: str, caller: Caller) -> None:
    answer = caller.post("/batches", {**NEW_BATCH, "owner": owner})
    assert answer.pointers == ["/owner"]
    assert not Batch.objects.exists()


def test_a_whole_batch_is_cancelled_and_run_again(caller: Caller, acme: Tenant) -> None:
    batch = made(acme, 3)

    cancelled = caller.post(f"/batches/{batch.pk}/cancel").body
    again = caller.post(f"/batches/{batch.pk}/cancel", {}).body
    assert (cancelled["status"], cancelled["changed"], again["changed"]) == ("cancelled", 3, 0)
    retried = caller.post(f"/batches/{batch.pk}/retry").body
    assert (retried["status"], retried["changed"], retried["progress"]) == ("running", 3, 0)

    actor = caller.get("/me").body["actor"]
    entries = AuditEntry.objects.filter(object_type="batch").order_by("pk")
    assert [(entry.action, entry.actor, entry.address) for entry in entries] == [
        ("batch.cancel", actor, "127.0.0.1"), ("batch.retry", actor, "127.0.0.1"),
    ]  # fmt: skip
    assert caller.post(f"/batches/{batch.pk}/cancel", {"now": True}).pointers == ["/now"]


@pytest.mark.django_db(transaction=True)
def test_g11_without_its_audit_entry_nothing_is_cancelled(
    caller: Caller, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = made(acme)

    def fail(**_: object) -> None:
        raise RuntimeError("no entry today")

    monkeypatch.setattr("accounts.audit.record", fail)
    assert caller.post(f"/batches/{batch.pk}/cancel").status == 500
    assert {job.status for job in Job.objects.all()} == {"queued"}


# --- the published schema ---------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), BATCH_CALLS)
def test_every_answer_is_as_described(
    method: str, path: str, needed: object, body: object, _: object, acme: Tenant,
    caller_of: MakeCaller,
) -> None:  # fmt: skip
    batch = made(acme)
    answer = call(caller_of(acme), method, path.replace("{id}", str(batch.pk)), body)
    (described,) = (
        item
        for name, item in schema()["paths"].items()
        if re.sub(r"\{\w+\}", "{id}", name) == "/api/v1" + path
    )
    responses = described[method.lower()]["responses"]
    check(answer.body, responses[str(answer.status)]["content"]["application/json"]["schema"])


def test_the_published_examples_are_accepted(caller: Caller) -> None:
    operation = schema()["paths"]["/api/v1/batches"]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    assert len(content["examples"]) == 2
    for example in content["examples"].values():
        check(example["value"], content["schema"])
        text = re.sub(
            r'"diagnostics\.\w+", "payload": \{[^}]*\}',
            f'"{kinds.report.name}", "payload": {{"report_id": 1}}',
            json.dumps(example["value"]),
        ).replace("diagnostics.echo", kinds.report.name)
        sent = json.loads(text)
        if "items" in sent:
            sent["items"] = [{"report_id": 1}]
            sent["priority"] = 50
        answer = caller.post("/batches", sent)
        assert (answer.status, answer.body.get("failed")) == (201, 0), answer.body
