"""POST /jobs/bulk/cancel, /retry, /discard, /boost and PUT /jobs/bulk/status."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Tenant
from accounts.scopes import Scope
from jobs import bulk, bulk_verbs
from jobs.models import Attempt, Job
from jobs.operations import Actor
from jobs.states import FINAL, TRANSITIONS, WAITING, Status
from tests.api import kinds
from tests.api.calling import Answer, Caller
from tests.api.conftest import MakeCaller, MakeJob

BODIES: dict[str, dict[str, Any]] = {
    "cancel": {},
    "retry": {},
    "discard": {},
    "boost": {"boost": 5},
}
TRANSITION = {"retry": "revive"}


def post(caller: Caller, verb: str, *jobs: Job, **fields: Any) -> Any:
    chosen = {"job_ids": [str(job.pk) for job in jobs]} if jobs else {}
    answer = caller.post(f"/jobs/bulk/{verb}", {**chosen, **BODIES[verb], **fields})
    assert answer.status == 200, answer.body
    return answer.body


def put(caller: Caller, status: str, *jobs: Job) -> Answer:
    body = {"job_ids": [str(job.pk) for job in jobs], "status": status}
    return caller.call("PUT", "/jobs/bulk/status", data=json.dumps(body).encode())


def entries() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(object_type="jobs"))


def status_of(job: Job) -> str:
    return Job.objects.get(pk=job.pk).status


@pytest.mark.parametrize("verb", BODIES)
def test_each_job_is_done_or_told_why_not_in_the_order_asked(
    verb: str, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    jobs = {status: make_job(acme, status) for status in Status}
    allowed = TRANSITIONS[TRANSITION.get(verb, verb)].sources
    body = post(caller, verb, *jobs.values())
    assert [one["job_id"] for one in body["results"]] == [str(job.pk) for job in jobs.values()]
    for status, result in zip(jobs, body["results"], strict=True):
        assert result["error"] == (None if status in allowed else "conflict")
        assert result["status"] == status_of(jobs[status])
    assert (body["matched"], body["changed"], body["more"]) == (len(jobs), len(allowed), False)


@pytest.mark.parametrize("verb", BODIES)
def test_g10_a_foreign_a_missing_and_another_owners_job_are_not_found_and_not_touched(
    verb: str,
    acme: Tenant,
    other: Tenant,
    caller_of: MakeCaller,
    make_job: MakeJob,
) -> None:
    status = Status.FAILED if verb in ("retry", "discard") else Status.QUEUED
    foreign, bobs, eves = (
        make_job(other, status, owner="eve"),
        make_job(acme, status, owner="bob"),
        make_job(acme, status, owner="eve"),
    )
    rows = list(Job.objects.filter(pk__in=[foreign.pk, bobs.pk]).order_by("pk").values())
    body = post(caller_of(acme, owner="eve"), verb, foreign, bobs, eves, Job(pk=uuid4()))
    assert [one["error"] for one in body["results"]] == [
        "not_found",
        "not_found",
        None,
        "not_found",
    ]
    assert [one["status"] for one in body["results"]].count(None) == 3
    assert (body["matched"], body["changed"]) == (1, 1)
    assert list(Job.objects.filter(pk__in=[foreign.pk, bobs.pk]).order_by("pk").values()) == rows


@pytest.mark.parametrize("verb", BODIES)
def test_a_dry_run_tells_what_would_be_done_and_does_nothing(
    verb: str, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    jobs = [make_job(acme, status) for status in Status]
    rows = list(Job.objects.order_by("pk").values())
    allowed = TRANSITIONS[TRANSITION.get(verb, verb)].sources
    for chosen in ({}, {"filter": {"type": kinds.report.name}}):
        body = post(caller, verb, *([] if chosen else jobs), dry_run=True, **chosen)
        assert body["changed"] == 0
        assert sum(one["error"] is None for one in body["results"]) == len(allowed)
    assert list(Job.objects.order_by("pk").values()) == rows
    assert entries() == []


@pytest.mark.parametrize("verb", BODIES)
def test_a_call_leaves_one_audit_entry_with_its_counts(
    verb: str, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    status = Status.FAILED if verb in ("retry", "discard") else Status.QUEUED
    jobs = [make_job(acme, status), make_job(acme, status), make_job(acme, Status.COMPLETED)]
    post(caller, verb, *jobs)
    (entry,) = entries()
    assert (entry.action, entry.tenant, entry.address) == (f"job.bulk-{verb}", acme, "127.0.0.1")
    assert entry.actor.startswith("token:")
    assert entry.after == {
        "matched": 3,
        "changed": 2,
        "job_ids": sorted(str(job.pk) for job in jobs[:2]),
    }


def test_a_call_that_changes_nothing_leaves_no_entry(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    post(caller, "cancel", make_job(acme, Status.COMPLETED))
    assert entries() == []


def test_an_id_that_stands_twice_counts_once(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme)
    body = post(caller, "boost", job, job)
    assert (body["matched"], len(body["results"])) == (1, 1)
    assert Job.objects.get(pk=job.pk).priority == 55


def test_a_boost_stops_at_the_plans_highest(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    low, high = make_job(acme, priority=80), make_job(acme, priority=89)
    post(caller, "boost", low, high, boost=50)
    assert {Job.objects.get(pk=job.pk).priority for job in (low, high)} == {89}


def test_a_running_job_is_asked_to_end(caller: Caller, acme: Tenant, make_job: MakeJob) -> None:
    job = make_job(acme, Status.PROCESSING)
    body = post(caller, "cancel", job)
    assert body["results"] == [{"job_id": str(job.pk), "status": "processing", "error": None}]
    assert Job.objects.get(pk=job.pk).cancel_requested_at is not None


# --- by filter -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"status": ["queued", "scheduled"]}, 2),
        ({"status": "queued"}, 1),
        ({"label": "course:7"}, 1),
        ({"type": kinds.report.name, "queue": "default"}, 4),
        ({"level": "low"}, 0),
        ({"owner": "eve"}, 0),
        ({"dead": False}, 4),
        ({"created_after": "2020-01-01T00:00:00Z"}, 4),
        ({"created_before": "2020-01-01T00:00:00Z"}, 0),
    ],
)
def test_a_filter_is_one_of_the_lists(
    filter: dict[str, Any], expected: int, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    make_job(acme, Status.QUEUED, labels={"course": "7"})
    for status in (Status.SCHEDULED, Status.BLOCKED, Status.PROCESSING, Status.COMPLETED):
        make_job(acme, status)
    body = post(caller, "cancel", filter=filter)
    assert (body["matched"], body["changed"], body["more"]) == (expected, expected, False)


def test_a_filter_stands_in_the_audit_trail_once_and_is_short(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    make_job(acme)
    post(caller, "cancel", filter={"status": ["queued"] * 50})
    (entry,) = entries()
    assert (entry.after or {})["filter"] == {"status": ["queued"]}
    for wrong in ({"status": ["queued"] * 51}, {"label": "a:" + "x" * 1_000}):
        assert caller.post("/jobs/bulk/cancel", {"filter": wrong}).status == 422


def test_a_filter_finds_what_the_verb_is_for_alone(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    """Else the jobs that it has been done to would fill each further call."""
    everything = {"type": kinds.report.name}
    for status in Status:
        make_job(acme, status)
    assert post(caller, "discard", filter=everything)["matched"] == 2
    assert post(caller, "discard", filter=everything)["matched"] == 0
    assert post(caller, "retry", filter=everything)["matched"] == 0, "they were discarded"
    assert post(caller, "cancel", filter=everything)["matched"] == 4
    assert post(caller, "cancel", filter=everything)["matched"] == 0


def test_a_filter_takes_so_many_a_call_and_says_that_there_are_more(
    caller: Caller, acme: Tenant, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 3)
    for _ in range(5):
        make_job(acme)
    told = [post(caller, "cancel", filter={"status": "queued"}) for _ in range(2)]
    assert [(one["changed"], one["more"]) for one in told] == [(3, True), (2, False)]
    entry = entries()[0]
    assert entry.after is not None
    assert entry.after["filter"] == {"status": "queued"}


def test_g10_a_filter_reaches_ones_own_jobs_only(
    acme: Tenant, other: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    foreign, bobs, eves = (
        make_job(other, owner="eve"),
        make_job(acme, owner="bob"),
        make_job(acme, owner="eve"),
    )
    assert post(caller_of(acme, owner="eve"), "cancel", filter={"status": "queued"})["matched"] == 1
    assert [status_of(job) for job in (foreign, bobs, eves)] == ["queued", "queued", "cancelled"]


def test_a_job_that_somebody_holds_is_left_for_the_next_call(acme: Tenant) -> None:
    statement = str(bulk._locked(Job.objects.all(), _call(acme), skip=True).query)
    assert "FOR NO KEY UPDATE SKIP LOCKED" in statement


def _call(tenant: Tenant) -> bulk.Call:
    return bulk.Call(rows=Job.objects.all(), tenant=tenant, by=Actor(name="user:eve"))


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, [""]),
        ({"job_ids": [], "dry_run": True}, ["/job_ids"]),
        ({"job_ids": ["7"]}, ["/job_ids/0"]),
        ({"job_ids": [str(uuid4())] * 1001}, ["/job_ids"]),
        ({"job_ids": [str(uuid4())], "filter": {"status": "queued"}}, [""]),
        ({"filter": {}}, ["/filter"]),
        ({"filter": {"colour": "red"}}, ["/filter/colour"]),
        ({"filter": {"a/b": "red"}}, ["/filter/a~1b"]),
        ({"filter": {"type": "no.such"}}, ["/filter/type"]),
        ({"filter": {"type": ["a", "b"]}}, ["/filter/type"]),
        ({"filter": {"status": []}}, ["/filter/status"]),
        ({"filter": {"status": "lost"}}, ["/filter/status"]),
        ({"filter": {"label": "x"}, "dry_run": "yes"}, ["/dry_run"]),
        ({"job_ids": [str(uuid4())], "colour": 1}, ["/colour"]),
    ],
)
def test_a_wrong_body_is_refused_as_a_whole(
    body: dict[str, Any], pointers: list[str], caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme)
    assert caller.post("/jobs/bulk/cancel", body).pointers == pointers
    assert status_of(job) == Status.QUEUED


@pytest.mark.parametrize("boost", [None, 0, 101, "5", 1.5])
def test_a_boost_is_a_whole_number_1_to_100(
    boost: Any, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    chosen = {"job_ids": [str(make_job(acme).pk)], "boost": boost}
    assert caller.post("/jobs/bulk/boost", chosen).pointers == ["/boost"]


# --- PUT /jobs/bulk/status -------------------------------------------------------------------

_RETRIED = {Status.FAILED: Status.QUEUED, Status.CANCELLED: Status.QUEUED}
LEADS_TO = {
    "queued": {Status.PROCESSING: Status.QUEUED, **_RETRIED},
    "failed": dict.fromkeys([*WAITING, Status.PROCESSING], Status.FAILED),
    "cancelled": dict.fromkeys(WAITING, Status.CANCELLED),
}


@pytest.mark.parametrize("target", LEADS_TO)
def test_a_status_is_set_where_that_is_a_way_out_and_else_a_conflict(
    target: str, acme: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    jobs = {status: make_job(acme, status) for status in Status}
    body = put(caller_of(acme), target, *jobs.values()).body
    for status, result in zip(jobs, body["results"], strict=True):
        became = LEADS_TO[target].get(status)
        assert result["error"] == (None if became else "conflict"), status
        assert status_of(jobs[status]) == (became or status) == result["status"]
    assert body["changed"] == len(LEADS_TO[target])
    (entry,) = entries()
    assert entry.action == "job.bulk-status"


@pytest.mark.parametrize("target", ["queued", "failed"])
def test_a_running_job_is_fenced_at_once_and_its_attempt_is_kept(
    target: str, acme: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.PROCESSING)
    put(caller_of(acme), target, job)
    assert Job.objects.get(pk=job.pk).fence == job.fence + 1
    assert Attempt.objects.get(job=job).outcome == "lost"


def test_setting_a_status_is_for_admins(caller: Caller, acme: Tenant, make_job: MakeJob) -> None:
    job = make_job(acme, Status.PROCESSING)
    assert put(caller, "failed", job).status == 403
    assert status_of(job) == Status.PROCESSING


@pytest.mark.parametrize("status", ["processing", "completed", "", "lost"])
def test_no_other_status_can_be_set(
    status: str, acme: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    assert put(caller_of(acme, [Scope.ADMIN]), status, make_job(acme)).pointers == ["/status"]


# --- what it costs ---------------------------------------------------------------------------


@pytest.mark.usefixtures("use_noted_once")
@pytest.mark.parametrize("verb", BODIES)
def test_many_jobs_cost_as_many_statements_as_a_few(
    verb: str, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    status = Status.FAILED if verb in ("retry", "discard") else Status.QUEUED
    post(caller, verb, make_job(acme, status))  # the token's use is noted

    def statements(number: int) -> int:
        jobs = [make_job(acme, status) for _ in range(number)]
        with CaptureQueriesContext(connection) as captured:
            assert post(caller, verb, *jobs)["changed"] == number
        return len(captured.captured_queries)

    assert statements(20) == statements(2)


def test_what_has_ended_is_left_alone_by_every_verb_but_its_own() -> None:
    assert TRANSITIONS["cancel"].sources.isdisjoint(FINAL)
    assert bulk_verbs.retry().sources | bulk_verbs.discard().sources == FINAL - {Status.COMPLETED}
