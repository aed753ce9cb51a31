"""`webhook_url` in the calls that make jobs and schedules, and in what they answer."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEntry, Tenant
from accounts.scopes import Scope
from jobs.models import Job
from jobs.states import Status
from scheduling.models import Schedule
from tests.api import kinds
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.api.scheduled import NEW, READ, WRITE, made
from tests.jobs.making import complete
from tests.support.webhook_urls import ANOTHER, HOOK, INSIDE, Looks

JOB: dict[str, Any] = {"type": kinds.report.name, "payload": {"report_id": 7}}
TOLD = {**JOB, "webhook_url": HOOK}
REFUSED = {**JOB, "webhook_url": INSIDE}


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [Scope.JOBS_READ, Scope.JOBS_WRITE, READ, WRITE])


@pytest.fixture
def looks(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(monkeypatch)


# --- jobs -------------------------------------------------------------------------------------


def test_a_job_shows_its_url_and_what_became_of_it(
    caller: Caller, acme: Tenant, looks: Looks
) -> None:
    body = caller.post("/jobs", TOLD, idempotency_key="k").body
    shown = (body["webhook_url"], body["webhook_delivered"], body["webhook_attempts"])
    assert shown == (HOOK, None, 0)
    assert (looks.urls, looks.inside) == ([HOOK], [])
    for delivered in (True, False):
        Job.objects.update(webhook_delivered=delivered, webhook_attempts=3)
        for told in (caller.get(f"/jobs/{body['id']}").body, caller.get("/jobs").body["items"][0]):
            assert (told["webhook_url"], told["webhook_delivered"]) == (HOOK, delivered)
            assert told["webhook_attempts"] == 3


def test_null_is_none(caller: Caller, looks: Looks) -> None:
    assert caller.post("/jobs", {**JOB, "webhook_url": None}).body["webhook_url"] is None
    assert looks.urls == []


def test_a_refused_url_is_422_with_a_sentence_and_leaves_the_key_free(caller: Caller) -> None:
    answer = caller.post("/jobs", REFUSED, idempotency_key="k")
    (error,) = answer.body["errors"]
    assert (answer.status, error["pointer"]) == (422, "/webhook_url")
    assert error["detail"].endswith(".")
    assert "127.0.0.1" not in error["detail"]
    assert caller.post("/jobs", TOLD, idempotency_key="k").status == 201


def test_another_url_is_another_body_under_an_idempotency_key(caller: Caller) -> None:
    caller.post("/jobs", TOLD, idempotency_key="k")
    other = caller.post("/jobs", {**TOLD, "webhook_url": ANOTHER}, idempotency_key="k")
    assert other.pointers == ["/Idempotency-Key"]


def test_a_kept_answer_is_given_though_the_name_has_come_to_lead_inside(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = caller.post("/jobs", TOLD, idempotency_key="k")
    from jobs.egress import RefusedURL

    def refuse(url: str) -> None:
        raise RefusedURL("It leads inside.")

    monkeypatch.setattr("jobs.egress.check_url", refuse)
    again = caller.post("/jobs", TOLD, idempotency_key="k")
    assert (again.status, again.body) == (201, first.body)
    assert caller.post("/jobs", TOLD, idempotency_key="l").pointers == ["/webhook_url"]


def test_a_taken_unique_key_leaves_the_url_and_replace_brings_the_new_one(caller: Caller) -> None:
    caller.post("/jobs", {**TOLD, "unique_key": "k"})
    asked = {**JOB, "webhook_url": ANOTHER, "unique_key": "k"}
    assert caller.post("/jobs", asked).body["webhook_url"] == HOOK
    replaced = caller.post("/jobs", {**asked, "on_duplicate": "replace"}).body
    assert (replaced["replaced"], replaced["webhook_url"]) == (True, ANOTHER)


def test_it_stays_when_the_job_is_edited_and_run_again(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    row = {"webhook_delivered": False, "webhook_attempts": 3}
    job = make_job(acme, Status.FAILED, row=row, webhook_url=HOOK)
    assert caller.patch(f"/jobs/{job.pk}", {"webhook_url": ANOTHER}).pointers == ["/webhook_url"]
    caller.patch(f"/jobs/{job.pk}", {"labels": {"a": "b"}})
    body = caller.post(f"/jobs/{job.pk}/retry").body
    assert (body["status"], body["webhook_url"]) == ("queued", HOOK)
    assert (body["webhook_delivered"], body["webhook_attempts"]) == (False, 3)


# --- batches and workflows --------------------------------------------------------------------


def test_a_batch_of_a_thousand_looks_once_before_anything_is_open(
    caller: Caller, looks: Looks
) -> None:
    body = {
        "jobs": [TOLD] * 1_000,
        "on_complete": TOLD,
        "on_failure": {**JOB, "webhook_url": ANOTHER},
    }
    made = caller.post("/batches", body, idempotency_key="k").body
    assert (made["queued"], made["failed"]) == (1_000, 0)
    assert (sorted(looks.urls), looks.inside) == (sorted([HOOK, ANOTHER]), [])
    assert Job.objects.filter(webhook_url=HOOK).count() == 1_000


def test_beside_items_it_holds_for_each(caller: Caller, looks: Looks) -> None:
    body = {"type": JOB["type"], "items": [{"report_id": 1}] * 3, "webhook_url": HOOK}
    assert caller.post("/batches", body).body["queued"] == 3
    assert set(Job.objects.values_list("webhook_url", flat=True)) == {HOOK}
    assert (looks.urls, looks.inside) == ([HOOK], [])


def test_a_job_of_a_batch_with_a_refused_url_fails_alone(caller: Caller) -> None:
    body = {"jobs": [TOLD, REFUSED]}
    made = caller.post("/batches", body).body
    assert [one["status"] for one in made["results"]] == ["queued", "failed"]
    assert made["results"][1]["errors"][0]["pointer"] == "/webhook_url"
    atomic = caller.post("/batches", {**body, "atomic": True})
    assert atomic.pointers == ["/jobs/1/webhook_url"]
    called = caller.post("/batches", {"jobs": [JOB], "on_complete": REFUSED})
    assert called.pointers == ["/on_complete/webhook_url"]


def test_the_callback_of_a_batch_has_its_own(caller: Caller) -> None:
    caller.post("/batches", {"jobs": [JOB], "on_complete": TOLD})
    complete(Job.objects.get())
    assert Job.objects.exclude(webhook_url="").get().webhook_url == HOOK


def test_steps_of_a_workflow_have_theirs(caller: Caller, looks: Looks) -> None:
    steps = {"fetch": TOLD, "parse": {**TOLD, "after": ["fetch"]}}
    made = caller.post("/workflows", {"steps": steps}, idempotency_key="k").body
    for job_id in made["steps"].values():
        assert caller.get(f"/jobs/{job_id}").body["webhook_url"] == HOOK
    assert (looks.urls, looks.inside) == ([HOOK], [])
    refused = caller.post("/workflows", {"steps": {"fetch": REFUSED}})
    assert refused.pointers == ["/steps/fetch/webhook_url"]


# --- schedules --------------------------------------------------------------------------------


def test_a_schedule_has_one_for_its_jobs(caller: Caller, looks: Looks) -> None:
    said = {**NEW, "webhook_url": HOOK}
    schedule = caller.post("/schedules", said, idempotency_key="k").body
    address = f"/schedules/{schedule['id']}"
    assert caller.get(address).body["webhook_url"] == HOOK
    assert caller.post(f"{address}/run").body["webhook_url"] == HOOK
    assert (looks.urls, looks.inside) == ([HOOK], [])

    assert caller.patch(address, {"webhook_url": ANOTHER}).body["webhook_url"] == ANOTHER
    assert caller.patch(address, {"description": "x"}).body["webhook_url"] == ANOTHER
    assert caller.put(address, said).body["webhook_url"] == HOOK
    assert caller.put(address, NEW).body["webhook_url"] is None
    assert (looks.urls, looks.inside) == ([HOOK, ANOTHER, HOOK], [])


def test_a_schedule_with_a_refused_url_is_422(caller: Caller, acme: Tenant) -> None:
    address = f"/schedules/{made(acme, webhook_url=HOOK).pk}"
    for answer in (
        caller.post("/schedules", {**NEW, "webhook_url": INSIDE}),
        caller.put(address, {**NEW, "webhook_url": INSIDE}),
        caller.patch(address, {"webhook_url": INSIDE}),
    ):
        assert answer.pointers == ["/webhook_url"]
    assert Schedule.objects.get().webhook_url == HOOK


def test_a_missing_schedule_is_404_whatever_the_body_says(caller: Caller) -> None:
    address = "/schedules/0199a1c0-7d2e-7c41-9b1f-2f6d1c0a9e11"
    assert caller.put(address, {"colour": "red"}).status == 404
    assert caller.patch(address, {"webhook_url": INSIDE}).status == 404


def test_the_audit_trail_tells_that_a_url_changed_and_not_its_secret(caller: Caller) -> None:
    schedule = caller.post("/schedules", {**NEW, "webhook_url": HOOK}).body
    caller.patch(f"/schedules/{schedule['id']}", {"webhook_url": HOOK + "2"})
    made, changed = AuditEntry.objects.filter(action__startswith="schedule.").order_by("pk")
    assert made.after is not None
    assert made.after["webhook_url"] == "https://hooks.example.invalid/…"
    assert set(changed.after or {}) == {"webhook_url"}
    everything = repr(list(AuditEntry.objects.values()))
    assert "s3cret" not in everything
    assert "c4nary" not in everything
