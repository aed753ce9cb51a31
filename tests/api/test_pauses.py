"""GET and POST /pauses, DELETE /pauses/{id}, and pausing a queue by its name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models.functions import Now
from django.test import Client

from accounts.models import AuditEntry, Tenant
from accounts.scopes import Scope
from jobs.models import Job, Pause, PauseKind, Queue
from jobs.operations import Actor
from jobs.policies import pausing
from tests.admin.conftest import person
from tests.api import kinds
from tests.api.calling import Answer, Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.api.pausing import QUEUE_CALLS, routed
from tests.api.test_schema import check, schema
from tests.jobs.making import fresh, send, take

EVE = Actor(name="user:eve")
Platform = Callable[..., Caller]


def call(caller: Caller, method: str, path: str, body: object = None, **headers: str) -> Answer:
    data = b"" if body is None else json.dumps(body).encode()
    return caller.call(method, path, data=data, headers=headers)


def pause_of_queue() -> Pause:
    return pausing.pause(PauseKind.QUEUE, "default", EVE, reason="because")[0]


@pytest.fixture
def every_kind(acme: Tenant, other: Tenant) -> None:
    pausing.pause(PauseKind.QUEUE, "default", EVE)
    pausing.pause(PauseKind.TYPE, kinds.report.name, EVE)
    for tenant in (acme, other):
        pausing.pause(PauseKind.TENANT, tenant.slug, EVE)
        pausing.pause(PauseKind.KEY, "a", EVE, tenant=tenant)


# --- who may ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "body"), QUEUE_CALLS)
def test_no_token_of_a_tenant_writes_queues_or_pauses(
    method: str, path: str, body: object, acme: Tenant, caller_of: MakeCaller
) -> None:
    path = path.replace("{pause}", str(pause_of_queue().pk))
    before = list(Pause.objects.values()), list(Queue.objects.values())
    for caller in (caller_of(acme), caller_of(acme, [Scope.QUEUES_READ])):
        assert call(caller, method, path, body).status == 403
    assert call(Caller(), method, path, body).status == 401
    assert (list(Pause.objects.values()), list(Queue.objects.values())) == before


@pytest.mark.parametrize(("kind", "expected"), [("admin", 403), ("superuser", 200)])
def test_a_signed_in_person_pauses_as_superuser_only(
    kind: str, expected: int, acme: Tenant
) -> None:
    user = person(kind, None if kind == "superuser" else acme, kind, is_superuser=kind != "admin")
    client = Client()
    client.force_login(user)
    answer = client.post("/api/v1/queues/default/pause", b"{}", content_type="application/json")
    assert answer.status_code == expected


@pytest.mark.parametrize(("method", "path", "body"), QUEUE_CALLS)
def test_a_platform_admin_does_and_the_answer_is_as_described(
    method: str, path: str, body: object, acme: Tenant, platform: Platform
) -> None:
    called = path.replace("{pause}", str(pause_of_queue().pk))
    answer = call(platform(), method, called, body)
    (operation,) = (
        item[method.lower()]
        for name, item in schema()["paths"].items()
        if re.sub(r"\{\w+\}", "{id}", name) == "/api/v1" + routed(path)
    )
    described = operation["responses"][str(answer.status)]
    if answer.status == 204:
        assert answer.body is None
    else:
        check(answer.body, described["content"]["application/json"]["schema"])


# --- a queue ---------------------------------------------------------------------------------


def test_a_queue_is_paused_and_resumed(
    platform: Platform, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    message = send(make_job(acme))
    terms = {"reason": "maintenance", "until": "2999-01-31T12:00:00Z"}
    answer = platform().post("/queues/default/pause", terms)
    assert (answer.status, answer.body["name"], answer.body["paused"]) == (200, "default", True)
    assert caller.get("/queues/default").body["paused"]
    assert [one["paused"] for one in caller.get("/queues").body["items"] if one["paused"]] == [True]
    assert take(message) is None

    assert platform().post("/queues/default/resume").body["paused"] is False
    assert not caller.get("/queues/default").body["paused"]
    assert platform().post("/queues/default/resume", {}).status == 200
    actions = AuditEntry.objects.filter(object_type="pause").order_by("pk")
    assert [entry.action for entry in actions] == ["pause.start", "pause.end"]


def test_a_running_job_of_a_paused_queue_goes_on(
    platform: Platform, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme)
    held = take(send(job))
    platform().post("/queues/default/pause")
    assert held is not None
    assert fresh(job).fence == held.fence


@pytest.mark.parametrize("verb", ["pause", "resume"])
@pytest.mark.parametrize("name", ["nowhere", "%00"])
def test_an_unknown_queue_is_not_found(verb: str, name: str, platform: Platform) -> None:
    assert platform().post(f"/queues/{name}/{verb}").status == 404


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"until": "2001-01-31T12:00:00Z"}, ["/until"]),
        ({"until": "tomorrow"}, ["/until"]),
        ({"reason": 7}, ["/reason"]),
        ({"reason": "x" * 501}, ["/reason"]),
        ({"colour": 7}, ["/colour"]),
    ],
)
def test_terms_that_make_no_sense_are_refused(
    body: dict[str, Any], pointers: list[str], platform: Platform
) -> None:
    assert platform().post("/queues/default/pause", body).pointers == pointers
    assert not Pause.objects.exists()


# --- /pauses ---------------------------------------------------------------------------------


def test_a_pause_is_made_listed_and_ended(platform: Platform, acme: Tenant, caller: Caller) -> None:
    body = {"kind": "key", "target": "site:a", "reason": "they asked"}
    made = platform("acme").post("/pauses", body)
    assert made.status == 201
    assert {**body, "tenant": "acme", "until": None, "in_force": True}.items() <= made.body.items()
    assert platform("acme").get("/pauses").body["items"] == [made.body]
    nameless = {**made.body, "created_by": None}
    assert caller.get("/pauses").body["items"] == [nameless]

    gone = call(platform("acme"), "DELETE", f"/pauses/{made.body['id']}")
    assert (gone.status, gone.body) == (204, None)
    (hidden,) = caller.get("/pauses").body["items"]
    assert (hidden["in_force"], hidden["created_by"], hidden["ended_by"]) == (False, None, None)
    (listed,) = platform("acme").get("/pauses").body["items"]
    assert (listed["in_force"], listed["ended_by"]) == (False, platform_actor())
    assert call(platform("acme"), "DELETE", f"/pauses/{made.body['id']}").status == 204
    assert AuditEntry.objects.filter(action="pause.end").count() == 1


def platform_actor() -> str:
    return AuditEntry.objects.get(action="pause.end").actor


def test_a_platform_admin_sees_and_ends_the_pause_of_a_tenant_it_does_not_act_for(
    every_kind: None, other: Tenant, platform: Platform
) -> None:
    made = platform().post("/pauses", {"kind": "tenant", "target": "other"}).body
    listed = platform("acme").get("/pauses").body["items"]
    assert made["id"] in [item["id"] for item in listed]
    assert ("key", "other") not in {(item["kind"], item["tenant"]) for item in listed}
    assert call(platform(), "DELETE", f"/pauses/{made['id']}").status == 204
    assert not Pause.objects.filter(pausing.IN_FORCE, pk=made["id"]).exists()


def test_pausing_again_changes_the_one_in_force(platform: Platform, acme: Tenant) -> None:
    body = {"kind": "tenant", "target": "acme"}
    first = platform().post("/pauses", body)
    again = platform().post("/pauses", {**body, "reason": "still"})
    assert (first.status, again.status) == (201, 200)
    assert again.body == {**first.body, "reason": "still"}


def test_an_idempotency_key_pauses_once(platform: Platform, acme: Tenant) -> None:
    caller, body = platform(), {"kind": "tenant", "target": "acme"}
    first, again = (caller.post("/pauses", body, idempotency_key="k") for _ in range(2))
    assert again.body == first.body
    assert again.headers["Idempotent-Replay"] == "true"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/kind", "/target"]),
        ({"kind": "colour", "target": "red"}, ["/kind"]),
        ({"kind": "queue", "target": "nowhere"}, ["/target"]),
        ({"kind": "type", "target": "no.such"}, ["/target"]),
        ({"kind": "tenant", "target": "nobody"}, ["/target"]),
        ({"kind": "key", "target": ""}, ["/target"]),
        ({"kind": "queue", "target": "default", "until": "2001-01-31T12:00:00Z"}, ["/until"]),
        ({"kind": "queue", "target": "default", "tenant": "acme"}, ["/tenant"]),
    ],
)
def test_a_pause_of_nothing_is_refused(
    body: dict[str, Any], pointers: list[str], platform: Platform
) -> None:
    assert platform().post("/pauses", body).pointers == pointers
    assert not Pause.objects.exists()


def seen(caller: Caller, **query: str) -> set[tuple[str, str | None]]:
    items = caller.get("/pauses", **query).body["items"]
    return {(item["kind"], item["tenant"]) for item in items}


def test_g10_a_tenant_sees_what_holds_its_own_jobs_back_and_no_more(
    every_kind: None, acme: Tenant, caller: Caller, caller_of: MakeCaller, platform: Platform
) -> None:
    own = {("queue", None), ("type", None), ("tenant", "acme"), ("key", "acme")}
    assert seen(caller) == own
    assert seen(caller_of(acme, owner="eve")) == own - {("key", "acme")}
    assert seen(platform("*")) == own | {("tenant", "other"), ("key", "other")}
    assert caller_of(acme, [Scope.JOBS_READ]).get("/pauses").status == 403


def test_the_list_may_be_of_those_in_force_only(caller: Caller) -> None:
    over = pause_of_queue()
    Pause.objects.filter(pk=over.pk).update(until=Now() - timedelta(seconds=1))
    pausing.pause(PauseKind.TYPE, kinds.report.name, EVE)
    assert seen(caller, in_force="true") == {("type", None)}
    assert seen(caller, in_force="false") == {("queue", None)}
    assert caller.get("/pauses", in_force="maybe").pointers == ["/in_force"]


def test_the_list_goes_on_page_by_page_newest_first(every_kind: None, caller: Caller) -> None:
    whole = [item["id"] for item in caller.get("/pauses").body["items"]]
    page = caller.get("/pauses", limit=3).body
    rest = caller.get("/pauses", limit=3, cursor=page["next_cursor"]).body
    assert [item["id"] for item in page["items"] + rest["items"]] == whole
    assert whole == sorted(whole, reverse=True)


@pytest.mark.parametrize("name", [str(UUID(int=7)), "7", "%00"])
def test_a_pause_that_does_not_exist_cannot_be_ended(name: str, platform: Platform) -> None:
    assert call(platform(), "DELETE", f"/pauses/{name}").status == 404


@pytest.mark.django_db(transaction=True)
def test_g11_without_its_audit_entry_nothing_is_paused(
    acme: Tenant, platform: Platform, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    Queue.objects.get_or_create(name="default")
    job = make_job(acme)
    send(job)

    def fail(**_: object) -> None:
        raise RuntimeError("no entry today")

    caller = platform()
    monkeypatch.setattr("accounts.audit.record", fail)
    assert caller.post("/queues/default/pause").status == 500
    assert not Pause.objects.exists()
    assert Job.objects.get(pk=job.pk).dispatched_at is not None
