"""Tokens by REST: shown once, never more than their maker, and gone when revoked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.api import granting
from accounts.models import ApiToken, AuditEntry, IdempotencyKey, Membership, Tenant
from accounts.scopes import EVERY_SCOPE, Scope
from tests.api.accessing import NEW_TOKEN, TOKEN_CALLS
from tests.api.calling import PROBLEM, Answer, Caller
from tests.api.conftest import MakeCaller


def call(caller: Caller, method: str, path: str, body: object = None) -> Answer:
    return caller.call(method, path, data=b"" if body is None else json.dumps(body).encode())


def issued(tenant: Tenant | None, name: str = "a token", **options: Any) -> ApiToken:
    scopes = options.pop("scopes", [Scope.JOBS_READ] if tenant else [Scope.ADMIN])
    return tokens.issue(name=name, tenant=tenant, scopes=scopes, **options).token


def expiring(tenant: Tenant, at: datetime) -> Caller:
    made = tokens.issue(name="short", tenant=tenant, scopes=[Scope.ADMIN], expires_at=at)
    return Caller(token=made.text)


# --- making -------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_works(acme: Tenant, caller_of: MakeCaller) -> None:
    answer = caller_of(acme).post("/tokens", NEW_TOKEN)
    assert (answer.status, answer.headers["Cache-Control"]) == (201, "no-store")
    maker = ApiToken.objects.exclude(name="ci").get()
    body = answer.body
    assert {**body, "id": "", "token": "", "created_at": ""} == {
        "id": "",
        "token": "",
        "created_at": "",
        "name": "ci",
        "scopes": ["jobs:read"],
        "owner": None,
        "platform": False,
        "created_by": f"token:{maker.name}",
        "expires_at": None,
        "last_used_at": None,
        "revoked_at": None,
    }
    me = Caller(token=body["token"]).get("/me").body
    assert (me["name"], me["scopes"], me["token_id"]) == ("ci", ["jobs:read"], body["id"])


def test_a_new_token_stands_in_the_audit_trail_with_who_made_it_and_from_where(
    acme: Tenant, caller_of: MakeCaller
) -> None:
    made = caller_of(acme).post("/tokens", NEW_TOKEN).body
    entry = AuditEntry.objects.get(object_id=made["id"])
    assert (entry.action, entry.actor, entry.address) == (
        "token.create",
        made["created_by"],
        "127.0.0.1",
    )
    assert entry.tenant == acme
    assert made["token"].rpartition("_")[2] not in json.dumps(entry.after)


def test_a_replay_shows_no_token_and_makes_none(acme: Tenant, caller_of: MakeCaller) -> None:
    maker = caller_of(acme)
    first = maker.post("/tokens", NEW_TOKEN, idempotency_key="k")
    again = maker.post("/tokens", NEW_TOKEN, idempotency_key="k")
    assert first.body["token"]
    assert again.headers["Idempotent-Replay"] == "true"
    assert (again.status, again.body) == (201, {**first.body, "token": None})
    assert ApiToken.objects.filter(name="ci").count() == 1


def test_a_replay_after_the_end_of_the_token_gets_the_first_answer(
    acme: Tenant, caller_of: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker, end = caller_of(acme), datetime(2999, 1, 1, tzinfo=UTC)
    wish = {**NEW_TOKEN, "expires_at": end.isoformat()}
    first = maker.post("/tokens", wish, idempotency_key="k")
    monkeypatch.setattr(granting, "timezone", SimpleNamespace(now=lambda: end))

    again = maker.post("/tokens", wish, idempotency_key="k")
    late = maker.post("/tokens", {**wish, "name": "late"}, idempotency_key="l")

    assert (first.status, again.status, late.status) == (201, 201, 422)
    assert again.body == {**first.body, "token": None}
    assert late.pointers == ["/expires_at"]
    assert not IdempotencyKey.objects.filter(key="l").exists()


def test_the_kept_answer_of_a_replay_does_not_hold_the_secret(
    acme: Tenant, caller_of: MakeCaller
) -> None:
    text = caller_of(acme).post("/tokens", NEW_TOKEN, idempotency_key="k").body["token"]
    kept = repr(IdempotencyKey.objects.values().get())
    assert text.rpartition("_")[2] not in kept


def test_a_name_in_use_is_409_and_free_again_when_its_token_is_revoked(
    acme: Tenant, caller_of: MakeCaller
) -> None:
    maker = caller_of(acme)
    first = maker.post("/tokens", NEW_TOKEN).body
    taken = maker.post("/tokens", NEW_TOKEN)
    assert (taken.status, taken.headers["Content-Type"]) == (409, PROBLEM)
    assert call(maker, "DELETE", f"/tokens/{first['id']}").status == 204
    assert maker.post("/tokens", NEW_TOKEN).status == 201


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"name": ""}, ["/name"]),
        ({"name": " ci"}, ["/name"]),
        ({"name": "c\ni"}, ["/name"]),
        ({"name": "x" * 101}, ["/name"]),
        ({"name": None}, ["/name"]),
        ({"scopes": []}, ["/scopes"]),
        ({"scopes": ["jobs:destroy"]}, ["/scopes/0"]),
        ({"scopes": "admin"}, ["/scopes"]),
        ({"owner": "x" * 256}, ["/owner"]),
        ({"expires_at": "tomorrow"}, ["/expires_at"]),
        ({"expires_at": "2020-01-01T00:00:00Z"}, ["/expires_at"]),
        ({"platform": "yes"}, ["/platform"]),
        ({"tenant": "other"}, ["/tenant"]),
        ({"created_by": "user:root"}, ["/created_by"]),
        ({"token": "mine"}, ["/token"]),
        ({"is_staff": True}, ["/is_staff"]),
    ],
)
def test_a_wish_that_breaks_a_rule_is_422_and_makes_nothing(
    change: dict[str, Any], pointers: list[str], acme: Tenant, caller_of: MakeCaller
) -> None:
    maker = caller_of(acme)
    assert maker.post("/tokens", {**NEW_TOKEN, **change}).pointers == pointers
    assert ApiToken.objects.count() == 1


# --- never more than the maker's own ------------------------------------------------------


@pytest.mark.parametrize("scope", sorted(EVERY_SCOPE - {Scope.ADMIN}))
def test_t17_without_the_scope_admin_no_token_is_made(
    scope: Scope, acme: Tenant, caller_of: MakeCaller
) -> None:
    answer = caller_of(acme, [scope]).post("/tokens", {**NEW_TOKEN, "scopes": [scope]})
    assert answer.status == 403
    assert not ApiToken.objects.filter(name="ci").exists()


@pytest.mark.parametrize("later", [timedelta(microseconds=1), timedelta(days=9), None])
def test_t17_a_token_does_not_outlive_its_maker(later: timedelta | None, acme: Tenant) -> None:
    end = datetime(2999, 1, 1, tzinfo=UTC)
    asked = None if later is None else (end + later).isoformat()
    answer = expiring(acme, end).post("/tokens", {**NEW_TOKEN, "expires_at": asked})
    assert (answer.status, answer.headers["Content-Type"]) == (403, PROBLEM)
    assert ApiToken.objects.count() == 1


def test_a_token_may_end_with_its_maker_and_does_where_no_end_is_named(acme: Tenant) -> None:
    end = datetime(2999, 1, 1, tzinfo=UTC)
    maker = expiring(acme, end)
    same = maker.post("/tokens", {**NEW_TOKEN, "expires_at": end.isoformat()})
    left_out = maker.post("/tokens", {**NEW_TOKEN, "name": "second"})
    sooner = maker.post(
        "/tokens", {**NEW_TOKEN, "name": "third", "expires_at": "2998-01-01T00:00:00Z"}
    )
    assert [one.body["expires_at"] for one in (same, left_out, sooner)] == [
        "2999-01-01T00:00:00.000000Z",
        "2999-01-01T00:00:00.000000Z",
        "2998-01-01T00:00:00.000000Z",
    ]


def test_t17_a_token_bound_to_an_owner_makes_tokens_of_that_owner_only(
    acme: Tenant, caller_of: MakeCaller
) -> None:
    eve = caller_of(acme, owner="eve")
    for owner in ("bob", "", None):
        assert eve.post("/tokens", {**NEW_TOKEN, "owner": owner}).status == 403
    assert eve.post("/tokens", NEW_TOKEN).body["owner"] == "eve"
    named = eve.post("/tokens", {**NEW_TOKEN, "name": "second", "owner": "eve"})
    assert named.body["owner"] == "eve"
    assert {token.owner for token in ApiToken.objects.all()} == {"eve"}


def test_a_tenants_admin_binds_a_token_to_any_owner(acme: Tenant, caller_of: MakeCaller) -> None:
    made = caller_of(acme).post("/tokens", {**NEW_TOKEN, "owner": "bob"}).body
    assert made["owner"] == "bob"
    assert Caller(token=made["token"]).get("/me").body["owner"] == "bob"


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("operator", 403), ("admin", 201)])
def test_a_signed_in_person_makes_tokens_by_role(role: str, status: int, acme: Tenant) -> None:
    user = get_user_model().objects.create_user("eve", is_staff=True)
    Membership.objects.create(user=user, tenant=acme, role=role)
    browser = Client()
    browser.force_login(user)
    answer = browser.post("/api/v1/tokens", NEW_TOKEN, content_type="application/json")
    assert answer.status_code == status
    assert [token.created_by for token in ApiToken.objects.all()] == ["user:eve"] * (status == 201)


# --- of the platform ----------------------------------------------------------------------

PLATFORM_TOKEN = {"name": "ops", "scopes": ["admin"], "platform": True}


def test_a_platform_admin_makes_tokens_of_the_tenant_it_acts_for(
    acme: Tenant, platform: Any
) -> None:
    made = platform("acme").post("/tokens", NEW_TOKEN).body
    assert ApiToken.objects.get(pk=made["id"]).tenant == acme
    assert (made["platform"], Caller(token=made["token"]).get("/me").body["tenant"]) == (
        False,
        "acme",
    )


def test_a_platform_admin_makes_and_revokes_platform_tokens(acme: Tenant, platform: Any) -> None:
    made = platform("acme").post("/tokens", PLATFORM_TOKEN).body
    holder = Caller(token=made["token"])
    assert (made["platform"], holder.get("/me").body["kind"]) == (True, "platform")
    assert AuditEntry.objects.get(object_id=made["id"]).tenant is None
    assert call(platform(), "DELETE", f"/tokens/{made['id']}").status == 204
    assert holder.get("/me").status == 401


def test_a_tenants_admin_makes_and_revokes_no_platform_token(
    acme: Tenant, caller_of: MakeCaller
) -> None:
    root, admin = issued(None, "root"), caller_of(acme)
    assert admin.post("/tokens", PLATFORM_TOKEN).status == 403
    assert call(admin, "DELETE", f"/tokens/{root.pk}").status == 404
    root.refresh_from_db()
    assert root.revoked_at is None


@pytest.mark.parametrize(
    ("change", "pointers"),
    [({"scopes": ["jobs:read"]}, ["/scopes"]), ({"owner": "eve"}, ["/owner"])],
)
def test_a_platform_token_is_of_everything_or_not_made(
    change: dict[str, Any], pointers: list[str], platform: Any
) -> None:
    assert platform().post("/tokens", {**PLATFORM_TOKEN, **change}).pointers == pointers


# --- listing ------------------------------------------------------------------------------


def names(caller: Caller, **query: Any) -> list[str]:
    return [item["name"] for item in caller.get("/tokens", **query).body["items"]]


def test_tokens_are_listed_newest_first_without_any_secret(
    acme: Tenant, other: Tenant, caller_of: MakeCaller
) -> None:
    admin = caller_of(acme)
    first, second = (admin.post("/tokens", {**NEW_TOKEN, "name": name}).body for name in "ab")
    issued(other, "foreign")
    answer = admin.get("/tokens")
    assert [item["name"] for item in answer.body["items"]][:2] == ["b", "a"]
    assert answer.body["items"][0] == {
        name: value for name, value in second.items() if name != "token"
    }
    told = json.dumps(answer.body)
    for token in ApiToken.objects.all():
        assert bytes(token.secret_sha256).hex() not in told
    assert first["token"].rpartition("_")[2] not in told
    assert "foreign" not in told


def test_pages_of_tokens_follow_each_other(acme: Tenant, caller_of: MakeCaller) -> None:
    admin = caller_of(acme)
    for number in range(5):
        issued(acme, f"t{number}")
    seen, cursor = [], None
    while True:
        page = admin.get("/tokens", limit=2, **({"cursor": cursor} if cursor else {})).body
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen[:5] == ["t4", "t3", "t2", "t1", "t0"]
    assert len(seen) == 6


def test_revoked_tokens_are_listed_where_asked_for(acme: Tenant, caller_of: MakeCaller) -> None:
    admin = caller_of(acme)
    working, revoked, expired = (issued(acme, name) for name in ("working", "revoked", "expired"))
    tokens.revoke(revoked, by="user:eve")
    ApiToken.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(hours=1))
    assert names(admin)[:2] == ["expired", "working"]
    assert names(admin, revoked="false") == names(admin)
    assert names(admin, revoked="true") == ["revoked"]
    assert admin.get("/tokens", revoked="perhaps").pointers == ["/revoked"]
    assert working.revoked_at is None


def test_a_token_bound_to_an_owner_sees_and_revokes_that_owners_only(
    acme: Tenant, caller_of: MakeCaller
) -> None:
    bobs, whole = issued(acme, "bobs", owner="bob"), issued(acme, "whole")
    eves = issued(acme, "eves", owner="eve")
    eve = caller_of(acme, owner="eve")
    assert names(eve)[1:] == ["eves"]
    statuses = [call(eve, "DELETE", f"/tokens/{one.pk}").status for one in (bobs, whole, eves)]
    assert statuses == [404, 404, 204]


def test_a_platform_admin_who_asks_for_all_sees_whose_each_is(acme: Tenant, platform: Any) -> None:
    token, everybody = issued(acme), platform("*")
    items = {item["id"]: item for item in everybody.get("/tokens").body["items"]}
    assert items[str(token.pk)]["tenant"] == "acme"
    [own] = [item for item in items.values() if item["platform"]]
    assert own["tenant"] is None
    assert names(platform("acme")) == ["a token"]
    assert "tenant" not in platform("acme").get("/tokens").body["items"][0]


# --- revoking -----------------------------------------------------------------------------


def test_a_revoked_token_is_refused_at_once_and_revoking_again_changes_nothing(
    acme: Tenant, caller_of: MakeCaller
) -> None:
    admin = caller_of(acme)
    made = admin.post("/tokens", NEW_TOKEN).body
    holder = Caller(token=made["token"])
    assert holder.get("/jobs").status == 200
    for _ in range(2):
        answer = call(admin, "DELETE", f"/tokens/{made['id']}")
        assert (answer.status, answer.body) == (204, None)
    assert holder.get("/jobs").status == 401
    entry = AuditEntry.objects.get(action="token.revoke")
    assert (entry.object_id, entry.address) == (made["id"], "127.0.0.1")


def test_a_token_may_revoke_itself(acme: Tenant, caller_of: MakeCaller) -> None:
    caller = caller_of(acme)
    own = caller.get("/me").body["token_id"]
    assert call(caller, "DELETE", f"/tokens/{own}").status == 204
    assert caller.get("/me").status == 401


def test_g10_a_foreign_a_missing_and_a_malformed_token_are_the_same_404(
    acme: Tenant, other: Tenant, caller_of: MakeCaller
) -> None:
    foreign, stranger = issued(other), caller_of(acme)
    paths = [str(foreign.pk), str(uuid4()), "7", "x" * 36, "{" + str(foreign.pk) + "}", "%00"]
    answers = [call(stranger, "DELETE", f"/tokens/{path}") for path in paths]
    assert {answer.status for answer in answers} == {404}
    assert {json.dumps({**one.body, "instance": ""}) for one in answers} == {
        json.dumps({**answers[1].body, "instance": ""})
    }
    foreign.refresh_from_db()
    assert foreign.revoked_at is None


# --- who ----------------------------------------------------------------------------------


@pytest.mark.parametrize("granted", sorted(EVERY_SCOPE))
@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), TOKEN_CALLS)
def test_a_call_needs_its_scope(
    method: str, path: str, needed: Scope, body: object, _: object, granted: Scope, acme: Tenant,
    caller_of: MakeCaller,
) -> None:  # fmt: skip
    target = issued(acme)
    answer = call(caller_of(acme, [granted]), method, path.replace("{id}", str(target.pk)), body)
    if granted in (needed, Scope.ADMIN):
        assert answer.status in (200, 201, 204)
    else:
        assert (answer.status, answer.headers["Content-Type"]) == (403, PROBLEM)
        assert needed in answer.body["detail"]


@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), TOKEN_CALLS)
def test_a_call_without_a_token_is_401(
    method: str, path: str, needed: object, body: object, _: object, db: None
) -> None:
    assert call(Caller(), method, path.replace("{id}", str(uuid4())), body).status == 401
