"""/workflows: handing in, looking, cancel, retry; who may, and what the schema says of it."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import AuditEntry, Tenant
from accounts.scopes import EVERY_SCOPE, Scope
from jobs import lifecycle
from jobs.models import Job, Workflow
from jobs.states import Status
from jobs.workflows import HandedIn, Step, chain, hand_in
from tests.api import kinds
from tests.api.calling import PROBLEM, Answer, Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.api.test_schema import check, schema
from tests.api.workflowing import NEW_WORKFLOW, STEP, WORKFLOW_CALLS

ON_A_WORKFLOW = [call for call in WORKFLOW_CALLS if "{id}" in call[1]]


def made(tenant: Tenant, owner: str = "", *, failed: bool = False) -> HandedIn:
    step = Step(type_name=kinds.report.name, payload={"report_id": 1})
    handed_in = hand_in(tenant, "a report", chain({"fetch": step, "parse": step}), owner=owner)
    if failed:
        error = {"type": "E", "message": "m", "details": {}}
        lifecycle.force_fail(handed_in.jobs["fetch"].pk, error=error)
    return handed_in


def call(caller: Caller, method: str, path: str, body: object) -> Answer:
    return caller.get(path) if method == "GET" else caller.post(path, body)


# --- handing in --------------------------------------------------------------------------------


def test_steps_become_jobs_that_wait_for_each_other(caller: Caller, acme: Tenant) -> None:
    answer = caller.post("/workflows", {"name": "a report", **NEW_WORKFLOW})
    assert answer.status == 201
    assert answer.headers["Location"].endswith(f"/workflows/{answer.body['workflow_id']}")
    fetch, parse = (caller.get(f"/jobs/{one}").body for one in answer.body["steps"].values())
    assert list(answer.body["steps"]) == ["fetch", "parse"]
    assert (fetch["status"], fetch["depends_on"]) == ("queued", [])
    assert (parse["status"], parse["depends_on"]) == ("blocked", [fetch["id"]])
    assert fetch["workflow_id"] == parse["workflow_id"] == answer.body["workflow_id"]
    assert fetch["created_by"].startswith("token:")


def test_a_workflow_is_shown_with_its_steps(caller: Caller, acme: Tenant) -> None:
    after = [{"step": "fetch", "on_failure": "run"}]
    body = {"name": "a report", "steps": {"fetch": STEP, "tidy": {**STEP, "after": after}}}
    created = caller.post("/workflows", body).body
    shown = caller.get(f"/workflows/{created['workflow_id']}").body
    assert (shown["name"], shown["status"], shown["total"]) == ("a report", "running", 2)
    assert (shown["counts"]["queued"], shown["counts"]["blocked"]) == (1, 1)
    assert shown["steps"]["tidy"] == {
        "job_id": created["steps"]["tidy"],
        "type": kinds.report.name,
        "status": "blocked",
        "after": after,
        "depends_on": [],
    }


def test_what_the_steps_wait_for_is_left_out_where_it_is_too_much(
    caller: Caller, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = made(acme).workflow
    whole = caller.get(f"/workflows/{workflow.pk}").body
    assert whole["edges_left_out"] is False
    monkeypatch.setattr("jobs.workflows.looking.MOST_EDGES", 0)
    shown = caller.get(f"/workflows/{workflow.pk}").body
    assert shown["edges_left_out"] is True
    assert shown["steps"] == {
        name: {**step, "after": None, "depends_on": None} for name, step in whole["steps"].items()
    }


def test_a_step_may_also_wait_for_a_job_outside(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    outside = make_job(acme)
    step = {**STEP, "depends_on": [str(outside.pk)]}
    created = caller.post("/workflows", {"steps": {"fetch": step}}).body
    shown = caller.get(f"/workflows/{created['workflow_id']}").body["steps"]["fetch"]
    assert (shown["status"], shown["depends_on"]) == ("blocked", [str(outside.pk)])


STEP_AFTER: dict[str, Any] = {**STEP, "after": ["parse"]}
TAKING: dict[str, Any] = {**STEP, "payload": {"report_id": {"$result": "fetch.id"}}}
SECRET = {"report_id": 1, "access_token": {"$result": "fetch"}}


@pytest.mark.parametrize(
    ("steps", "pointers"),
    [
        ({}, ["/steps"]),
        ({"a b": STEP}, ["/steps/a b"]),
        ({"fetch": {**STEP, "after": ["nobody"]}}, ["/steps/fetch/after/0"]),
        ({"parse": STEP_AFTER}, ["/steps/parse/after/0"]),
        ({"fetch": STEP, "parse": {**STEP, "after": ["fetch"] * 2}}, ["/steps/parse/after/1"]),
        ({"fetch": STEP_AFTER, "parse": {**STEP, "after": ["fetch"]}}, ["/steps/fetch/after"]),
        ({"fetch": {**STEP, "type": "no.such"}}, ["/steps/fetch/type"]),
        ({"fetch": {**STEP, "queue": "nowhere"}}, ["/steps/fetch/queue"]),
        ({"fetch": {**STEP, "priority": 101}}, ["/steps/fetch/priority"]),
        ({"fetch": {**STEP, "progress": 1}}, ["/steps/fetch/progress"]),
        ({"fetch": {**STEP, "owner": "eve"}}, ["/steps/fetch/owner"]),
        ({"fetch": {**STEP, "payload": {}}}, ["/steps/fetch/payload/report_id"]),
        ({"fetch": {**STEP, "depends_on": [str(uuid4())]}}, ["/steps/fetch/depends_on"]),
        ({"fetch": STEP, "parse": TAKING}, ["/steps/parse/payload/report_id"]),
        (
            {"fetch": STEP, "parse": {**STEP, "after": ["fetch"], "payload": SECRET}},
            ["/steps/parse/payload/access_token"],
        ),
        (
            {"fetch": STEP, "parse": {**TAKING, "after": ["fetch"], "unique_key": "one"}}
            | {"again": {**STEP, "unique_key": "one"}},
            ["/steps/again/unique_key"],
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_place_and_nothing_is_written(
    steps: dict[str, Any], pointers: list[str], caller: Caller, acme: Tenant
) -> None:
    answer = caller.post("/workflows", {"steps": steps})
    assert answer.pointers == pointers
    assert not Job.objects.exists()
    assert not Workflow.objects.exists()


def test_a_step_whose_unique_key_is_taken_refuses_the_whole(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    make_job(acme, unique_key="one")
    answer = caller.post("/workflows", {"steps": {"fetch": {**STEP, "unique_key": "one"}}})
    assert (answer.status, Workflow.objects.count()) == (409, 0)


def test_the_same_key_sent_again_hands_nothing_in_again(caller: Caller, acme: Tenant) -> None:
    first, again = (caller.post("/workflows", NEW_WORKFLOW, idempotency_key="k") for _ in range(2))
    assert again.body == first.body
    assert again.headers["Idempotent-Replay"] == "true"
    assert Workflow.objects.count() == 1


# --- looking -----------------------------------------------------------------------------------


def test_workflows_are_listed_newest_first_page_by_page(caller: Caller, acme: Tenant) -> None:
    ids = [str(made(acme).workflow.pk) for _ in range(3)]
    page = caller.get("/workflows", limit=2).body
    assert [item["id"] for item in page["items"]] == [ids[2], ids[1]]
    rest = caller.get("/workflows", limit=2, cursor=page["next_cursor"]).body
    assert [item["id"] for item in rest["items"]] == ids[:1]
    assert rest["next_cursor"] is None


def test_jobs_are_listed_by_their_workflow(caller: Caller, acme: Tenant) -> None:
    wanted, _ = made(acme), made(acme)
    found = caller.get("/jobs", workflow_id=str(wanted.workflow.pk)).body["items"]
    assert {item["id"] for item in found} == {str(job.pk) for job in wanted.jobs.values()}
    assert caller.get("/jobs", workflow_id="7").pointers == ["/workflow_id"]


# --- acting ------------------------------------------------------------------------------------


def test_a_workflow_is_cancelled_whole_with_one_line_in_the_audit(
    caller: Caller, acme: Tenant
) -> None:
    workflow = made(acme).workflow
    answer = caller.post(f"/workflows/{workflow.pk}/cancel")
    assert (answer.status, answer.body["status"], answer.body["changed"]) == (200, "cancelled", 2)
    entry = AuditEntry.objects.get(action="workflow.cancel")
    assert (entry.object_id, entry.tenant) == (str(workflow.pk), acme)
    assert (entry.after or {})["steps"] == 2
    assert caller.post(f"/workflows/{workflow.pk}/cancel").status == 409


def test_a_failed_workflow_is_retried_with_one_line_in_the_audit(
    caller: Caller, acme: Tenant
) -> None:
    workflow = made(acme, failed=True).workflow
    assert caller.get(f"/workflows/{workflow.pk}").body["status"] == "failed"
    answer = caller.post(f"/workflows/{workflow.pk}/retry")
    assert (answer.status, answer.body["status"], answer.body["changed"]) == (200, "running", 2)
    assert (answer.body["counts"]["queued"], answer.body["counts"]["blocked"]) == (1, 1)
    assert answer.body["refused"] == {}
    assert AuditEntry.objects.filter(action="workflow.retry").count() == 1
    assert caller.post(f"/workflows/{workflow.pk}/retry").status == 409


# --- who may -----------------------------------------------------------------------------------


@pytest.mark.parametrize("granted", sorted(EVERY_SCOPE))
@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), WORKFLOW_CALLS)
def test_a_call_needs_its_scope(
    method: str, path: str, needed: Scope, body: object, _: object, granted: Scope, acme: Tenant,
    caller_of: MakeCaller,
) -> None:  # fmt: skip
    workflow = made(acme, failed=path.endswith("/retry")).workflow
    answer = call(caller_of(acme, [granted]), method, path.replace("{id}", str(workflow.pk)), body)
    if granted in (needed, Scope.ADMIN):
        assert answer.status in (200, 201)
    else:
        assert (answer.status, answer.headers["Content-Type"]) == (403, PROBLEM)


@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), WORKFLOW_CALLS)
def test_a_call_without_a_token_is_401(
    method: str, path: str, needed: object, body: object, _: object, db: None
) -> None:
    assert call(Caller(), method, path.replace("{id}", str(uuid4())), body).status == 401


@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), ON_A_WORKFLOW)
def test_g10_another_tenants_workflow_a_missing_one_and_a_malformed_id_are_the_same_404(
    method: str, path: str, needed: object, body: object, _: object, acme: Tenant, other: Tenant,
    caller_of: MakeCaller,
) -> None:  # fmt: skip
    foreign = made(other).workflow
    for name in (str(foreign.pk), str(uuid4()), "7", "{" + str(foreign.pk) + "}", "%00"):
        answer = call(caller_of(acme), method, path.replace("{id}", name), body)
        assert (answer.status, answer.body["detail"]) == (404, "Not found.")
    assert set(Job.objects.values_list("status", flat=True)) == {Status.QUEUED, Status.BLOCKED}


@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), ON_A_WORKFLOW)
def test_a_token_bound_to_an_owner_reaches_only_that_owners_workflows(
    method: str, path: str, needed: object, body: object, _: object, acme: Tenant,
    caller_of: MakeCaller,
) -> None:  # fmt: skip
    eve = caller_of(acme, owner="eve")
    for owner, expected in (("eve", 200), ("bob", 404), ("", 404)):
        workflow = made(acme, owner, failed=path.endswith("/retry")).workflow
        assert call(eve, method, path.replace("{id}", str(workflow.pk)), body).status == expected


def test_a_token_bound_to_an_owner_makes_workflows_of_that_owner_only(
    acme: Tenant, caller_of: MakeCaller
) -> None:
    eve = caller_of(acme, owner="eve")
    assert eve.post("/workflows", NEW_WORKFLOW).status == 201
    assert eve.post("/workflows", {**NEW_WORKFLOW, "owner": "bob"}).status == 403
    step = {**STEP, "owner": "bob"}
    assert eve.post("/workflows", {"steps": {"fetch": step}}).status == 403
    assert set(Job.objects.values_list("owner", flat=True)) == {"eve"}
    assert Workflow.objects.get().owner == "eve"
    made(acme, "bob")
    assert len(eve.get("/workflows").body["items"]) == 1


# --- the published schema ----------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), WORKFLOW_CALLS)
def test_every_answer_is_as_described(
    method: str, path: str, needed: object, body: object, _: object, acme: Tenant,
    caller_of: MakeCaller,
) -> None:  # fmt: skip
    workflow = made(acme, failed=path.endswith("/retry")).workflow
    answer = call(caller_of(acme), method, path.replace("{id}", str(workflow.pk)), body)
    described = next(
        item
        for name, item in schema()["paths"].items()
        if re.sub(r"\{\w+\}", "{id}", name) == f"/api/v1{path}"
    )
    responses = described[method.lower()]["responses"]
    check(answer.body, responses[str(answer.status)]["content"]["application/json"]["schema"])


def test_the_published_examples_are_accepted(caller: Caller) -> None:
    operation = schema()["paths"]["/api/v1/workflows"]["post"]
    examples = operation["requestBody"]["content"]["application/json"]["examples"].values()
    assert examples
    for example in examples:
        check(example["value"], schema()["components"]["schemas"]["NewWorkflow"])
        assert caller.post("/workflows", example["value"]).status == 201
