"""Schedules and calendars of tenants and owners are apart, and the scopes of tokens hold."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import AuditEntry, Tenant
from accounts.scopes import EVERY_SCOPE, Scope
from jobs.models import Job
from scheduling.models import Calendar, Schedule
from tests.api.calling import PROBLEM, Answer, Caller
from tests.api.conftest import MakeCaller
from tests.api.scheduled import EVERY, HOLIDAYS, NEW, ON_A_CALENDAR, ON_A_SCHEDULE, calendar, made

ON_ONE = [*ON_A_SCHEDULE, *ON_A_CALENDAR]


def call(caller: Caller, method: str, path: str, body: object) -> Answer:
    data = b"" if body is None else json.dumps(body).encode()
    return caller.call(method, path, data=data)


def one_of(tenant: Tenant, path: str, owner: str = "") -> Schedule | Calendar:
    return (calendar if path.startswith("/calendars") else made)(tenant, owner=owner)


@pytest.mark.parametrize("granted", sorted(EVERY_SCOPE))
@pytest.mark.parametrize(("method", "path", "needed", "body"), EVERY)
def test_a_call_needs_its_scope(
    method: str, path: str, needed: Scope, body: object, granted: Scope, acme: Tenant,
    caller_of: MakeCaller,
) -> None:  # fmt: skip
    one = one_of(acme, path)
    answer = call(caller_of(acme, [granted]), method, path.replace("{id}", str(one.pk)), body)
    if granted in (needed, Scope.ADMIN):
        assert answer.status in (200, 201, 204)
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
    assert stranger.get("/schedules").body["items"] == []
    assert stranger.get("/calendars").body["items"] == []


@pytest.mark.parametrize(("method", "path", "needed", "body"), ON_ONE)
def test_a_token_bound_to_an_owner_reaches_only_that_owners(
    method: str, path: str, needed: object, body: object, acme: Tenant, caller_of: MakeCaller
) -> None:
    eve = caller_of(acme, owner="eve")
    for owner in ("bob", ""):
        one = one_of(acme, path, owner)
        assert call(eve, method, path.replace("{id}", str(one.pk)), body).status == 404
    own = one_of(acme, path, "eve")
    assert call(eve, method, path.replace("{id}", str(own.pk)), body).status in (200, 201, 204)


def test_a_token_bound_to_an_owner_lists_only_that_owners(
    acme: Tenant, caller_of: MakeCaller
) -> None:
    for owner in ("eve", "bob", ""):
        made(acme, owner=owner)
        calendar(acme, owner=owner)
    eve, whole = caller_of(acme, owner="eve"), caller_of(acme)
    for path in ("/schedules", "/calendars"):
        assert [one["owner"] for one in eve.get(path).body["items"]] == ["eve"]
        assert [one["owner"] for one in whole.get(path).body["items"]] == [None, "bob", "eve"]


@pytest.mark.parametrize(("path", "new"), [("/schedules", NEW), ("/calendars", HOLIDAYS)])
def test_a_token_bound_to_an_owner_makes_that_owners_only(
    path: str, new: dict[str, Any], acme: Tenant, caller_of: MakeCaller
) -> None:
    eve = caller_of(acme, owner="eve")
    assert eve.post(path, new).body["owner"] == "eve"
    assert eve.post(path, {**new, "name": "b", "owner": "eve"}).status == 201
    assert eve.post(path, {**new, "name": "c", "owner": "bob"}).status == 403
    assert caller_of(acme).post(path, {**new, "name": "d", "owner": "bob"}).status == 201


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_token_bound_to_an_owner_gives_none_of_its_own_away(
    method: str, acme: Tenant, caller_of: MakeCaller
) -> None:
    eve, schedule = caller_of(acme, owner="eve"), made(acme, owner="eve")
    path, base = f"/schedules/{schedule.pk}", NEW if method == "put" else {}
    assert getattr(eve, method)(path, {**base, "owner": "bob"}).status == 403
    assert getattr(eve, method)(path, {**base, "owner": None}).body["owner"] == "eve"
    assert getattr(eve, method)(path, {**base, "name": "x"}).body["owner"] == "eve"
    given = getattr(caller_of(acme), method)(path, {**base, "name": "y", "owner": "bob"})
    assert given.body["owner"] == "bob"


def test_jobs_of_an_owners_schedule_are_that_owners(acme: Tenant, caller_of: MakeCaller) -> None:
    eve = caller_of(acme, owner="eve")
    schedule = eve.post("/schedules", NEW).body["id"]
    job = eve.post(f"/schedules/{schedule}/run").body
    assert job["owner"] == "eve"
    assert caller_of(acme, owner="bob").get(f"/jobs/{job['id']}").status == 404
    assert [one["id"] for one in eve.get("/jobs", schedule_id=schedule).body["items"]] == [
        job["id"]
    ]


def test_t10_another_tenants_or_owners_calendar_is_as_unknown_as_a_missing_one(
    acme: Tenant, other: Tenant, caller_of: MakeCaller
) -> None:
    eve = caller_of(acme, owner="eve")
    everybodys, eves = calendar(acme), calendar(acme, owner="eve")
    strange = [calendar(other).pk, calendar(acme, owner="bob").pk, uuid4()]
    told = set()
    for one in strange:
        ids = [str(everybodys.pk), str(one), str(eves.pk)]
        answer = eve.post("/schedules", {**NEW, "calendar_ids": ids})
        assert answer.pointers == ["/calendar_ids/1"]
        told.add(answer.body["errors"][0]["detail"])
    assert told == {"is unknown"}
    named = eve.post("/schedules", {**NEW, "calendar_ids": [str(everybodys.pk), str(eves.pk)]})
    assert named.status == 201
    path = f"/schedules/{named.body['id']}"
    assert eve.patch(path, {"calendar_ids": [str(strange[0])]}).pointers == ["/calendar_ids/0"]


def test_a_platform_admin_sees_whose_each_is_and_acts_for_one_tenant(
    acme: Tenant, other: Tenant, platform: Any
) -> None:
    mine, theirs = made(acme), made(other)
    calendar(acme)
    everybody = platform("*")
    assert [one["tenant"] for one in everybody.get("/schedules").body["items"]] == ["other", "acme"]
    assert everybody.get(f"/schedules/{theirs.pk}").body["tenant"] == "other"
    assert everybody.get("/calendars").body["items"][0]["tenant"] == "acme"
    assert everybody.post("/schedules", NEW).pointers == ["/X-Tenant"]
    assert "tenant" not in platform("acme").get(f"/schedules/{mine.pk}").body
    assert platform("acme").get(f"/schedules/{theirs.pk}").status == 404
    made_for = platform("other").post("/schedules", NEW).body["id"]
    assert Schedule.objects.get(pk=made_for).tenant == other


def test_a_replay_is_never_given_to_another_owner(acme: Tenant, caller_of: MakeCaller) -> None:
    first = caller_of(acme, owner="bob").post("/schedules", NEW, idempotency_key="k")
    answer = caller_of(acme, owner="eve").post("/schedules", NEW, idempotency_key="k")
    assert answer.pointers == ["/Idempotency-Key"]
    assert first.body["id"] not in str(answer.body)
