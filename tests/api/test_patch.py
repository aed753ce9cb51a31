"""PATCH /jobs/{id}: another wish for a job that waits or has failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import AuditEntry, Tenant
from accounts.scopes import Scope
from jobs import lifecycle
from jobs.models import FileUse, Job
from jobs.states import WAITING, Status
from tests.api import kinds
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.jobs import making
from tests.support.files import storage_at, stored

EDITABLE = sorted(WAITING | {Status.FAILED})
AHEAD = datetime(2099, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("status", EDITABLE)
def test_a_waiting_or_failed_job_takes_what_is_given_and_keeps_the_rest(
    status: Status, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, status, labels={"course": "7"}, max_retries=9)
    changes = {"priority": "high", "payload": {"report_id": 8}}

    answer = caller.patch(f"/jobs/{job.pk}", changes)

    assert answer.status == 200
    assert answer.body == caller.get(f"/jobs/{job.pk}").body
    assert answer.body["status"] == status
    assert (answer.body["priority"], answer.body["base_priority"]) == (75, 75)
    assert answer.body["payload"] == {"report_id": 8}
    assert (answer.body["labels"], answer.body["max_retries"]) == ({"course": "7"}, 9)


@pytest.mark.parametrize("status", sorted(set(Status) - set(EDITABLE)))
def test_any_other_job_stays_as_it_is(
    status: Status, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, status)
    answer = caller.patch(f"/jobs/{job.pk}", {"priority": 5})
    assert (answer.status, answer.body["type"]) == (409, "urn:celeriac:problem:transition-refused")
    assert Job.objects.get(pk=job.pk).priority == 50
    assert not AuditEntry.objects.filter(object_type="job").exists()


def test_a_message_on_its_way_is_taken_back(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    sent = making.send(make_job(acme))
    caller.patch(f"/jobs/{sent.id}", {"payload": {"report_id": 8}})
    assert making.take(sent) is None
    claimed = making.take(making.send(Job.objects.get(pk=sent.id)))
    assert claimed is not None
    assert claimed.payload == {"report_id": 8}


def test_a_later_start_makes_a_queued_job_wait(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    body = caller.patch(f"/jobs/{make_job(acme).pk}", {"run_at": AHEAD.isoformat()}).body
    assert (body["status"], body["run_at"], body["visible_at"]) == (
        "scheduled", "2099-01-02T00:00:00.000000Z", "2099-01-02T00:00:00.000000Z",
    )  # fmt: skip


@pytest.mark.parametrize("run_at", [None, "2001-01-01T00:00:00Z"])
def test_a_start_that_is_over_or_none_makes_a_scheduled_job_ready(
    run_at: str | None, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.SCHEDULED)
    body = caller.patch(f"/jobs/{job.pk}", {"run_at": run_at}).body
    assert (body["status"], body["visible_at"], body["position"]) == ("queued", None, 1)
    assert Job.objects.get(pk=job.pk).queued_at > job.queued_at


def test_a_blocked_job_has_its_new_start_once_it_is_opened(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    first = make_job(acme)
    made = caller.post(
        "/jobs",
        {"type": kinds.report.name, "payload": {"report_id": 1}, "depends_on": [str(first.pk)]},
    ).body
    caller.patch(f"/jobs/{made['id']}", {"run_at": AHEAD.isoformat()})
    assert caller.get(f"/jobs/{made['id']}").body["status"] == "blocked"
    making.complete(first)
    assert Job.objects.get(pk=made["id"]).visible_at == AHEAD


def test_of_a_failed_job_a_start_is_only_noted(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.FAILED)
    body = caller.patch(f"/jobs/{job.pk}", {"run_at": AHEAD.isoformat(), "max_retries": 4}).body
    assert (body["status"], body["visible_at"], body["max_retries"]) == ("failed", None, 4)


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"priority": "urgent"}, ["/priority"]),  # above what the plan allows
    ({"priority": 90}, ["/priority"]),
    ({"priority": None}, ["/priority"]),
    ({"priority": 101}, ["/priority"]),
    ({"max_retries": 101}, ["/max_retries"]),
    ({"max_retries": None}, ["/max_retries"]),
    ({"labels": {"a": 1}}, ["/labels/a"]),
    ({"labels": None}, ["/labels"]),
    ({"labels": {"": "x"}}, ["/labels/"]),
    ({"run_at": "tomorrow"}, ["/run_at"]),
    ({"run_at": "2099-06-01T00:00:00Z"}, ["/run_at"]),  # after it expires
    ({"payload": {}}, ["/payload/report_id"]),
    ({"payload": {"report_id": 1, "x": 1}}, ["/payload/x"]),
    ({"payload": None}, ["/payload"]),
    ({"queue": "default"}, ["/queue"]),
    ({"status": "queued"}, ["/status"]),
    ({"colour": 1}, ["/colour"]),
    ({"priority": 101, "max_retries": -1}, ["/priority"]),
    ({}, [""]),
]


@pytest.mark.parametrize(("changes", "pointers"), WRONG)
def test_a_wrong_field_is_pointed_to_and_changes_nothing(
    changes: dict[str, Any], pointers: list[str], caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, expires_at=datetime(2099, 5, 1, tzinfo=UTC))
    before = making.row(job)
    assert caller.patch(f"/jobs/{job.pk}", changes).pointers == pointers
    assert making.row(job) == before
    assert not AuditEntry.objects.filter(object_type="job").exists()


def test_an_unknown_parameter_is_answered_with_those_there_are(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    answer = caller.patch(f"/jobs/{make_job(acme).pk}", {"payload": {"report_id": 1, "x": 1}})
    (error,) = answer.body["errors"]
    assert error["detail"] == "unknown parameter; known: report_id, access_token"


def test_an_edit_leaves_one_audit_entry_without_the_payload(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme)
    payload = {"report_id": 8, "access_token": "s3cr3t-canary"}
    body = caller.patch(f"/jobs/{job.pk}", {"payload": payload, "labels": {"a": "b"}}).body
    (entry,) = AuditEntry.objects.filter(object_type="job")
    assert (entry.action, entry.object_id, entry.tenant) == ("job.edit", str(job.pk), acme)
    assert entry.before == {"status": "queued", "priority": 50, "labels": {}}
    assert entry.after == {
        "status": "queued", "priority": 50, "labels": {"a": "b"}, "payload": "changed",
    }  # fmt: skip
    assert body["payload"]["access_token"] == "***"
    stored = Job.objects.get(pk=job.pk).payload
    assert "canary" not in repr((stored, list(AuditEntry.objects.values())))


def test_keys_follow_the_payload(caller: Caller) -> None:
    made = caller.post("/jobs", {"type": kinds.crawl.name, "payload": {"subreddit": "python"}})
    taken = caller.post("/jobs", {"type": kinds.crawl.name, "payload": {"subreddit": "go"}})
    path = f"/jobs/{made.body['id']}"

    body = caller.patch(path, {"payload": {"subreddit": "rust"}}).body
    refused = caller.patch(path, {"payload": {"subreddit": "go"}})

    assert body["unique_key"] == "rust"
    assert Job.objects.get(pk=made.body["id"]).limit_key == "reddit:rust"
    assert (refused.status, refused.body["type"]) == (409, "urn:celeriac:problem:unique-key-taken")
    assert taken.status == 201


def test_a_retry_with_another_payload_has_the_keys_of_that_payload(caller: Caller) -> None:
    made = caller.post("/jobs", {"type": kinds.crawl.name, "payload": {"subreddit": "python"}}).body
    lifecycle.cancel(made["id"], by="user:eve")
    body = caller.post(f"/jobs/{made['id']}/retry", {"payload": {"subreddit": "rust"}}).body
    assert (body["status"], body["unique_key"]) == ("queued", "rust")
    assert Job.objects.get(pk=made["id"]).limit_key == "reddit:rust"


def test_other_files_are_kept_for_another_payload(
    caller: Caller, acme: Tenant, tmp_path: Path, settings: Settings
) -> None:
    storage_at(tmp_path, settings)
    old, new = stored(acme), stored(acme, b"more")
    payload = {"document": {"file_id": str(old.pk)}}
    made = caller.post("/jobs", {"type": kinds.reading.name, "payload": payload}).body
    caller.patch(f"/jobs/{made['id']}", {"payload": {"document": {"file_id": str(new.pk)}}})
    assert [use.file_id for use in FileUse.objects.filter(job=made["id"])] == [new.pk]


def test_an_edit_needs_the_scope_to_write_and_reaches_no_other_tenants_job(
    acme: Tenant, other: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    job = make_job(acme)
    path, changes = f"/jobs/{job.pk}", {"priority": 5}
    assert caller_of(acme, [Scope.JOBS_READ]).patch(path, changes).status == 403
    assert caller_of(other).patch(path, changes).status == 404
    assert caller_of(acme, [Scope.JOBS_WRITE], owner="eve").patch(path, changes).status == 404
    assert Caller().patch(path, changes).status == 401
    assert Job.objects.get(pk=job.pk).priority == 50


@pytest.mark.parametrize("n", range(3))
def test_an_edit_changes_no_time_that_it_was_not_given(
    n: int, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    run_at = datetime.now(UTC) + timedelta(hours=n + 1)
    job = make_job(acme, run_at=run_at)
    Job.objects.filter(pk=job.pk).update(status=Status.SCHEDULED, visible_at=run_at)
    body = caller.patch(f"/jobs/{job.pk}", {"priority": n}).body
    assert datetime.fromisoformat(body["run_at"]) == run_at
    assert body["status"] == "scheduled"
