"""Batches of tenants and owners are apart, and the scopes of tokens hold for them."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import Tenant
from accounts.scopes import EVERY_SCOPE, Scope
from jobs.models import Batch, Job
from tests.api.batching import BATCH_CALLS, JOB, NEW_BATCH, call, made
from tests.api.calling import PROBLEM, Caller
from tests.api.conftest import MakeCaller, MakeJob

ON_A_BATCH = [call for call in BATCH_CALLS if "{id}" in call[1]]


@pytest.mark.parametrize("granted", sorted(EVERY_SCOPE))
@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), BATCH_CALLS)
def test_a_call_needs_its_scope(
    method: str, path: str, needed: Scope, body: object, _: object, granted: Scope, acme: Tenant,
    caller_of: MakeCaller,
) -> None:  # fmt: skip
    batch = made(acme)
    caller = caller_of(acme, [granted])
    answer = call(caller, method, path.replace("{id}", str(batch.pk)), body)
    if granted in (needed, Scope.ADMIN):
        assert answer.status in (200, 201)
    else:
        assert (answer.status, answer.headers["Content-Type"]) == (403, PROBLEM)


@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), BATCH_CALLS)
def test_a_call_without_a_token_is_401(
    method: str, path: str, needed: object, body: object, _: object, db: None
) -> None:
    assert call(Caller(), method, path.replace("{id}", str(uuid4())), body).status == 401


@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), ON_A_BATCH)
def test_g10_another_tenants_batch_a_missing_one_and_a_malformed_id_are_the_same_404(
    method: str, path: str, needed: object, body: object, _: object, acme: Tenant, other: Tenant,
    caller_of: MakeCaller,
) -> None:  # fmt: skip
    foreign = made(other)
    stranger = caller_of(acme)
    for name in (str(foreign.pk), str(uuid4()), "7", "x" * 36, "%00"):
        answer = call(stranger, method, path.replace("{id}", name), body)
        assert (answer.status, answer.body["detail"]) == (404, "Not found.")
    assert {job.status for job in Job.objects.filter(batch=foreign)} == {"queued"}
    assert stranger.get("/batches").body["items"] == []
    assert stranger.get("/jobs", batch_id=str(foreign.pk)).body["items"] == []


@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), ON_A_BATCH)
def test_a_token_bound_to_an_owner_reaches_only_that_owners_batches(
    method: str, path: str, needed: object, body: object, _: object, acme: Tenant,
    caller_of: MakeCaller,
) -> None:  # fmt: skip
    eve = caller_of(acme, owner="eve")
    for owner, expected in (("eve", 200), ("bob", 404), ("", 404)):
        batch = made(acme, owner=owner)
        assert call(eve, method, path.replace("{id}", str(batch.pk)), body).status == expected
    assert len(eve.get("/batches").body["items"]) == 1


def test_a_token_bound_to_an_owner_makes_batches_and_jobs_of_that_owner_only(
    acme: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    bobs = make_job(acme, owner="bob", unique_key="k")
    eve = caller_of(acme, owner="eve")

    jobs = [JOB, {**JOB, "owner": "bob"}, {**JOB, "unique_key": "k"}]
    answer = eve.post("/batches", {"jobs": jobs, "on_complete": JOB})

    assert [result["status"] for result in answer.body["results"]] == ["queued", "failed", "failed"]
    assert str(bobs.pk) not in json.dumps(answer.body)
    batch = Batch.objects.get()
    assert (batch.owner, Job.objects.get(batch=batch).owner) == ("eve", "eve")
    assert batch.on_complete is not None
    assert batch.on_complete["columns"]["owner"] == "eve"
    assert eve.post("/batches", {**NEW_BATCH, "owner": "bob"}).status == 403
    wish = {**NEW_BATCH, "on_failure": {**JOB, "owner": "bob"}}
    assert eve.post("/batches", wish).pointers == ["/on_failure/owner"]


def test_a_platform_admin_sees_whose_each_batch_is(acme: Tenant, platform: Any) -> None:
    made(acme)
    everybody = platform("*")
    (item,) = everybody.get("/batches").body["items"]
    assert item["tenant"] == "acme"
