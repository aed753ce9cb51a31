"""GET and POST /webhook-endpoints, GET, PATCH and DELETE /webhook-endpoints/{id}."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import AuditEntry, IdempotencyKey, Tenant
from jobs.models import Job
from tests.api import kinds
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller
from tests.api.hooked import BY, NEW, READ, SINCE, URL, WRITE, delivery, made
from tests.api.test_schema import check, schema
from tests.support.webhook_urls import Looks
from tests.webhooks.making import echoed
from webhooks import disabling, secrets, verbs
from webhooks.models import Delivery, Endpoint, SigningSecret
from webhooks.policies import DisabledBecause

CANARY = "c4nary-of-a-header"


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ, WRITE])


def test_an_endpoint_is_made_with_everything_that_was_said(caller: Caller) -> None:
    said = {
        "url": "https://hooks.example.invalid:8443/a?b=c",
        "description": "The shop's order desk.",
        "events": ["job.completed", "job.failed"],
        "types": [kinds.report.name],
        "queues": ["default"],
        "timeout_seconds": 5,
        "retry": {"max_attempts": 4, "backoff_seconds": 1.5, "max_seconds": 60},
        "enabled": False,
    }
    answer = caller.post("/webhook-endpoints", {**said, "headers": {"X-Desk": "orders"}})
    assert answer.status == 201
    assert answer.headers["Location"] == f"/api/v1/webhook-endpoints/{answer.body['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    secret = answer.body.pop("secret")
    assert secret.startswith("whsec_")
    document = caller.get(f"/webhook-endpoints/{answer.body['id']}").body
    assert document == answer.body
    assert {name: document[name] for name in said} == said
    assert document["headers"] == {"X-Desk": "***"}
    assert document["disabled_because"] == "by_hand"
    assert document["created_by"].startswith("token:")
    assert [one["expires_at"] for one in document["secrets"]] == [None]


def test_what_is_left_out_takes_its_default(caller: Caller) -> None:
    document = caller.post("/webhook-endpoints", NEW).body
    expected: dict[str, Any] = {
        "description": "", "events": [], "types": [], "queues": [], "headers": {},
        "timeout_seconds": None, "retry": None, "enabled": True, "disabled_because": None,
        "disabled_at": None, "consecutive_failures": 0, "failing_since": None,
        "last_success_at": None, "last_failure_at": None,
    }  # fmt: skip
    assert {name: document[name] for name in expected} == expected
    assert document["statistics"] == {
        "window_seconds": 86_400, "pending": 0, "delivered": 0, "failed": 0, "attempts": 0,
        "success_rate": None, "seconds_p50": None, "seconds_p95": None,
    }  # fmt: skip


def test_the_document_is_as_described_and_nothing_is_left_out(caller: Caller, acme: Tenant) -> None:
    endpoint = made(acme, retry={"schedule": [1, 2.5]})
    delivery(acme, endpoint, status="delivered", attempts=2)
    delivery(acme, endpoint, attempts=3)
    body = caller.get(f"/webhook-endpoints/{endpoint.pk}").body
    described = schema()["components"]["schemas"]["EndpointDocument"]
    check(body, described)
    assert list(body) == [name for name in described["properties"] if name in body]
    assert set(described["properties"]) - set(body) == {"tenant"}
    counted = {"delivered": 1, "failed": 1, "attempts": 5, "success_rate": 0.5}
    assert {name: body["statistics"][name] for name in counted} == counted


def test_the_secret_is_shown_once_and_is_nowhere_else_to_be_read(caller: Caller) -> None:
    new = {**NEW, "headers": {"X-Key": CANARY}}
    answer = caller.post("/webhook-endpoints", new, idempotency_key="k")
    again = caller.post("/webhook-endpoints", new, idempotency_key="k")
    path = f"/webhook-endpoints/{answer.body['id']}"
    rotated = caller.post(f"{path}/rotate-secret", idempotency_key="k").body
    own = caller.post("/webhook-secret/rotate").body
    shown = [answer.body["secret"], rotated["secret"], own["secret"]]
    assert len(set(shown)) == 3
    everything = repr([
        again.body, caller.get(path).body, caller.get("/webhook-endpoints").body,
        caller.post(f"{path}/test").body, caller.patch(path, {"enabled": False}).body,
        caller.post(f"{path}/rotate-secret", idempotency_key="k").body,
        *(list(model.objects.values()) for model in
          (AuditEntry, IdempotencyKey, SigningSecret, Endpoint, Delivery, Job)),
    ])  # fmt: skip
    assert not any(secret in everything for secret in [*shown, CANARY])


def test_what_follows_the_host_of_a_url_is_not_in_the_audit_trail(caller: Caller) -> None:
    url = f"{URL}/T0ken?key=s3cret"
    path = f"/webhook-endpoints/{caller.post('/webhook-endpoints', {'url': url}).body['id']}"
    assert caller.patch(path, {"url": f"{url}2"}).body["url"] == f"{url}2"
    caller.call("DELETE", path)
    entries = list(AuditEntry.objects.filter(object_type="endpoint").order_by("pk").values())
    assert not any(word in repr(entries) for word in ("T0ken", "s3cret"))
    assert entries[1]["after"] == {"url": "https://hooks.example.invalid/…"}


def test_one_key_makes_one_endpoint_whose_secret_is_in_the_first_answer_only(
    caller: Caller,
) -> None:
    first = caller.post("/webhook-endpoints", NEW, idempotency_key="k")
    again = caller.post("/webhook-endpoints", NEW, idempotency_key="k")
    other = caller.post("/webhook-endpoints", {**NEW, "description": "b"}, idempotency_key="k")
    assert (again.status, again.body) == (201, {**first.body, "secret": None})
    assert again.headers["Idempotent-Replay"] == "true"
    assert other.pointers == ["/Idempotency-Key"]
    assert Endpoint.objects.count() == 1


def test_a_urls_name_is_looked_up_before_any_transaction(
    caller: Caller, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/webhook-endpoints/{made(acme).pk}"
    looks = Looks(monkeypatch)
    assert caller.post("/webhook-endpoints", NEW, idempotency_key="k").status == 201
    assert caller.patch(path, {"url": f"{URL}/2"}).status == 200
    assert caller.patch(path, {"description": "x"}).status == 200
    assert (looks.urls, looks.inside) == ([URL, f"{URL}/2"], [])


def test_beyond_what_a_tenant_may_have_is_429_that_says_when_to_come_again(
    caller: Caller, settings: Settings, acme: Tenant
) -> None:
    settings.WEBHOOK_ENDPOINTS_PER_TENANT = 2
    made(acme)
    gone = made(acme)
    answer = caller.post("/webhook-endpoints", NEW)
    assert (answer.status, answer.body["type"]) == (429, "urn:celeriac:problem:quota-exceeded")
    assert int(answer.headers["Retry-After"]) > 0
    verbs.delete(gone, BY)
    assert caller.post("/webhook-endpoints", NEW).status == 201


def test_the_list_is_newest_first_page_by_page(caller: Caller, acme: Tenant) -> None:
    ids = [str(made(acme).pk) for _ in range(5)][::-1]
    first = caller.get("/webhook-endpoints", limit=2).body
    second = caller.get("/webhook-endpoints", limit=2, cursor=first["next_cursor"]).body
    third = caller.get("/webhook-endpoints", limit=2, cursor=second["next_cursor"]).body
    assert [one["id"] for page in (first, second, third) for one in page["items"]] == ids
    assert third["next_cursor"] is None
    assert first["items"][0] == caller.get(f"/webhook-endpoints/{ids[0]}").body


def test_the_list_has_neither_those_of_jobs_nor_removed_ones_and_is_filtered(
    caller: Caller, acme: Tenant
) -> None:
    on, off, gone = made(acme), made(acme, enabled=False), made(acme)
    of_job = Endpoint.objects.create(tenant=acme, url=URL, is_of_jobs=True)
    verbs.delete(gone, BY)

    def found(**filters: str) -> set[str]:
        return {item["id"] for item in caller.get("/webhook-endpoints", **filters).body["items"]}

    assert found() == {str(on.pk), str(off.pk)}
    assert found(enabled="true") == {str(on.pk)}
    assert found(enabled="false") == {str(off.pk)}
    for hidden in (of_job, gone):
        assert caller.get(f"/webhook-endpoints/{hidden.pk}").status == 404
        assert caller.patch(f"/webhook-endpoints/{hidden.pk}", {"enabled": False}).status == 404


@pytest.mark.parametrize(
    ("name", "value"),
    [("enabled", "yes"), ("enabled", "a\x00b"), ("url", URL), ("limit", "0"), ("cursor", "no")],
)
def test_a_filter_that_is_wrong_is_pointed_to(name: str, value: str, caller: Caller) -> None:
    assert caller.get("/webhook-endpoints", **{name: value}).pointers == [f"/{name}"]


def test_a_change_leaves_what_it_does_not_name(caller: Caller, acme: Tenant) -> None:
    endpoint = made(acme, events=["job.failed"], headers={"X-A": "one", "X-B": "two"})
    path = f"/webhook-endpoints/{endpoint.pk}"
    before = caller.get(path).body
    after = caller.patch(path, {"description": "x", "retry": {"max_attempts": 1}}).body
    assert {**before, "description": "x", "retry": {"max_attempts": 1},
            "updated_at": after["updated_at"]} == after  # fmt: skip
    assert after["updated_at"] > before["updated_at"]
    assert caller.patch(path, {"retry": None, "events": []}).body["retry"] is None


@pytest.mark.parametrize("because", [DisabledBecause.FAILING, DisabledBecause.GONE])
def test_one_that_was_disabled_for_its_failures_can_be_switched_off_by_hand(
    because: DisabledBecause, caller: Caller, acme: Tenant
) -> None:
    """From then on nothing is kept for it either."""
    endpoint = made(acme, events=["job.completed"])
    disabling.disable(endpoint, because)
    path = f"/webhook-endpoints/{endpoint.pk}"
    before = caller.patch(path, {"description": "x"}).body
    assert before["disabled_because"] == because
    after = caller.patch(path, {"enabled": False}).body
    assert after == {
        **before, "disabled_because": "by_hand", "updated_at": after["updated_at"],
    }  # fmt: skip
    echoed(acme)
    assert not Delivery.objects.exists()
    entry = AuditEntry.objects.filter(action="endpoint.change").latest("pk")
    assert entry.after == {"disabled_because": "by_hand"}


def test_a_headers_value_stays_behind_its_mask_and_one_not_named_goes(
    caller: Caller, acme: Tenant
) -> None:
    endpoint = made(acme, headers={"X-A": "one", "X-B": "two"})
    kept = endpoint.headers["X-A"]
    path = f"/webhook-endpoints/{endpoint.pk}"
    after = caller.patch(path, {"headers": {"X-A": "***", "X-C": "three"}})
    assert after.body["headers"] == {"X-A": "***", "X-C": "***"}
    endpoint.refresh_from_db()
    assert endpoint.headers["X-A"] == kept
    assert caller.patch(path, {"headers": {"X-D": "***"}}).pointers == ["/headers/X-D"]
    entry = AuditEntry.objects.filter(action="endpoint.change").get()
    assert entry.after == {"headers": {"X-A": "***", "X-C": "***"}}


def test_a_type_that_is_no_more_stays_where_it_was_named(caller: Caller, acme: Tenant) -> None:
    endpoint = made(acme)
    Endpoint.objects.filter(pk=endpoint.pk).update(types=["no.more"])
    path = f"/webhook-endpoints/{endpoint.pk}"
    assert caller.patch(path, {"description": "x"}).body["types"] == ["no.more"]
    assert caller.patch(path, {"types": ["no.more", "nor.this"]}).pointers == ["/types/1"]


def test_a_removed_endpoint_is_not_found_and_its_log_stays(caller: Caller, acme: Tenant) -> None:
    sent = delivery(acme)
    path = f"/webhook-endpoints/{sent.endpoint_id}"
    answer = caller.call("DELETE", path)
    assert (answer.status, answer.body) == (204, None)
    assert caller.get(path).status == 404
    assert caller.call("DELETE", path).status == 404
    found = caller.get("/webhook-deliveries", endpoint_id=str(sent.endpoint_id)).body["items"]
    assert [one["id"] for one in found] == [str(sent.pk)]
    assert caller.post(f"/webhook-deliveries/{sent.pk}/redeliver").status == 409


def test_each_write_leaves_an_audit_entry(caller: Caller, acme: Tenant) -> None:
    path = f"/webhook-endpoints/{caller.post('/webhook-endpoints', NEW).body['id']}"
    endpoint = Endpoint.objects.get()
    caller.patch(path, {"enabled": False})
    caller.patch(path, {"enabled": False})  # changes nothing
    caller.post(f"{path}/enable")
    caller.post(f"{path}/rotate-secret")
    caller.post(f"{path}/test")
    caller.post(f"{path}/replay", SINCE)
    caller.post(f"/webhook-deliveries/{delivery(acme, endpoint).pk}/redeliver")
    caller.post("/webhook-secret/rotate")
    caller.call("DELETE", path)
    kinds_of = ["endpoint", "tenant"]
    entries = AuditEntry.objects.filter(
        object_type__in=kinds_of, actor__startswith="token:", tenant=acme
    )
    told = list(entries.exclude(action__startswith="token.").order_by("pk"))
    assert [entry.action for entry in told] == [
        "endpoint.create", "endpoint.change", "endpoint.enable", "endpoint.rotate_secret",
        "endpoint.test", "endpoint.replay", "endpoint.redeliver", "webhook_secret.rotate",
        "endpoint.delete",
    ]  # fmt: skip
    assert {entry.address for entry in told} == {"127.0.0.1"}
    assert (told[1].before, told[1].after) == (
        {"enabled": True, "disabled_because": ""},
        {"enabled": False, "disabled_because": "by_hand"},
    )


def test_without_its_audit_entry_nothing_is_written(
    caller: Caller, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = delivery(acme)
    path = f"/webhook-endpoints/{sent.endpoint_id}"
    before = list(Endpoint.objects.values())

    def fail(**_: object) -> None:
        raise RuntimeError("no entry today")

    monkeypatch.setattr("accounts.audit.record", fail)
    assert caller.post("/webhook-endpoints", NEW).status == 500
    assert caller.patch(path, {"description": "x"}).status == 500
    for action in ("rotate-secret", "test"):
        assert caller.post(f"{path}/{action}").status == 500
    assert caller.post(f"{path}/replay", SINCE).status == 500
    assert caller.post(f"/webhook-deliveries/{sent.pk}/redeliver").status == 500
    assert caller.post("/webhook-secret/rotate").status == 500
    assert caller.call("DELETE", path).status == 500
    assert list(Endpoint.objects.values()) == before
    assert [one.status for one in Delivery.objects.all()] == ["failed"]
    assert not Job.objects.exists()
    assert len(secrets.live_until(acme, sent.endpoint)) == 1
