"""Webhooks of tenants are apart, and the scopes of tokens hold."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import AuditEntry, Tenant
from accounts.scopes import EVERY_SCOPE, Scope
from jobs.models import Job
from tests.api.calling import PROBLEM, Answer, Caller
from tests.api.conftest import MakeCaller
from tests.api.hooked import EVERY, NEW, ON_A_DELIVERY, ON_AN_ENDPOINT, delivery, made
from webhooks import secrets
from webhooks.models import Delivery, Endpoint

ON_ONE = [*ON_AN_ENDPOINT, *ON_A_DELIVERY]


def call(caller: Caller, method: str, path: str, body: object) -> Answer:
    data = b"" if body is None else json.dumps(body).encode()
    return caller.call(method, path, data=data)


def one_of(tenant: Tenant, path: str) -> Endpoint | Delivery:
    return delivery(tenant) if path.startswith("/webhook-deliveries") else made(tenant)


@pytest.mark.parametrize("granted", sorted(EVERY_SCOPE))
@pytest.mark.parametrize(("method", "path", "needed", "body"), EVERY)
def test_a_call_needs_its_scope(
    method: str, path: str, needed: Scope, body: object, granted: Scope, acme: Tenant,
    caller_of: MakeCaller,
) -> None:  # fmt: skip
    one = one_of(acme, path)
    answer = call(caller_of(acme, [granted]), method, path.replace("{id}", str(one.pk)), body)
    if granted in (needed, Scope.ADMIN):
        assert answer.status in (200, 201, 202, 204)
    else:
        assert (answer.status, answer.headers["Content-Type"]) == (403, PROBLEM)
        assert needed in answer.body["detail"]


@pytest.mark.parametrize(("method", "path", "needed", "body"), ON_ONE)
def test_g10_another_tenants_a_missing_one_and_a_malformed_id_are_the_same_404(
    method: str, path: str, needed: object, body: object, acme: Tenant, other: Tenant,
    caller_of: MakeCaller,
) -> None:  # fmt: skip
    foreign = one_of(other, path)
    rows = type(foreign).objects.filter(pk=foreign.pk)
    stranger, before = caller_of(acme), rows.values().get()
    entries = AuditEntry.objects.count()
    for name in (str(foreign.pk), str(uuid4()), "7", "x" * 36, "{" + str(foreign.pk) + "}", "%00"):
        answer = call(stranger, method, path.replace("{id}", name), body)
        assert (answer.status, answer.body["detail"]) == (404, "Not found.")
    assert rows.values().get() == before
    assert not Job.objects.exists()
    assert AuditEntry.objects.count() == entries
    assert stranger.get("/webhook-endpoints").body["items"] == []
    assert stranger.get("/webhook-deliveries").body["items"] == []


def test_g10_filters_by_a_strangers_id_find_nothing(
    acme: Tenant, other: Tenant, caller_of: MakeCaller
) -> None:
    job = uuid4()
    theirs = delivery(other, job_id=job)
    stranger, owner = caller_of(acme), caller_of(other)
    for filters in ({"endpoint_id": str(theirs.endpoint_id)}, {"job_id": str(job)}):
        assert stranger.get("/webhook-deliveries", **filters).body["items"] == []
        assert len(owner.get("/webhook-deliveries", **filters).body["items"]) == 1


@pytest.mark.parametrize(("method", "path", "needed", "body"), EVERY)
def test_a_token_bound_to_an_owner_has_no_part_in_what_hears_of_every_owners_jobs(
    method: str, path: str, needed: object, body: object, acme: Tenant, caller_of: MakeCaller
) -> None:
    one = one_of(acme, path)
    endpoints = Endpoint.objects.count()
    answer = call(caller_of(acme, owner="eve"), method, path.replace("{id}", str(one.pk)), body)
    assert (answer.status, answer.headers["Content-Type"]) == (403, PROBLEM)
    assert "bound to an owner" in answer.body["detail"]
    assert Endpoint.objects.filter(deleted_at=None).count() == endpoints


def test_a_platform_admin_sees_whose_each_is_and_acts_for_one_tenant(
    acme: Tenant, other: Tenant, platform: Any
) -> None:
    mine, theirs = delivery(acme), delivery(other)
    everybody = platform("*")
    for path in ("/webhook-endpoints", "/webhook-deliveries"):
        assert [one["tenant"] for one in everybody.get(path).body["items"]] == ["other", "acme"]
    assert everybody.get(f"/webhook-deliveries/{theirs.pk}").body["tenant"] == "other"
    found = everybody.get("/webhook-deliveries", status="failed").body["items"]
    assert [one["id"] for one in found] == [str(theirs.pk), str(mine.pk)]
    assert everybody.post("/webhook-endpoints", NEW).pointers == ["/X-Tenant"]
    assert "tenant" not in platform("acme").get(f"/webhook-endpoints/{mine.endpoint_id}").body
    assert platform("acme").get(f"/webhook-endpoints/{theirs.endpoint_id}").status == 404
    made_for = platform("other").post("/webhook-endpoints", NEW).body["id"]
    assert Endpoint.objects.get(pk=made_for).tenant == other


def test_the_own_secret_is_of_the_tenant_that_asks(
    acme: Tenant, other: Tenant, caller_of: MakeCaller
) -> None:
    assert caller_of(acme).post("/webhook-secret/rotate").status == 200
    assert len(secrets.live_until(acme, None)) == 1
    assert len(secrets.live_until(other, None)) == 0


def test_a_key_of_another_tenant_has_nothing_to_do_with_ones_own(
    acme: Tenant, other: Tenant, caller_of: MakeCaller
) -> None:
    first = caller_of(acme).post("/webhook-endpoints", NEW, idempotency_key="k")
    second = caller_of(other).post("/webhook-endpoints", NEW, idempotency_key="k")
    assert first.body["id"] != second.body["id"]
    assert None not in (first.body["secret"], second.body["secret"])
