"""Tenants and owners are apart; scopes hold; every route is in these tables."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.urls import URLResolver, get_resolver

from accounts.models import AuditEntry, Tenant
from accounts.scopes import EVERY_SCOPE, Scope
from jobs.models import Job
from jobs.states import Status
from tests.api import kinds
from tests.api.accessing import (
    ACCESS_CALLS,  # test_tokens.py, test_tenants.py hold the same of them
)
from tests.api.batching import BATCH_CALLS  # tests/api/test_batches_apart.py holds the same of them
from tests.api.calling import PROBLEM, Answer, Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.api.hooked import WEBHOOK_CALLS  # test_webhooks_apart.py holds the same of them
from tests.api.operating import WORKER_CALLS
from tests.api.pausing import QUEUE_CALLS, routed
from tests.api.scheduled import SCHEDULE_CALLS  # test_schedules_apart.py holds the same of them
from tests.api.workflowing import WORKFLOW_CALLS  # test_workflows.py holds the same of them

NEW = {"type": kinds.report.name, "payload": {"report_id": 1}}
MANY = {"filter": {"type": kinds.report.name}}
STUCK = {"job_ids": ["0199a1c0-0000-7000-8000-000000000001"], "status": "failed"}

# Every call: method, path, the scope it needs, a body, and the status of the job it works on.
CALLS = [
    ("GET", "/me", None, None, None),
    ("GET", "/jobs", Scope.JOBS_READ, None, None),
    ("POST", "/jobs", Scope.JOBS_WRITE, NEW, None),
    ("GET", "/jobs/{id}", Scope.JOBS_READ, None, Status.QUEUED),
    ("PATCH", "/jobs/{id}", Scope.JOBS_WRITE, {"priority": 60}, Status.QUEUED),
    ("GET", "/jobs/{id}/attempts", Scope.JOBS_READ, None, Status.PROCESSING),
    ("GET", "/jobs/{id}/logs", Scope.JOBS_READ, None, Status.PROCESSING),
    ("POST", "/jobs/{id}/cancel", Scope.JOBS_WRITE, None, Status.QUEUED),
    ("POST", "/jobs/{id}/retry", Scope.JOBS_WRITE, None, Status.FAILED),
    ("POST", "/jobs/{id}/boost", Scope.JOBS_WRITE, {"boost": 5}, Status.QUEUED),
    ("POST", "/jobs/{id}/run-now", Scope.JOBS_WRITE, None, Status.SCHEDULED),
    ("POST", "/jobs/{id}/discard", Scope.JOBS_WRITE, None, Status.FAILED),
    ("GET", "/jobs/{id}/explain", Scope.JOBS_READ, None, Status.QUEUED),
    ("GET", "/events?only=named", Scope.JOBS_READ, None, None),
    ("POST", "/events/ticket", Scope.JOBS_READ, {}, None),
    ("POST", "/jobs/bulk/cancel", Scope.JOBS_WRITE, MANY, None),
    ("POST", "/jobs/bulk/retry", Scope.JOBS_WRITE, MANY, None),
    ("POST", "/jobs/bulk/discard", Scope.JOBS_WRITE, MANY, None),
    ("POST", "/jobs/bulk/boost", Scope.JOBS_WRITE, {**MANY, "boost": 5}, None),
    ("PUT", "/jobs/bulk/status", Scope.ADMIN, STUCK, None),
    ("GET", "/failures", Scope.JOBS_READ, None, Status.FAILED),
    ("GET", "/failures/unsorted", Scope.JOBS_READ, None, Status.FAILED),
    ("POST", "/failures/unsorted/retry", Scope.JOBS_WRITE, None, Status.FAILED),
    ("POST", "/failures/unsorted/discard", Scope.JOBS_WRITE, None, Status.FAILED),
    ("GET", "/job-types", Scope.JOBS_READ, None, None),
    ("GET", "/queues", Scope.QUEUES_READ, None, None),
    ("GET", "/queues/default", Scope.QUEUES_READ, None, None),
    ("GET", "/pauses", Scope.QUEUES_READ, None, None),
    ("GET", "/stats", Scope.JOBS_READ, None, None),
    ("GET", "/stats/series?metric=depth", Scope.JOBS_READ, None, None),
    ("GET", "/workers", Scope.WORKERS_READ, None, None),
    ("GET", "/health", None, None, None),
]
# tests/api/test_files_apart.py holds the same of these: they take a form, or the id of a file.
FILE_CALLS = [
    ("POST", "/files", Scope.JOBS_WRITE, None, None),
    ("GET", "/files/{id}", Scope.JOBS_READ, None, None),
    ("DELETE", "/files/{id}", Scope.JOBS_WRITE, None, None),
    ("GET", "/artifacts/{id}", Scope.JOBS_READ, None, None),  # tests/api/test_artifacts.py
]
# tests/api/test_pauses.py and test_worker_actions.py hold the same of these: they are a platform
# admin's alone.
PLATFORM_CALLS = [
    *((method, routed(path), Scope.ADMIN, body, None) for method, path, body in QUEUE_CALLS),
    *((method, path, Scope.ADMIN, None, None) for method, path in WORKER_CALLS),
]
ON_A_JOB = [call for call in CALLS if "{id}" in call[1]]


def route(path: str) -> str:
    """A path of the table as the routes and the published schema write it."""
    named = path.replace("/queues/default", "/queues/{id}").replace("/unsorted", "/{id}")
    return named.partition("?")[0]


def made(caller: Caller, method: str, path: str, body: object) -> Answer:
    if method in ("PATCH", "PUT"):
        return (caller.patch if method == "PATCH" else caller.put)(path, body)
    return caller.get(path) if method == "GET" else caller.post(path, body)


def test_every_route_of_the_api_stands_in_the_table() -> None:
    routes = {
        "/" + re.sub(r"<str:\w+>", "{id}", str(one.pattern))
        for include in get_resolver().url_patterns
        if isinstance(include, URLResolver) and str(include.pattern) == "api/v1/"
        for one in include.url_patterns
    }
    assert routes == {
        route(path)
        for _, path, *_ in [
            *CALLS,
            *ACCESS_CALLS,
            *FILE_CALLS,
            *PLATFORM_CALLS,
            *BATCH_CALLS,
            *WORKFLOW_CALLS,
            *SCHEDULE_CALLS,
            *WEBHOOK_CALLS,
        ]
    }


@pytest.mark.parametrize("granted", sorted(EVERY_SCOPE))
@pytest.mark.parametrize(("method", "path", "needed", "body", "status"), CALLS)
def test_a_call_needs_its_scope_or_admin_and_nothing_else_will_do(
    method: str,
    path: str,
    needed: Scope | None,
    body: object,
    status: Status | None,
    granted: Scope,
    acme: Tenant,
    caller_of: MakeCaller,
    make_job: MakeJob,
) -> None:
    job = make_job(acme, status or Status.QUEUED)
    answer = made(caller_of(acme, [granted]), method, path.replace("{id}", str(job.pk)), body)
    if needed is None or granted in (needed, Scope.ADMIN):
        assert answer.status in (200, 201)
    else:
        assert (answer.status, answer.headers["Content-Type"]) == (403, PROBLEM)
        assert needed in answer.body["detail"]


@pytest.mark.parametrize(("method", "path", "needed", "body", "status"), CALLS)
def test_a_call_without_a_token_is_401(
    method: str, path: str, needed: object, body: object, status: object, db: None
) -> None:
    answer = made(Caller(), method, path.replace("{id}", str(uuid4())), body)
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(("method", "path", "needed", "body", "status"), ON_A_JOB)
def test_g10_another_tenants_job_a_missing_one_and_a_malformed_id_are_the_same_404(
    method: str,
    path: str,
    needed: object,
    body: object,
    status: Status,
    acme: Tenant,
    other: Tenant,
    caller_of: MakeCaller,
    make_job: MakeJob,
) -> None:
    foreign = make_job(other, status)
    row, entries = Job.objects.filter(pk=foreign.pk).values().get(), AuditEntry.objects.count()
    stranger = caller_of(acme)
    for name in (str(foreign.pk), str(uuid4()), "7", "x" * 36, "{" + str(foreign.pk) + "}", "%00"):
        answer = made(stranger, method, path.replace("{id}", name), body)
        assert (answer.status, answer.headers["Content-Type"]) == (404, PROBLEM)
        assert {**answer.body, "instance": ""} == {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "Not found.",
            "instance": "",
            "errors": [],
        }
    assert Job.objects.filter(pk=foreign.pk).values().get() == row
    assert AuditEntry.objects.count() == entries + 1  # the stranger's own token


@pytest.mark.parametrize(("method", "path", "needed", "body", "status"), ON_A_JOB)
def test_a_token_bound_to_an_owner_reaches_only_that_owners_jobs(
    method: str,
    path: str,
    needed: object,
    body: object,
    status: Status,
    acme: Tenant,
    caller_of: MakeCaller,
    make_job: MakeJob,
) -> None:
    eve = caller_of(acme, owner="eve")
    for owner, expected in (("eve", 200), ("bob", 404), ("", 404)):
        job = make_job(acme, status, owner=owner)
        answer = made(eve, method, path.replace("{id}", str(job.pk)), body)
        assert answer.status == expected


def test_g10_lists_and_queues_show_only_what_is_the_callers_own(
    acme: Tenant, other: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    eves, bobs = make_job(acme, owner="eve"), make_job(acme, owner="bob")
    make_job(other, owner="eve")
    whole, eve = caller_of(acme), caller_of(acme, owner="eve")
    assert [item["id"] for item in whole.get("/jobs").body["items"]] == [
        str(bobs.pk),
        str(eves.pk),
    ]
    assert [item["id"] for item in eve.get("/jobs").body["items"]] == [str(eves.pk)]
    assert eve.get("/jobs", owner="bob").body["items"] == []
    assert whole.get("/queues/default").body["counts"]["queued"] == 2
    assert eve.get("/queues/default").body["counts"]["queued"] == 1


def test_a_token_bound_to_an_owner_makes_jobs_of_that_owner_only(
    acme: Tenant, caller_of: MakeCaller
) -> None:
    eve = caller_of(acme, owner="eve")
    assert eve.post("/jobs", NEW).body["owner"] == "eve"
    assert eve.post("/jobs", {**NEW, "owner": "eve"}).status == 201
    assert eve.post("/jobs", {**NEW, "owner": "bob"}).status == 403
    assert {job.owner for job in Job.objects.all()} == {"eve"}


def test_an_owners_token_is_not_shown_the_holder_of_a_unique_key_that_is_anothers(
    acme: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    held = make_job(acme, owner="bob", unique_key="one")
    answer = caller_of(acme, owner="eve").post("/jobs", {**NEW, "unique_key": "one"})
    assert answer.status == 409
    assert str(held.pk) not in str(answer.body)


def test_nobody_waits_for_a_job_that_is_not_in_reach(
    acme: Tenant, other: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    bobs, foreign = make_job(acme, owner="bob"), make_job(other)
    eve, whole = caller_of(acme, owner="eve"), caller_of(acme)
    for caller, job_id in ((eve, bobs.pk), (whole, foreign.pk), (whole, uuid4())):
        answer = caller.post("/jobs", {**NEW, "depends_on": [str(job_id)]})
        assert answer.pointers == ["/depends_on"]
    assert Job.objects.count() == 2


def test_a_replay_is_never_given_to_another_owner(acme: Tenant, caller_of: MakeCaller) -> None:
    first = caller_of(acme, owner="bob").post("/jobs", NEW, idempotency_key="k")
    answer = caller_of(acme, owner="eve").post("/jobs", NEW, idempotency_key="k")
    assert answer.pointers == ["/Idempotency-Key"]
    assert first.body["id"] not in str(answer.body)
