"""POST /jobs/{id}/cancel, /retry, /boost, /run-now, /discard, and the audit entry of each."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEntry, Tenant
from jobs.models import Job
from jobs.states import FINAL, WAITING, Status
from tests.api.calling import PROBLEM, Answer, Caller
from tests.api.conftest import MakeJob


def entries() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(object_type="job"))


def refused(answer: Answer, kind: str = "transition-refused") -> bool:
    return (
        answer.status == 409
        and answer.headers["Content-Type"] == PROBLEM
        and answer.body["type"] == f"urn:celeriac:problem:{kind}"
    )


@pytest.mark.parametrize("status", sorted(WAITING))
def test_a_waiting_job_is_cancelled_at_once(
    status: Status, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, status)
    body = caller.post(f"/jobs/{job.pk}/cancel").body
    assert (body["status"], body["completed_at"]) == ("cancelled", None)
    assert body["cancelled_at"]
    assert body["cancelled_by"].startswith("token:")
    assert caller.get(f"/jobs/{job.pk}").body == body


def test_a_running_job_is_asked_to_stop_and_may_be_asked_again(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.PROCESSING)
    first, again = (caller.post(f"/jobs/{job.pk}/cancel", {}) for _ in range(2))
    assert (first.status, again.status) == (200, 200)
    assert first.body["status"] == "processing"
    assert first.body["cancel_requested_at"] == again.body["cancel_requested_at"] is not None


@pytest.mark.parametrize("status", sorted(FINAL))
def test_an_ended_job_cannot_be_cancelled(
    status: Status, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, status)
    assert refused(caller.post(f"/jobs/{job.pk}/cancel"))
    assert Job.objects.get(pk=job.pk).status == status
    assert entries() == []


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
def test_a_failed_or_cancelled_job_runs_again_with_its_counters_cleared(
    status: Status, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, status, row={"retry_count": 3, "crash_count": 1})
    body = caller.post(f"/jobs/{job.pk}/retry").body
    assert (body["status"], body["retry_count"], body["crash_count"]) == ("queued", 0, 0)
    assert (body["attempt"], body["error"], body["position"]) == (job.attempt, None, 1)
    assert body["payload"] == {"report_id": 7}


@pytest.mark.parametrize("status", sorted(WAITING | {Status.PROCESSING, Status.COMPLETED}))
def test_any_other_job_cannot_be_retried(
    status: Status, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, status)
    assert refused(caller.post(f"/jobs/{job.pk}/retry", {"payload": {"report_id": 8}}))
    assert Job.objects.get(pk=job.pk).payload == {"report_id": 7}


def test_a_retry_may_bring_another_payload_whose_secrets_are_sealed(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.FAILED)
    payload = {"report_id": 8, "access_token": "s3cr3t-canary"}
    body = caller.post(f"/jobs/{job.pk}/retry", {"payload": payload}).body
    assert body["payload"] == {"report_id": 8, "access_token": "***"}
    assert "canary" not in repr((Job.objects.get(pk=job.pk).payload, AuditEntry.objects.values()))


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"payload": {}}, ["/payload/report_id"]),
        ({"payload": {"report_id": 7, "x": 1}}, ["/payload/x"]),
        ({"payload": 7}, ["/payload"]),
        ({"priority": 7}, ["/priority"]),
        ({"colour": 7}, ["/colour"]),
    ],
)
def test_a_retry_with_a_wrong_body_changes_nothing(
    body: dict[str, Any], pointers: list[str], caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.FAILED)
    assert caller.post(f"/jobs/{job.pk}/retry", body).pointers == pointers
    assert Job.objects.get(pk=job.pk).status == Status.FAILED
    assert entries() == []


def test_a_retry_whose_unique_key_is_taken_is_refused(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    failed = make_job(acme, Status.FAILED, unique_key="one")
    make_job(acme, unique_key="one")
    assert refused(caller.post(f"/jobs/{failed.pk}/retry"), "unique-key-taken")
    assert entries() == []


@pytest.mark.parametrize("status", sorted(WAITING))
@pytest.mark.parametrize(("by", "priority"), [(1, 51), (39, 89), (40, 89), (100, 89)])
def test_a_boost_raises_a_waiting_job_up_to_the_plans_highest(
    by: int, priority: int, status: Status, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, status)
    body = caller.post(f"/jobs/{job.pk}/boost", {"boost": by}).body
    assert (body["priority"], body["base_priority"]) == (priority, 50)


@pytest.mark.parametrize("status", sorted(FINAL | {Status.PROCESSING}))
def test_a_job_that_does_not_wait_cannot_be_boosted(
    status: Status, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    assert refused(caller.post(f"/jobs/{make_job(acme, status).pk}/boost", {"boost": 5}))


@pytest.mark.parametrize(
    "body", [{}, {"boost": 0}, {"boost": 101}, {"boost": "5"}, {"boost": 1.5}, {"boost": None}]
)
def test_a_boost_is_a_whole_number_1_to_100(
    body: dict[str, Any], caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme)
    assert caller.post(f"/jobs/{job.pk}/boost", body).pointers == ["/boost"]
    assert Job.objects.get(pk=job.pk).priority == 50


def test_cancel_takes_no_fields(caller: Caller, acme: Tenant, make_job: MakeJob) -> None:
    job = make_job(acme)
    assert caller.post(f"/jobs/{job.pk}/cancel", {"why": "x"}).pointers == ["/why"]
    assert caller.send(f"/jobs/{job.pk}/cancel", b"nonsense").status == 400
    assert Job.objects.get(pk=job.pk).status == Status.QUEUED


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.SCHEDULED}))
def test_only_a_scheduled_job_is_run_now(
    status: Status, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, status)
    assert refused(caller.post(f"/jobs/{job.pk}/run-now"))
    assert Job.objects.get(pk=job.pk).status == status


def test_a_scheduled_job_that_is_run_now_waits_no_more(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.SCHEDULED)
    body = caller.post(f"/jobs/{job.pk}/run-now").body
    assert (body["status"], body["visible_at"]) == ("queued", None)


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.FAILED, Status.CANCELLED}))
def test_only_a_job_that_failed_or_was_cancelled_is_discarded(
    status: Status, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, status)
    assert refused(caller.post(f"/jobs/{job.pk}/discard"))
    assert Job.objects.get(pk=job.pk).discarded_at is None


def test_a_discarded_job_is_no_dead_letter_any_more(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.FAILED)
    assert caller.get("/jobs?dead=true").body["items"]
    assert caller.post(f"/jobs/{job.pk}/discard").status == 200
    assert caller.get("/jobs?dead=true").body["items"] == []


@pytest.mark.parametrize(
    ("verb", "status", "body", "before", "after"),
    [
        ("cancel", Status.QUEUED, None, ("queued", 50), ("cancelled", 50)),
        ("retry", Status.FAILED, None, ("failed", 50), ("queued", 50)),
        ("boost", Status.QUEUED, {"boost": 5}, ("queued", 50), ("queued", 55)),
        ("run-now", Status.SCHEDULED, None, ("scheduled", 50), ("queued", 50)),
        ("discard", Status.FAILED, None, ("failed", 50), ("failed", 50)),
    ],
)
def test_g11_each_action_leaves_one_audit_entry(
    verb: str,
    status: Status,
    body: dict[str, Any] | None,
    before: tuple[str, int],
    after: tuple[str, int],
    caller: Caller,
    acme: Tenant,
    make_job: MakeJob,
) -> None:
    job = make_job(acme, status)
    caller.post(f"/jobs/{job.pk}/{verb}", body)
    (entry,) = entries()
    assert (entry.action, entry.object_id, entry.tenant) == (f"job.{verb}", str(job.pk), acme)
    assert entry.actor == caller.get("/me").body["actor"]
    assert entry.address == "127.0.0.1"
    assert entry.before == dict(zip(("status", "priority"), before, strict=True))
    assert entry.after == dict(zip(("status", "priority"), after, strict=True))


@pytest.mark.django_db(transaction=True)
def test_g11_without_its_audit_entry_an_action_does_not_happen(
    caller: Caller, acme: Tenant, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(acme)

    def fail(**_: object) -> None:
        raise RuntimeError("no entry today")

    monkeypatch.setattr("accounts.audit.record", fail)
    assert caller.post(f"/jobs/{job.pk}/cancel").status == 500
    assert Job.objects.get(pk=job.pk).status == Status.QUEUED
